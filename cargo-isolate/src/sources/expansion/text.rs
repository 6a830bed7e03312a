//! The compiler's expanded text of a crate (`-Zunpretty=expanded,hygiene`). A comment after every name gives its syntax
//! context, and tables at the end give the macro call of each context.

use isolate_lints::{
    Edition,
    facts::{FileFacts, MacroFact, MacroKind, UnsafeFact},
};
use std::collections::HashMap;

/// A parsed text.
pub(super) struct Text {
    pub(super) facts: FileFacts,
    /// The position of each comment and the syntax context it names, in order.
    marks: Vec<(u32, u32)>,
    /// Syntax context → expansion that it comes from.
    contexts: HashMap<u32, String>,
    expansions: HashMap<String, Invocation>,
}

/// A macro call.
pub(super) struct Invocation {
    kind: MacroKind,
    /// Path as written.
    path: String,
    /// The enclosing expansion.
    parent: String,
}

impl Invocation {
    /// Whether this is the call of a fact, judged by kind and path.
    pub(super) fn is(&self, fact: &MacroFact) -> bool {
        let plain = |path: &str| path.trim_start_matches("::").to_owned();
        self.kind == fact.kind && plain(&self.path) == plain(&fact.path)
    }
}

impl Text {
    /// `None` if the text does not have the compiler's present format.
    pub(super) fn read(text: String, edition: Edition) -> Option<Text> {
        let (code, tables) = text.rsplit_once("/*\nExpansions:\n")?;
        let (expansions, contexts) = tables.split_once("\nSyntaxContexts:\n")?;
        let expansions: HashMap<_, _> = expansions.lines().filter_map(invocation).collect();
        let contexts: HashMap<_, _> = contexts.lines().filter_map(context).collect();
        // Every crate has contexts of its own code and of the standard library's names.
        if contexts.is_empty() {
            return None;
        }
        let (code, marks) = without_marks(code);
        Some(Text { facts: isolate_lints::scan(&code, edition), marks, contexts, expansions })
    }

    /// Whether a use of a macro was expanded.
    pub(super) fn expands(&self, used: &MacroFact) -> bool {
        self.expansions.iter().any(|(name, call)| name.starts_with("crate0::") && call.is(used))
    }

    /// The macros whose definitions contributed names to a construct; for each name, the innermost macro first.
    pub(super) fn writers(&self, fact: &UnsafeFact) -> impl Iterator<Item = &Invocation> {
        let first = self.marks.partition_point(|(offset, _)| *offset < fact.span.start);
        let inside = self.marks[first..].iter().take_while(|(offset, _)| *offset < fact.end);
        let expansions = inside.filter_map(|(_, context)| self.contexts.get(context));
        let around = |call: &&Invocation| self.expansions.get(&call.parent);
        expansions.flat_map(move |name| std::iter::successors(self.expansions.get(name), around))
    }
}

/// Parses `crate0::{{expn18}}: parent: crate0::{{expn6}}, call_site_ctxt: …, kind: Macro(Derive, "macros::Zero")`.
fn invocation(line: &str) -> Option<(String, Invocation)> {
    let (name, rest) = line.split_once(": parent: ")?;
    let (parent, rest) = rest.split_once(", call_site_ctxt: ")?;
    let (_, call) = rest.split_once(", kind: Macro(")?;
    let (kind, path) = call.strip_suffix("\")")?.split_once(", \"")?;
    let kind = match kind {
        "Bang" => MacroKind::Call,
        "Attr" => MacroKind::Attribute,
        "Derive" => MacroKind::Derive,
        _ => return None,
    };
    Some((name.to_owned(), Invocation { kind, path: path.to_owned(), parent: parent.to_owned() }))
}

/// Parses `#9: parent: #0, outer_mark: (crate0::{{expn18}}, Transparent)`.
fn context(line: &str) -> Option<(u32, String)> {
    let (number, rest) = line.strip_prefix('#')?.split_once(": parent: ")?;
    let (_, mark) = rest.split_once("outer_mark: (")?;
    let (name, _) = mark.split_once(", ")?;
    Some((number.parse().ok()?, name.to_owned()))
}

/// The code with its marks (`/* 2861#9 */`) replaced by spaces, and the marks.
fn without_marks(code: &str) -> (String, Vec<(u32, u32)>) {
    let (mut plain, mut marks, mut rest) = (String::with_capacity(code.len()), Vec::new(), code);
    while let Some(start) = rest.find("/*") {
        let (before, comment) = rest.split_at(start);
        plain.push_str(before);
        // Search after the opening characters, since `/*/` is not a complete comment.
        let mark = comment[2..].find("*/").and_then(|end| Some((end + 4, mark(&comment[2..end + 2])?)));
        let length = mark.map_or(2, |(length, context)| {
            marks.push((plain.len() as u32, context));
            length
        });
        match mark {
            Some(_) => plain.extend(std::iter::repeat_n(' ', length)),
            None => plain.push_str(&comment[..length]),
        }
        rest = &comment[length..];
    }
    plain.push_str(rest);
    (plain, marks)
}

fn mark(comment: &str) -> Option<u32> {
    let (name, context) = comment.trim().split_once('#')?;
    name.bytes().all(|byte| byte.is_ascii_digit()).then(|| context.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::without_marks;

    #[track_caller]
    fn check(code: &str, plain: &str, marks: &[(u32, u32)]) {
        assert_eq!(without_marks(code), (plain.to_owned(), marks.to_vec()));
    }

    #[test]
    fn only_marks_go() {
        check("a/* 2861#9 */ b", "a             b", &[(1, 9)]);
        check("\"crates/*/src\" a/* 1#2 */", "\"crates/*/src\" a         ", &[(16, 2)]);
        for other in ["/*/", "/**/", "/*", "/* mine */", "\"/*/*/\"", "é/* é */"] {
            check(other, other, &[]);
        }
    }
}
