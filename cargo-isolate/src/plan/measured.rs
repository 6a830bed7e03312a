//! How often the rules about pointers are right: parameters of 19 packages around C libraries, drawn at random and labelled
//! from headers and documentation before any rule was asked.
//!
//! `tests/inferred/labels/PACKAGE.toml` holds the labels, each with the line of the header that speaks for it. To count anew
//! what the rules classify, and to draw (it writes `target/inferred/PACKAGE.toml`, to fill in):
//!
//! ```text
//! ISOLATE_SEED=2 cargo test -p cargo-isolate --bins measure -- --ignored --nocapture
//! ```

use super::{Decision, FunctionPlan, ParamPlan, plan};
use crate::{
    contract::{
        Contract, Dir,
        check::{Param, Signature},
        infer::{Library, Nature, Tier},
        shape::Shape,
    },
    fixture, judged,
    sources::{self, Request},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// How many parameters are drawn of a package.
const DRAWN: usize = 17;

/// `tests/inferred/labels/PACKAGE.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// What the draw started from.
    seed: u64,
    /// How many pointer parameters there were to draw from.
    pointers: usize,
    #[serde(flatten)]
    types: Named,
    /// Declarations of others that say where the structs come from.
    #[serde(default)]
    beside: Vec<String>,
    drawn: Vec<Labelled>,
}

/// What the names in the signatures stand for.
#[derive(Default, Deserialize)]
struct Named {
    /// Types without visible contents.
    opaque: BTreeSet<String>,
    /// Structs of numbers.
    plain: BTreeSet<String>,
    /// Structs that hold pointers, or others whose bytes are not enough.
    deep: BTreeSet<String>,
    enums: BTreeSet<String>,
    /// Names for `void *`.
    #[serde(default)]
    names: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    /// The declaration, with aliases followed.
    of: String,
    param: String,
    is: Label,
    /// The line of the header, or what else speaks for the label.
    source: String,
}

/// What a pointer means by the library's header and documentation.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Label {
    what: Meaning,
    /// The library holds on to it after the call.
    kept: bool,
}

#[derive(Debug, PartialEq)]
enum Meaning {
    /// An object that the library made; with `out`, where it puts one.
    Handle { out: bool },
    /// A single value in the caller's memory.
    One(Dir),
    /// Several, as many as the text says.
    Buffer(Dir, String),
    /// Text that ends with a NUL.
    String,
    /// What no inferred contract can say: an object in the caller's memory with a life of its own, a callback or its data, a
    /// pointer to a pointer, …. In words.
    Other(String),
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (text, kept) = text.strip_suffix(", kept").map_or((&*text, false), |text| (text, true));
        let dir = |word: &str| match word {
            "in" => Ok(Dir::In),
            "out" => Ok(Dir::Out),
            "inout" => Ok(Dir::Inout),
            _ => Err(format!("`{word}` is no direction")),
        };
        let what = match *text.splitn(3, ' ').collect::<Vec<_>>() {
            ["handle"] => Meaning::Handle { out: false },
            ["handle", "out"] => Meaning::Handle { out: true },
            ["one", word] => Meaning::One(dir(word)?),
            ["buffer", word, len] => Meaning::Buffer(dir(word)?, len.to_owned()),
            ["string"] => Meaning::String,
            ["other:", ..] => Meaning::Other(text.trim_start_matches("other:").trim().to_owned()),
            _ => return Err(format!("`{text}` is no label")),
        };
        Ok(Self { what, kept })
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Right,
    Wrong,
    /// Our own copy would be too long or too short.
    WrongLength,
}

impl Label {
    fn judge(&self, contract: &Contract) -> Verdict {
        // What is copied in and back serves every direction.
        let serves = |dir: Dir, wanted: Dir| dir == wanted || dir == Dir::Inout;
        let is_right = match (contract, &self.what) {
            (Contract::Handle { dir, .. }, Meaning::Handle { out }) => return verdict(*out == (*dir == Dir::Out)),
            (Contract::Obj { dir, .. }, Meaning::One(wanted)) => serves(*dir, *wanted),
            (Contract::Buf { dir, len, .. }, Meaning::Buffer(wanted, length)) if len.to_string() == *length => {
                serves(*dir, *wanted)
            }
            (Contract::Buf { .. }, _) => return Verdict::WrongLength,
            (Contract::Cstr { dir: Dir::In, .. }, Meaning::String) => true,
            _ => false,
        };
        // A copy for the length of the call is not what the library would find later.
        verdict(is_right && !self.kept)
    }
}

impl Label {
    /// Of what only the words are missing.
    fn judge_nature(&self, nature: Nature) -> Verdict {
        let words = match &self.what {
            Meaning::Other(words) => words,
            Meaning::Buffer(Dir::In, _) => return verdict(nature == Nature::Run),
            _ => return Verdict::Wrong,
        };
        verdict(match nature {
            Nature::Callback => words == "callback",
            Nature::Token => words.starts_with("token for the callback"),
            // Either way `[struct]` has to say what its fields are.
            Nature::Object => words.contains("in the caller's memory") || words.starts_with("struct with pointers"),
            Nature::Cursor => words == "cursor",
            Nature::Place => words == "end of another argument" || words == "place in another argument",
            Nature::Freed => words.starts_with("memory of the library, freed here"),
            Nature::Run => false,
        })
    }
}

fn verdict(is_right: bool) -> Verdict {
    if is_right { Verdict::Right } else { Verdict::Wrong }
}

#[test]
fn rules_agree_with_headers() {
    let mut judged: BTreeMap<Tier, (usize, usize)> = BTreeMap::new();
    let mut natures = (0, 0);
    let (mut labelled, mut wrong, mut lengths) = (0, String::new(), 0);
    for (package, list) in lists() {
        assert_eq!(list.drawn.len(), list.pointers.min(DRAWN), "{package}: so many were drawn (seed {})", list.seed);
        let functions = planned(&list);
        for drawn in &list.drawn {
            assert!(drawn.source.len() > 10, "{package}: `{}` has a label without a source", drawn.param);
            let name = name_of(&drawn.of);
            let function = functions.iter().find(|function| function.name == name).expect("its declaration");
            let param = function.params.iter().find(|param| param.name == drawn.param).expect("its parameter");
            labelled += 1;
            if let Decision::Refused { is: Some(nature), .. } = param.decision {
                let is_right = drawn.is.judge_nature(nature) == Verdict::Right;
                natures = (natures.0 + usize::from(is_right), natures.1 + 1);
                if !is_right {
                    let _ = writeln!(wrong, "{package} {name}: `{}` is {:?}, not {nature:?}", drawn.param, drawn.is);
                }
            }
            let Decision::Rule { contract, tier, .. } = &param.decision else { continue };
            let verdict = drawn.is.judge(contract);
            let (right, all) = judged.entry(*tier).or_default();
            *right += usize::from(verdict == Verdict::Right);
            *all += 1;
            lengths += usize::from(verdict == Verdict::WrongLength);
            if verdict != Verdict::Right {
                let contract = contract.to_toml();
                let _ =
                    writeln!(wrong, "{package} {name}: `{}` is {:?}, not {contract} ({tier:?})", drawn.param, drawn.is);
            }
        }
    }
    eprintln!("of {labelled}, right and judged by tier: {judged:?}, recognised: {natures:?}\n{wrong}");
    assert!(labelled >= 300, "{labelled} labels are too few to say anything");
    let (right, all) = judged[&Tier::Proven];
    assert!(right * 100 >= all * 98, "{right} of {all} are right:\n{wrong}");
    assert!(natures.0 * 100 >= natures.1 * 95, "{natures:?} are right:\n{wrong}");
    assert_eq!(lengths, 0, "wrong lengths:\n{wrong}");
}

fn lists() -> BTreeMap<String, List> {
    let paths = std::fs::read_dir(root().join("tests/inferred/labels")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let list = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), list)
    };
    paths.map(read).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn name_of(declaration: &str) -> &str {
    declaration.trim_start_matches("fn ").split('(').next().unwrap()
}

/// What the rules alone say of the functions of a list.
fn planned(list: &List) -> Vec<FunctionPlan> {
    let mut files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\nuse std::ffi::*;\n\
        #[cfg(feature = \"wide\")] pub type varying = u64;\n#[cfg(not(feature = \"wide\"))] pub type varying = u32;\n"
        .to_owned();
    let kinds = [
        (&list.types.opaque, "pub enum NAME {}"),
        (&list.types.plain, "#[repr(C)] #[derive(Clone, Copy)] pub struct NAME { pub x: c_int, pub y: c_int }"),
        (&list.types.deep, "#[repr(C)] #[derive(Clone, Copy)] pub struct NAME { pub p: *mut c_void, pub x: c_int }"),
        (&list.types.enums, "#[repr(C)] #[derive(Clone, Copy)] pub enum NAME { A, B }"),
        (&list.types.names, "pub type NAME = *mut c_void;"),
    ];
    for (names, text) in kinds {
        names.iter().for_each(|name| writeln!(files, "{}", text.replace("NAME", name)).unwrap());
    }
    let declarations: BTreeSet<&str> =
        list.drawn.iter().map(|drawn| &*drawn.of).chain(list.beside.iter().map(|one| &**one)).collect();
    declarations.iter().for_each(|declaration| writeln!(files, "extern \"C\" {{ pub {declaration}; }}").unwrap());
    rules_alone(&fixture::graph(&files), "x-sys")
}

/// Every function of a package, with no word in the policy about any.
fn rules_alone(graph: &crate::graph::Graph, package: &str) -> Vec<FunctionPlan> {
    let policy = format!("[domain.x]\nlibrary = \"{package}\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n");
    match plan(graph, &fixture::policy(&policy)) {
        Ok(plan) => plan.domains.into_iter().flat_map(|domain| domain.functions).collect(),
        Err(errors) => panic!("{package}: {}", fixture::mistakes(&policy, &errors)),
    }
}

/// Pointers in every dress: a reference and a function pointer are one to C.
fn is_pointer(param: &ParamPlan) -> bool {
    matches!(param.shape, Shape::Pointer { .. } | Shape::Function(_))
}

#[test]
#[ignore = "counts over packages from crates.io and draws into target/inferred: ISOLATE_SEED=1"]
fn measure() {
    let seed: u64 = std::env::var("ISOLATE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let directory = root().join("target/inferred");
    std::fs::create_dir_all(&directory).unwrap();
    println!(
        "| package | functions | pointers | proven | likely | recognised | open | with a suggestion | classified |\n|---|---|---|---|---|---|---|---|---|"
    );
    let mut total = [0; 7];
    for (folder, expand) in [("tests/inferred", false), ("tests/inferred/expanded", true)] {
        let manifest = root().join(folder).canonicalize().unwrap().join("Cargo.toml");
        let target = vec!["x86_64-unknown-linux-gnu".to_owned()];
        let mut request = Request { target, locked: true, expand, ..Request::default() };
        request.manifest.manifest_path = Some(manifest.clone());
        let graph = sources::load(&request).unwrap();
        let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(manifest).unwrap()).unwrap();
        for package in manifest["dependencies"].as_table().unwrap().keys() {
            let functions = rules_alone(&graph, package);
            let row = count(&functions);
            row.iter().zip(&mut total).for_each(|(one, all)| *all += one);
            let version = &graph.packages.iter().find(|one| one.name == *package).unwrap().version;
            println!("{}", line(&format!("{package} {version}"), row));
            std::fs::write(directory.join(format!("{package}.toml")), draw(package, &functions, seed)).unwrap();
            std::fs::write(directory.join(format!("{package}.open.txt")), open(&functions)).unwrap();
        }
    }
    println!("{}", line("all", total));
}

/// Functions, pointers, proven, likely, recognised, open, open with a suggestion.
fn count(functions: &[FunctionPlan]) -> [usize; 7] {
    let pointers = || {
        let each = functions.iter().flat_map(|function| function.params.iter().map(move |param| (function, param)));
        each.filter(|(_, param)| is_pointer(param))
    };
    let of = |wanted: Tier| {
        let is_it = |decision: &Decision| matches!(decision, Decision::Rule { tier, .. } if *tier == wanted);
        pointers().filter(|(_, param)| is_it(&param.decision)).count()
    };
    let open = |(_, param): &(&FunctionPlan, &ParamPlan)| matches!(param.decision, Decision::Refused { is: None, .. });
    let recognised =
        |(_, param): &(&FunctionPlan, &ParamPlan)| matches!(param.decision, Decision::Refused { is: Some(_), .. });
    let suggested = |(function, param): &(&FunctionPlan, &ParamPlan)| {
        let start = format!("arg.{} = ", param.name);
        let stub = function.stub.iter().flat_map(|stub| stub.lines());
        stub.into_iter().any(|line| line.starts_with(&start) && !line.contains("\"LENGTH\""))
    };
    [
        functions.len(),
        pointers().count(),
        of(Tier::Proven),
        of(Tier::Likely),
        pointers().filter(recognised).count(),
        pointers().filter(open).count(),
        pointers().filter(open).filter(suggested).count(),
    ]
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

fn line(name: &str, [functions, pointers, proven, likely, recognised, open, suggested]: [usize; 7]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let share = 100.0 * (proven + likely + recognised) as f64 / pointers as f64;
    format!(
        "| {name} | {functions} | {pointers} | {proven} | {likely} | {recognised} | {open} | {suggested} | {share:.1} % |"
    )
}

/// A list to fill in.
fn draw(package: &str, functions: &[FunctionPlan], seed: u64) -> String {
    let mut all = Vec::new();
    for function in functions {
        for (index, param) in function.params.iter().enumerate().filter(|(_, param)| is_pointer(param)) {
            let place = format!("{package} {}", function.name);
            let index = u32::try_from(index).unwrap();
            all.push((judged::rank(seed, &place, index), &function.name, index, function, param));
        }
    }
    all.sort_by_key(|(rank, name, index, ..)| (*rank, *name, *index));
    let library = Library::of(&functions.iter().map(signature).collect::<Vec<_>>());
    let (mut types, mut lists) = (Named::default(), String::new());
    for (_, _, _, function, param) in all.iter().take(DRAWN) {
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
        "seed = {seed}\npointers = {}\nopaque = {}\nplain = {}\ndeep = {}\nenums = {}\nnames = {}\nbeside = [\n{}]\n{lists}",
        all.len(),
        quoted(&types.opaque),
        quoted(&types.plain),
        quoted(&types.deep),
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
            Shape::Pointer { mutable, reference, to } => {
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
            Shape::Struct { path, hindrance: None } => self.plain.insert(path.name.clone()),
            Shape::Struct { path, hindrance: Some(_) } => self.deep.insert(path.name.clone()),
            Shape::Enum { path, .. } => self.enums.insert(path.name.clone()),
            _ => false,
        };
        shape.to_string()
    }
}
