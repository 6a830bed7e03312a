//! Functions and statics that other languages can reach, and how their bodies may panic.

use super::{Scanner, attributes, flow, foreign, items, paths};
use crate::facts::{Definition, ForeignKind, Panic, PanicKind};
use crate::syntax::{Node, SyntaxKind};
use SyntaxKind::*;
use std::collections::HashSet;
use std::ops::Range;

/// How many places that may panic are kept per function.
const PANICS: usize = 3;

impl<'t> Scanner<'_, 't> {
    /// Records a function with a body that has an ABI or an exported name.
    pub(super) fn definition(&mut self, node: Node<'_, 't>) {
        let abi = node.child(ABI).map(|abi| foreign::abi(self.source, Some(abi)));
        let symbol = exported(node);
        let Some(name) = node.child(NAME).filter(|_| abi.is_some() || symbol.is_some()) else { return };
        let Some(body) = node.child(BLOCK_EXPR) else { return };
        let (guarded, panics) = self.panics(node, body);
        let item = foreign::signature(node);
        self.define(Definition { guarded, panics, abi, ..self.blank(name, symbol, item) });
    }

    /// Records a static with an exported name.
    pub(super) fn exported_static(&mut self, node: Node<'_, 't>) {
        if let (Some(name), Some(symbol)) = (node.child(NAME), exported(node)) {
            self.define(self.blank(name, Some(symbol), foreign::static_type(node)));
        }
    }

    fn blank(&self, name: Node<'_, 't>, symbol: Option<String>, item: ForeignKind) -> Definition {
        Definition {
            name: name.text().to_owned(),
            owner: self.frame().owner.as_deref().map(str::to_owned),
            symbol,
            abi: None,
            item,
            span: self.lines.span(name.start()..name.end()),
            scope: self.scope(),
            guarded: false,
            panics: Vec::new(),
        }
    }

    fn define(&mut self, definition: Definition) {
        if self.acts() {
            self.facts.definitions.push(definition);
        }
    }

    /// Whether a body stops panics, and where it may panic.
    fn panics(&self, function: Node<'_, 't>, body: Node<'_, 't>) -> (bool, Vec<Panic>) {
        let bound: HashSet<&str> = function
            .descendants()
            .filter(|node| matches!(node.kind(), IDENT_PAT | TYPE_PARAM) && !names_a_closure(*node))
            .filter_map(|node| Some(node.child(NAME)?.text()))
            .collect();
        let (mut guarded, mut panics, mut skip_to) = (false, Vec::new(), 0);
        if !flow::is_small(&function) {
            return (guarded, panics);
        }
        for node in body.descendants() {
            if node.id() < skip_to {
                continue;
            }
            match node.kind() {
                FN => skip_to = node.end_id(),
                NAME_REF => guarded |= stops_panics(node.text()),
                PATH_EXPR => guarded |= node.child(PATH).and_then(paths::plain).is_some_and(|path| is_of_panics(&path)),
                _ => {}
            }
            if let Some((kind, what, range)) = panic(node, &bound).filter(|_| panics.len() < PANICS) {
                panics.push(Panic { kind, what, span: self.lines.span(range) });
            }
        }
        (guarded, panics)
    }
}

/// Whether a pattern is that of `let f = |…| …`, where the closure's body is in plain sight.
fn names_a_closure(pattern: Node<'_, '_>) -> bool {
    pattern.parent().is_some_and(|parent| parent.kind() == LET_STMT && parent.child(CLOSURE_EXPR).is_some())
}

/// The symbol under which an item is exported to the linker.
fn exported(node: Node<'_, '_>) -> Option<String> {
    let metas = attributes::metas(node);
    let named = metas.iter().find(|meta| meta.name == "export_name").and_then(attributes::Meta::value);
    named.or_else(|| {
        metas.iter().find(|meta| meta.name == "no_mangle").and_then(|_| items::name(node)).map(String::from)
    })
}

/// Whether a function's name suggests that it stops panics from unwinding further: `catch_unwind` and the many wrappers
/// of it.
fn stops_panics(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let about_panics = name.contains("panic") || name.contains("unwind");
    about_panics && !matches!(name.as_str(), "panic" | "panicking" | "panic_any" | "resume_unwind" | "panic_fmt")
}

/// Whether a path is like `panic::wrap`: a function of a crate's own `panic` module, as opposed to `std::panic`.
fn is_of_panics(path: &str) -> bool {
    path.rsplit_once("::").is_some_and(|(module, name)| {
        let of_std = matches!(name, "panic_any" | "resume_unwind" | "set_hook" | "take_hook" | "AssertUnwindSafe");
        paths::last(module) == "panic" && !of_std
    })
}

/// Whether the function calls something like `x.is_none()` before this use of `x`, presumably to return early.
fn is_tested_before(value: Node<'_, '_>) -> bool {
    if value.kind() != PATH_EXPR {
        return false;
    }
    let functions = std::iter::successors(value.parent(), |node| node.parent());
    let Some(function) = functions.into_iter().find(|node| node.kind() == FN) else { return false };
    let mut before = function.descendants().take_while(|node| node.start() < value.start());
    before.any(|node| {
        let tests = |name: Node<'_, '_>| matches!(name.text(), "is_none" | "is_some" | "is_ok" | "is_err");
        node.kind() == METHOD_CALL_EXPR
            && node.child(NAME_REF).is_some_and(tests)
            && node.children().next().is_some_and(|receiver| receiver.text() == value.text())
    })
}

fn panic(node: Node<'_, '_>, bound: &HashSet<&str>) -> Option<(PanicKind, String, Range<usize>)> {
    match node.kind() {
        MACRO_CALL => {
            let path = node.child(PATH)?;
            let name = paths::last(path.text());
            let panics = matches!(
                name,
                "panic" | "unreachable" | "todo" | "unimplemented" | "assert" | "assert_eq" | "assert_ne"
            );
            panics.then(|| (PanicKind::Macro, format!("{name}!"), path.start()..path.end()))
        }
        METHOD_CALL_EXPR => {
            let name = node.child(NAME_REF)?;
            let panics = matches!(name.text(), "unwrap" | "expect" | "unwrap_err" | "expect_err");
            let ruled_out = node.children().next().is_some_and(|receiver| is_tested_before(receiver));
            (panics && !ruled_out).then(|| (PanicKind::Unwrap, name.text().to_owned(), name.start()..name.end()))
        }
        INDEX_EXPR => {
            let of = node.children().next()?;
            Some((PanicKind::Index, of.normal_text(), of.start()..node.end()))
        }
        CALL_EXPR => {
            let callee = node.children().next()?;
            let value = match callee.kind() {
                PAREN_EXPR => true,
                PATH_EXPR => {
                    let path = paths::plain(callee.child(PATH)?)?;
                    bound.contains(path.split("::").next().unwrap_or_default())
                }
                _ => false,
            };
            value.then(|| (PanicKind::Value, callee.normal_text(), callee.start()..callee.end()))
        }
        _ => None,
    }
}
