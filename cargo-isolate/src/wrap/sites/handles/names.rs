//! What the names of a file mean: enough to decide which struct a field belongs to, and which functions may run inside
//! `drop`.

use super::shape::is_drop_impl;
use crate::wrap::sites::finder::is_drop;
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    Block, File, GenericParam, ImplItem, ImplItemFn, Item, ItemFn, ItemImpl, ItemStruct, Signature, TraitItemFn,
    visit::{self, Visit},
};

#[derive(Default)]
pub(super) struct Names {
    /// The field names of each struct.
    structs: BTreeMap<String, BTreeSet<String>>,
    /// Ambiguous names: they also mean something other than a struct, or several structs share them.
    unclear: BTreeSet<String>,
    /// Functions that `drop` may call, directly or through others.
    in_drops: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(file: &File) -> Names {
        let mut reader = Reader::default();
        reader.visit_file(file);
        let Reader { mut names, called, mut from_drops } = reader;
        while let Some(name) = from_drops.pop() {
            if let Some(called) = called.get(&name)
                && names.in_drops.insert(name)
            {
                from_drops.extend(called.iter().cloned());
            }
        }
        names
    }

    /// Whether a name means exactly one struct and nothing else, and no alias renames it.
    pub(super) fn is_clear(&self, name: &str) -> bool {
        self.structs.contains_key(name) && !self.unclear.contains(name)
    }

    /// Whether `name` is a struct of the file with a field `member`.
    pub(super) fn has(&self, name: &str, member: &str) -> bool {
        self.is_clear(name) && self.structs[name].contains(member)
    }

    /// Whether `drop` may call a function of this name.
    pub(super) fn is_called_in_drop(&self, name: &str) -> bool {
        self.in_drops.contains(name)
    }
}

#[derive(Default)]
struct Reader {
    names: Names,
    /// All identifiers in the body of each function, by its name: a superset of the functions that it calls.
    called: BTreeMap<String, BTreeSet<String>>,
    /// All identifiers in the bodies of `drop` functions.
    from_drops: Vec<String>,
}

impl Reader {
    fn function(&mut self, signature: &Signature, body: &Block) {
        self.called.entry(signature.ident.to_string()).or_default().extend(words(body));
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Type(_) | Item::Use(_) => self.names.unclear.extend(words(item)),
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| &variant.ident);
                self.names.unclear.extend(variants.chain([&item.ident]).map(ToString::to_string));
            }
            Item::Union(item) => drop(self.names.unclear.insert(item.ident.to_string())),
            Item::Trait(item) => drop(self.names.unclear.insert(item.ident.to_string())),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_generic_param(&mut self, param: &'ast GenericParam) {
        if let GenericParam::Type(param) = param {
            self.names.unclear.insert(param.ident.to_string());
        }
        visit::visit_generic_param(self, param);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let member = |(index, field): (usize, &syn::Field)| {
            field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string)
        };
        let members = item.fields.iter().enumerate().map(member).collect();
        let name = item.ident.to_string();
        if self.names.structs.insert(name.clone(), members).is_some() {
            self.names.unclear.insert(name);
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let is_drop_impl = is_drop_impl(item);
        for function in item.items.iter().filter_map(|item| match item {
            ImplItem::Fn(function) if is_drop_impl && is_drop(&function.sig) => Some(function),
            _ => None,
        }) {
            self.from_drops.extend(words(&function.block));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        // An identifier `drop` in a body means `std::mem::drop`, so the method does not count as a function of that
        // name.
        if !is_drop(&item.sig) {
            self.function(&item.sig, &item.block);
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        item.default.iter().for_each(|body| self.function(&item.sig, body));
        visit::visit_trait_item_fn(self, item);
    }
}

fn words(of: &impl ToTokens) -> Vec<String> {
    let text = of.to_token_stream().to_string();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}
