//! Paths of expressions as plain text.

use crate::syntax::{Node, SyntaxKind, T};
use SyntaxKind::*;
use smol_str::{SmolStr, SmolStrBuilder};

/// `a::b::<T>::c` as `a::b::c`; `None` for `<T as Trait>::f` and for syntax errors.
pub(super) fn plain(path: Node<'_, '_>) -> Option<SmolStr> {
    let mut text = SmolStrBuilder::new();
    if path.all_tokens().first()?.kind == T![::] {
        text.push_str("::");
    }
    let mut skip_to = path.id();
    let mut first = true;
    for node in path.descendants() {
        if node.id() < skip_to {
            continue;
        }
        match node.kind() {
            NAME_REF => {
                if !first {
                    text.push_str("::");
                }
                first = false;
                text.push_str(node.text());
            }
            GENERIC_ARG_LIST | PARENTHESIZED_ARG_LIST | RETURN_TYPE_SYNTAX => skip_to = node.end_id(),
            TYPE_ANCHOR => return None,
            _ => {}
        }
    }
    (!first).then(|| text.finish())
}

/// The last segment of a plain path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
