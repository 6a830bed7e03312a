//! The audit's numbers against a count that shares nothing with the scanner but the grammar: every node of the trees that
//! `ra_ap_syntax` builds, over the 132 packages of `tests/corpus`.
//!
//! Those trees do not see into the tokens of macros. What the scanner finds there is counted apart, and `unsafe` keywords must
//! agree there too: no difference is left without an explanation.
//!
//! Needs crates.io once, to fetch the packages; without it the tests say that they skip.

#[path = "workspace/files.rs"]
mod files;
mod needs;

use files::with_editions;
use isolate_lints::facts::{FileFacts, Scope, UnsafeKind};
use ra_ap_syntax::{AstNode, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken};
use rayon::prelude::*;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write, path::Path, process::Command};

#[test]
fn another_count_comes_to_the_same() {
    let Some(corpus) = needs::crates("corpus") else {
        return;
    };
    let audit = audit(&corpus, &["--counts"]);
    let metadata = json(
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            .current_dir(&corpus),
    );
    let files = with_editions(&corpus, &metadata, &audit);
    let counted: Vec<(Numbers, Numbers)> = files
        .par_iter()
        .map(|(path, edition)| {
            let text = std::fs::read_to_string(path).unwrap();
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n");
            let tree = SourceFile::parse(&text, edition.parse().unwrap()).tree();
            let (theirs, in_tokens) = of_tree(tree.syntax());
            let (ours, in_macros) = of_facts(&isolate_lints::scan(&text, edition.parse().unwrap()));
            assert_eq!(theirs, ours, "{}", path.display());
            assert_eq!(in_tokens, in_macros[KEYWORDS], "`unsafe` in the tokens of {}", path.display());
            (theirs, in_macros)
        })
        .collect();
    let sum = |of: fn(&(Numbers, Numbers)) -> &Numbers| {
        let mut sum = Numbers::new();
        counted.iter().flat_map(of).for_each(|(name, number)| *sum.entry(name).or_default() += number);
        sum
    };
    let (theirs, macros) = (sum(|(theirs, _)| theirs), sum(|(_, macros)| macros));

    let mut table = format!("{} files\n{:16}  in trees  in macros  audit\n", files.len(), "");
    let of_audit = of_audit(&audit);
    for (name, number) in &theirs {
        let inside = macros[name];
        // The audit counts constructs; which of them the keyword stands for is not in its table.
        let audited = of_audit.get(*name).map_or_else(|| "-".to_owned(), ToString::to_string);
        writeln!(table, "{name:16}  {number:8}  {inside:9}  {audited:>5}").unwrap();
        if let Some(audited) = of_audit.get(*name) {
            assert_eq!(*audited, number + inside, "{name}");
        }
    }
    insta::assert_snapshot!("independent_count", table);
}

#[test]
fn counting_only_counts_the_same() {
    let Some(corpus) = needs::crates("corpus") else {
        return;
    };
    let (only, whole) = (audit(&corpus, &["--counts"]), audit(&corpus, &["--no-cache"]));
    // What names must be resolved for: calls, and what macros of other files and packages are.
    let resolved = ["foreign_calls", "macro_uses", "unexpanded", "unseen_calls"];
    let rows = |audit: &Value| -> Vec<Value> {
        let mut rows = audit["packages"].as_array().unwrap().clone();
        for row in &mut rows {
            for counts in ["counts", "dormant"] {
                let roles = row[counts].as_object_mut().unwrap();
                roles
                    .values_mut()
                    .for_each(|role| role.as_object_mut().unwrap().retain(|name, _| !resolved.contains(&&**name)));
                roles.retain(|_, role| role.as_object().unwrap().values().any(|count| *count != 0));
            }
        }
        rows
    };
    let (only, whole) = (rows(&only), rows(&whole));
    assert_eq!(only.len(), whole.len());
    for (only, whole) in only.iter().zip(&whole) {
        assert_eq!(only, whole);
    }
}

/// How many of each kind.
type Numbers = BTreeMap<&'static str, usize>;

const KEYWORDS: &str = "unsafe keywords";

const NAMES: [&str; 9] =
    [KEYWORDS, "blocks", "functions", "impls", "traits", "extern blocks", "foreign items", "types", "unions"];

/// What a tree has, and how many `unsafe` keywords it has among the tokens of macros.
fn of_tree(root: &SyntaxNode) -> (Numbers, usize) {
    let mut numbers = Numbers::from(NAMES.map(|name| (name, 0)));
    let mut in_tokens = 0;
    for element in root.descendants_with_tokens() {
        let name = match element.kind() {
            SyntaxKind::UNSAFE_KW => {
                let token = element.as_token().unwrap();
                if is_in_macro(token) {
                    in_tokens += 1;
                    continue;
                }
                *numbers.get_mut(KEYWORDS).unwrap() += 1;
                match token.parent().unwrap().kind() {
                    SyntaxKind::BLOCK_EXPR => "blocks",
                    SyntaxKind::FN => "functions",
                    SyntaxKind::IMPL => "impls",
                    SyntaxKind::TRAIT => "traits",
                    SyntaxKind::FN_PTR_TYPE => "types",
                    // Of an extern block, which its own node counts, or of an attribute.
                    _ => continue,
                }
            }
            SyntaxKind::EXTERN_BLOCK => "extern blocks",
            SyntaxKind::UNION => "unions",
            SyntaxKind::FN | SyntaxKind::STATIC
                if element.parent().is_some_and(|parent| parent.kind() == SyntaxKind::EXTERN_ITEM_LIST) =>
            {
                "foreign items"
            }
            _ => continue,
        };
        *numbers.get_mut(name).unwrap() += 1;
    }
    (numbers, in_tokens)
}

/// Among tokens that the parser leaves as they are: of a macro's definition or call.
fn is_in_macro(token: &SyntaxToken) -> bool {
    token.parent_ancestors().any(|node| node.kind() == SyntaxKind::TOKEN_TREE)
}

/// The same of the scanner's facts: outside of macros, and inside.
fn of_facts(facts: &FileFacts) -> (Numbers, Numbers) {
    let mut sums = [(); 2].map(|()| Numbers::from(NAMES.map(|name| (name, 0))));
    let mut add = |scope: &Scope, name| *sums[usize::from(scope.in_macro.is_some())].get_mut(name).unwrap() += 1;
    for fact in &facts.unsafes {
        if fact.keyword {
            add(&fact.scope, KEYWORDS);
        }
        let name = match fact.kind {
            UnsafeKind::Block => "blocks",
            UnsafeKind::Function | UnsafeKind::Declaration => "functions",
            UnsafeKind::Impl => "impls",
            UnsafeKind::Trait => "traits",
            UnsafeKind::ExternBlock => "extern blocks",
            UnsafeKind::Type => "types",
            UnsafeKind::Union => "unions",
            UnsafeKind::Attribute | UnsafeKind::StaticMut | UnsafeKind::GlobalAsm | UnsafeKind::MacroToken => continue,
        };
        add(&fact.scope, name);
    }
    facts.foreign.iter().for_each(|item| add(&item.scope, "foreign items"));
    let [outside, inside] = sums;
    (outside, inside)
}

/// Sums over all packages of an audit, live and dormant.
fn of_audit(audit: &Value) -> BTreeMap<String, usize> {
    let mut sums = BTreeMap::new();
    for package in audit["packages"].as_array().unwrap() {
        let roles = ["counts", "dormant"].map(|counts| package[counts].as_object().unwrap().values());
        for (name, count) in roles.into_iter().flatten().flat_map(|role| role.as_object().unwrap()) {
            *sums.entry(name.replace('_', " ")).or_default() += count.as_u64().unwrap() as usize;
        }
    }
    sums
}

fn audit(corpus: &Path, arguments: &[&str]) -> Value {
    let fixed =
        ["isolate", "audit", "--locked", "--offline", "--target", "x86_64-unknown-linux-gnu", "--format", "json"];
    json(Command::new(env!("CARGO_BIN_EXE_cargo-isolate")).args(fixed).args(arguments).current_dir(corpus))
}

#[track_caller]
fn json(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
