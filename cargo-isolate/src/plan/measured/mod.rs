//! How often the rules about pointers are right: parameters of 19 packages around C libraries, drawn at random and labelled
//! from headers and documentation before any rule was asked.
//!
//! `tests/inferred/labels/PACKAGE.toml` holds the labels, each with the line of the header that speaks for it;
//! `tests/inferred/guessed` those of a second draw, from what the rules call likely or recognise; `tests/inferred/copied` those
//! of a third, from what they call one value or several; `tests/inferred/fresh` those of a fourth, of whatever a contract is
//! inferred for. To count anew what the rules classify, and to draw (it writes
//! `target/inferred/PACKAGE.toml`, to fill in):
//!
//! ```text
//! ISOLATE_SEED=3 cargo test -p cargo-isolate --bins measure -- --ignored --nocapture
//! ISOLATE_SEED=3 ISOLATE_GUESSED=1 cargo test -p cargo-isolate --bins measure -- --ignored --nocapture
//! ISOLATE_SEED=3 ISOLATE_COPIED=1 cargo test -p cargo-isolate --bins measure -- --ignored --nocapture
//! ISOLATE_SEED=3 ISOLATE_FRESH=1 cargo test -p cargo-isolate --bins measure -- --ignored --nocapture
//! ```

mod clang;
mod draw;

use super::{Decision, FunctionPlan, ParamPlan, plan};
use crate::{
    contract::{
        Contract, Dir,
        infer::{Nature, Tier},
        shape::Shape,
    },
    fixture,
    graph::Graph,
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
/// Of those that are likely or recognised, in the second draw.
const GUESSED: usize = 5;
/// Of those that are one value or several, in the third.
const COPIED: usize = 14;
/// Of each tier, in the fourth: few of what is clear, because most of it is the same.
const FRESH: [(Tier, usize); 3] = [(Tier::Clear, 2), (Tier::Convention, 6), (Tier::Likely, 2)];

/// `tests/inferred/labels/PACKAGE.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// What the draw started from.
    seed: u64,
    /// How many pointer parameters there were to draw from, at that time.
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
    /// Structs of numbers that can be given, and not be got back.
    #[serde(default)]
    flat: BTreeSet<String>,
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
    /// Of what only the words are missing; `suggested` is what the stub says of it.
    fn judge_nature(&self, nature: Nature, suggested: Option<&str>) -> Verdict {
        let words = match &self.what {
            Meaning::Other(words) => words,
            // Kept or not: that is what is asked.
            Meaning::Buffer(_, length) if nature == Nature::Lent => {
                return verdict(suggested.is_some_and(|line| line.contains(&format!("len = \"{length}\""))));
            }
            Meaning::Buffer(Dir::In, _) => return verdict(nature == Nature::Run),
            Meaning::String => return verdict(nature == Nature::Lent),
            _ => return Verdict::Wrong,
        };
        verdict(match nature {
            Nature::Callback => words == "callback",
            Nature::Token => words.starts_with("token for the callback"),
            // Either way `[struct]` has to say what its fields are.
            Nature::Object => words.contains("in the caller's memory") || words.starts_with("struct with pointers"),
            Nature::Slice => words.starts_with("struct with pointers"),
            Nature::Cursor => words == "cursor",
            Nature::Place => words == "end of another argument" || words == "place in another argument",
            Nature::Freed => words.starts_with("memory of the library, freed here"),
            Nature::Handles => words.starts_with("array of ") && words.ends_with(" handles"),
            Nature::Run | Nature::Lent => false,
        })
    }
}

fn verdict(is_right: bool) -> Verdict {
    if is_right { Verdict::Right } else { Verdict::Wrong }
}

/// What became of the labels of one folder.
#[derive(Default)]
struct Judged {
    labelled: usize,
    /// Right and all, by tier.
    tiers: BTreeMap<Tier, (usize, usize)>,
    /// Right and all of what is recognised.
    natures: (usize, usize),
    wrong_lengths: usize,
    wrong: String,
}

/// `drawn` of each package, or as many of each tier as `FRESH` says.
fn judge(folder: &str, drawn: Option<usize>) -> Judged {
    let mut judged = Judged::default();
    for (package, list) in lists(folder) {
        let most = drawn.unwrap_or(list.drawn.len());
        assert_eq!(list.drawn.len(), list.pointers.min(most), "{package}: so many were drawn (seed {})", list.seed);
        let functions = planned(&list);
        for drawn in &list.drawn {
            assert!(drawn.source.len() > 10, "{package}: `{}` has a label without a source", drawn.param);
            judged.one(&package, &functions, drawn);
        }
    }
    let Judged { labelled, tiers, natures, wrong, .. } = &judged;
    eprintln!("{folder}: of {labelled}, right and judged by tier: {tiers:?}, recognised: {natures:?}\n{wrong}");
    judged
}

impl Judged {
    fn one(&mut self, package: &str, functions: &[FunctionPlan], drawn: &Labelled) {
        let name = name_of(&drawn.of);
        let function = functions.iter().find(|function| function.name == name).expect("its declaration");
        let param = function.params.iter().find(|param| param.name == drawn.param).expect("its parameter");
        self.labelled += 1;
        if let Decision::Refused { is: Some(nature), .. } = param.decision {
            let is_right = drawn.is.judge_nature(nature, draw::suggestion(function, &drawn.param)) == Verdict::Right;
            self.natures = (self.natures.0 + usize::from(is_right), self.natures.1 + 1);
            if !is_right {
                let _ = writeln!(self.wrong, "{package} {name}: `{}` is {:?}, not {nature:?}", drawn.param, drawn.is);
            }
        }
        let Decision::Rule { contract, tier, .. } = &param.decision else { return };
        let verdict = drawn.is.judge(contract);
        let (right, all) = self.tiers.entry(*tier).or_default();
        *right += usize::from(verdict == Verdict::Right);
        *all += 1;
        self.wrong_lengths += usize::from(verdict == Verdict::WrongLength);
        if verdict != Verdict::Right {
            let contract = contract.to_toml();
            let (param, is) = (&drawn.param, &drawn.is);
            let _ = writeln!(self.wrong, "{package} {name}: `{param}` is {is:?}, not {contract} ({tier:?})");
        }
    }
}

#[test]
fn rules_agree_with_headers() {
    let judged = judge("labels", Some(DRAWN));
    let wrong = &judged.wrong;
    assert!(judged.labelled >= 300, "{} labels are too few to say anything", judged.labelled);
    let [clear, conventional] = [Tier::Clear, Tier::Convention].map(|tier| judged.tiers[&tier]);
    let (right, all) = (clear.0 + conventional.0, clear.1 + conventional.1);
    assert!(right * 100 >= all * 98, "{right} of {all} are right:\n{wrong}");
    let (right, all) = judged.natures;
    assert!(right * 100 >= all * 95, "{right} of {all} are right:\n{wrong}");
    assert_eq!(judged.wrong_lengths, 0, "wrong lengths:\n{wrong}");
}

/// Of what rests on less, drawn anew: the rules had not been held against these.
#[test]
fn guesses_agree_with_headers() {
    let judged = judge("guessed", Some(GUESSED));
    let wrong = &judged.wrong;
    assert!(judged.labelled >= 90, "{} labels are too few to say anything", judged.labelled);
    let (right, all) = judged.tiers[&Tier::Likely];
    assert!(right * 100 >= all * 85, "{right} of {all} are right:\n{wrong}");
    let (right, all) = judged.natures;
    assert!(right * 100 >= all * 95, "{right} of {all} are right:\n{wrong}");
    assert_eq!(judged.wrong_lengths, 0, "wrong lengths:\n{wrong}");
}

/// What is copied, at any tier, of which no other list had a label.
#[test]
fn copies_agree_with_headers() {
    let judged = judge("copied", Some(COPIED));
    let wrong = &judged.wrong;
    assert!(judged.labelled >= 200, "{} labels are too few to say anything", judged.labelled);
    let (right, all) = judged.tiers[&Tier::Convention];
    assert!(right * 100 >= all * 98, "{right} of {all} are right:\n{wrong}");
    let (right, all) = judged.tiers[&Tier::Likely];
    assert!(right * 100 >= all * 95, "{right} of {all} are right:\n{wrong}");
    assert_eq!(judged.wrong_lengths, 0, "wrong lengths:\n{wrong}");
}

/// Whatever has a contract, of which no other list had a label.
#[test]
fn fresh_labels_agree_with_headers() {
    let judged = judge("fresh", None);
    let wrong = &judged.wrong;
    let [clear, conventional] = [Tier::Clear, Tier::Convention].map(|tier| judged.tiers[&tier]);
    let (right, all) = (clear.0 + conventional.0, clear.1 + conventional.1);
    assert!(all >= 60, "{all} labels are too few to say anything");
    assert!(right * 100 >= all * 98, "{right} of {all} are right:\n{wrong}");
    assert_eq!(judged.wrong_lengths, 0, "wrong lengths:\n{wrong}");
}

fn lists(folder: &str) -> BTreeMap<String, List> {
    let paths =
        std::fs::read_dir(root().join("tests/inferred").join(folder)).unwrap().map(|entry| entry.unwrap().path());
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
        (&list.types.flat, "#[repr(C)] pub struct NAME { pub x: c_int, pub y: c_int }"),
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
fn rules_alone(graph: &Graph, package: &str) -> Vec<FunctionPlan> {
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

/// The packages that were measured, by their names, in the graphs that have them: what build scripts write is there.
fn graphs() -> impl Iterator<Item = (Graph, Vec<String>)> {
    [("tests/inferred", false), ("tests/inferred/expanded", true)].into_iter().map(|(folder, expand)| {
        let manifest = root().join(folder).canonicalize().unwrap().join("Cargo.toml");
        let target = vec!["x86_64-unknown-linux-gnu".to_owned()];
        let mut request = Request { target, locked: true, expand, ..Request::default() };
        request.manifest.manifest_path = Some(manifest.clone());
        let graph = sources::load(&request).unwrap();
        let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(manifest).unwrap()).unwrap();
        (graph, manifest["dependencies"].as_table().unwrap().keys().cloned().collect())
    })
}
