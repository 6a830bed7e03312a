//! Finds the comment that justifies an unsafe construct.

use crate::facts::{SmolStr, labelled};
use crate::syntax::{Node, Source, SyntaxKind, T};
use SyntaxKind::*;

/// The safety comment of a block: before it, before any enclosing expression or statement that starts earlier, inside
/// it before the first statement, or after it on its last line. `outer` is the safety comment of the macro call whose
/// argument is being scanned.
pub(super) fn of_block(block: Node<'_, '_>, outer: Option<&str>) -> Option<String> {
    found_at(block, outer, starts_argument)
}

/// Where a block has no safety comment: the comment in its place that begins with another label.
pub(super) fn labelled_block(block: Node<'_, '_>) -> Option<SmolStr> {
    found_at(block, None, is_labelled).map(SmolStr::from)
}

/// Like [`labelled_block`], for an item.
pub(super) fn labelled_above(item: Node<'_, '_>) -> Option<SmolStr> {
    argument(before_header(item), is_labelled).map(SmolStr::from)
}

fn is_labelled(line: &str) -> bool {
    labelled(line).is_some()
}

/// Decides whether a line begins the comment that is searched for.
type Begins = fn(&str) -> bool;

fn found_at(block: Node<'_, '_>, outer: Option<&str>, begins: Begins) -> Option<String> {
    let source = block.source();
    inside(block, begins).or_else(|| above(block, outer, begins)).or_else(|| {
        let last = block.all_tokens().last()?.raw as usize + 1;
        argument(trailing(source, last), begins)
    })
}

/// The safety comment of a macro call, which also covers blocks among the call's arguments.
pub(super) fn of_call(call: Node<'_, '_>, outer: Option<&str>) -> Option<String> {
    above(call, outer, starts_argument)
}

/// The safety comment of an impl: comments and docs above it, with or without attributes in between.
pub(super) fn of_impl(item: Node<'_, '_>) -> Option<String> {
    let docs = docs(item);
    section(&docs).or_else(|| argument(before_header(item), starts_argument))
}

/// The `# Safety` section in the docs of a function or trait, or a `SAFETY:` comment.
pub(super) fn of_item(item: Node<'_, '_>) -> Option<String> {
    of_impl(item)
}

/// The safety comment of an `unsafe` token that was not parsed: since the last `;`, `{` or `}`, or right after the next
/// `{`.
pub(super) fn of_token(source: &Source<'_>, raw: usize) -> Option<String> {
    let mut start = raw;
    while start > 0 && !matches!(source.raw_kind(start - 1), T![;] | T!['{'] | T!['}']) {
        start -= 1;
    }
    let after = (raw + 1..source.len()).find(|token| !source.raw_kind(*token).is_trivia());
    let inside = after.filter(|token| source.raw_kind(*token) == T!['{']).map(|brace| brace + 1);
    argument(comments(source, start, raw), starts_argument)
        .or_else(|| argument(inside.map_or(Vec::new(), |start| following(source, start)), starts_argument))
}

fn inside(block: Node<'_, '_>, begins: Begins) -> Option<String> {
    let list = block.child(STMT_LIST)?;
    let brace = list.all_tokens().first()?;
    argument(following(block.source(), brace.raw as usize + 1), begins)
}

/// Searches the comments before the node and before each ancestor up to its statement, item, arm or field.
fn above(node: Node<'_, '_>, outer: Option<&str>, begins: Begins) -> Option<String> {
    let mut node = node;
    loop {
        if let Some(found) = argument(before_header(node), begins) {
            return Some(found);
        }
        let Some(parent) = node.parent() else { return outer.map(str::to_owned) };
        let statement = matches!(node.kind(), LET_STMT | EXPR_STMT) || parent.kind() == STMT_LIST;
        let done = matches!(node.kind(), CONST | STATIC | FN | MATCH_ARM | RECORD_FIELD | RECORD_EXPR_FIELD | VARIANT)
            || matches!(parent.kind(), SOURCE_FILE | ITEM_LIST | MACRO_ITEMS);
        // `=> { unsafe { … } }` is `=> unsafe { … }` with the braces that rustfmt adds.
        let alone = parent.kind() == STMT_LIST && parent.children().nth(1).is_none() && is_braced_value(parent);
        if done || statement && !alone {
            return None;
        }
        node = parent;
    }
}

/// Whether these statements form the block that is the value of a match arm, closure or variable.
fn is_braced_value(list: Node<'_, '_>) -> bool {
    let owner = list.parent().and_then(Node::parent);
    owner.is_some_and(|owner| matches!(owner.kind(), MATCH_ARM | CLOSURE_EXPR | LET_STMT | CONST | STATIC))
}

/// The comments before a node's first token, and those between its attributes and the rest.
fn before_header<'t>(node: Node<'_, 't>) -> Vec<&'t str> {
    let source = node.source();
    let Some(first) = node.all_tokens().first() else {
        return Vec::new();
    };
    let mut found = preceding(source, first.raw as usize);
    for attribute in node.children().take_while(|child| child.kind() == ATTR) {
        if let Some(last) = attribute.all_tokens().last() {
            found.extend(following(source, last.raw as usize + 1));
        }
    }
    found
}

/// The comments right before a raw token, except for one at the end of a line of code.
fn preceding<'t>(source: &Source<'t>, raw: usize) -> Vec<&'t str> {
    let mut start = raw;
    while start > 0 && source.raw_kind(start - 1).is_trivia() {
        start -= 1;
    }
    if start > 0 && source.raw_kind(start - 1) != T!['{'] {
        start += trailing_len(source, start);
    }
    comments(source, start, raw)
}

/// The comments that start at a raw token.
fn following<'t>(source: &Source<'t>, raw: usize) -> Vec<&'t str> {
    let end = (raw..source.len()).find(|token| !source.raw_kind(*token).is_trivia()).unwrap_or(source.len());
    comments(source, raw, end)
}

/// The comments from a raw token to the end of its line.
fn trailing<'t>(source: &Source<'t>, raw: usize) -> Vec<&'t str> {
    // Punctuation such as `;` or `)` may separate the code from its comment.
    let start =
        (raw..source.len()).find(|token| !matches!(source.raw_kind(*token), T![;] | T![,] | T![')'])).unwrap_or(raw);
    comments(source, start, start + trailing_len(source, start))
}

/// The number of trivia tokens before the end of the line.
fn trailing_len(source: &Source<'_>, raw: usize) -> usize {
    (raw..source.len())
        .take_while(|token| {
            let kind = source.raw_kind(*token);
            kind == COMMENT || kind == WHITESPACE && !source.raw_text(*token).contains('\n')
        })
        .count()
}

fn comments<'t>(source: &Source<'t>, start: usize, end: usize) -> Vec<&'t str> {
    (start..end).filter(|raw| source.raw_kind(*raw) == COMMENT).map(|raw| source.raw_text(raw)).collect()
}

/// The lines of these comments, from the one that begins the safety comment.
fn argument(comments: Vec<&str>, begins: Begins) -> Option<String> {
    let lines: Vec<&str> = comments.iter().flat_map(|comment| comment_lines(comment)).collect();
    let start = lines.iter().position(|line| begins(line))?;
    Some(lines[start..].join("\n").trim().to_owned())
}

/// Matches `SAFETY: …`, `Safety - …`, `# Safety`, and `SAFETY:` after other words.
fn starts_argument(line: &str) -> bool {
    let line = line.trim_start_matches(['#', ' ', '*', '(']);
    let Some(word) = line.get(..6) else {
        return false;
    };
    let rest = &line[6..];
    word.eq_ignore_ascii_case("safety") && !rest.starts_with(|char: char| char.is_alphanumeric() || char == '_')
        || line.contains("SAFETY:")
}

/// The lines of a comment without its markers.
fn comment_lines(comment: &str) -> impl Iterator<Item = &str> {
    let block =
        comment.strip_prefix("/*").map(|text| text.strip_suffix("*/").unwrap_or(text).trim_start_matches(['*', '!']));
    let line = || comment.trim_start_matches('/').trim_start_matches('!');
    let stars = block.is_some();
    let text = block.unwrap_or_else(line);
    text.lines().map(move |line| if stars { line.trim().trim_start_matches('*').trim() } else { line.trim() })
}

/// The documentation of an item, line by line.
fn docs(item: Node<'_, '_>) -> Vec<String> {
    let doc_comments = before_header(item).into_iter().filter(|comment| {
        comment.starts_with("///") && !comment.starts_with("////")
            || comment.starts_with("/**") && !comment.starts_with("/***")
    });
    let mut lines: Vec<String> = doc_comments.flat_map(comment_lines).map(str::to_owned).collect();
    for meta in super::attributes::metas(item) {
        if meta.name == "doc"
            && let Some(value) = meta.value()
        {
            lines.extend(value.lines().map(|line| line.trim().to_owned()));
        }
    }
    lines
}

/// The text under the heading `# Safety`, or `# Unsafety`, up to the next heading.
fn section(docs: &[String]) -> Option<String> {
    let is_heading = |line: &String| line.starts_with('#');
    let title = |line: &String| line.trim_start_matches('#').trim().trim_end_matches(':').to_ascii_lowercase();
    let start = docs.iter().position(|line| is_heading(line) && matches!(&*title(line), "safety" | "unsafety"))?;
    let body: Vec<&str> = docs[start + 1..].iter().take_while(|line| !is_heading(line)).map(String::as_str).collect();
    Some(body.join("\n").trim().to_owned())
}
