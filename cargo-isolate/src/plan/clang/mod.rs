//! What clang sees of a function's C code: whether it reads or writes through a pointer, and whether it keeps one.
//!
//! Evidence about code that is distrusted for its memory safety: it is shown beside a contract, and makes none. Only what
//! the package brings as C is compiled, with clang's attributes of functions read from the intermediate code; nothing of it
//! is run.

mod attributes;

pub(super) use attributes::Use;

use crate::graph::Package;
use camino::{Utf8Path, Utf8PathBuf};
use std::{collections::BTreeSet, fs, process::Command};

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
/// Directories that headers are looked for in.
const INCLUDED: usize = 64;
/// Larger C files take clang longer than anybody waits: SQLite is 9 MB and is compiled.
const LARGEST: u64 = 16 << 20;

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
        let mut files = Files::default();
        files.walk(&package.root, 0);
        package.out_dir.iter().for_each(|out| files.walk(out, 0));
        let sources = files.defining(symbol);
        if sources.is_empty() {
            return Err(format!("no C file of `{}` defines it", package.name));
        }
        let mut failed = None;
        for source in sources.iter().take(TRIED) {
            let file = source.strip_prefix(&package.root).unwrap_or(source).to_owned();
            match self.compile(source, &files.included()) {
                Ok(code) => {
                    let Some(uses) = attributes::of_function(&code, symbol) else { continue };
                    if uses.len() != params {
                        return Err(format!("{file} passes its parameters in another way than they are declared"));
                    }
                    return Ok(Seen { by: self.version.clone(), file, params: uses });
                }
                Err(message) => {
                    failed.get_or_insert(format!("{} does not compile {file}: {message}", self.version));
                }
            }
        }
        Err(failed.unwrap_or_else(|| format!("no C file of `{}` defines it", package.name)))
    }

    fn compile(&self, source: &Utf8Path, included: &[&Utf8Path]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
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

/// C code of a package.
#[derive(Default)]
struct Files {
    sources: Vec<Utf8PathBuf>,
    /// With headers in them.
    folders: BTreeSet<Utf8PathBuf>,
}

impl Files {
    fn walk(&mut self, folder: &Utf8Path, depth: usize) {
        const DEEPEST: usize = 8;
        let entries = folder.read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
        let mut entries: Vec<_> = entries.map(|entry| entry.into_path()).collect();
        entries.sort();
        for path in entries {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            let is_hidden = path.file_name().is_some_and(|name| name.starts_with('.'));
            match path.extension() {
                _ if is_hidden => {}
                _ if metadata.is_dir() && depth < DEEPEST => self.walk(&path, depth + 1),
                Some("c") if metadata.is_file() && metadata.len() <= LARGEST => self.sources.push(path),
                Some("h") if metadata.is_file() => {
                    self.folders.insert(folder.to_owned());
                }
                _ => {}
            }
        }
    }

    /// Files in which a line that begins in the first column names the function before a parenthesis and is no declaration.
    fn defining(&self, symbol: &str) -> Vec<Utf8PathBuf> {
        let defines = |path: &&Utf8PathBuf| {
            let text = fs::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let is_it = |line: &str| {
                let begins = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                begins && !line.trim_end().ends_with(';') && names(line, symbol)
            };
            text.lines().any(is_it)
        };
        self.sources.iter().filter(defines).cloned().collect()
    }

    /// `include` for `<zlib.h>`, and its parent for `<openssl/ssl.h>`.
    fn included(&self) -> Vec<&Utf8Path> {
        let all = self.folders.iter().flat_map(|folder| [Some(&**folder), folder.parent()]).flatten();
        let mut seen = BTreeSet::new();
        let mut all: Vec<_> = all.filter(|folder| seen.insert(*folder)).collect();
        all.sort_by_key(|folder| folder.components().count());
        all.truncate(INCLUDED);
        all
    }
}

/// The word `symbol`, and a parenthesis behind it.
fn names(line: &str, symbol: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(symbol).any(|(at, _)| {
        let (before, after) = (&line[..at], line[at + symbol.len()..].trim_start());
        !before.ends_with(is_word) && (after.starts_with('(') || after.starts_with("PNGARG"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

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
