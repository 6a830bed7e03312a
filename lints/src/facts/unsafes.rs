//! Unsafe constructs, and the operations inside them.

use super::{Scope, SmolStr, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One unsafe construct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnsafeFact {
    /// What it is.
    pub kind: UnsafeKind,
    /// From the keyword to the end of the header: of a block up to its `{`, of a function up to its body.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Name of the item, for functions, impls (`Send for Stream`), traits, statics and attributes (`no_mangle`).
    pub name: Option<SmolStr>,
    /// The self type or trait of an associated function.
    pub owner: Option<SmolStr>,
    /// The comment that justifies it: `// SAFETY: …` before or inside a block, `# Safety` in the docs of a function or
    /// trait.
    pub safety: Option<String>,
    /// Set if there is no such comment: the comment in its place, from the first line that begins with another label
    /// (`INVARIANT: …`). A policy may accept that label, see [`super::FileFacts::accept`].
    pub labelled: Option<SmolStr>,
    /// The operations of a block, or of an unsafe function's body outside blocks, in source order; empty for other
    /// kinds.
    pub operations: Vec<Operation>,
    /// Whether the item is declared `pub`.
    pub public: bool,
    /// Whether it implements a trait's function, in which case the trait documents the caller's obligations.
    pub of_trait: bool,
    /// Whether it stands for an `unsafe` keyword: `extern "C" { … }`, `static mut` and the like need none. Each keyword
    /// of a file belongs to exactly one fact, see [`super::FileFacts::unexplained`].
    pub keyword: bool,
    /// One past the last byte of the construct: for a block its `}`, for all other kinds the end of `span`.
    pub end: u32,
    /// Digest of the tokens from `span.start` to `end`, without comments and whitespace, so that moving or reformatting
    /// the construct does not change it.
    pub digest: u64,
}

/// Kinds of unsafe constructs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsafeKind {
    /// `unsafe { … }`.
    Block,
    /// `unsafe fn`, free or associated, with a body.
    Function,
    /// `unsafe fn` declared without a body: in a trait, or with the keyword written out in an extern block.
    Declaration,
    /// `unsafe impl`.
    Impl,
    /// `unsafe trait`.
    Trait,
    /// `extern "C" { … }`, with or without `unsafe`.
    ExternBlock,
    /// `#[no_mangle]`, `#[export_name]`, `#[link_section]`, bare or in `#[unsafe(…)]`, and `#[unsafe(naked)]`.
    Attribute,
    /// `static mut`.
    StaticMut,
    /// `union`.
    Union,
    /// `global_asm!`.
    GlobalAsm,
    /// `unsafe fn(…)` as a type, and other uses of the keyword in declarations.
    Type,
    /// An `unsafe` token in a macro definition or in the arguments of a macro call, where the parser sees only tokens.
    MacroToken,
}

impl UnsafeKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [UnsafeKind; 12] = [
        UnsafeKind::Block,
        UnsafeKind::Function,
        UnsafeKind::Declaration,
        UnsafeKind::Impl,
        UnsafeKind::Trait,
        UnsafeKind::ExternBlock,
        UnsafeKind::Attribute,
        UnsafeKind::StaticMut,
        UnsafeKind::Union,
        UnsafeKind::GlobalAsm,
        UnsafeKind::Type,
        UnsafeKind::MacroToken,
    ];

    /// What the kind is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            UnsafeKind::Block => "unsafe block",
            UnsafeKind::Function => "unsafe function",
            UnsafeKind::Declaration => "unsafe function without a body",
            UnsafeKind::Impl => "unsafe impl",
            UnsafeKind::Trait => "unsafe trait",
            UnsafeKind::ExternBlock => "extern block",
            UnsafeKind::Attribute => "unsafe attribute",
            UnsafeKind::StaticMut => "mutable static",
            UnsafeKind::Union => "union",
            UnsafeKind::GlobalAsm => "global assembly",
            UnsafeKind::Type => "`unsafe` in a type or declaration",
            UnsafeKind::MacroToken => "`unsafe` in macro tokens",
        }
    }
}

/// One operation of an unsafe block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The kind of operation.
    pub kind: OperationKind,
    /// Where it is.
    pub span: Span,
    /// The called path or the named static, as written; methods and fields with a leading dot. `None` for a call
    /// through a local variable.
    pub what: Option<SmolStr>,
}

/// A path or field in unsafe code that may be an unsafe operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index of the construct in [`super::FileFacts::unsafes`].
    pub of: u32,
    /// The operation it is if the path names a static, or the field belongs to a union.
    pub operation: Operation,
}

/// Kinds of operations inside an unsafe block, as far as syntax shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A call of a path or method that is not known to be unsafe.
    Call,
    /// A call of a foreign function.
    ForeignCall,
    /// A call of a function declared unsafe, in this graph or in the standard library.
    UnsafeCall,
    /// `*p`, where `p` is not known to be safe to dereference.
    Deref,
    /// `transmute`.
    Transmute,
    /// `from_raw_parts` and its relatives.
    FromRawParts,
    /// `asm!`.
    Asm,
    /// A use of a `static mut`.
    Static,
    /// A use of a foreign static.
    ForeignStatic,
    /// A read of a union's field.
    Union,
}

/// The longest label in bytes; longer text before a colon is a sentence.
pub const LONGEST_LABEL: usize = 32;

/// Whether `text` can be used as a comment label, as `SAFETY` is.
pub fn is_label(text: &str) -> bool {
    labelled(&format!("{text}:")) == Some((text, ""))
}

/// The label that a comment line begins with, and the rest of the line: `INVARIANT` and `never empty` for both
/// `INVARIANT: never empty` and `Invariant - never empty`. A heading is a label as a whole.
pub(crate) fn labelled(line: &str) -> Option<(&str, &str)> {
    let text = line.trim_start_matches(['#', ' ', '*', '(']);
    let end = text.find(|char: char| !char.is_alphanumeric() && !matches!(char, ' ' | '_')).unwrap_or(text.len());
    let rest = &text[end..];
    let is_heading = line.trim_start().starts_with('#') && rest.is_empty();
    let ends = is_heading || rest.starts_with([':', '-', '\u{2013}', '\u{2014}']);
    let label = text[..end].trim();
    (ends && !label.is_empty() && label.len() <= LONGEST_LABEL)
        .then(|| (label, rest.trim_start_matches([':', '-', '\u{2013}', '\u{2014}']).trim()))
}

#[cfg(test)]
mod tests {
    use crate::{Edition, scan};

    /// The safety comment of each construct in a source, with these words accepted as further labels.
    #[track_caller]
    fn check(words: &[&str], source: &str, expected: &[Option<&str>]) {
        let mut facts = scan(source, Edition::E2021);
        facts.accept(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let found: Vec<Option<&str>> = facts.unsafes.iter().map(|fact| fact.safety.as_deref()).collect();
        assert_eq!(found, expected, "{words:?} in {source}");
    }

    #[test]
    fn a_workspace_has_its_own_words() {
        const BLOCK: &str =
            "fn f(p: *const u8) {\n    // Invariant: p is ours,\n    // always.\n    let x = unsafe { *p };\n}";
        check(&[], BLOCK, &[None]);
        check(&["SOUNDNESS"], BLOCK, &[None]);
        check(&["SOUNDNESS", "INVARIANT"], BLOCK, &[Some("p is ours,\nalways.")]);

        let inside = "fn f(p: *const u8) { unsafe { /* note: fast. */ // INVARIANT - p is ours\n *p }; }";
        check(&["INVARIANT"], inside, &[Some("p is ours")]);
        check(&["INVARIANT"], &inside.replace(" -", ""), &[None]);
        check(&["invariant p"], "fn f(p: *const u8) { unsafe { *p } // Invariant p: ours\n }", &[Some("ours")]);

        let docs = "/// Reads.\n///\n/// # Soundness\n///\n/// Two threads may.\npub unsafe fn f() {}";
        check(&["SOUNDNESS"], docs, &[Some("Two threads may.")]);
        check(
            &["INVARIANT"],
            "struct S;\n// INVARIANT: one thread.\nunsafe impl Send for S {}",
            &[Some("one thread.")],
        );
        check(
            &["INVARIANT"],
            "// INVARIANT: no other of that name.\n#[no_mangle]\npub fn f() {}",
            &[Some("no other of that name.")],
        );
    }

    /// A comment labelled `SAFETY` wins over those with accepted labels.
    #[test]
    fn the_usual_word_goes_first() {
        let both = "fn f(p: *const u8) {\n    // INVARIANT: other.\n    // SAFETY: p is ours.\n    unsafe { *p };\n}";
        check(&["INVARIANT"], both, &[Some("SAFETY: p is ours.")]);
        check(&["INVARIANT"], &both.replace("SAFETY: p is ours.", "SAFETY:"), &[Some("SAFETY:")]);
    }

    #[test]
    fn a_label_is_a_few_words() {
        for good in ["INVARIANT", "Why it is sound", "no_alias"] {
            assert!(super::is_label(good), "{good}");
        }
        for bad in ["", " ", "INVARIANT:", "# Soundness", "(x)", "a-b", "x ", &"long ".repeat(9)] {
            assert!(!super::is_label(bad), "{bad}");
        }
    }
}
