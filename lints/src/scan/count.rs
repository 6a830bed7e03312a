//! A byte-level prefilter: tells which files need no parsing when only counts are wanted.

use crate::{Edition, facts::FileFacts};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Like [`crate::scan`], restricted to what is counted and what leads to further files: unsafe constructs, foreign
/// items, unseen expansions and modules. A text that cannot contain any of these is not parsed, so its syntax errors
/// are not reported either.
pub fn count(text: &str, edition: Edition) -> FileFacts {
    if !WORDS.may_count(text.as_bytes()) {
        return FileFacts::default();
    }
    let facts = super::scan(text, edition);
    let FileFacts { unsafes, foreign, modules, errors, unexpanded, unsafe_tokens, .. } = facts;
    FileFacts { unsafes, foreign, modules, errors, unexpanded, unsafe_tokens, ..FileFacts::default() }
}

struct Words {
    telling: Vec<Finder<'static>>,
    statics: Finder<'static>,
    modules: Finder<'static>,
}

/// The words that counted constructs are spelled with. Matches inside longer words and comments only cost time.
static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let telling =
        ["unsafe", "extern", "include", "union", "no_mangle", "export_name", "link_section", "global_asm", "naked"];
    Words {
        telling: telling.into_iter().map(Finder::new).collect(),
        statics: Finder::new("static"),
        modules: Finder::new("mod"),
    }
});

impl Words {
    fn may_count(&self, text: &[u8]) -> bool {
        let says = |finder: &Finder<'_>| finder.find(text).is_some();
        self.telling.iter().any(says) || self.has_static_mut(text) || self.has_module_file(text)
    }

    fn has_static_mut(&self, text: &[u8]) -> bool {
        // `&'static mut` is a type, and by far the most frequent match.
        let lifetime = |at: usize| at > 0 && text[at - 1] == b'\'';
        self.statics.find_iter(text).any(|at| {
            let rest = text[at + "static".len()..].trim_ascii_start();
            !lifetime(at) && (rest.starts_with(b"mut") || rest.starts_with(b"/"))
        })
    }

    /// Whether a `mod` may declare a module in another file, which is everything but a name followed by `{`.
    fn has_module_file(&self, text: &[u8]) -> bool {
        self.modules.find_iter(text).any(|at| {
            let rest = &text[at + "mod".len()..];
            let joins = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
            let stands_alone = !joins(text[..at].last()) && !joins(rest.first());
            let rest = rest.trim_ascii_start();
            let name = rest.strip_prefix(b"r#").unwrap_or(rest);
            let end = name.iter().position(|byte| !is_word(*byte)).unwrap_or(name.len());
            stands_alone && !(end > 0 && name[end..].trim_ascii_start().starts_with(b"{"))
        })
    }
}

/// Whether a byte is part of an identifier; bytes of non-ASCII characters may be.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ModuleDecl;

    #[track_caller]
    fn check(text: &str, parsed: bool) {
        assert_eq!(WORDS.may_count(text.as_bytes()), parsed, "{text}");
    }

    #[test]
    fn what_cannot_count_is_not_parsed() {
        check("fn f() -> &'static mut u8 { todo!() } mod tests { fn g() {} } mod r#type { }", false);
        check("static COUNT: u8 = 0; let module = modulo(1); // modest", false);
        check("static  mut COUNT: u8 = 0;", true);
        check("static/* still */mut COUNT: u8 = 0;", true);
        check("mod tests;", true);
        check("mod\n    r#type  ;", true);
        check("mod /* where? */ tests;", true);
        check("macro_rules! m { ($name:ident) => { mod $name; } }", true);
        check("fn f() { unsafe { g() } }", true);
        check("union U { a: u8 }", true);
    }

    /// On real and made-up code, the prefilter does not change the counts.
    #[test]
    fn the_shortcut_changes_no_count() {
        for text in [include_str!("../../tests/cases/macros.rs"), include_str!("mod.rs"), include_str!("expand.rs")] {
            let (all, counted) = (super::super::scan(text, Edition::E2024), count(text, Edition::E2024));
            assert_eq!(all.unsafes, counted.unsafes);
            assert_eq!((all.foreign, all.unexpanded), (counted.foreign, counted.unexpanded));
            let files = |modules: Vec<ModuleDecl>| modules.into_iter().filter(|module| !module.inline).count();
            assert_eq!(files(all.modules), files(counted.modules));
        }
    }
}
