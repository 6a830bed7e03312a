//! Proof that wrappers hold: each is called while a stub in the place of its C function misbehaves.
//!
//! A package is generated under `target/isolate/verify`: the wrapper files as they are in the tree, with the one line that
//! imports the foreign functions pointing at stubs of the same signatures, and a driver that calls every wrapper. What it
//! says is read back as [`run::Act`]s.

mod chosen;
mod driver;
pub(crate) mod linked;
mod run;
mod stubs;
mod subject;
mod types;

pub(crate) use run::{Act, Played, StageError};
pub(crate) use subject::subject;

use crate::{graph::Graph, process::Runner};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_templates::verify::{BUILD_SCRIPT, HARNESS};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use stubs::{Called, Cursor, Exact, Foreign, Given, Param, Pointee, Returns, Stored};

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

impl Subject {
    /// Wrappers for some values of their arguments, of which none were found.
    pub(crate) fn not_played(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().filter(|function| function.picky).map(|function| &*function.wrapper)
    }
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
    use crate::{fixture, plan::plan, wrap};
    use std::{collections::BTreeSet, sync::Mutex};

    /// A package that declares functions of every kind, and the wrappers that a policy about them makes.
    pub(super) fn fixture() -> (Graph, Subject) {
        let sys = include_str!("tests/sys.rs");
        let mut graph = fixture::graph(&format!("//- app/src/lib.rs\n//- fixture-sys/src/lib.rs\n{sys}"));
        let text = include_str!("tests/policy.toml");
        let plan = plan(&graph, &fixture::policy(text))
            .unwrap_or_else(|errors| panic!("{}", fixture::mistakes(text, &errors)));
        let refused: Vec<_> = plan.refused().map(|(_, function)| (&function.name, function.refusals())).collect();
        assert!(refused.is_empty(), "{refused:?}");
        let targets = wrap::targets(&graph, &plan, Some(0), "policy.toml").expect("a package for the wrappers");
        let subject = super::subject(&plan, &targets[0]).expect("wrappers");
        (graph.root, graph.target) = (here(".."), here("../target"));
        (graph, subject)
    }

    pub(super) fn here(folder: &str) -> Utf8PathBuf {
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
    }

    #[test]
    fn stubs_and_driver() {
        let (graph, subject) = fixture();
        let runtime = Runtime { runtime: "isolate-rt".into(), build: "isolate-rt/build".into() };
        let files = files(&graph, &subject, &runtime).unwrap();
        let shown = ["src/stubs.rs", "src/main.rs", "src/isolated/fixture.rs", "Cargo.toml"];
        let shown = files.iter().filter(|(path, _)| shown.contains(&path.as_str()));
        let shown: String = shown.map(|(path, text)| format!("=== {path}\n{text}\n")).collect();
        insta::assert_snapshot!(shown);
    }

    /// What comes of the fixture's wrappers after a `change`. One at a time, so that all can share a folder and its artifacts.
    fn played(runner: &Runner, change: impl Fn(&str) -> String) -> Played {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock();
        let (graph, mut subject) = fixture();
        let runtime = Runtime { runtime: here("../isolate-rt"), build: here("../isolate-rt/build") };
        subject.wrappers[0].1 = change(&subject.wrappers[0].1);
        let folder = here("../target/isolate/tests/verify");
        prepare(&graph, &subject, &runtime, folder, Vec::new()).unwrap().play(runner).unwrap()
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
        let Some(acts) = isolated(played(&Runner::of_tests(), str::to_owned)) else { return };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        // Every wrapper is played, and what a library that works does with it comes back: nothing is an error that it reports.
        let (_, subject) = fixture();
        let called = acts.iter().filter(|act| act.act == "honest call").map(|act| &*act.function);
        let wrappers = subject.functions.iter().map(|function| &*function.wrapper);
        assert_eq!(called.collect::<Vec<_>>(), wrappers.collect::<Vec<_>>());
        let honest = acts.iter().filter(|act| act.act.starts_with("honest call"));
        let failed: BTreeSet<_> =
            honest.filter(|act| act.outcome != "Ok").map(|act| (&*act.function, &*act.act)).collect();
        let nothing_packed = ["honest call that fills 0 elements", "honest call with 0 elements"];
        assert_eq!(failed, nothing_packed.map(|act| ("pack", act)).into());
    }

    /// With isolation off, the same acts get through, and that is said.
    #[test]
    fn without_isolation_nothing_holds() {
        let direct = |text: &str| text.replace(".heap_limit(", ".backend(isolate_rt::Backend::None).heap_limit(");
        let Played::Acts(acts) = played(&Runner::default(), direct) else {
            panic!("no machine refuses `Backend::None`")
        };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).map(|act| (&*act.act, &*act.outcome)).collect();
        let written = ("write to the program", "the program's page was written");
        assert_eq!(bad, [written, ("abort", "the process died of SIGABRT")]);
    }

    /// A wrapper that makes text of what is none says something else than the library.
    #[test]
    fn a_wrapper_that_mends_text_is_found() {
        let mended =
            "Ok(unsafe { call.string(ret) }?.map(|text| CString::new(text.to_string_lossy().into_owned()).unwrap()))\n";
        let Some(acts) =
            isolated(played(&Runner::of_tests(), |text| text.replace("unsafe { call.string(ret) }\n", mended)))
        else {
            return;
        };
        let bad: Vec<_> = acts.iter().filter(|act| !act.good).collect();
        let [act] = &bad[..] else { panic!("{bad:#?}") };
        assert!(act.function == "describe" && act.outcome.starts_with("text came out as "), "{act:#?}");
    }

    /// A wrapper that believes what its callback is called with shows the program's memory, or what is behind the domain's.
    #[test]
    fn a_callback_that_looks_anywhere_is_found() {
        let trusting = |text: &str| {
            let text = text
                .replace("unsafe { inside.values(arg1, inside.count(arg2)) }?", "Some(vec![0; inside.count(arg2)])");
            text.replace("unsafe { inside.string(arg3) }?", "None::<CString>")
        };
        let Some(acts) = isolated(played(&Runner::of_tests(), trusting)) else { return };
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
            direct.replace("call.within(call.count(len), dest_room.len())?", "call.count(len)")
        };
        let Played::Acts(acts) = played(&Runner::default(), trusting) else {
            panic!("no machine refuses `Backend::None`")
        };
        let huge = acts.iter().find(|act| act.act == "huge results").unwrap();
        assert!(!huge.good && huge.outcome.starts_with("a count of "), "{huge:?}");
    }
}
