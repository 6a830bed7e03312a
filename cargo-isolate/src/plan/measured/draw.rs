//! Counts what the rules say of whole packages, and draws parameters to label.

use super::{
    COPIED, DRAWN, FRESH, GUESSED, List, Meaning, Named, graphs, is_pointer, lists, name_of, root, rules_alone,
};
use crate::{
    contract::{
        Contract,
        check::{Param, Signature},
        infer::{Library, Nature, Tier},
        shape::Shape,
    },
    judged::{self, needs},
    plan::{Decision, FunctionPlan, ParamPlan},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    process::Command,
};

#[test]
#[ignore = "counts over packages from crates.io and draws into target/inferred: ISOLATE_SEED=1"]
fn measure() {
    let seed: u64 = std::env::var("ISOLATE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let wanted = Wanted::asked();
    let directory = root().join("target/inferred");
    std::fs::create_dir_all(&directory).unwrap();
    println!(
        "| package | functions | pointers | clear | convention | likely | recognised | asked | open | with a suggestion | classified |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let (mut total, mut suggestions, mut told) = ([0; 9], (0, 0), String::new());
    for (graph, packages) in graphs() {
        for package in &packages {
            let functions = rules_alone(&graph, package);
            for list in ["labels", "guessed", "copied"].iter().filter_map(|folder| lists(folder).remove(package)) {
                let (right, all) = self::suggestions(&functions, &list, &mut told);
                suggestions = (suggestions.0 + right, suggestions.1 + all);
            }
            let row = count(&functions);
            row.iter().zip(&mut total).for_each(|(one, all)| *all += one);
            let version = &graph.packages.iter().find(|one| one.name == *package).unwrap().version;
            println!("{}", line(&format!("{package} {version}"), row));
            std::fs::write(directory.join(format!("{package}.toml")), draw(package, &functions, seed, wanted)).unwrap();
            std::fs::write(directory.join(format!("{package}.open.txt")), open(&functions)).unwrap();
        }
    }
    println!("{}", line("all", total));
    let (right, all) = suggestions;
    println!("suggestions with a label: {all}, right {right}\n{told}");
}

/// Right and all of the suggestions for labelled buffers; each in words.
fn suggestions(functions: &[FunctionPlan], list: &List, told: &mut String) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for drawn in &list.drawn {
        let Some(function) = functions.iter().find(|one| one.name == name_of(&drawn.of)) else { continue };
        let Some(line) = suggestion(function, &drawn.param).filter(|line| !line.contains("\"cb\"")) else { continue };
        all += 1;
        let is_place = line.contains("inner_of = ");
        let said = ["len = \"", "cap = \""].iter().find_map(|word| line.split(word).nth(1)?.split('"').next());
        let is_right = match (&drawn.is.what, said) {
            (Meaning::Buffer(_, len), Some(said)) => len == said,
            (Meaning::Other(words), _) if is_place => words == "place in another argument",
            (Meaning::Other(words), Some(said)) => *words == format!("array of {said} handles"),
            _ => false,
        };
        right += usize::from(is_right);
        let _ =
            writeln!(told, "{} {}: {line} is {:?}", if is_right { "right" } else { "WRONG" }, function.name, drawn.is);
    }
    (right, all)
}

/// The line of the stub for a parameter, where it could be pasted as it stands.
pub(super) fn suggestion<'f>(function: &'f FunctionPlan, param: &str) -> Option<&'f str> {
    let start = format!("arg.{param} = ");
    let lines = function.stub.iter().flat_map(|stub| stub.lines());
    lines.into_iter().find(|line| line.starts_with(&start) && !line.contains("\"LENGTH\""))
}

/// What `docs/inference.md` says of all of them together.
#[test]
fn enough_is_classified() {
    const LEAST: f64 = 79.7;
    if ["inferred", "inferred/expanded"].map(needs::crates).contains(&None) {
        return;
    }
    let asked = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    if !asked.is_ok_and(|status| status.success()) {
        return needs::skip(
            "openssl",
            "openssl-sys is only read with the OpenSSL of the system, and `pkg-config` knows of none",
        );
    }
    let mut total = [0; 9];
    for (graph, packages) in graphs() {
        for package in &packages {
            let row = count(&rules_alone(&graph, package));
            row.iter().zip(&mut total).for_each(|(one, all)| *all += one);
        }
    }
    let line = line("all", total);
    assert!(classified(total) >= LEAST, "less than {LEAST} % of the pointers are classified: {line}");
}

/// Functions, pointers, clear, by convention, likely, recognised, asked about, open, open with a suggestion.
fn count(functions: &[FunctionPlan]) -> [usize; 9] {
    let pointers = || {
        let each = functions.iter().flat_map(|function| function.params.iter().map(move |param| (function, param)));
        each.filter(|(_, param)| is_pointer(param))
    };
    let of = |wanted: Tier| {
        let is_it = |decision: &Decision| matches!(decision, Decision::Rule { tier, .. } if *tier == wanted);
        pointers().filter(|(_, param)| is_it(&param.decision)).count()
    };
    let open = |(_, param): &(&FunctionPlan, &ParamPlan)| matches!(param.decision, Decision::Refused { is: None, .. });
    let natures = |asks: bool| {
        let is_it = |param: &ParamPlan| match param.decision {
            Decision::Refused { is: Some(nature), .. } => is_question(nature) == asks,
            _ => false,
        };
        pointers().filter(|(_, param)| is_it(param)).count()
    };
    let suggested = |(function, param): &(&FunctionPlan, &ParamPlan)| suggestion(function, &param.name).is_some();
    [
        functions.len(),
        pointers().count(),
        of(Tier::Clear),
        of(Tier::Convention),
        of(Tier::Likely),
        natures(false),
        natures(true),
        pointers().filter(open).count(),
        pointers().filter(open).filter(suggested).count(),
    ]
}

/// What is recognised with a question, or is more than contracts have words for: it is not classified.
fn is_question(nature: Nature) -> bool {
    match nature {
        Nature::Callback | Nature::Token | Nature::Object | Nature::Slice | Nature::Freed => false,
        Nature::Cursor | Nature::Run | Nature::Place | Nature::Handles | Nature::Lent => true,
    }
}

/// Each pointer that no rule settles, with its signature: what to look at next.
fn open(functions: &[FunctionPlan]) -> String {
    let mut text = String::new();
    for function in functions {
        let params = function.params.iter().map(|param| format!("{}: {}", param.name, param.shape));
        let params = params.collect::<Vec<_>>().join(", ");
        for param in function.params.iter().filter(|param| is_pointer(param)) {
            if let Decision::Refused { reason, is } = &param.decision {
                let what = is.map(|is| format!("{is:?}")).unwrap_or_default();
                let _ =
                    writeln!(text, "{what}\t{}: {}\t{}({params})\t{reason}", param.name, param.shape, function.name);
            }
        }
    }
    text
}

fn line(name: &str, row: [usize; 9]) -> String {
    let numbers: String = row.iter().map(|number| format!(" {number} |")).collect();
    format!("| {name} |{numbers} {:.1} % |", classified(row))
}

/// Of a hundred pointers, those that a rule settles, and those that are recognised without a question.
#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn classified([_, pointers, clear, convention, likely, recognised, ..]: [usize; 9]) -> f64 {
    100.0 * (clear + convention + likely + recognised) as f64 / pointers as f64
}

/// What is drawn from.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    /// Likely, or recognised.
    Guessed,
    /// One value or several, at any tier, of which no other list has a label.
    Copied,
    /// Whatever has a contract, of which no other list has a label.
    Fresh,
}

impl Wanted {
    fn asked() -> Wanted {
        match ["ISOLATE_GUESSED", "ISOLATE_COPIED", "ISOLATE_FRESH"].map(|name| std::env::var_os(name).is_some()) {
            [true, ..] => Wanted::Guessed,
            [_, true, _] => Wanted::Copied,
            [.., true] => Wanted::Fresh,
            _ => Wanted::All,
        }
    }

    fn has(self, decision: &Decision) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Guessed => {
                matches!(decision, Decision::Rule { tier: Tier::Likely, .. } | Decision::Refused { is: Some(_), .. })
            }
            Wanted::Copied => {
                matches!(decision, Decision::Rule { contract: Contract::Obj { .. } | Contract::Buf { .. }, .. })
            }
            Wanted::Fresh => matches!(decision, Decision::Rule { .. }),
        }
    }

    /// How many of those that are like this one.
    fn most(self, decision: &Decision) -> usize {
        match (self, decision) {
            (Wanted::All, _) => DRAWN,
            (Wanted::Guessed, _) => GUESSED,
            (Wanted::Copied, _) => COPIED,
            (Wanted::Fresh, Decision::Rule { tier, .. }) => FRESH.iter().find(|(of, _)| of == tier).unwrap().1,
            (Wanted::Fresh, _) => 0,
        }
    }

    /// The lists whose parameters are left out.
    fn known(self) -> &'static [&'static str] {
        match self {
            Wanted::All | Wanted::Guessed => &[],
            Wanted::Copied => &["labels", "guessed"],
            Wanted::Fresh => &["labels", "guessed", "copied"],
        }
    }
}

/// Parameters of a package that have a label in one of these lists, by their functions.
fn labelled(package: &str, folders: &[&str]) -> BTreeSet<(String, String)> {
    let lists = folders.iter().filter_map(|folder| lists(folder).remove(package));
    let drawn = lists.flat_map(|list| list.drawn);
    drawn.map(|drawn| (name_of(&drawn.of).to_owned(), drawn.param)).collect()
}

/// A list to fill in.
fn draw(package: &str, functions: &[FunctionPlan], seed: u64, wanted: Wanted) -> String {
    let mut all = Vec::new();
    let known = labelled(package, wanted.known());
    for function in functions {
        let is_new = |param: &ParamPlan| !known.contains(&(function.name.clone(), param.name.clone()));
        let wanted = |param: &ParamPlan| is_pointer(param) && wanted.has(&param.decision) && is_new(param);
        for (index, param) in function.params.iter().enumerate().filter(|(_, param)| wanted(param)) {
            let place = format!("{package} {}", function.name);
            let index = u32::try_from(index).unwrap();
            all.push((judged::rank(seed, &place, index), &function.name, index, function, param));
        }
    }
    all.sort_by_key(|(rank, name, index, ..)| (*rank, *name, *index));
    let library = Library::of(&functions.iter().map(signature).collect::<Vec<_>>(), []);
    let (mut types, mut lists) = (Named::default(), String::new());
    let mut taken = BTreeMap::new();
    let mut is_drawn = |param: &ParamPlan| {
        // What is not told apart by tiers is counted together.
        let tier = match (wanted, &param.decision) {
            (Wanted::Fresh, Decision::Rule { tier, .. }) => Some(*tier),
            _ => None,
        };
        let taken = taken.entry(tier).or_insert(0);
        *taken += 1;
        *taken <= wanted.most(&param.decision)
    };
    let pointers = all.len();
    all.retain(|(.., param)| is_drawn(param));
    for (_, _, _, function, param) in &all {
        let _ = writeln!(
            lists,
            "\n[[drawn]]\nof = \"{}\"\nparam = \"{}\"\nis = @\nsource = @",
            types.declaration(function, &library),
            param.name
        );
    }
    let witnesses = library.witnesses(|name| types.deep.contains(name) || types.names.contains(name));
    let witnesses = functions.iter().filter(|function| witnesses.contains(&function.name));
    let beside: Vec<_> =
        witnesses.map(|function| format!("    \"{}\",\n", types.declaration(function, &library))).collect();
    let quoted = |names: &BTreeSet<String>| format!("{:?}", names.iter().collect::<Vec<_>>());
    format!(
        "seed = {seed}\npointers = {}\nopaque = {}\nplain = {}\ndeep = {}\nflat = {}\nenums = {}\nnames = {}\nbeside = [\n{}]\n{lists}",
        pointers,
        quoted(&types.opaque),
        quoted(&types.plain),
        quoted(&types.deep),
        quoted(&types.flat),
        quoted(&types.enums),
        quoted(&types.names),
        beside.concat(),
    )
}

fn signature(function: &FunctionPlan) -> Signature {
    let params = function.params.iter().map(|param| Param {
        name: param.name.clone(),
        ty: param.ty.clone(),
        shape: param.shape.clone(),
    });
    Signature {
        name: function.name.clone(),
        params: params.collect(),
        ret: function.ret.as_ref().map(|ret| ret.shape.clone()),
        ret_ty: function.ret.as_ref().map(|ret| ret.ty.clone()).unwrap_or_default(),
        called: None,
        binds: Vec::new(),
    }
}

impl Named {
    fn declaration(&mut self, function: &FunctionPlan, library: &Library) -> String {
        let params = function.params.iter().map(|param| {
            let star = if param.ty.starts_with("*mut ") { "*mut " } else { "" };
            let name = param.ty.trim_start_matches("*mut ").rsplit(':').next().unwrap_or_default();
            match library.maker_of(name) {
                Some(_) => {
                    self.names.insert(name.to_owned());
                    format!("{}: {star}{name}", param.name)
                }
                None => format!("{}: {}", param.name, self.text(&param.shape)),
            }
        });
        let params = params.collect::<Vec<_>>().join(", ");
        let ret = function.ret.as_ref().map(|ret| format!(" -> {}", self.text(&ret.shape))).unwrap_or_default();
        format!("fn {}({params}){ret}", function.name)
    }

    /// A type as a declaration spells it that stands alone.
    fn text(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Int(None) => return "varying".to_owned(),
            Shape::Void => return "c_void".to_owned(),
            Shape::Function(_) => return "Option<unsafe extern \\\"C\\\" fn()>".to_owned(),
            Shape::Pointer { newtype: Some(_), .. } => return shape.to_string(),
            Shape::Pointer { mutable, reference, to, .. } => {
                let star = match (reference, mutable) {
                    (true, true) => "&mut ",
                    (true, false) => "&",
                    (false, true) => "*mut ",
                    (false, false) => "*const ",
                };
                return format!("{star}{}", self.text(to));
            }
            Shape::Array { of, len } => return format!("[{}; {len}]", self.text(of)),
            Shape::Opaque(path) => self.opaque.insert(path.name.clone()),
            Shape::Struct { path, hindrance: None, .. } => self.plain.insert(path.name.clone()),
            Shape::Struct { path, hindrance: Some(_), flat: true } => self.flat.insert(path.name.clone()),
            Shape::Struct { path, hindrance: Some(_), .. } => self.deep.insert(path.name.clone()),
            Shape::Enum { path, .. } => self.enums.insert(path.name.clone()),
            _ => false,
        };
        shape.to_string()
    }
}
