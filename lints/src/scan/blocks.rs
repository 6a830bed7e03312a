//! Unsafe blocks and their operations, and calls and mentions of paths anywhere.

use super::{Scanner, paths, safety};
use crate::facts::{CallFact, Operation, OperationKind, SmolStr, UnsafeFact, UnsafeKind};
use crate::syntax::{Node, SyntaxKind, T};
use SyntaxKind::*;
use smol_str::format_smolstr;
use std::ops::Range;

impl<'t> Scanner<'_, 't> {
    pub(super) fn block(&mut self, node: Node<'_, 't>) {
        let Some(keyword) = node.token(T![unsafe]) else {
            return;
        };
        let range = keyword.start as usize..keyword.end as usize;
        let index = self.facts.unsafes.len();
        let safety = safety::of_block(node, self.frame().safety.as_deref());
        self.record(UnsafeFact {
            labelled: if safety.is_none() { safety::labelled_block(node) } else { None },
            safety,
            ..self.fact(UnsafeKind::Block, range)
        });
        self.enter(node, |frame| frame.block = Some(index));
    }

    pub(super) fn path(&mut self, node: Node<'_, 't>) {
        let Some(path) = node.child(PATH).and_then(paths::plain) else {
            return;
        };
        let called = node.parent().is_some_and(|parent| parent.kind() == CALL_EXPR && parent.id() + 1 == node.id());
        if called {
            self.call_arguments(node, &path);
            self.call(path, node.start()..node.end());
        } else {
            self.function_argument(node, &path);
            self.mention(path, node.start()..node.end());
        }
    }

    pub(super) fn call(&mut self, path: SmolStr, range: Range<usize>) {
        // `Some(x)` and the like are by far the most frequent calls, and are only constructors.
        if matches!(path.as_str(), "Some" | "Ok" | "Err" | "Self") {
            return;
        }
        let kind = match paths::last(&path) {
            "transmute" | "transmute_copy" => OperationKind::Transmute,
            "from_raw_parts" | "from_raw_parts_mut" | "from_raw" | "from_ptr" => OperationKind::FromRawParts,
            _ => OperationKind::Call,
        };
        self.operation(kind, range.clone(), || Some(path.clone()));
        if self.acts() {
            let call = CallFact { path, span: self.lines.span(range), scope: self.scope() };
            self.calls.push(call);
        }
    }

    pub(super) fn mention(&mut self, path: SmolStr, range: Range<usize>) {
        if self.acts() && !matches!(path.as_str(), "self" | "None" | "Self") && !path.starts_with("Self::") {
            let span = self.lines.span(range);
            if let Some(block) = self.frame().block {
                let (kind, what) = (OperationKind::Static, Some(path.clone()));
                self.named.push((block, Operation { kind, span, what }));
            }
            self.mentions.push(CallFact { path, span, scope: self.scope() });
        }
    }

    pub(super) fn field(&mut self, node: Node<'_, 't>) {
        let (Some(block), Some(name)) = (self.frame().block.filter(|_| self.acts()), node.child(NAME_REF)) else {
            return;
        };
        // Fields of tuples cannot be fields of a union.
        if name.text().starts_with(|first: char| first.is_ascii_digit()) {
            return;
        }
        let (kind, what) = (OperationKind::Union, Some(format_smolstr!(".{}", name.text())));
        let span = self.lines.span(name.start()..name.end());
        self.named.push((block, Operation { kind, span, what }));
    }

    /// A pattern that names a union reads its field.
    pub(super) fn record_pattern(&mut self, node: Node<'_, 't>) {
        let Some(path) = node.child(PATH) else { return };
        if let (Some(block), Some(what)) = (self.frame().block.filter(|_| self.acts()), paths::plain(path)) {
            let (kind, span) = (OperationKind::Union, self.lines.span(path.start()..path.end()));
            self.named.push((block, Operation { kind, span, what: Some(what) }));
        }
    }

    pub(super) fn method_call(&mut self, node: Node<'_, 't>) {
        if let Some(name) = node.child(NAME_REF) {
            self.own_method(node, name);
            let what = || Some(format_smolstr!(".{}", name.text()));
            self.operation(OperationKind::Call, name.start()..name.end(), what);
        }
    }

    /// `self.method()` is recorded as a call of `Self::method`, whether that is inherent or a trait's.
    fn own_method(&mut self, node: Node<'_, 't>, name: Node<'_, 't>) {
        let receiver = node.children().find(|child| child.kind() != ATTR);
        let is_own = receiver.is_some_and(|receiver| receiver.kind() == PATH_EXPR && receiver.text() == "self");
        if is_own && self.acts() {
            let path = format_smolstr!("Self::{}", name.text());
            let span = self.lines.span(name.start()..name.end());
            self.calls.push(CallFact { path, span, scope: self.scope() });
        }
    }

    pub(super) fn prefix(&mut self, node: Node<'_, 't>) {
        if let Some(star) = node.token(T![*])
            && !gives_reference(node)
        {
            self.operation(OperationKind::Deref, star.start as usize..node.end(), || None);
        }
    }

    pub(super) fn operation(
        &mut self,
        kind: OperationKind,
        range: Range<usize>,
        what: impl FnOnce() -> Option<SmolStr>,
    ) {
        if let Some(block) = self.frame().block.filter(|_| self.acts()) {
            let operation = Operation { kind, span: self.lines.span(range), what: what() };
            self.facts.unsafes[block].operations.push(operation);
        }
    }

    pub(super) fn function_pointer(&mut self, node: Node<'_, 't>) {
        if let Some(keyword) = node.token(T![unsafe]) {
            self.keyword_type(keyword.start as usize..keyword.end as usize);
        }
    }
}

/// Whether the operand of `*` is known to be a reference.
fn gives_reference(prefix: Node<'_, '_>) -> bool {
    let Some(operand) = prefix.children().find(|child| child.kind() != ATTR) else { return false };
    match operand.kind() {
        PATH_EXPR => operand.text() == "self",
        METHOD_CALL_EXPR => {
            let name = operand.child(NAME_REF).map_or("", Node::text);
            matches!(name, "get_unchecked" | "get_unchecked_mut" | "assume_init_ref" | "assume_init_mut")
        }
        _ => false,
    }
}
