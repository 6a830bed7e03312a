//! What clang sees of a function's C code: whether it reads or writes through a pointer, whether it keeps one, and how its
//! arguments are passed.
//!
//! What becomes of pointers is evidence about code that is distrusted for its memory safety: it is shown beside a contract, and
//! makes none. How arguments are passed is held against the declaration in Rust ([`abi`]). Only what the package brings as C is
//! compiled, to clang's intermediate code; nothing of it is run.

mod abi;
mod definition;
mod files;

pub(crate) use abi::{Declarations, Wrong, declarations};
pub(super) use definition::Use;

use crate::graph::Package;
use camino::{Utf8Path, Utf8PathBuf};
use definition::Definition;
use files::Files;
use std::{collections::BTreeMap, process::Command};

/// A clang of this machine.
#[derive(Clone, Debug)]
pub(super) struct Clang {
    program: String,
    /// `clang 14`
    pub(super) version: String,
}

/// What it saw of one function.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `clang 14`
    pub(crate) by: String,
    /// The file that defines the function, from the root of its package.
    pub(crate) file: Utf8PathBuf,
    /// What becomes of each parameter; `None` for those that are no pointers.
    pub(crate) params: Vec<Option<Use>>,
}

/// Files that may define a function and are tried.
const TRIED: usize = 3;

impl Seen {
    /// What the clang of this machine, if there is one, sees of the function `symbol` of a package.
    ///
    /// # Errors
    ///
    /// In words, why there is nothing to say.
    pub(crate) fn of(package: &Package, symbol: &str, params: usize) -> Result<Seen, String> {
        Clang::find()?.look(package, symbol, params)
    }
}

/// The C code of one package, each file of it compiled once.
pub(super) struct Code<'p> {
    clang: &'p Clang,
    package: &'p Package,
    files: Files,
    compiled: BTreeMap<Utf8PathBuf, Result<String, String>>,
}

impl<'p> Code<'p> {
    fn of(clang: &'p Clang, package: &'p Package) -> Code<'p> {
        let mut files = Files::default();
        files.walk(&package.root, 0);
        package.out_dir.iter().for_each(|out| files.walk(out, 0));
        Code { clang, package, files, compiled: BTreeMap::new() }
    }

    /// How a function is defined, and in which file.
    ///
    /// # Errors
    ///
    /// In words, why there is nothing to say.
    fn definition(&mut self, symbol: &str) -> Result<(Utf8PathBuf, Definition), String> {
        let mut failed = None;
        for source in self.files.defining(symbol).into_iter().take(TRIED) {
            let (clang, included) = (self.clang, self.files.included());
            let compiled = self.compiled.entry(source.clone()).or_insert_with(|| clang.compile(&source, &included));
            let file = source.strip_prefix(&self.package.root).unwrap_or(&source).to_owned();
            match compiled {
                Ok(code) => {
                    if let Some(found) = definition::of_function(code, symbol) {
                        return Ok((file, found));
                    }
                }
                Err(message) => {
                    failed.get_or_insert(format!("{} does not compile {file}: {message}", clang.version));
                }
            }
        }
        Err(failed.unwrap_or_else(|| format!("no C file of `{}` defines it", self.package.name)))
    }
}

impl Clang {
    /// The one on the path: `clang`, or the newest `clang-N`.
    pub(super) fn find() -> Result<Clang, String> {
        let names = std::iter::once("clang".to_owned()).chain((11..=30).rev().map(|major| format!("clang-{major}")));
        let mut clangs = names.filter_map(|program| {
            let output =
                Command::new(&program).arg("--version").output().ok().filter(|output| output.status.success())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let (_, rest) = text.split_once("clang version ")?;
            let major = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            Some(Clang { program, version: format!("clang {major}") })
        });
        clangs.next().ok_or_else(|| "clang is not installed".to_owned())
    }

    /// Compiles the file of the package that defines the function `symbol`, which takes so many parameters.
    ///
    /// # Errors
    ///
    /// In words, why there is nothing to say.
    pub(super) fn look(&self, package: &Package, symbol: &str, params: usize) -> Result<Seen, String> {
        let (file, found) = Code::of(self, package).definition(symbol)?;
        if found.params.len() != params {
            return Err(format!("{file} passes its parameters in another way than they are declared"));
        }
        let params = found.params.into_iter().map(|(_, used)| used).collect();
        Ok(Seen { by: self.version.clone(), file, params })
    }

    fn compile(&self, source: &Utf8Path, included: &[&Utf8Path]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        // What becomes of pointers shows in optimised code only.
        command.args(["-x", "c", "-w", "-O1", "-S", "-emit-llvm", "-o", "-"]);
        included.iter().for_each(|folder| {
            command.arg("-I").arg(folder);
        });
        let output = command.arg(source).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let error = said.lines().find_map(|line| line.split_once("error: ").map(|(_, error)| error.to_owned()));
        Err(error.unwrap_or_else(|| crate::process::ending(output.status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::fs;

    const C: &str = "
static const char *kept;
int use(const char *text, int n,
        char *out, void **cell) { kept = text; out[0] = (char)n; *cell = 0; return n; }
int use_not(const char *text);
";

    /// What is said of `use`, or why nothing is; skipped where there is no clang.
    #[track_caller]
    fn check(c: &str, symbol: &str, params: usize, expected: &str) {
        let clang = match Clang::find() {
            Ok(clang) => clang,
            Err(reason) => return eprintln!("skipped: {reason}"),
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("use.c"), c).unwrap();
        let mut package = fixture::graph("//- x-sys/src/lib.rs\n").packages.remove(0);
        package.root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let said = match clang.look(&package, symbol, params) {
            Ok(seen) => {
                let params = seen.params.iter().map(|one| one.as_ref().map_or("-".to_owned(), Use::to_string));
                format!("{}: {}", seen.file, params.collect::<Vec<_>>().join(" | "))
            }
            Err(reason) => reason.replace(&clang.version, "clang"),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn says_what_code_does() {
        let expected = "use.c: may read and write, and may keep a pointer to it | - | only writes, and keeps no pointer to it \
            | only writes, and keeps no pointer to it";
        check(C, "use", 4, expected);
    }

    #[test]
    fn says_why_it_cannot() {
        check(C, "use", 3, "use.c passes its parameters in another way than they are declared");
        check(C, "use_not", 1, "no C file of `x-sys` defines it");
        check(
            "#include \"lost.h\"\nint use(char *p) { return *p; }\n",
            "use",
            1,
            "clang does not compile use.c: 'lost.h' file not found",
        );
    }
}
