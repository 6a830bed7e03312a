//! Rust source text as a flat syntax tree. The one module that knows the parser crate.
//!
//! rust-analyzer's parser emits steps (enter, token, exit); its own tree library turns them into linked, reference-counted
//! nodes. Facts need one walk in source order and nothing else, so the steps become two arrays here: nodes in preorder, each
//! with the index where its subtree ends, and tokens without whitespace. Walking is a loop over indices, and no depth of
//! nesting in the scanned text can exhaust the walk's stack. Measured over 177 MB of registry sources: a whole scan takes
//! 10.5 CPU-seconds this way, and parsing into linked nodes without looking at them 11.

use ra_ap_parser::{Input, LexedStr, PrefixEntryPoint, Step, TopEntryPoint};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use ra_ap_parser::{SyntaxKind, T};

/// A Rust edition: which words are keywords.
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

/// Message of the error in place of a tree.
const GAVE_UP: &str = "the parser gave up on this file";

/// The tokens of one file, comments and whitespace included: what every tree of that file points into.
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

    /// The raw token that starts at an offset, or the first one behind it.
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

    /// rustc reads `\r\n` as `\n` before anything else; the lexer here does not, and takes one behind a `\` in a string for
    /// an escape that does not exist.
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

    /// The tree of some raw tokens, none of them trivia: part of the file, or what a macro made of it.
    pub(crate) fn parse_as(&self, raws: &[u32], construct: Construct) -> Tree<'_, 't> {
        let entry = match construct {
            Construct::File => TopEntryPoint::SourceFile,
            Construct::Items => TopEntryPoint::MacroItems,
            Construct::Expression => TopEntryPoint::Expr,
        };
        let input = self.input(raws);
        // The parser asserts that it gets on, and has bugs like everyone: a file is not worth the process.
        let Ok(output) = catch_unwind(AssertUnwindSafe(|| entry.parse(&input))) else {
            let mut tree = Tree::empty(self);
            tree.errors.push((raws.first().map_or(0, |raw| self.raw_range(*raw as usize).start), GAVE_UP.to_owned()));
            return tree;
        };
        let mut builder = Builder { source: self, tree: Tree::empty(self), open: Vec::new(), raws, next: 0 };
        builder.tree.scattered = !raws.is_sorted();
        // Some more nodes than tokens is what most files have.
        builder.tree.tokens.reserve(raws.len());
        builder.tree.nodes.reserve(raws.len() + raws.len() / 4);
        for step in output.iter() {
            builder.step(&step);
        }
        builder.tree
    }

    /// How many of the tokens the fragment at their start takes; `None` if there is none of that kind.
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

    /// As `LexedStr::to_input`, for any tokens.
    fn input(&self, raws: &[u32]) -> Input {
        let mut input = Input::with_capacity(raws.len());
        // The token before, if punctuation right behind it joins it.
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
                // The parser splits `x.0.1` and asks by jointness whether something follows the dot.
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

/// What a macro variable may stand for and only the parser can tell the end of.
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

/// A parsed file, or a parsed part of one.
pub(crate) struct Tree<'s, 't> {
    source: &'s Source<'t>,
    nodes: Vec<NodeData>,
    tokens: Vec<Token>,
    errors: Vec<(usize, String)>,
    /// The tokens are an expansion's, and not in the order of the file.
    scattered: bool,
}

struct NodeData {
    kind: SyntaxKind,
    parent: u32,
    /// One past the last node of the subtree.
    end: u32,
    tokens: Range<u32>,
}

/// A token of the tree; joined punctuation such as `::` is one.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: SyntaxKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Index of its (first) raw token.
    pub(crate) raw: u32,
}

impl<'s, 't> Tree<'s, 't> {
    fn empty(source: &'s Source<'t>) -> Tree<'s, 't> {
        Tree { source, nodes: Vec::new(), tokens: Vec::new(), errors: Vec::new(), scattered: false }
    }

    /// Number of nodes; `node(0..len)` is a walk in source order.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: usize) -> Node<'_, 't> {
        Node { tree: self, id: id as u32 }
    }

    /// Places where the parser found something else than it expected, with its message.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (usize, &str)> {
        self.errors.iter().map(|(offset, message)| (*offset, message.as_str()))
    }
}

/// A node of a [`Tree`].
#[derive(Clone, Copy)]
pub(crate) struct Node<'n, 't> {
    tree: &'n Tree<'n, 't>,
    id: u32,
}

impl<'n, 't> Node<'n, 't> {
    fn data(self) -> &'n NodeData {
        &self.tree.nodes[self.id as usize]
    }

    pub(crate) fn kind(self) -> SyntaxKind {
        self.data().kind
    }

    pub(crate) fn id(self) -> usize {
        self.id as usize
    }

    /// One past the last node of the subtree.
    pub(crate) fn end_id(self) -> usize {
        self.data().end as usize
    }

    pub(crate) fn source(self) -> &'n Source<'t> {
        self.tree.source
    }

    pub(crate) fn parent(self) -> Option<Node<'n, 't>> {
        (self.id != 0).then(|| Node { tree: self.tree, id: self.data().parent })
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Node<'n, 't>> {
        let end = self.data().end;
        let mut next = self.id + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(Node { tree: self.tree, id: next })?;
            next = child.data().end;
            Some(child)
        })
    }

    pub(crate) fn child(self, kind: SyntaxKind) -> Option<Node<'n, 't>> {
        self.children().find(|child| child.kind() == kind)
    }

    /// All nodes below this one, in source order.
    pub(crate) fn descendants(self) -> impl Iterator<Item = Node<'n, 't>> {
        (self.id + 1..self.data().end).map(move |id| Node { tree: self.tree, id })
    }

    /// Every token of the subtree.
    pub(crate) fn all_tokens(self) -> &'n [Token] {
        let range = &self.data().tokens;
        &self.tree.tokens[range.start as usize..range.end as usize]
    }

    /// The tokens that belong to this node itself, not to a child.
    pub(crate) fn tokens(self) -> impl Iterator<Item = Token> {
        let mut children = self.children().peekable();
        let Range { start: mut next, end } = self.data().tokens;
        std::iter::from_fn(move || {
            while let Some(child) = children.peek() {
                let range = &child.data().tokens;
                if next < range.start {
                    break;
                }
                next = next.max(range.end);
                children.next();
            }
            let token = (next < end).then(|| self.tree.tokens[next as usize])?;
            next += 1;
            Some(token)
        })
    }

    pub(crate) fn token(self, kind: SyntaxKind) -> Option<Token> {
        self.tokens().find(|token| token.kind == kind)
    }

    pub(crate) fn has(self, kind: SyntaxKind) -> bool {
        self.token(kind).is_some()
    }

    /// First byte; where the text stands for an empty node.
    pub(crate) fn start(self) -> usize {
        let tokens = &self.tree.tokens;
        match tokens.get(self.data().tokens.start as usize) {
            Some(token) => token.start as usize,
            None => tokens.last().map_or(0, |token| token.end as usize),
        }
    }

    /// One past the last byte.
    pub(crate) fn end(self) -> usize {
        self.all_tokens().last().map_or(self.start(), |token| token.end as usize)
    }

    /// The tokens come from several places of the file.
    pub(crate) fn is_scattered(self) -> bool {
        self.tree.scattered
    }

    /// The text as written, comments included. Tokens that a macro put together have no such text: of those the first only.
    pub(crate) fn text(self) -> &'t str {
        let end = match self.all_tokens() {
            [first, _, ..] if self.tree.scattered => first.end as usize,
            _ => self.end(),
        };
        &self.tree.source.text[self.start()..end]
    }

    /// The text without comments, each run of whitespace as one space.
    pub(crate) fn normal_text(self) -> String {
        normal_text(self.tree.source, self.all_tokens())
    }
}

/// The text of some tokens without comments, each run of whitespace as one space.
pub(crate) fn normal_text(source: &Source<'_>, tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut end = tokens.first().map_or(0, |token| token.start);
    for token in tokens {
        // Tokens that a macro put together stand anywhere in the file.
        if token.start != end {
            text.push(' ');
        }
        text.push_str(&source.text[token.start as usize..token.end as usize]);
        end = token.end;
    }
    text
}

/// Turns parser steps into a tree.
struct Builder<'s, 'r, 't> {
    source: &'s Source<'t>,
    tree: Tree<'s, 't>,
    open: Vec<u32>,
    /// The tokens parsed, and how many of them the steps have taken.
    raws: &'r [u32],
    next: usize,
}

impl Builder<'_, '_, '_> {
    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Enter { kind } => self.enter(kind),
            Step::Exit => self.exit(),
            Step::Token { kind, n_input_tokens } => {
                let last = self.next + n_input_tokens as usize - 1;
                self.token(kind, self.range(self.next).start..self.range(last).end);
                self.next = last + 1;
            }
            Step::FloatSplit { ends_in_dot } => self.split_float(ends_in_dot),
            Step::Error { msg } => {
                let offset = match self.next < self.raws.len() {
                    true => self.range(self.next).start,
                    false => self.tree.tokens.last().map_or(0, |token| token.end as usize),
                };
                self.tree.errors.push((offset, msg.to_owned()));
            }
        }
    }

    fn range(&self, index: usize) -> Range<usize> {
        self.source.raw_range(self.raws[index] as usize)
    }

    fn enter(&mut self, kind: SyntaxKind) {
        let id = self.tree.nodes.len() as u32;
        let tokens = self.tree.tokens.len() as u32;
        let parent = self.open.last().copied().unwrap_or(0);
        self.tree.nodes.push(NodeData { kind, parent, end: id + 1, tokens: tokens..tokens });
        self.open.push(id);
    }

    fn exit(&mut self) {
        let end = self.tree.nodes.len() as u32;
        let tokens = self.tree.tokens.len() as u32;
        if let Some(id) = self.open.pop() {
            let node = &mut self.tree.nodes[id as usize];
            node.end = end;
            node.tokens.end = tokens;
        }
    }

    fn token(&mut self, kind: SyntaxKind, range: Range<usize>) {
        let token = Token { kind, start: range.start as u32, end: range.end as u32, raw: self.raws[self.next] };
        self.tree.tokens.push(token);
    }

    /// `x.0.1` reaches us as `x`, `.`, `0.1`: two field accesses whose nodes the parser left for us to close.
    fn split_float(&mut self, ends_in_dot: bool) {
        let range = self.range(self.next);
        match self.source.text[range.clone()].find('.') {
            Some(dot) => {
                let dot = range.start + dot;
                self.enter(SyntaxKind::NAME_REF);
                self.token(SyntaxKind::INT_NUMBER, range.start..dot);
                self.exit();
                self.exit();
                self.token(SyntaxKind::DOT, dot..dot + 1);
                if !ends_in_dot {
                    self.enter(SyntaxKind::NAME_REF);
                    self.token(SyntaxKind::INT_NUMBER, dot + 1..range.end);
                    self.exit();
                    self.exit();
                }
            }
            None => {
                self.tree.errors.push((range.start, "illegal float literal".to_owned()));
                self.enter(SyntaxKind::ERROR);
                self.token(SyntaxKind::FLOAT_NUMBER, range);
                self.exit();
                self.exit();
                if !ends_in_dot {
                    self.exit();
                }
            }
        }
        self.next += 1;
    }
}
