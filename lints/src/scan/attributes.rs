//! Attributes: `cfg` predicates, `link`, `path`, `repr`, and unsafe ones.

use crate::facts::Conditional;
use crate::syntax::{Node, SyntaxKind, T, Token};
use SyntaxKind::*;

/// One attribute without its wrappers: `#[cfg_attr(unix, unsafe(no_mangle))]` is `no_mangle`.
#[derive(Clone)]
pub(super) struct Meta<'n, 't> {
    pub(super) name: &'t str,
    pub(super) node: Node<'n, 't>,
    /// The `unsafe` keyword of an `unsafe(…)` around it.
    pub(super) keyword: Option<Token>,
    /// The attribute including its `unsafe(…)`, if there is one.
    pub(super) whole: Node<'n, 't>,
    /// The predicates of the `cfg_attr`s around it.
    pub(super) cfgs: Vec<String>,
}

impl Meta<'_, '_> {
    /// The string of `name = "…"`, if it is a plain literal.
    pub(super) fn value(&self) -> Option<String> {
        let literal = self.node.child(LITERAL)?;
        string(literal.text())
    }

    /// Like [`Meta::value`], with the conditions under which the attribute applies.
    pub(super) fn conditional(&self) -> Option<Conditional> {
        Some(Conditional { value: self.value()?, cfgs: self.cfgs.clone() })
    }

    /// The text inside the parentheses of `name(…)`.
    pub(super) fn arguments(&self) -> Option<String> {
        let text = self.node.child(TOKEN_TREE)?.normal_text();
        Some(text.get(1..text.len() - 1)?.trim().to_owned())
    }

    /// The string of `key = "…"` inside the parentheses.
    pub(super) fn argument(&self, key: &str) -> Option<String> {
        let tokens = self.node.child(TOKEN_TREE)?.all_tokens();
        let source = self.node.source();
        let text = |token: &Token| &source.text()[token.start as usize..token.end as usize];
        let found = tokens.windows(3).find(|three| three[1].kind == T![=] && text(&three[0]) == key)?;
        string(text(&found[2]))
    }
}

/// The attributes of a node, including those inside `cfg_attr`, but not `cfg` itself.
pub(super) fn metas<'n, 't>(node: Node<'n, 't>) -> Vec<Meta<'n, 't>> {
    let mut found = Vec::new();
    for attribute in attributes(node) {
        attribute.children().for_each(|meta| collect(meta, None, &[], &mut found));
    }
    found
}

/// The predicates of a node's `#[cfg(…)]` attributes, including those inside `cfg_attr`. `#[test]` and `#[bench]` count
/// as `cfg(test)`, since their functions are compiled only for tests.
pub(super) fn cfgs(node: Node<'_, '_>) -> Vec<String> {
    attributes(node).flat_map(|attribute| attribute.children()).filter_map(|meta| condition(meta, NESTED)).collect()
}

/// The predicate that an attribute puts on its item: `cfg_attr(P, cfg(C))` is `cfg(any(not(P), C))`. One predicate for
/// the whole `cfg_attr` keeps the result no longer than the source.
fn condition(meta: Node<'_, '_>, nested: usize) -> Option<String> {
    match meta.kind() {
        CFG_ATTR_META => {}
        CFG_META => return predicate(meta),
        PATH_META => return matches!(meta.text(), "test" | "bench").then(|| "test".to_owned()),
        _ => return None,
    }
    let Some(nested) = nested.checked_sub(1) else {
        // Not a valid predicate, so it evaluates to unknown.
        return Some(meta.normal_text());
    };
    let mut inner: Vec<String> = meta.children().filter_map(|inner| condition(inner, nested)).collect();
    let inner = match inner.len() {
        0 => return None,
        1 => inner.remove(0),
        _ => format!("all({})", inner.join(", ")),
    };
    Some(format!("any(not({}), {inner})", predicate(meta)?))
}

/// Nesting of `cfg_attr`s up to which their `cfg`s are read.
const NESTED: usize = 16;

fn predicate(meta: Node<'_, '_>) -> Option<String> {
    let predicate = meta.children().find(|child| matches!(child.kind(), CFG_ATOM | CFG_COMPOSITE))?;
    Some(predicate.normal_text())
}

/// Whether a node has attributes. They are its first children.
pub(super) fn any(node: Node<'_, '_>) -> bool {
    node.children().next().is_some_and(|first| first.kind() == ATTR)
}

fn attributes<'n, 't>(node: Node<'n, 't>) -> impl Iterator<Item = Node<'n, 't>> {
    node.children().take_while(|child| child.kind() == ATTR)
}

fn collect<'n, 't>(
    meta: Node<'n, 't>,
    around: Option<(Token, Node<'n, 't>)>,
    cfgs: &[String],
    found: &mut Vec<Meta<'n, 't>>,
) {
    match meta.kind() {
        UNSAFE_META => {
            let around = around.or(meta.token(T![unsafe]).map(|keyword| (keyword, meta)));
            meta.children().for_each(|inner| collect(inner, around, cfgs, found));
        }
        CFG_ATTR_META => {
            let cfgs: Vec<String> = cfgs.iter().cloned().chain(predicate(meta)).collect();
            meta.children().for_each(|inner| collect(inner, around, &cfgs, found));
        }
        KEY_VALUE_META | TOKEN_TREE_META | PATH_META => {
            let name = meta.child(PATH).map_or("", Node::text);
            let keyword = around.map(|(keyword, _)| keyword);
            let whole = around.map_or(meta, |(_, whole)| whole);
            found.push(Meta { name, node: meta, keyword, whole, cfgs: cfgs.to_vec() });
        }
        _ => {}
    }
}

/// The value of a string literal, including raw strings.
pub(crate) fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        let quoted = raw.get(hashes..raw.len() - hashes)?;
        return Some(quoted.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let escaped = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = String::with_capacity(escaped.len());
    let mut valid = true;
    rustc_literal_escaper::unescape_str(escaped, |_, char| match char {
        Ok(char) => value.push(char),
        Err(error) => valid &= !error.is_fatal(),
    });
    valid.then_some(value)
}
