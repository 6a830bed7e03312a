//! The types that foreign signatures name, declared again so that stubs of the same signatures compile on their own.

use crate::{
    contract::number::Number,
    graph::{Graph, Package, Role, SourceFile},
};
use isolate_lints::{
    cfg::Presence,
    facts::{Constant, TypeItem, TypeKind},
};
use proc_macro2::{Group, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Types by the last segment of their path, declared as they are asked for.
pub(super) struct Types<'g> {
    graph: &'g Graph,
    declared: BTreeMap<String, String>,
}

impl<'g> Types<'g> {
    pub(super) fn of(graph: &'g Graph) -> Self {
        Self { graph, declared: BTreeMap::new() }
    }

    /// `ty`, as `package` means it, with every path cut to its last segment, each of which is declared from now on.
    pub(super) fn rewrite(&mut self, package: &'g Package, ty: &str) -> String {
        let Ok(tokens) = ty.parse::<TokenStream>() else {
            return ty.to_owned(); // left for the compiler to complain about, with the text in sight
        };
        self.tokens(package, tokens).to_string()
    }

    /// The declarations that have been asked for, in order of their names.
    pub(super) fn declarations(&self) -> String {
        self.declared.values().filter(|text| !text.is_empty()).fold(String::new(), |all, text| all + text + "\n")
    }

    fn tokens(&mut self, package: &'g Package, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut kept = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let colon = |offset: usize| matches!(tokens.get(at + offset), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
            match &tokens[at] {
                TokenTree::Punct(_) if colon(0) && colon(1) => at += 2, // a path's leading `::`
                TokenTree::Ident(ident) if is_word_of_rust(&ident.to_string()) => {
                    kept.push(tokens[at].clone());
                    at += 1;
                }
                TokenTree::Ident(_) if colon(1) && colon(2) => at += 3,
                TokenTree::Ident(ident) => {
                    // A single colon makes it the name of a parameter.
                    if !colon(1) {
                        self.declare(package, &ident.to_string());
                    }
                    kept.push(tokens[at].clone());
                    at += 1;
                }
                TokenTree::Group(group) => {
                    kept.push(Group::new(group.delimiter(), self.tokens(package, group.stream())).into());
                    at += 1;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    kept.push(tokens[at].clone());
                    at += 1;
                }
            }
        }
        kept.into_iter().collect()
    }

    fn declare(&mut self, package: &'g Package, name: &str) {
        if self.declared.contains_key(name) {
            return;
        }
        self.declared.insert(name.to_owned(), String::new()); // so that a type that names itself ends
        let text = self
            .declaration(package, name)
            .or_else(|| known(name))
            .or_else(|| {
                let externs = package.externs.values();
                externs.copied().find_map(|index| self.declaration(&self.graph.packages[index], name))
            })
            .unwrap_or_else(|| opaque(name));
        self.declared.insert(name.to_owned(), text);
    }

    /// What a package itself declares under that name.
    fn declaration(&mut self, package: &'g Package, name: &str) -> Option<String> {
        if let Some(item) = find_type(package, name) {
            return Some(self.type_declaration(package, name, item));
        }
        let constant = find_constant(package, name)?;
        let (ty, value) = (self.rewrite(package, &constant.ty), self.rewrite(package, &constant.value));
        Some(format!("pub const {name}: {ty} = {value};"))
    }

    fn type_declaration(&mut self, package: &'g Package, name: &str, item: &TypeItem) -> String {
        let derives = if item.copy { "#[derive(Clone, Copy)]\n" } else { "" };
        let repr = if item.repr.is_empty() { "C".to_owned() } else { item.repr.join(", ") };
        match &item.kind {
            TypeKind::Alias(target) if target.trim() == name => known(name).unwrap_or_else(|| opaque(name)),
            TypeKind::Alias(target) => {
                let target = self.rewrite(package, target);
                // `pub type c_int = i32` would refer to itself once cut to last segments.
                if target == name {
                    known(name).unwrap_or_else(|| opaque(name))
                } else {
                    format!("pub type {name} = {target};")
                }
            }
            TypeKind::Struct(fields) | TypeKind::Union(fields) if fields.is_empty() => opaque(name),
            TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                let keyword = if matches!(item.kind, TypeKind::Union(_)) { "union" } else { "struct" };
                let mut body = String::new();
                for (at, field) in fields.iter().enumerate() {
                    let ty = self.rewrite(package, &field.ty);
                    match field.name.as_deref() {
                        Some(field) if !field.starts_with(|first: char| first.is_ascii_digit()) => {
                            let _ = writeln!(body, "    pub {field}: {ty},");
                        }
                        _ => {
                            let _ = writeln!(body, "    pub field{at}: {ty},");
                        }
                    }
                }
                format!("#[repr({repr})]\n{derives}pub {keyword} {name} {{\n{body}}}")
            }
            TypeKind::Enum(variants) if variants.is_empty() => opaque(name),
            TypeKind::Enum(variants) => {
                let variants: Vec<_> = variants.iter().map(|variant| variant.trim_end_matches("(cfg)")).collect();
                format!("#[repr({repr})]\n{derives}pub enum {name} {{ {} }}", variants.join(", "))
            }
            TypeKind::Foreign => opaque(name),
        }
    }
}

fn find_type<'g>(package: &'g Package, name: &str) -> Option<&'g TypeItem> {
    let all = main_files(package).flat_map(|file| file.facts.types.iter().map(move |item| (file, item)));
    let named = all.filter(|(_, item)| item.name == name);
    let possible = named.map(|(file, item)| (file.likely(&item.cfgs), item));
    // One that surely holds, else one that may; the first of them.
    let best = possible.filter(|(presence, _)| *presence != Presence::Dormant).min_by_key(|(presence, _)| *presence);
    best.map(|(_, item)| item)
}

fn find_constant<'g>(package: &'g Package, name: &str) -> Option<&'g Constant> {
    main_files(package).flat_map(|file| &file.facts.constants).find(|constant| constant.name == name)
}

fn main_files(package: &Package) -> impl Iterator<Item = &SourceFile> {
    package.files.iter().filter(|file| file.role == Role::Main)
}

/// Types that C's headers define and every binding names alike.
fn known(name: &str) -> Option<String> {
    match Number::named_on_linux(name) {
        Some(number) if number.name != name => Some(format!("pub type {name} = {};", number.name)),
        Some(number) if !number.is_of_ffi() => None,
        Some(_) => Some(format!("pub use core::ffi::{name};")),
        None => matches!(name, "c_void" | "CStr").then(|| format!("pub use core::ffi::{name};")),
    }
}

/// A type that is only ever pointed at.
fn opaque(name: &str) -> String {
    format!("#[repr(C)]\npub struct {name} {{\n    _private: [u8; 0],\n}}")
}

fn is_word_of_rust(name: &str) -> bool {
    const WORDS: [&str; 14] =
        ["const", "mut", "dyn", "unsafe", "extern", "fn", "as", "Option", "Self", "bool", "char", "_", "true", "false"];
    WORDS.contains(&name) || Number::named(name).is_some_and(|number| number.name == name && !number.is_of_ffi())
}
