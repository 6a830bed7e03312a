//! The modules of docs/architecture.md, right below `main.rs`, form no cycle: what one uses does not use it. And the lines of all
//! pages are short.

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::{TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Module → modules that its code names, tests left out.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn top_level_modules_form_no_cycle() {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses = Uses::new();
    for module in Code::of(&source.join("main.rs")).modules {
        let of_module = uses.entry(module.clone()).or_default();
        let mut open = vec![file(&source, &module)];
        while let Some(path) = open.pop() {
            let code = Code::of(&path);
            let below = if path.ends_with("mod.rs") { path.with_file_name("") } else { path.with_extension("") };
            open.extend(code.modules.iter().map(|inner| file(&below, inner)));
            of_module.extend(code.uses.into_iter().filter(|other| *other != module));
        }
    }
    assert!(uses["commands"].contains("plan"), "{uses:?}");
    let circle = uses.keys().find_map(|module| way(&uses, module, module, &mut BTreeSet::new()));
    assert_eq!(circle, None, "each of these modules uses the one before it");
}

/// A change of a paragraph is to be read in a diff.
#[test]
fn lines_of_the_documentation_are_short() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages =
        root.join("docs").read_dir_utf8().expect("the documentation").map(|page| page.expect("a page").into_path());
    let mut long = Vec::new();
    for page in pages.filter(|page| page.extension() == Some("md")).chain([root.join("README.md")]) {
        let (text, mut in_code) = (fs::read_to_string(&page).expect("a page"), false);
        for (number, line) in (1..).zip(text.lines()) {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            if !is_fence && !in_code && !line.starts_with('|') && could_be_broken(line) {
                long.push(format!("{page}:{number}"));
            }
        }
    }
    assert_eq!(long, Vec::<String>::new(), "longer than {COLUMNS} columns");
}

const COLUMNS: usize = 100;

/// It is too long, and has a space before that. None counts within code, nor behind the mark of an item.
fn could_be_broken(line: &str) -> bool {
    let (text, mut in_code) = (line.trim_start_matches(|c: char| " -.".contains(c) || c.is_ascii_digit()), false);
    let room = COLUMNS - (line.len() - text.len());
    line.chars().count() > COLUMNS
        && text.chars().take(room).any(|c| {
            in_code ^= c == '`';
            c == ' ' && !in_code
        })
}

fn file(folder: &Utf8Path, module: &str) -> Utf8PathBuf {
    let flat = folder.join(format!("{module}.rs"));
    if flat.is_file() { flat } else { folder.join(module).join("mod.rs") }
}

/// From one module to another, backwards.
fn way<'u>(uses: &'u Uses, from: &'u str, to: &str, seen: &mut BTreeSet<&'u str>) -> Option<Vec<&'u str>> {
    for next in uses.get(from)? {
        let rest = if next == to { Some(vec![&**next]) } else { None };
        let rest = rest.or_else(|| if seen.insert(next) { way(uses, next, to, seen) } else { None });
        if let Some(mut way) = rest {
            way.push(from);
            return Some(way);
        }
    }
    None
}

/// What the program is compiled of, tests left out.
#[derive(Default)]
struct Code {
    /// `mod name;`
    modules: Vec<String>,
    /// `name` of `crate::name` and of `crate::{name, …}`.
    uses: BTreeSet<String>,
}

impl Code {
    fn of(path: &Utf8Path) -> Code {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut code = Code::default();
        code.read(text.parse().unwrap_or_else(|error| panic!("{path}: {error}")));
        code
    }

    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let text: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        let word = |at: usize| text.get(at).map_or("", String::as_str);
        let mut at = 0;
        while at < tokens.len() {
            match (word(at), &tokens[at]) {
                ("#", _) if is_of_tests(word(at + 1)) => {
                    let end = |token: &TokenTree| {
                        let text = token.to_string();
                        text == ";" || text.starts_with('{')
                    };
                    at += tokens[at..].iter().position(end).unwrap_or(tokens.len());
                }
                ("#", _) => at += 1,
                ("mod", _) if word(at + 2) == ";" => self.modules.push(word(at + 1).to_owned()),
                ("crate", _) if word(at + 1) == ":" => match tokens.get(at + 3) {
                    Some(TokenTree::Group(group)) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        let names = inner.split(|token| token.to_string() == ",").filter_map(<[_]>::first);
                        self.uses.extend(names.map(ToString::to_string));
                    }
                    Some(name) => drop(self.uses.insert(name.to_string())),
                    None => {}
                },
                (_, TokenTree::Group(group)) => self.read(group.stream()),
                _ => {}
            }
            at += 1;
        }
    }
}

/// `[cfg(test)]`, `[cfg(all(test, unix))]`.
fn is_of_tests(attribute: &str) -> bool {
    let attribute = attribute.replace(' ', "");
    attribute.starts_with("[cfg(test") || attribute.starts_with("[cfg(all(test")
}
