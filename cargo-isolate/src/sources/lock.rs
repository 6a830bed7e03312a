//! The packages in `Cargo.lock`. They cover all platforms, whereas cargo's metadata omits packages that the chosen ones
//! do not need.

use camino::Utf8Path;
use std::fs;

#[derive(serde::Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(super) version: String,
    pub(super) source: Option<String>,
    pub(super) checksum: Option<String>,
}

/// `None` if the file does not have cargo's present format. Empty if there is no file.
pub(crate) fn locked(root: &Utf8Path) -> Option<Vec<Locked>> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    let text = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    toml::from_str(&text).ok().map(|lock: Lock| lock.package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    #[track_caller]
    fn check(text: Option<&str>, expected: Option<&[&str]>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).expect("UTF-8");
        text.iter().for_each(|text| fs::write(root.join("Cargo.lock"), text).expect("a file"));
        let names = locked(&root).map(|all| all.into_iter().map(|locked| locked.name).collect::<Vec<_>>());
        assert_eq!(names.as_ref().map(|names| names.iter().map(String::as_str).collect()), expected.map(<[_]>::to_vec));
    }

    #[test]
    fn nothing_is_another_answer_than_not_known() {
        check(Some("version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n"), Some(&["a"]));
        check(None, Some(&[]));
        check(Some("version = 4\n"), Some(&[]));
        check(Some("[[package]]\ncalled = \"a\"\n"), None);
    }
}
