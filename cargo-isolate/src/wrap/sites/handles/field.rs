//! Struct fields that hold pointers.

use crate::wrap::sites::{argument::has_word, source::Source};
use syn::{Item, ItemStruct, Member, Type, Visibility};

/// A private pointer field of a struct at the top level of the file.
#[derive(Clone, Copy)]
pub(super) struct Field<'s> {
    pub(super) item: &'s ItemStruct,
    pub(super) index: usize,
    pub(super) ty: &'s Type,
    pub(super) to: &'s Type,
    /// The type is a `NonNull`.
    pub(super) non_null: bool,
}

/// The fields of a file that may become handles.
pub(super) fn fields(source: &Source) -> Vec<Field<'_>> {
    let structs = source.file.items.iter().filter_map(|item| match item {
        Item::Struct(item) if item.attrs.iter().all(|attribute| is_harmless(source, attribute)) => Some(item),
        _ => None,
    });
    structs
        .flat_map(|item| item.fields.iter().enumerate().filter_map(|(index, field)| of_field(item, index, field)))
        .collect()
}

/// Whether a struct with this attribute can have a handle as a field. Of the derives, only `Debug` is known to be
/// implemented for handles.
fn is_harmless(source: &Source, attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    let is = |name: &str| path.is_ident(name);
    let text: String = source.of(attribute).split_whitespace().collect();
    ["doc", "must_use", "allow", "expect"].into_iter().any(is) || text == "#[derive(Debug)]"
}

fn of_field<'s>(item: &'s ItemStruct, index: usize, field: &'s syn::Field) -> Option<Field<'s>> {
    if !matches!(field.vis, Visibility::Inherited)
        || field.attrs.iter().any(|attribute| !attribute.path().is_ident("doc"))
    {
        return None;
    }
    let (to, non_null) = pointee(&field.ty)?;
    Some(Field { item, index, ty: &field.ty, to, non_null })
}

fn pointee(ty: &Type) -> Option<(&Type, bool)> {
    match ty {
        Type::Ptr(pointer) => Some((&pointer.elem, false)),
        Type::Path(path) => {
            let last = path.path.segments.last().filter(|last| last.ident == "NonNull")?;
            let syn::PathArguments::AngleBracketed(of) = &last.arguments else { return None };
            match of.args.first() {
                Some(syn::GenericArgument::Type(to)) => Some((to, true)),
                _ => None,
            }
        }
        _ => None,
    }
}

impl<'s> Field<'s> {
    /// Whether a file that can see the field may use it.
    pub(super) fn may_be_used_in(&self, text: &str) -> bool {
        // The field's name suffices: the struct may be known by an alias.
        match self.member() {
            Some(member) => has_word(text, &member),
            None => has_word(text, &self.item.ident.to_string()) || text.contains(&format!(".{}", self.index)),
        }
    }

    /// The field's name, or its index.
    pub(super) fn text(&self) -> String {
        self.member().unwrap_or_else(|| self.index.to_string())
    }

    /// The field's name, if it has one.
    pub(super) fn member(&self) -> Option<String> {
        Some(self.item.fields.iter().nth(self.index)?.ident.as_ref()?.to_string())
    }

    pub(super) fn is(&self, member: &Member) -> bool {
        match member {
            Member::Named(name) => self.member().is_some_and(|member| *name == member),
            Member::Unnamed(index) => self.member().is_none() && index.index as usize == self.index,
        }
    }
}
