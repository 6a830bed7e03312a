//! Rust source text as a flat syntax tree. This is the only module that depends on the parser crate.
//!
//! rust-analyzer's parser emits steps (enter, token, exit), which its own tree library turns into linked,
//! reference-counted nodes. Fact extraction needs a single walk in source order, so this module turns the steps into
//! two arrays: nodes in preorder, each with the index where its subtree ends, and tokens without whitespace. Walking is
//! a loop over indices, and deeply nested input cannot overflow the stack. Measured over 177 MB of registry sources, a
//! whole scan takes 10.5 CPU-seconds this way; parsing into linked nodes alone takes 11.

mod tree;

use ra_ap_parser::{Input, LexedStr, PrefixEntryPoint, Step, TopEntryPoint};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use ra_ap_parser::{SyntaxKind, T};
pub(crate) use tree::{Node, Token, Tree, normal_text};

/// A Rust edition, which decides what words are keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// 2015
    E2015,
    /// 2018
    E2018,
    /// 2021
    E2021,
    /// 2024
    E2024,
}

impl std::str::FromStr for Edition {
    type Err = UnknownEdition;

    fn from_str(text: &str) -> Result<Edition, UnknownEdition> {
        match text {
            "2015" => Ok(Edition::E2015),
            "2018" => Ok(Edition::E2018),
            "2021" => Ok(Edition::E2021),
            "2024" => Ok(Edition::E2024),
            _ => Err(UnknownEdition(text.to_owned())),
        }
    }
}

/// An edition that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEdition(String);

impl std::fmt::Display for UnknownEdition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown edition `{}`, expected 2015, 2018, 2021 or 2024", self.0)
    }
}

impl std::error::Error for UnknownEdition {}

impl From<Edition> for ra_ap_parser::Edition {
    fn from(edition: Edition) -> ra_ap_parser::Edition {
        match edition {
            Edition::E2015 => ra_ap_parser::Edition::Edition2015,
            Edition::E2018 => ra_ap_parser::Edition::Edition2018,
            Edition::E2021 => ra_ap_parser::Edition::Edition2021,
            Edition::E2024 => ra_ap_parser::Edition::Edition2024,
        }
    }
}

/// The error message when the parser panics and there is no tree.
const GAVE_UP: &str = "the parser gave up on this file";

/// The tokens of one file, comments and whitespace included. Every tree of the file refers to them.
pub(crate) struct Source<'t> {
    text: &'t str,
    lexed: LexedStr<'t>,
    edition: ra_ap_parser::Edition,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str, edition: Edition) -> Source<'t> {
        let edition = edition.into();
        Source { text, lexed: LexedStr::new(edition, text), edition }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Number of raw tokens.
    pub(crate) fn len(&self) -> usize {
        self.lexed.len()
    }

    pub(crate) fn raw_kind(&self, raw: usize) -> SyntaxKind {
        self.lexed.kind(raw)
    }

    pub(crate) fn raw_text(&self, raw: usize) -> &'t str {
        &self.text[self.lexed.text_range(raw)]
    }

    pub(crate) fn raw_range(&self, raw: usize) -> Range<usize> {
        self.lexed.text_range(raw)
    }

    /// The raw token that starts at an offset, or the first one after it.
    pub(crate) fn raw_at(&self, offset: usize) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.lexed.text_start(middle) < offset {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// Errors of the lexer: unterminated strings and the like.
    pub(crate) fn lex_errors(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        let errors = self.lexed.errors().filter(|(raw, _)| !self.is_error_of_line_endings(*raw));
        errors.map(|(raw, message)| (self.lexed.text_range(raw), message))
    }

    /// Whether to ignore an error that the parser reports although the edition allows the construct: in the 2015
    /// edition, parameters of trait methods need no name.
    pub(crate) fn allows(&self, error: &str) -> bool {
        self.edition == ra_ap_parser::Edition::Edition2015 && error == "missing type for function parameter"
    }

    /// Whether a lexer error is due to `\r\n` alone. rustc normalises `\r\n` to `\n` before lexing; this lexer does
    /// not, and reports a `\` before `\r\n` in a string as an unknown escape.
    fn is_error_of_line_endings(&self, raw: usize) -> bool {
        let text = self.lexed.text(raw);
        let as_rustc_reads_it = || LexedStr::single_token(self.edition, &text.replace("\r\n", "\n"));
        text.contains("\r\n") && matches!(as_rustc_reads_it(), Some((_, None)))
    }

    /// The tree of the whole file.
    pub(crate) fn parse(&self, construct: Construct) -> Tree<'_, 't> {
        let mut raws: Vec<u32> = Vec::with_capacity(self.len());
        raws.extend((0..self.len() as u32).filter(|raw| !self.raw_kind(*raw as usize).is_trivia()));
        self.parse_as(&raws, construct)
    }

    /// The tree of a list of raw tokens without trivia: part of the file, or the expansion of a macro.
    pub(crate) fn parse_as(&self, raws: &[u32], construct: Construct) -> Tree<'_, 't> {
        let entry = match construct {
            Construct::File => TopEntryPoint::SourceFile,
            Construct::Items => TopEntryPoint::MacroItems,
            Construct::Expression => TopEntryPoint::Expr,
        };
        let input = self.input(raws);
        // The parser asserts that it makes progress and may have bugs; one file must not end the process.
        let Ok(output) = catch_unwind(AssertUnwindSafe(|| entry.parse(&input))) else {
            let offset = raws.first().map_or(0, |raw| self.raw_range(*raw as usize).start);
            return Tree::failed(self, offset, GAVE_UP);
        };
        Tree::build(self, raws, &output)
    }

    /// How many of these tokens the fragment at their start takes; `None` if they do not start with one of that kind.
    pub(crate) fn fragment(&self, raws: &[u32], fragment: Fragment) -> Option<usize> {
        let entry = match fragment {
            Fragment::Type => PrefixEntryPoint::Ty,
            Fragment::Path => PrefixEntryPoint::Path,
            Fragment::Expression => PrefixEntryPoint::Expr,
            Fragment::Pattern => PrefixEntryPoint::PatTop,
            Fragment::Statement => PrefixEntryPoint::Stmt,
            Fragment::Item => PrefixEntryPoint::Item,
            Fragment::Meta => PrefixEntryPoint::MetaItem,
            Fragment::Visibility => PrefixEntryPoint::Vis,
        };
        let mut taken = 0;
        let input = self.input(raws);
        let output = catch_unwind(AssertUnwindSafe(|| entry.parse(&input))).ok()?;
        for step in output.iter() {
            match step {
                Step::Token { n_input_tokens, .. } => taken += n_input_tokens as usize,
                Step::FloatSplit { .. } => taken += 1,
                Step::Error { .. } => return None,
                Step::Enter { .. } | Step::Exit => {}
            }
        }
        (taken > 0 || matches!(fragment, Fragment::Visibility)).then_some(taken)
    }

    /// Like `LexedStr::to_input`, for an arbitrary list of tokens.
    fn input(&self, raws: &[u32]) -> Input {
        let mut input = Input::with_capacity(raws.len());
        // The previous token, if punctuation right after it may join it.
        let mut joinable = None;
        for raw in raws {
            let token = *raw as usize;
            let kind = self.lexed.kind(token);
            if kind == SyntaxKind::IDENT {
                let text = self.lexed.text(token);
                let contextual = SyntaxKind::from_contextual_keyword(text, self.edition);
                input.push_ident(contextual.unwrap_or(SyntaxKind::IDENT), self.edition);
                continue;
            }
            if joinable.is_some_and(|before| before + 1 == *raw) {
                input.was_joint();
            }
            input.push(kind, self.edition);
            joinable = Some(*raw);
            if kind == SyntaxKind::FLOAT_NUMBER {
                // The parser splits `x.0.1`, and decides by jointness whether anything follows the dot.
                if self.lexed.text(token).ends_with('.') {
                    joinable = None;
                } else {
                    input.was_joint();
                }
            }
        }
        input
    }
}

/// What to parse tokens as.
#[derive(Clone, Copy)]
pub(crate) enum Construct {
    File,
    Items,
    Expression,
}

/// The fragment specifiers of macro variables whose extent only the parser can determine.
#[derive(Clone, Copy)]
pub(crate) enum Fragment {
    Type,
    Path,
    Expression,
    Pattern,
    Statement,
    Item,
    Meta,
    Visibility,
}
