//! Proof that wrappers hold: each is called while a stub in the place of its C function misbehaves.
//!
//! A package is generated under `target/isolate/verify`: the wrapper files as they are in the tree, with the one line that
//! imports the foreign functions pointing at stubs of the same signatures, and a driver that calls every wrapper. What it
//! says is read back as [`run::Act`]s.

mod driver;
pub(crate) mod linked;
mod run;
mod stubs;
mod types;

pub(crate) use run::{Act, Played, StageError};
pub(crate) use stubs::{Called, Exact, Foreign, Given, Param, Pointee, Stored};

use crate::{graph::Graph, process::Runner};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_templates::verify::{BUILD_SCRIPT, HARNESS};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;

/// The path by which wrappers import what they wrap, in the package that is generated here.
pub(crate) const STUBS: &str = "crate::stubs";

/// Everything that goes into a package for one member.
pub(crate) struct Subject {
    /// The member's wrappers with their imports taken from [`STUBS`]: domain and text of its file.
    pub(crate) wrappers: Vec<(String, String)>,
    /// What they wrap.
    pub(crate) functions: Vec<Foreign>,
    /// The member's linker fragment: it defines the symbols that the wrappers name.
    pub(crate) fragment: String,
}

/// Where the runtime's packages lie.
pub(crate) struct Runtime {
    /// `isolate-rt`.
    pub(crate) runtime: Utf8PathBuf,
    /// `isolate-rt-build`.
    pub(crate) build: Utf8PathBuf,
}

/// A package that is on disk and compiles.
pub(crate) struct Stage {
    folder: Utf8PathBuf,
    /// Of cargo.
    flags: Vec<String>,
}

/// Writes and compiles the package for `subject` in `folder`, with these flags of cargo.
///
/// # Errors
///
/// When a wrapper's parameters are of a type that no argument can be made of, or the package cannot be written or compiled.
pub(crate) fn prepare(
    graph: &Graph,
    subject: &Subject,
    runtime: &Runtime,
    folder: Utf8PathBuf,
    flags: Vec<String>,
) -> Result<Stage, StageError> {
    let files = files(graph, subject, runtime)?;
    // What an earlier run left is none of this one's.
    match fs::remove_dir_all(folder.join("src")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(StageError::io(format!("remove {folder}/src"), error));
        }
        _ => {}
    }
    for (path, text) in files {
        write(&folder.join(path), &text)?;
    }
    // The workspace's own versions: nothing is downloaded, and what runs here is what runs there.
    let lock = graph.root.join("Cargo.lock");
    match fs::copy(&lock, folder.join("Cargo.lock")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(StageError::io(format!("copy {lock}"), error));
        }
        _ => {}
    }
    let stage = Stage { folder, flags };
    run::build(&stage)?;
    Ok(stage)
}

impl Stage {
    /// Plays every act against every wrapper.
    pub(crate) fn play(&self, runner: &Runner) -> Result<Played, StageError> {
        run::play(self, runner, &[])
    }
}

/// The package's files: path and text.
fn files(graph: &Graph, subject: &Subject, runtime: &Runtime) -> Result<Vec<(String, String)>, StageError> {
    let (mut files, mut cases, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut modules = String::new();
    for (domain, text) in &subject.wrappers {
        let file = syn::parse_file(text).map_err(|error| {
            StageError::Rejected(format!("the wrappers of domain `{domain}` do not parse: {error}"))
        })?;
        match driver::cases(domain, &file, &subject.functions) {
            Ok(more) => cases.extend(more),
            Err(more) => errors.extend(more),
        }
        files.push((format!("src/isolated/{domain}.rs"), text.clone()));
        let _ = writeln!(modules, "pub mod {domain};");
    }
    if !errors.is_empty() {
        return Err(StageError::Rejected(errors.join("\n")));
    }
    files.push(("src/isolated/mod.rs".to_owned(), modules));
    files.push(("src/isolated/isolate.ld".to_owned(), subject.fragment.clone()));
    files.push(("src/stubs.rs".to_owned(), stubs::render(graph, &subject.functions)));
    files.extend(HARNESS.map(|(name, text)| (format!("src/{name}"), text.to_owned())));
    files.push(("src/main.rs".to_owned(), driver::render(&cases)));
    files.push(("build.rs".to_owned(), BUILD_SCRIPT.to_owned()));
    files.push(("Cargo.toml".to_owned(), manifest(runtime)));
    Ok(files)
}

fn manifest(runtime: &Runtime) -> String {
    let Runtime { runtime, build } = runtime;
    format!(
        "[package]\nname = \"isolate-verify\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nisolate-rt = {{ path = {:?} }}\n\n[build-dependencies]\nisolate-rt-build = {{ path = {:?} }}\n\n[workspace]\n",
        runtime.as_str(),
        build.as_str()
    )
}

fn write(path: &Utf8Path, text: &str) -> Result<(), StageError> {
    let folder = path.parent().expect("a file in the package's folder");
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| StageError::io(format!("write {path}"), error))
}

#[cfg(test)]
mod mutations;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Package, Role, SourceFile};
    use isolate_lints::{Edition, facts::ForeignKind, scan};
    use std::sync::Mutex;

    pub(super) fn graph(text: &str) -> Graph {
        let facts = scan(text, Edition::E2024);
        let file = SourceFile {
            path: "src/lib.rs".into(),
            text: crate::text::Text::new(text),
            role: Role::Main,
            krate: "fixture_sys".to_owned(),
            edition: Edition::E2024,
            module: Vec::new(),
            cfgs: Vec::new(),
            configs: Default::default(),
            facts,
            also: Vec::new(),
            expansions: Vec::new(),
        };
        let package = Package {
            out_dir: None,
            name: "fixture-sys".to_owned(),
            version: "1.0.0".to_owned(),
            key: cargo_metadata::PackageId { repr: "fixture-sys".to_owned() },
            root: "fixture-sys".into(),
            member: false,
            local: false,
            selected: false,
            links: None,
            lib: Some("fixture_sys".to_owned()),
            externs: Default::default(),
            files: vec![file],
            gaps: Vec::new(),
        };
        Graph {
            root: here(".."),
            target: here("../target"),
            platforms: Default::default(),
            conditions: String::new(),
            expanded: false,
            packages: vec![package],
        }
    }

    /// An array of pointers that NULL ends, or that may be NULL, as each of them.
    fn pointers(to: Pointee, ended: bool, nullable: bool) -> Given {
        Given::Pointers { to, gaps: nullable, ended, nullable }
    }

    pub(super) fn functions(graph: &Graph) -> Vec<Foreign> {
        let foreign = graph.packages[0].files.iter().flat_map(|file| &file.facts.foreign);
        foreign
            .filter_map(|item| match &item.item {
                ForeignKind::Function { params, ret, .. } => Some(Foreign {
                    package: 0,
                    name: item.name.clone(),
                    wrapper: item.name.clone(),
                    picky: false,
                    variadic: None,
                    params: params
                        .iter()
                        .map(|param| Param {
                            name: param.name.clone().unwrap_or_default(),
                            ty: param.ty.clone(),
                            given: match param.name.as_deref() {
                                Some("level") => Some(Given::Number),
                                Some("source") => Some(Given::Input { nullable: false }),
                                Some("source_len") => Some(Given::Length { nullable: false }),
                                Some("at") => Some(Given::Input { nullable: true }),
                                Some("at_len") => Some(Given::Length { nullable: true }),
                                Some("text") => Some(Given::Input { nullable: false }),
                                Some("text_end") => Some(Given::End { slice: 0, nullable: false }),
                                Some("from") => Some(Given::Place { of: 0, nullable: true }),
                                Some("len") => Some(Given::Cell),
                                Some("words") => Some(Given::Kept { object: 0, nullable: true }),
                                Some("count") if item.name == "lend" => Some(Given::Length { nullable: true }),
                                Some("texts_count" | "count") => Some(Given::Length { nullable: false }),
                                Some("texts") => Some(pointers(Pointee::Text, true, false)),
                                Some("titles") => Some(pointers(Pointee::Text, false, true)),
                                Some("shelves") => Some(pointers(Pointee::Object, false, false)),
                                Some("lines_lens") => Some(Given::Lengths { of: 1, gaps: false, nullable: false }),
                                Some("lines") => Some(pointers(Pointee::Values, false, false)),
                                _ => None,
                            },
                            stored: match param.name.as_deref() {
                                Some("dest") => Some(Stored::Room),
                                Some("planes") => Some(Stored::Rows),
                                Some("len") => Some(Stored::Anything),
                                Some("entry") => Some(Stored::Value(Exact::InPart)),
                                _ => None,
                            },
                            called: (param.name.as_deref() == Some("back"))
                                .then(|| Called { nullable: true, pointers: vec![true, false, true, true] }),
                        })
                        .collect(),
                    ret: ret.clone(),
                    bits: (ret.as_deref() == Some("bool")).then(|| "u8".to_owned()),
                    never_null: false,
                    points_into: None,
                    shows_ret: ret.is_some(),
                    counts: false,
                    answers: (ret.as_deref() == Some("c_int")).then_some(Exact::Whole),
                    origins: match &*item.name {
                        "fill" => vec![0, 1],
                        "entry" => vec![0, 1],
                        _ => vec![0],
                    },
                }),
                ForeignKind::Static { .. } => None,
            })
            .collect()
    }

    fn subject(graph: &Graph) -> Subject {
        let wrappers = vec![("fixture".to_owned(), include_str!("tests/wrappers.rs").to_owned())];
        Subject { wrappers, functions: functions(graph), fragment: String::new() }
    }

    pub(super) fn here(folder: &str) -> Utf8PathBuf {
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
    }

    #[test]
    fn stubs_and_driver() {
        let graph = graph(include_str!("tests/declarations.rs"));
        let runtime = Runtime { runtime: "isolate-rt".into(), build: "isolate-rt/build".into() };
        let files = files(&graph, &subject(&graph), &runtime).unwrap();
        let shown = ["src/stubs.rs", "src/main.rs", "Cargo.toml"];
        let shown = files.iter().filter(|(path, _)| shown.contains(&path.as_str()));
        let shown: String = shown.map(|(path, text)| format!("=== {path}\n{text}\n")).collect();
        insta::assert_snapshot!(shown);
    }

    /// What comes of the fixture's wrappers after a `change`. One at a time, so that all can share a folder and its artifacts.
    fn played(change: impl Fn(&str) -> String) -> Played {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock();
        let graph = graph(include_str!("tests/declarations.rs"));
        let runtime = Runtime { runtime: here("../isolate-rt"), build: here("../isolate-rt/build") };
        let mut subject = subject(&graph);
        subject.wrappers[0].1 = change(&subject.wrappers[0].1);
        let folder = here("../target/isolate/tests/verify");
        prepare(&graph, &subject, &runtime, folder, Vec::new()).unwrap().play(&Runner::default()).unwrap()
    }

    /// The acts, where this machine can play them.
    pub(super) fn isolated(played: Played) -> Option<Vec<Act>> {
        match played {
            Played::Acts(acts) => Some(acts),
            Played::Unsupported(reason) => {
                assert!(std::env::var_os("ISOLATE_REQUIRE_PKU").is_none(), "cannot isolate here: {reason}");
                eprintln!("compiled and not played: {reason}");
                None
            }
            Played::NotStarted(how) => panic!("cargo {how}"),
        }
    }

    /// The generated package compiles, and says the right thing on whatever machine this is.
    #[test]
    fn wrappers_hold() {
        let Some(acts) = isolated(played(str::to_owned)) else { return };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        // Six take slices, of which three acts hold the five lengths, and three of those may be NULL in two. What functions
        // return and fill comes out of five of these, with each length, and of two others.
        assert_eq!(acts.len(), 11 * 15 + 6 * 3 * 5 + 3 * 2 + 5 * 5 + 2, "eleven wrappers, fifteen acts each");
    }

    /// With isolation off, the same acts get through, and that is said.
    #[test]
    fn without_isolation_nothing_holds() {
        let direct = |text: &str| text.replace(".heap_limit(", ".backend(isolate_rt::Backend::None).heap_limit(");
        let Played::Acts(acts) = played(direct) else { panic!("no machine refuses `Backend::None`") };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).map(|act| (&*act.act, &*act.outcome)).collect();
        let written = ("write to the program", "the program's page was written");
        assert_eq!(bad, [written, ("abort", "the process died of SIGABRT")]);
    }

    /// A wrapper that makes text of what is none says something else than the library.
    #[test]
    fn a_wrapper_that_mends_text_is_found() {
        let mended =
            "Ok(unsafe { call.string(ret) }?.map(|text| CString::new(text.to_string_lossy().into_owned()).unwrap()))\n";
        let Some(acts) = isolated(played(|text| text.replace("unsafe { call.string(ret) }\n", mended))) else { return };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).collect();
        let [act] = &bad[..] else { panic!("{bad:#?}") };
        assert!(act.function == "describe" && act.outcome.starts_with("text came out as "), "{act:#?}");
    }

    /// A wrapper that believes what its callback is called with shows the program's memory, or what is behind the domain's.
    #[test]
    fn a_callback_that_looks_anywhere_is_found() {
        let trusting = |text: &str| {
            let text = text
                .replace("unsafe { inside.values(bytes, inside.count(count)) }?", "Some(vec![0; inside.count(count)])");
            text.replace("unsafe { inside.string(text) }?", "None::<CString>")
        };
        let Some(acts) = isolated(played(trusting)) else { return };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).map(|act| (&*act.function, &*act.act)).collect();
        assert!(
            bad.contains(&("each", "huge results")) && bad.contains(&("each", "pointers outside the domain")),
            "{bad:?}"
        );
    }

    /// A wrapper that believes a count hands it on.
    #[test]
    fn a_wrapper_that_believes_a_count_is_found() {
        let trusting = |text: &str| {
            let direct = text.replace(".heap_limit(", ".backend(isolate_rt::Backend::None).heap_limit(");
            direct.replace(
                "call.within(call.count(call.read(dest_len)), dest_room.len())?",
                "call.count(call.read(dest_len))",
            )
        };
        let Played::Acts(acts) = played(trusting) else { panic!("no machine refuses `Backend::None`") };
        let huge = acts.iter().find(|act| act.act == "huge results").unwrap();
        assert!(!huge.good && huge.outcome.starts_with("a count of "), "{huge:?}");
    }
}
