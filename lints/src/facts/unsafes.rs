//! Unsafe constructs, and what is done in them.

use super::{Scope, SmolStr, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One unsafe construct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnsafeFact {
    /// What it is.
    pub kind: UnsafeKind,
    /// The keyword to the end of the header: a block up to its `{`, a function up to its body.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Name of the item, for functions, impls (`Send for Stream`), traits, statics and attributes (`no_mangle`).
    pub name: Option<SmolStr>,
    /// The type or trait of an associated function.
    pub owner: Option<SmolStr>,
    /// The comment that argues for it: `// SAFETY: …` before or inside a block, `# Safety` in the docs of a function or trait.
    pub safety: Option<String>,
    /// Where there is none: the comment in its place from the first line on that begins with a label (`INVARIANT: …`), which may
    /// be what somebody else calls it. See [`super::FileFacts::accept`].
    pub labelled: Option<SmolStr>,
    /// What a block does, or the body of an unsafe function outside of blocks, in source order; empty for other kinds.
    pub operations: Vec<Operation>,
    /// Whether the item is visible outside its crate as written (`pub`).
    pub public: bool,
    /// A function that implements one of a trait's: the trait says what its callers owe.
    pub of_trait: bool,
    /// An `unsafe` keyword stands for it: `extern "C" { … }`, `static mut` and the like do without. Each keyword of a file
    /// belongs to exactly one fact, see [`super::FileFacts::unexplained`].
    pub keyword: bool,
    /// One past the last byte of the whole construct, as far as it counts as one: of a block its `}`, of everything else the end
    /// of `span`.
    pub end: u32,
    /// Digest of the tokens from `span.start` to `end`, comments and whitespace left out: the same wherever the construct
    /// moves, and however it is laid out.
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
    /// `unsafe fn(…)` as a type, and other uses of the keyword that declare rather than do.
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

    /// What it is called in messages.
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

/// One thing an unsafe block does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// Where.
    pub span: Span,
    /// The path called or static named, as written; methods and fields with a dot before them. None for the call of what a
    /// local variable holds.
    pub what: Option<SmolStr>,
}

/// A path or field named in unsafe code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index in [`super::FileFacts::unsafes`].
    pub of: u32,
    /// A use of a static, or a read of a union's field, if it is one.
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
    /// A call of a function that is declared unsafe, in this graph or in the standard library.
    UnsafeCall,
    /// `*p` of something not known to be safe.
    Deref,
    /// `transmute`.
    Transmute,
    /// `from_raw_parts` and its kin.
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

/// The most bytes that a label has: what is longer is a sentence.
pub const LONGEST_LABEL: usize = 32;

/// Whether comments can begin with `text` as with `SAFETY`.
pub fn is_label(text: &str) -> bool {
    labelled(&format!("{text}:")) == Some((text, ""))
}

/// The label that a line of a comment begins with, and what is behind it: `INVARIANT` and `never empty` of
/// `INVARIANT: never empty`, of `Invariant - never empty` too; of a heading, all of it.
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

    /// What argues for each construct of a source, where comments may begin with these words, too.
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

    /// One that says `SAFETY` argues, whatever other words there are.
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
