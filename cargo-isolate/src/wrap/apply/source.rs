//! Insertions into Rust source that keep every other byte.

use crate::{rust, wrap::sites::blanked};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::ops::Range;

/// The text with `mod name;` inserted in order among its modules, or unchanged if it has that module.
pub(super) fn with_module(text: &str, name: &str) -> Result<String, String> {
    let tokens = tokens(text)?;
    let items = items(&tokens);
    let modules: Vec<_> = items.iter().filter_map(|item| Some((item, module_name(item.tokens)?))).collect();
    match modules.iter().find(|(_, module)| module == name) {
        Some((item, _)) if has_path(item.tokens) => {
            return Err(format!(
                "its `mod {name};` has a `#[path]` to another file, which must go: rename that module"
            ));
        }
        Some((item, _)) if ends_with_semicolon(item.tokens) => return Ok(text.to_owned()),
        Some(_) => {
            return Err(format!(
                "it has a module of that name with a body, where `mod {name};` must stand: rename that one"
            ));
        }
        None => {}
    }
    if let Some(what) =
        rust::file(&blanked(text)).ok().and_then(|file| file.items.iter().find_map(|item| taking(item, name)))
    {
        return Err(format!("{what} has the name that the module needs: rename it"));
    }
    let before = modules.iter().rev().find(|(item, module)| **module < *name && ends_with_semicolon(item.tokens));
    let (at, inserted) = match (before, modules.first().map(|(item, _)| *item).or(items.first())) {
        (Some((item, _)), _) => {
            let at = line_end(text, item.range.end, item.next.unwrap_or(text.len()));
            let start = if text[..at].ends_with('\n') { "" } else { "\n" };
            (at, format!("{start}mod {name};\n"))
        }
        (None, Some(item)) if modules.is_empty() || !ends_with_semicolon(item.tokens) => {
            (item.range.start, format!("mod {name};\n\n"))
        }
        (None, Some(item)) => (item.range.start, format!("mod {name};\n")),
        (None, None) if text.is_empty() || text.ends_with('\n') => (text.len(), format!("mod {name};\n")),
        (None, None) => (text.len(), format!("\nmod {name};\n")),
    };
    Ok(format!("{}{inserted}{}", &text[..at], &text[at..]))
}

/// The text with `statement` as the first statement of `fn main`, or unchanged if it is in the text already.
pub(super) fn in_main(text: &str, statement: &str) -> Result<String, String> {
    let tokens = tokens(text)?;
    if holds(&tokens, statement)? {
        return Ok(text.to_owned());
    }
    let main = tokens.windows(2).position(|pair| is_ident(&pair[0], "fn") && is_ident(&pair[1], "main"));
    let body = main.and_then(|at| {
        tokens[at..].iter().find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        })
    });
    let Some(body) = body else { return Err("it has no `fn main`; add it by hand".to_owned()) };
    let inner: Vec<TokenTree> = body.stream().into_iter().collect();
    let at = match inner[..inner_attributes(&inner)].last() {
        Some(last) => last.span().byte_range().end,
        None => body.span_open().byte_range().end,
    };
    let rest = &text[at..];
    // The closing brace of `fn main() {}` moves to a line of its own.
    let close = if rest.trim_start_matches([' ', '\t']).starts_with('}') { "\n" } else { "" };
    Ok(format!("{}\n    {statement}{close}{rest}", &text[..at]))
}

/// The text with every `function(…)` as `function!(…)`, for a function that became a macro.
pub(super) fn as_macro(text: &str, function: &str) -> Result<String, String> {
    let name = words(&tokens(function)?);
    let mut text = text.to_owned();
    let mut groups = vec![tokens(&text)?];
    let mut ends = Vec::new();
    while let Some(tokens) = groups.pop() {
        for window in tokens.windows(name.len() + 1) {
            let (path, arguments) = window.split_at(name.len());
            if words(path) == name && matches!(&arguments[0], TokenTree::Group(_)) {
                ends.extend(path.last().map(|last| last.span().byte_range().end));
            }
        }
        groups.extend(tokens.into_iter().filter_map(inner));
    }
    ends.sort_unstable();
    for end in ends.into_iter().rev() {
        text.insert(end, '!');
    }
    Ok(text)
}

/// Whether the tokens of a statement occur in sequence, at any nesting depth.
fn holds(tokens: &[TokenTree], statement: &str) -> Result<bool, String> {
    // The last statement of a block may have no semicolon.
    let wanted = words(&self::tokens(statement.trim_end_matches(';'))?);
    let mut groups = vec![tokens.to_vec()];
    while let Some(tokens) = groups.pop() {
        if words(&tokens).windows(wanted.len()).any(|window| window == wanted) {
            return Ok(true);
        }
        groups.extend(tokens.into_iter().filter_map(inner));
    }
    Ok(false)
}

fn words(tokens: &[TokenTree]) -> Vec<String> {
    tokens.iter().map(ToString::to_string).collect()
}

/// The tokens inside a group.
fn inner(token: TokenTree) -> Option<Vec<TokenTree>> {
    match token {
        TokenTree::Group(group) => Some(group.stream().into_iter().collect()),
        _ => None,
    }
}

/// One item at the top level.
struct Item<'t> {
    tokens: &'t [TokenTree],
    /// Its byte range, including attributes and documentation.
    range: Range<usize>,
    /// The start of the next token, if there is one.
    next: Option<usize>,
}

fn tokens(text: &str) -> Result<Vec<TokenTree>, String> {
    let stream: TokenStream =
        blanked(text).parse().map_err(|error| format!("it does not lex: {error}; add it by hand"))?;
    Ok(stream.into_iter().collect())
}

/// Splits tokens into items, which end with `;` or a body. Inner attributes belong to no item.
fn items(tokens: &[TokenTree]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut start = inner_attributes(tokens);
    for (index, token) in tokens.iter().enumerate().skip(start) {
        let ends = match token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        if ends {
            let (first, last) = (tokens[start].span().byte_range(), token.span().byte_range());
            let next = tokens.get(index + 1).map(|token| token.span().byte_range().start);
            items.push(Item { tokens: &tokens[start..=index], range: first.start..last.end, next });
            start = index + 1;
        }
    }
    items
}

/// The number of tokens in `#![…]` and `//!` at the start.
fn inner_attributes(tokens: &[TokenTree]) -> usize {
    let mut count = 0;
    while let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(_), ..] = &tokens[count..]
        && hash.as_char() == '#'
        && bang.as_char() == '!'
    {
        count += 3;
    }
    count
}

fn module_name(tokens: &[TokenTree]) -> Option<String> {
    let at = tokens.iter().position(|token| is_ident(token, "mod"))?;
    let is_prefix = tokens[..at].iter().all(|token| match token {
        TokenTree::Ident(ident) => ident == "pub" || ident == "unsafe",
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(_) => true,
        TokenTree::Literal(_) => false,
    });
    match tokens.get(at + 1)? {
        TokenTree::Ident(name) if is_prefix => Some(name.to_string()),
        _ => None,
    }
}

/// Whether an item has `#[path = "…"]`.
fn has_path(tokens: &[TokenTree]) -> bool {
    tokens.windows(2).any(|pair| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(attribute)] if hash.as_char() == '#' => {
            attribute.stream().into_iter().next().is_some_and(|token| is_ident(&token, "path"))
        }
        _ => false,
    })
}

/// A description of an item other than a module that takes the module's name in the type namespace.
fn taking(item: &syn::Item, name: &str) -> Option<String> {
    use syn::Item;
    let (what, ident) = match item {
        Item::Enum(item) => ("enum", &item.ident),
        Item::Struct(item) => ("struct", &item.ident),
        Item::Trait(item) => ("trait", &item.ident),
        Item::TraitAlias(item) => ("trait", &item.ident),
        Item::Type(item) => ("type", &item.ident),
        Item::Union(item) => ("union", &item.ident),
        Item::ExternCrate(item) => ("extern crate", item.rename.as_ref().map_or(&item.ident, |(_, alias)| alias)),
        Item::Use(item) => return imports(&item.tree, name).then(|| format!("a `use` of `{name}`")),
        _ => return None,
    };
    (ident == name).then(|| format!("its `{what} {name}`"))
}

fn imports(tree: &syn::UseTree, name: &str) -> bool {
    use syn::UseTree;
    match tree {
        UseTree::Path(path) => imports(&path.tree, name) || path.ident == name && imports(&path.tree, "self"),
        UseTree::Name(item) => item.ident == name,
        UseTree::Rename(item) => item.rename == name,
        UseTree::Group(group) => group.items.iter().any(|tree| imports(tree, name)),
        UseTree::Glob(_) => false,
    }
}

fn ends_with_semicolon(tokens: &[TokenTree]) -> bool {
    matches!(tokens.last(), Some(TokenTree::Punct(_)))
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

/// The end of the line that a token is on, with the comments that begin there, or the start of the next token if that
/// is on the same line.
fn line_end(text: &str, mut at: usize, next: usize) -> usize {
    while at < next {
        let rest = &text[at..next];
        at += if rest.starts_with("/*") {
            block_comment(rest)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('\n') {
            return at + 1;
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
    }
    at
}

/// The length of the block comment at the start. Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        (depth, at) = match rest {
            "" => return at,
            _ if rest.starts_with("/*") => (depth + 1, at + 2),
            _ if rest.starts_with("*/") => (depth - 1, at + 2),
            _ => (depth, at + rest.chars().next().map_or(1, char::len_utf8)),
        };
        if depth == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{as_macro, in_main, with_module};

    #[track_caller]
    fn check_taken(text: &str, expected: &str) {
        assert_eq!(with_module(text, "isolated"), Err(expected.to_owned()), "{text}");
    }

    #[test]
    fn what_has_the_name_of_the_module_is_named() {
        let taken = |what: &str| format!("{what} has the name that the module needs: rename it");
        check_taken("struct isolated;\n", &taken("its `struct isolated`"));
        check_taken("#!/bin/run\npub type isolated = u8;\n", &taken("its `type isolated`"));
        check_taken("extern crate alone as isolated;\n", &taken("its `extern crate isolated`"));
        for text in ["use alone as isolated;", "pub use a::{b::isolated, c};", "use a::isolated::{self, *};"] {
            check_taken(text, &taken("a `use` of `isolated`"));
        }
        check_taken(
            "#[path = \"other.rs\"]\nmod isolated;\n",
            "its `mod isolated;` has a `#[path]` to another file, which must go: rename that module",
        );
    }

    #[test]
    fn what_only_sounds_like_it_is_not() {
        check_module(
            "use isolated::zlib;\nfn isolated() {}\nuse isolated as other;\n",
            "mod isolated;\n\nuse isolated::zlib;\nfn isolated() {}\nuse isolated as other;\n",
        );
    }

    #[track_caller]
    fn check_module(text: &str, expected: &str) {
        let edited = with_module(text, "isolated").expect("lexes");
        assert_eq!(edited, expected);
        assert_eq!(with_module(&edited, "isolated").expect("lexes"), edited, "a second time changes nothing");
    }

    #[test]
    fn puts_the_module_in_order() {
        check_module(
            "mod archive;\nmod ffi; // raw\nmod zip;\n",
            "mod archive;\nmod ffi; // raw\nmod isolated;\nmod zip;\n",
        );
        check_module("//! Doc.\n\n/// Zip.\npub mod zip;\n", "//! Doc.\n\nmod isolated;\n/// Zip.\npub mod zip;\n");
        check_module(
            "#![allow(\n    unused,\n)]\n//! Doc.\nuse std::fs;\n\nfn main() {}\n",
            "#![allow(\n    unused,\n)]\n//! Doc.\nmod isolated;\n\nuse std::fs;\n\nfn main() {}\n",
        );
        check_module("", "mod isolated;\n");
        check_module("mod a { mod isolated; }\n", "mod isolated;\n\nmod a { mod isolated; }\n");
        check_module(
            "// mod isolated;\nconst X: &str = \"mod isolated;\";\n",
            "// mod isolated;\nmod isolated;\n\nconst X: &str = \"mod isolated;\";\n",
        );
    }

    /// The module is inserted neither into a comment nor before a `#!` line.
    #[test]
    fn stands_clear_of_comments() {
        check_module("pub mod a; // codec", "pub mod a; // codec\nmod isolated;\n");
        check_module(
            "pub mod a; /* one /* é */\ntwo */ // three\nmod z;\n",
            "pub mod a; /* one /* é */\ntwo */ // three\nmod isolated;\nmod z;\n",
        );
        check_module("mod a; mod z;\n", "mod a; \nmod isolated;\nmod z;\n");
        check_module(
            "#!/usr/bin/env run-cargo-script\nfn main() {}\n",
            "#!/usr/bin/env run-cargo-script\nmod isolated;\n\nfn main() {}\n",
        );
        check_module("\u{feff}mod a;\n", "\u{feff}mod a;\nmod isolated;\n");
    }

    #[test]
    fn leaves_a_module_that_is_there() {
        for text in ["pub(crate) mod isolated;\n", "#[cfg(unix)]\nmod isolated;\n"] {
            check_module(text, text);
        }
        with_module("mod isolated { }\n", "isolated").expect_err("another's");
    }

    #[track_caller]
    fn check_main(text: &str, expected: &str) {
        assert_eq!(in_main(text, "link();").as_deref().map_err(String::as_str), Ok(expected));
    }

    #[test]
    fn puts_the_statement_first() {
        check_main("fn main() {}\n", "fn main() {\n    link();\n}\n");
        check_main(
            "fn main() {\n    #![allow(unused)]\n    //! Inner.\n    cc();\n}\n",
            "fn main() {\n    #![allow(unused)]\n    //! Inner.\n    link();\n    cc();\n}\n",
        );
        check_main(
            "// fn main() {\nuse cc;\n\nfn main() -> Result<(), E> {\n    cc();\n}\n",
            "// fn main() {\nuse cc;\n\nfn main() -> Result<(), E> {\n    link();\n    cc();\n}\n",
        );
    }

    #[test]
    fn knows_a_statement_from_a_comment() {
        check_main("// link();\nfn main() {}\n", "// link();\nfn main() {\n    link();\n}\n");
        check_main("fn main() {\n    link(\"other\");\n}\n", "fn main() {\n    link();\n    link(\"other\");\n}\n");
        for there in ["fn main() {\n    link ( );\n}\n", "fn main() { inner() }\nfn inner() { if true { link() } }\n"] {
            check_main(there, there);
        }
    }

    #[test]
    fn what_was_a_function_is_a_macro() {
        for (before, after) in [
            (
                "fn main() {\n    a::link(\"x\"); // a::link(\"y\")\n}\n",
                "fn main() {\n    a::link!(\"x\"); // a::link(\"y\")\n}\n",
            ),
            (
                "fn main() { if b { a :: link (1) } }\nfn c() { a::link(2) }",
                "fn main() { if b { a :: link! (1) } }\nfn c() { a::link!(2) }",
            ),
            (
                "use a::link;\nfn main() { a::link!(1); a::linked(2); link(3) }",
                "use a::link;\nfn main() { a::link!(1); a::linked(2); link(3) }",
            ),
        ] {
            assert_eq!(as_macro(before, "a::link").as_deref(), Ok(after));
        }
    }

    #[test]
    fn says_why_not() {
        assert_eq!(in_main("main!();", "link();"), Err("it has no `fn main`; add it by hand".to_owned()));
        assert!(with_module("\"", "isolated").is_err_and(|why| why.starts_with("it does not lex")));
    }
}
