//! Macro definitions and calls: what stands in tokens that the parser does not see into.

use super::{Scanner, paths, safety};
use crate::facts::{OperationKind, Scope, Unexpanded, UnsafeFact, UnsafeKind};
use crate::syntax::{Node, SyntaxKind, T};
use SyntaxKind::*;
use std::sync::Arc;

/// Longest argument text kept of a call whose expansion was not seen, in characters.
const ARGUMENT: usize = 200;

impl<'t> Scanner<'_, 't> {
    pub(super) fn macro_call(&mut self, node: Node<'_, 't>) -> usize {
        let Some(path) = node.child(PATH).and_then(paths::plain) else {
            return node.id() + 1;
        };
        let Some(arguments) = node.child(TOKEN_TREE) else {
            return node.end_id();
        };
        match paths::last(&path) {
            "global_asm" => self.bare_item(node, UnsafeKind::GlobalAsm, Some(path.clone())),
            "asm" | "naked_asm" => self.operation(OperationKind::Asm, node.start()..node.end(), || Some(path.clone())),
            "include" => self.unexpanded(node, &path, arguments),
            _ => {}
        }
        self.tokens(arguments, &path);
        node.end_id()
    }

    pub(super) fn macro_definition(&mut self, node: Node<'_, 't>) -> usize {
        let name = super::items::name(node).unwrap_or_default();
        self.tokens(node, &name);
        node.end_id()
    }

    /// A fact for each `unsafe` among a macro's tokens.
    fn tokens(&mut self, node: Node<'_, 't>, name: &str) {
        let mut scope: Option<Arc<Scope>> = None;
        for token in node.all_tokens().iter().filter(|token| token.kind == T![unsafe]) {
            let outer = &self.frame().scope;
            let scope = scope
                .get_or_insert_with(|| Arc::new(Scope { in_macro: Some(name.to_owned()), ..Scope::clone(outer) }))
                .clone();
            let fact = UnsafeFact {
                kind: UnsafeKind::MacroToken,
                span: self.lines.span(token.start as usize..token.end as usize),
                scope,
                name: Some(name.to_owned()),
                safety: safety::of_token(self.source, token.raw as usize),
                operations: Vec::new(),
                public: false,
                keyword: true,
            };
            self.facts.unsafes.push(fact);
        }
    }

    fn unexpanded(&mut self, node: Node<'_, 't>, name: &str, arguments: Node<'_, 't>) {
        let argument = arguments.normal_text();
        let argument = argument.get(1..argument.len() - 1).unwrap_or_default().trim().chars().take(ARGUMENT).collect();
        let span = self.lines.span(node.start()..node.end());
        let scope = self.scope();
        self.facts.unexpanded.push(Unexpanded { name: name.to_owned(), argument, span, scope });
    }
}
