//! The tree as two arrays, built from the parser's steps.

use super::{Source, SyntaxKind};
use ra_ap_parser::{Output, Step};
use std::ops::Range;

/// A parsed file, or a parsed part of one.
pub(crate) struct Tree<'s, 't> {
    source: &'s Source<'t>,
    nodes: Vec<NodeData>,
    tokens: Vec<Token>,
    errors: Vec<(usize, String)>,
    /// The tokens come from a macro expansion and are not in the order of the file.
    scattered: bool,
}

struct NodeData {
    kind: SyntaxKind,
    parent: u32,
    /// One past the last node of the subtree.
    end: u32,
    tokens: Range<u32>,
}

/// A token of the tree; joined punctuation such as `::` is a single token.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: SyntaxKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Index of its raw token, the first one if there are several.
    pub(crate) raw: u32,
}

impl<'s, 't> Tree<'s, 't> {
    fn empty(source: &'s Source<'t>) -> Tree<'s, 't> {
        Tree { source, nodes: Vec::new(), tokens: Vec::new(), errors: Vec::new(), scattered: false }
    }

    /// A tree without nodes and with one error.
    pub(super) fn failed(source: &'s Source<'t>, offset: usize, message: &str) -> Tree<'s, 't> {
        Tree { errors: vec![(offset, message.to_owned())], ..Tree::empty(source) }
    }

    /// The tree that the parser's output describes.
    pub(super) fn build(source: &'s Source<'t>, raws: &[u32], output: &Output) -> Tree<'s, 't> {
        let mut builder = Builder { source, tree: Tree::empty(source), open: Vec::new(), raws, next: 0 };
        builder.tree.scattered = !raws.is_sorted();
        // Most files have slightly more nodes than tokens.
        builder.tree.tokens.reserve(raws.len());
        builder.tree.nodes.reserve(raws.len() + raws.len() / 4);
        for step in output.iter() {
            builder.step(&step);
        }
        builder.tree
    }

    /// Number of nodes; `node(0..len)` is a walk in source order.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: usize) -> Node<'_, 't> {
        Node { tree: self, id: id as u32 }
    }

    /// Syntax errors: the offset where the parser found something unexpected, and its message.
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

    /// All nodes of the subtree below this one, in source order.
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

    /// First byte. An empty node is taken to start where the next token does.
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

    /// Whether the tokens come from several places of the file, as in a macro expansion.
    pub(crate) fn is_scattered(self) -> bool {
        self.tree.scattered
    }

    /// The text as written, comments included. Tokens of a macro expansion have no contiguous text; for those only the
    /// first token's is returned.
    pub(crate) fn text(self) -> &'t str {
        let end = match self.all_tokens() {
            [first, _, ..] if self.tree.scattered => first.end as usize,
            _ => self.end(),
        };
        &self.tree.source.text[self.start()..end]
    }

    /// The text without comments, with each run of whitespace as one space.
    pub(crate) fn normal_text(self) -> String {
        normal_text(self.tree.source, self.all_tokens())
    }
}

/// The text of these tokens without comments, with each run of whitespace as one space.
pub(crate) fn normal_text(source: &Source<'_>, tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut end = tokens.first().map_or(0, |token| token.start);
    for token in tokens {
        // Tokens of a macro expansion may be anywhere in the file, so compare for inequality rather than order.
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
    /// The tokens that were parsed; `next` is how many of them the steps so far have consumed.
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

    /// `x.0.1` arrives as the tokens `x`, `.`, `0.1`: two field accesses whose nodes the parser leaves open for us to
    /// close.
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
