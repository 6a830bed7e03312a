//! Where `mod name;` finds its file: the compiler's rules, as paths to try.
//!
//! A file is either *mod-rs* (a crate root, `mod.rs`, or named by `#[path]` or `include!`), whose modules lie beside it,
//! or not (`name.rs`), whose modules lie in a directory of its name. Each `mod name { … }` goes one directory deeper.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// Where a piece of code stands, as far as `mod` items in it care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What `#[path]` is relative to.
    dir: Utf8PathBuf,
    /// For a file that is not mod-rs: its module's name, the directory below `dir` that its modules lie in.
    below: Option<String>,
}

/// A file that `mod name;` may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: Utf8PathBuf,
    /// Where the file's own modules are looked for.
    pub(super) place: Place,
}

impl Place {
    /// Inside a mod-rs file.
    pub(super) fn of_mod_rs(file: &Utf8Path) -> Place {
        Place { dir: file.parent().map_or_else(Utf8PathBuf::new, ToOwned::to_owned), below: None }
    }

    /// Inside `mod name { … }`, which may have a `#[path]`.
    pub(super) fn inline(&self, name: &str, path: Option<&str>) -> Place {
        let dir = match path {
            Some(path) => tidy(&self.dir.join(path)),
            None => self.children().join(bare(name)),
        };
        Place { dir, below: None }
    }

    /// Files that `mod name;` may mean without `#[path]`; the compiler refuses when both exist.
    pub(super) fn named(&self, name: &str) -> [Candidate; 2] {
        let name = bare(name);
        let children = self.children();
        let beside = Candidate {
            path: children.join(format!("{name}.rs")),
            place: Place { dir: children.clone(), below: Some(name.to_owned()) },
        };
        let path = children.join(name).join("mod.rs");
        let place = Place::of_mod_rs(&path);
        [beside, Candidate { path, place }]
    }

    /// The file that `#[path = "…"]` or `include!("…")` means.
    pub(super) fn at(&self, path: &str) -> Candidate {
        let path = tidy(&self.dir.join(path));
        let place = Place::of_mod_rs(&path);
        Candidate { path, place }
    }

    fn children(&self) -> Utf8PathBuf {
        match &self.below {
            Some(name) => self.dir.join(name),
            None => self.dir.clone(),
        }
    }
}

/// A module's name as files spell it.
fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// `a/b/../c` as `a/c`, so that one file has one name. Where `b` is a link that changes the meaning: rare enough in
/// source trees that the file reads as missing rather than this touching the disk.
fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut tidy = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            component => tidy.push(component),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `from` is the file with the `mod` item and the modules above it in that file (`src/a.rs inner`), `mod_rs` as in
    /// the module's documentation.
    #[track_caller]
    fn check(file: &str, mod_rs: bool, inline: &[(&str, Option<&str>)], expected: [&str; 2]) {
        let file = Utf8Path::new(file);
        let mut place = match mod_rs {
            true => Place::of_mod_rs(file),
            false => {
                let dir = file.parent().unwrap();
                let [found, _] = Place { dir: dir.to_owned(), below: None }.named(file.file_stem().unwrap());
                found.place
            }
        };
        for (name, path) in inline {
            place = place.inline(name, *path);
        }
        let [beside, within] = place.named("r#x");
        assert_eq!([beside.path.as_str(), within.path.as_str()], expected);
    }

    #[test]
    fn follows_the_reference() {
        // The tables of the Rust reference, "Module source filenames" and "The path attribute".
        check("src/lib.rs", true, &[], ["src/x.rs", "src/x/mod.rs"]);
        check("src/a/mod.rs", true, &[], ["src/a/x.rs", "src/a/x/mod.rs"]);
        check("src/a.rs", false, &[], ["src/a/x.rs", "src/a/x/mod.rs"]);
        check("src/a/b.rs", true, &[("inline", None)], ["src/a/inline/x.rs", "src/a/inline/x/mod.rs"]);
        check("src/a/b.rs", false, &[("inline", None)], ["src/a/b/inline/x.rs", "src/a/b/inline/x/mod.rs"]);
        check("src/lib.rs", true, &[("thread", Some("files"))], ["src/files/x.rs", "src/files/x/mod.rs"]);
        check("src/a.rs", false, &[("thread", Some("files"))], ["src/files/x.rs", "src/files/x/mod.rs"]);
    }

    #[test]
    fn path_attributes_start_at_the_file_or_the_inline_module() {
        let at = |place: &Place| place.at("../o.rs").path.into_string();
        let mod_rs = Place::of_mod_rs(Utf8Path::new("src/a/mod.rs"));
        let [other, _] = Place::of_mod_rs(Utf8Path::new("src/lib.rs")).named("a");
        assert_eq!(at(&mod_rs), "src/o.rs");
        assert_eq!(at(&other.place), "o.rs");
        assert_eq!(at(&other.place.inline("i", None)), "src/a/o.rs");
    }
}
