//! Where this program was installed from, as cargo wrote it down beside it: CI is to install the same one, and wrappers are to
//! use its runtime.

use camino::Utf8PathBuf;
use isolate_templates::ci::Source;

/// What `cargo install --git` says of this program; `None` where it was installed in another way, or not at all.
pub(crate) fn from_git() -> Option<Source> {
    let program = Utf8PathBuf::from_path_buf(std::env::current_exe().ok()?).ok()?;
    let list = program.parent()?.parent()?.join(".crates2.json");
    in_list(&crate::files::read_text(&list).ok()?)
}

/// The entry of this version: `cargo-isolate 0.1.0 (git+URL?branch=main#REVISION)`.
fn in_list(text: &str) -> Option<Source> {
    let list: serde_json::Value = serde_json::from_str(text).ok()?;
    list["installs"].as_object()?.keys().find_map(|id| {
        let source =
            id.strip_prefix(concat!("cargo-isolate ", env!("CARGO_PKG_VERSION"), " (git+"))?.strip_suffix(')')?;
        let (url, revision) = source.split_once('#')?;
        let url = url.split_once('?').map_or(url, |(url, _)| url);
        // It goes into a command line.
        let is_plain = url.chars().all(|c| c.is_ascii_alphanumeric() || ":/._-@~".contains(c));
        let is_revision = !revision.is_empty() && revision.chars().all(|c| c.is_ascii_hexdigit());
        (is_plain && is_revision).then(|| Source { url: url.to_owned(), revision: Some(revision.to_owned()) })
    })
}

#[cfg(test)]
mod tests {
    use super::in_list;

    #[track_caller]
    fn check(id: &str, expected: Option<(&str, &str)>) {
        let list = serde_json::json!({ "installs": { "other 1.0.0 (registry+https://a)": {}, id: {} } }).to_string();
        let found = in_list(&list).map(|source| (source.url, source.revision.unwrap_or_default()));
        assert_eq!(found, expected.map(|(url, revision)| (url.to_owned(), revision.to_owned())));
    }

    #[test]
    fn what_cargo_wrote_down() {
        let id = |source: &str| format!("cargo-isolate {} ({source})", env!("CARGO_PKG_VERSION"));
        check(&id("git+https://example.com/a/b?branch=main#0123abcd"), Some(("https://example.com/a/b", "0123abcd")));
        check(&id("git+ssh://git@example.com/a.git#ff"), Some(("ssh://git@example.com/a.git", "ff")));
        check(&id("path+file:///home/me/cargo-isolate"), None);
        check(&id("git+https://example.com/$(reboot)#0123"), None);
        check(&id("git+https://example.com/a#main"), None);
        check("cargo-isolate 0.0.0 (git+https://example.com/a#0123)", None);
        assert!(in_list("no list").is_none());
    }
}
