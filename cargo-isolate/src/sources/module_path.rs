//! The compiler's rules for finding the file of `mod name;`, as candidate paths.
//!
//! A file is either *mod-rs* (a crate root, `mod.rs`, or named by `#[path]` or `include!`), with its modules in the
//! same directory, or not (`name.rs`), with its modules in a directory of that name. Each `mod name { … }` adds another
//! directory.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// A position in the module tree, as far as it matters to the paths of `mod` items there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The directory that `#[path]` is relative to.
    dir: Utf8PathBuf,
    /// For a file that is not mod-rs: the name of its module, which is the directory below `dir` with its modules.
    below: Option<String>,
}

/// A possible file of `mod name;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: Utf8PathBuf,
    /// The position of the file's own `mod` items.
    pub(super) place: Place,
}

impl Place {
    /// The position inside a mod-rs file.
    pub(super) fn of_mod_rs(file: &Utf8Path) -> Place {
        Place { dir: file.parent().map_or_else(Utf8PathBuf::new, ToOwned::to_owned), below: None }
    }

    /// The position inside `mod name { … }`, which may have a `#[path]`.
    pub(super) fn inline(&self, name: &str, path: Option<&str>) -> Place {
        let dir = match path {
            Some(path) => tidy(&self.dir.join(path)),
            None => self.children().join(bare(name)),
        };
        Place { dir, below: None }
    }

    /// The possible files of `mod name;` without `#[path]`. The compiler rejects the code if both exist.
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

    /// The file that `#[path = "…"]` or `include!("…")` refers to.
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

/// A module's name in file names.
fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Normalises `a/b/../c` to `a/c`, so that a file has a single name. If `b` is a symbolic link, this may be wrong. That
/// is rare enough in source trees to report the file as missing rather than access the disk here.
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

    /// `file` contains the `mod` item, inside the modules `inline`; `mod_rs` as in the module's documentation.
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
        // From the tables of the Rust reference, "Module source filenames" and "The path attribute".
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
