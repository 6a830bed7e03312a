//! Removes what is obsolete once calls go through their wrappers: the `SAFETY:` comments of former `unsafe` blocks, and
//! unused imports. Anything that might still be needed is kept.

use super::{
    argument::{has_word, words},
    finder::Unsafe,
    source::{Edit, Source, blanked, bytes, range},
};
use crate::rust;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use syn::{
    Ident, Item, ItemUse, Macro, Stmt, Token, UsePath, UseTree, Visibility,
    punctuated::Pair,
    visit::{self, Visit},
};

/// Deletes the `// SAFETY:` comments above statements whose blocks are no longer `unsafe`, unless the comment may be
/// about another block in the same statement.
pub(super) fn safety_comments(source: &Source, blocks: &[Unsafe<'_>]) -> Vec<Edit> {
    let gone: BTreeSet<_> = blocks.iter().map(|block| bytes(block.block.unsafe_token.span).start).collect();
    let mut lines: BTreeMap<_, _> = gone.iter().filter_map(|keyword| line_of(source, *keyword)).collect();
    lines.retain(|line, statement| {
        unsafe_words(source, statement.clone()).into_iter().all(|at| {
            // A block with a `SAFETY:` comment of its own is not the one meant.
            let own = || line_of(source, at).filter(|(own, _)| own != line);
            gone.contains(&at) || own().is_some_and(|(own, _)| safety_comment_above(source, own).is_some())
        })
    });
    lines.into_keys().filter_map(|line| safety_comment_above(source, line)).collect()
}

/// The start of the line on which the innermost statement around a keyword begins, and the statement, if the keyword is
/// on that line.
fn line_of(source: &Source, keyword: usize) -> Option<(usize, Range<usize>)> {
    let mut around = Around { keyword, smallest: None };
    around.visit_file(&source.file);
    let statement = around.smallest?;
    let line = source.line_start(keyword);
    (line == source.line_start(statement.start)).then_some((line, statement))
}

/// What a safety comment begins with. `Safety:` counts too, as in the rule about such comments.
const SAFETY_LABELS: [&str; 2] = ["SAFETY:", "Safety:"];

/// Deletes the `// SAFETY:` paragraph of the comment that ends above a line.
pub(super) fn safety_comment_above(source: &Source, line: usize) -> Option<Edit> {
    let mut start = line;
    loop {
        let above = source.line_start(start.checked_sub(1)?);
        let text = source.text[above..start].trim();
        if !text.starts_with("//") || text.starts_with("///") {
            return None;
        }
        start = above;
        let words = text.trim_start_matches('/').trim_start();
        if SAFETY_LABELS.iter().any(|word| words.starts_with(word)) {
            return Some(Edit::delete(start..paragraph_end(source, start, line)));
        }
    }
}

/// The end of the paragraph that begins at `start`, in a comment that ends at `line`. An empty comment line after the
/// paragraph belongs to it.
fn paragraph_end(source: &Source, start: usize, line: usize) -> usize {
    let mut at = start;
    for text in source.text[start..line].split_inclusive('\n') {
        let words = text.trim().trim_start_matches('/').trim_start();
        if words.is_empty() {
            return at + text.len();
        }
        if at > start && is_labelled(words) {
            return at;
        }
        at += text.len();
    }
    line
}

/// Whether a comment line begins with a label: `NOTE: …`, `TODO(jo): …`.
fn is_labelled(words: &str) -> bool {
    let Some((label, rest)) = words.split_once(':') else { return false };
    let (word, is_closed) = label.split_once('(').map_or((label, true), |(word, of)| (word, of.ends_with(')')));
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    is_word && is_closed && (rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// Whether an edit is one that [`safety_comment_above`] returned.
pub(super) fn is_safety_comment(source: &Source, edit: &Edit) -> bool {
    let words = source.text[edit.range.clone()].trim_start().trim_start_matches('/').trim_start();
    edit.text.is_empty() && SAFETY_LABELS.iter().any(|word| words.starts_with(word))
}

/// The offsets of the keyword `unsafe` in a range.
fn unsafe_words(source: &Source, inside: Range<usize>) -> Vec<usize> {
    let places = words(&source.text[inside.clone()], "unsafe").map(|at| inside.start + at);
    places.filter(|at| has_word(&source.code(*at..at + "unsafe".len()), "unsafe")).collect()
}

/// Finds the innermost statement that contains a position.
struct Around {
    keyword: usize,
    smallest: Option<Range<usize>>,
}

impl<'ast> Visit<'ast> for Around {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let range = range(statement);
        if range.contains(&self.keyword) {
            self.smallest = Some(range);
            visit::visit_stmt(self, statement);
        }
    }
}

/// The `after` text without the imports that `before` used and that nothing names any more. `is_ours`: the path is
/// certainly not a trait. `elsewhere`: another file may see the name.
pub(super) fn without_unused_imports(
    before: &Source,
    after: String,
    is_ours: &dyn Fn(&[String]) -> bool,
    elsewhere: &dyn Fn(&str) -> bool,
) -> String {
    let Ok(source) = Source::parse(after.clone()) else { return after };
    let mut edits = Vec::new();
    let imports = imports(&source);
    for item in &imports {
        let mut leaves = Vec::new();
        names(&item.tree, &mut Vec::new(), &mut leaves);
        let others = || imports.iter().filter(|other| !std::ptr::eq(**other, *item));
        let is_unused = |(path, name): &(Vec<String>, String)| {
            let is_needed = others().any(|other| depends_on(&other.tree, &mut Vec::new(), name, path));
            is_ours(path) && uses(&source, name) == 0 && uses(before, name) > 0 && !is_needed && !elsewhere(name)
        };
        let whole = range(*item);
        let has_comment = source.loses_comment(&[Edit::delete(whole.clone())]);
        if leaves.is_empty() || has_comment || !item.attrs.is_empty() || !leaves.iter().any(is_unused) {
            continue;
        }
        if leaves.iter().all(is_unused) {
            let line = source.line_start(whole.start);
            let end = source.text[whole.end..].find('\n').map_or(source.text.len(), |at| whole.end + at + 1);
            let alone =
                source.text[line..whole.start].trim().is_empty() && source.text[whole.end..end].trim().is_empty();
            // A comment on the same line may be about the import.
            edits.extend(alone.then(|| Edit::delete(line..end)));
        } else if let UseTree::Path(_) = &item.tree {
            edits.extend(without(&source, &item.tree, None, &|name| {
                leaves.iter().any(|leaf| leaf.1 == name && is_unused(leaf))
            }));
        }
    }
    if edits.is_empty() { after } else { source.with(edits) }
}

/// Whether an import's path begins with a name that another import, of the path `imported`, brings into scope. Leading
/// `super`, `self` and `crate` are skipped.
fn depends_on(tree: &UseTree, path: &mut Vec<String>, name: &str, imported: &[String]) -> bool {
    let ident = match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            let depends = depends_on(&inner.tree, path, name, imported);
            path.pop();
            return depends;
        }
        UseTree::Group(group) => return group.items.iter().any(|item| depends_on(item, path, name, imported)),
        UseTree::Name(name) => Some(name.ident.to_string()),
        UseTree::Rename(name) => Some(name.ident.to_string()),
        UseTree::Glob(_) => None,
    };
    let all = [path, &*ident.into_iter().collect::<Vec<_>>()].concat();
    // A path that repeats the whole path `imported` does not depend on that import.
    let is_spelt_out = all.starts_with(imported) && !["super", "self"].contains(&&*imported[0]);
    let first = all.iter().find(|word| !MODULES.contains(&&***word));
    !is_spelt_out && first.is_some_and(|first| first == name)
}

/// Removes names from the final group of an import: `use a::b::{c, d};`. A single-line group with one name left loses
/// its braces. In a multi-line group the rest stays where it is. Nested groups are left alone.
fn without(source: &Source, tree: &UseTree, around: Option<&UsePath>, is_unused: &dyn Fn(&str) -> bool) -> Vec<Edit> {
    let group = match tree {
        UseTree::Path(path) => return without(source, &path.tree, Some(path), is_unused),
        UseTree::Group(group) => group,
        _ => return Vec::new(),
    };
    let is_removed = |item: &UseTree| match item {
        UseTree::Name(name) if name.ident == "self" => {
            around.is_some_and(|around| is_unused(&around.ident.to_string()))
        }
        UseTree::Name(name) => is_unused(&name.ident.to_string()),
        UseTree::Rename(name) => is_unused(&name.rename.to_string()),
        _ => false,
    };
    if group.items.iter().any(|item| matches!(item, UseTree::Group(_) | UseTree::Path(_))) {
        return Vec::new();
    }
    if source.of(group).contains('\n') {
        let pairs = group.items.pairs().filter(|pair| is_removed(pair.value()));
        let edit = |pair: Pair<&UseTree, &Token![,]>| {
            Edit::delete(source.removal(range(pair.value()), pair.punct().map(range)))
        };
        return pairs.map(edit).collect();
    }
    let kept: Vec<_> = group.items.iter().filter(|item| !is_removed(item)).collect();
    let is_self = |ident: &Ident| ident == "self";
    let text = match &kept[..] {
        [UseTree::Name(name)] if is_self(&name.ident) => {
            // `use a::self;` is not valid.
            let from = around.map_or(range(group).start, |around| range(&around.colon2_token).start);
            return vec![Edit::delete(from..range(group).end)];
        }
        [UseTree::Rename(name)] if is_self(&name.ident) => format!("{{{}}}", source.of(name)),
        [one] if !matches!(one, UseTree::Glob(_)) => source.of(*one).to_owned(),
        all => format!("{{{}}}", all.iter().map(|item| source.of(*item)).collect::<Vec<_>>().join(", ")),
    };
    vec![Edit::new(range(group), text)]
}

/// Collects private imports, which only their module and its descendants can see.
struct Imports<'s> {
    items: Vec<&'s ItemUse>,
}

impl<'s> Visit<'s> for Imports<'s> {
    fn visit_item(&mut self, item: &'s Item) {
        match item {
            Item::Use(item) if matches!(item.vis, Visibility::Inherited) => self.items.push(item),
            item => visit::visit_item(self, item),
        }
    }
}

fn imports(source: &Source) -> Vec<&ItemUse> {
    let mut imports = Imports { items: Vec::new() };
    imports.visit_file(&source.file);
    imports.items
}

/// How often a name begins a path outside of imports, leading `super`, `self` and `crate` aside. Comments and strings
/// count.
fn uses(source: &Source, name: &str) -> usize {
    let imports: Vec<_> = imports(source).into_iter().map(range).collect();
    let is_part = |at: usize, c: Option<char>| at > 0 && c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = source.text.match_indices(name).filter(|(at, _)| {
        let (before, after) = (&source.text[..*at], &source.text[at + name.len()..]);
        !is_part(*at, before.chars().next_back())
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && is_first(before)
            && !imports.iter().any(|import| import.contains(at))
    });
    found.count()
}

/// Path segments that can precede the name of a private import.
const MODULES: [&str; 3] = ["super", "self", "crate"];

/// Whether the text before a name makes it the first segment of a path, leading `super`, `self` and `crate` aside.
fn is_first(before: &str) -> bool {
    let Some(before) = before.trim_end().strip_suffix("::") else { return true };
    let before = before.trim_end();
    MODULES.iter().any(|module| {
        let rest = before.strip_suffix(module);
        rest.is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Every name that a use tree brings into scope, with its path. Globs are skipped.
fn names(tree: &UseTree, path: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            names(&inner.tree, path, leaves);
            path.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.extend(path.last().map(|last| (path.clone(), last.clone())));
        }
        UseTree::Name(name) => leaves.push(([&**path, &[name.ident.to_string()]].concat(), name.ident.to_string())),
        UseTree::Rename(name) => leaves.push(([&**path, &[name.ident.to_string()]].concat(), name.rename.to_string())),
        UseTree::Group(group) => group.items.iter().for_each(|item| names(item, path, leaves)),
        UseTree::Glob(_) => {}
    }
}

/// Whether a `macro_rules!` definition of a file contains a name. Such a name is resolved where the macro is used.
pub(super) fn in_macro_rules(text: &str, name: &str) -> bool {
    struct Rules<'n> {
        name: &'n str,
        any: bool,
    }
    impl<'ast> Visit<'ast> for Rules<'_> {
        fn visit_macro(&mut self, mac: &'ast Macro) {
            self.any |= mac.path.is_ident("macro_rules") && has_word(&mac.tokens.to_string(), self.name);
        }
    }
    if !has_word(text, "macro_rules") || !has_word(text, name) {
        return false;
    }
    let mut rules = Rules { name, any: false };
    // A file that does not parse may contain anything.
    rust::file(&blanked(text)).map_or(true, |file| {
        rules.visit_file(&file);
        rules.any
    })
}
