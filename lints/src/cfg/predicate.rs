//! Parses the text between `cfg(` and `)` as the compiler does.

use crate::scan::string_value;
use crate::syntax::{Edition, Source, SyntaxKind, T};
use SyntaxKind::*;
use rustc_hash::FxHashMap as HashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// A predicate. Nesting is limited to [`DEPTH`], so that evaluating one recursively cannot exhaust the stack.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    /// `true` or `false`.
    Known(bool),
    /// `name`, or `name = "value"`.
    Set(Setting),
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Something else, or unparsable.
    Other,
}

/// A `cfg` option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// As the compiler prints it, with raw identifiers stripped of `r#`.
    pub(super) written: String,
    pub(super) by: SetBy,
}

/// Who decides whether an option is set.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SetBy {
    Test,
    /// Cargo, for this feature.
    Feature(String),
    Profile,
    Compiler,
    /// Compiler flags (`--cfg`) or a build script.
    Anyone,
}

impl Setting {
    fn new(name: &str, value: Option<String>) -> Setting {
        let written = value.as_ref().map_or_else(|| name.to_owned(), |value| format!("{name}=\"{value}\""));
        let by = match (name, value) {
            ("test", None) => SetBy::Test,
            ("feature", Some(feature)) => SetBy::Feature(feature),
            _ if PROFILE.contains(&name) => SetBy::Profile,
            _ if COMPILER.contains(&name) => SetBy::Compiler,
            _ => SetBy::Anyone,
        };
        Setting { written, by }
    }
}

/// Names that reflect settings of the profile.
const PROFILE: &[&str] = &["debug_assertions", "overflow_checks", "panic", "ub_checks"];

/// Names that only the compiler or cargo sets, from rustc's list of well-known names.
const COMPILER: &[&str] = &[
    "clippy",
    "doc",
    "doctest",
    "emscripten_wasm_eh",
    "fmt_debug",
    "miri",
    "proc_macro",
    "relocation_model",
    "rustfmt",
    "sanitize",
    "sanitizer_cfi_generalize_pointers",
    "sanitizer_cfi_normalize_integers",
    "target_abi",
    "target_arch",
    "target_endian",
    "target_env",
    "target_family",
    "target_feature",
    "target_has_atomic",
    "target_has_atomic_equal_alignment",
    "target_has_atomic_load_store",
    "target_has_atomic_primitive_alignment",
    "target_has_reliable_f128",
    "target_has_reliable_f128_math",
    "target_has_reliable_f16",
    "target_has_reliable_f16_math",
    "target_object_format",
    "target_os",
    "target_pointer_width",
    "target_thread_local",
    "target_vendor",
    "unix",
    "windows",
];

/// Predicates nested deeper than this are not parsed.
const DEPTH: usize = 64;

/// Capacity of the per-thread cache. A graph has a few thousand distinct predicates, each evaluated many times.
const REMEMBERED: usize = 1 << 14;

thread_local! {
    static READ: RefCell<HashMap<Box<str>, Rc<Predicate>>> = RefCell::default();
}

impl Predicate {
    /// Parses a predicate, or takes it from the cache.
    pub(super) fn of(text: &str) -> Rc<Predicate> {
        if let Some(known) = READ.with_borrow(|known| known.get(text).cloned()) {
            return known;
        }
        let predicate = Rc::new(Predicate::read(text));
        READ.with_borrow_mut(|known| {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(text.into(), predicate.clone());
        });
        predicate
    }

    fn read(text: &str) -> Predicate {
        // Every edition after 2015 has raw identifiers, and none has a keyword that matters here.
        let source = Source::new(text, Edition::E2024);
        let tokens: Vec<usize> = (0..source.len()).filter(|raw| !source.raw_kind(*raw).is_trivia()).collect();
        let mut reader = Reader { source: &source, tokens: &tokens, at: 0 };
        let predicate = reader.predicate(DEPTH);
        predicate.filter(|_| reader.at == tokens.len()).unwrap_or(Predicate::Other)
    }
}

struct Reader<'r, 't> {
    source: &'r Source<'t>,
    tokens: &'r [usize],
    at: usize,
}

impl<'t> Reader<'_, 't> {
    fn kind(&self) -> Option<SyntaxKind> {
        self.tokens.get(self.at).map(|raw| self.source.raw_kind(*raw))
    }

    fn take(&mut self, kind: SyntaxKind) -> bool {
        let is_next = self.kind() == Some(kind);
        self.at += usize::from(is_next);
        is_next
    }

    fn text(&mut self) -> Option<&'t str> {
        let raw = self.tokens.get(self.at)?;
        self.at += 1;
        Some(self.source.raw_text(*raw))
    }

    /// `None` for text that cannot be parsed, whose end is therefore unknown.
    fn predicate(&mut self, depth: usize) -> Option<Predicate> {
        let depth = depth.checked_sub(1)?;
        match self.kind()? {
            T![true] | T![false] => return Some(Predicate::Known(self.text()? == "true")),
            kind if kind.is_any_identifier() => {}
            _ => return None,
        }
        let written = self.text()?;
        if self.take(T!['(']) {
            return self.compound(written, depth);
        }
        let name = written.strip_prefix("r#").unwrap_or(written);
        let value = match self.take(T![=]) {
            true if self.kind()? == STRING => Some(string_value(self.text()?)?),
            true => return None,
            false => None,
        };
        Some(Predicate::Set(Setting::new(name, value)))
    }

    fn compound(&mut self, name: &str, depth: usize) -> Option<Predicate> {
        if !matches!(name, "all" | "any" | "not") {
            // Skip the arguments of `version("1.2")` and predicates yet to be invented.
            let mut open = 1_usize;
            while open > 0 {
                match self.kind()? {
                    T!['('] => open += 1,
                    T![')'] => open -= 1,
                    _ => {}
                }
                self.at += 1;
            }
            return Some(Predicate::Other);
        }
        let mut inside = Vec::new();
        while !self.take(T![')']) {
            inside.push(self.predicate(depth)?);
            if !self.take(T![,]) && self.kind()? != T![')'] {
                return None;
            }
        }
        Some(match name {
            "all" => Predicate::All(inside),
            "any" => Predicate::Any(inside),
            _ if inside.len() == 1 => Predicate::Not(Box::new(inside.remove(0))),
            _ => Predicate::Other,
        })
    }
}
