//! Names of types → shapes, over the types of a crate and its dependencies.

mod lengths;
mod macros;

use super::{
    number::{Class, Number},
    shape::{Function, Shape, TypePath, Values},
    sight::{Viewer, follow, shown},
};
use crate::{
    graph::{Graph, Package, Role, SourceFile},
    rust,
};
use isolate_lints::{
    cfg::Presence,
    facts::{Field, TypeItem, TypeKind},
};
use std::collections::BTreeMap;

/// Aliases of aliases end somewhere; text that was not compiled may hold a circle.
const DEEPEST: u8 = 32;

/// How we came to a type.
#[derive(Clone, Copy, Default)]
struct Trail {
    /// Aliases, fields and pointers followed so far.
    depth: u8,
    /// Through a field: what a pointer there points to does not matter, and lists would be followed for ever.
    in_field: bool,
}

impl Trail {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// Every type that a foreign signature in the graph may name.
pub(crate) struct Types<'g> {
    graph: &'g Graph,
    /// Per package: name → its declarations, in source order.
    items: Vec<BTreeMap<&'g str, Vec<Item<'g>>>>,
    /// Per package: name → what `use … as name` gives it to, and what is imported from other crates.
    renamed: Vec<BTreeMap<&'g str, Vec<Renamed>>>,
}

/// `use self::COLOR_SPACE as OPJ_COLOR_SPACE`: what bindgen makes of C's `typedef enum`.
struct Renamed {
    module: Vec<String>,
    path: Vec<String>,
}

#[derive(Clone, Copy)]
struct Item<'g> {
    file: &'g SourceFile,
    item: &'g TypeItem,
}

/// A struct as one build has it.
pub(crate) struct Declaration {
    /// Predicates under which that is so.
    pub(crate) cfgs: Vec<String>,
    /// Those that are always there and can be named.
    pub(crate) fields: Vec<(String, Shape)>,
    /// There may be others.
    pub(crate) open: bool,
}

/// Where a type is named: what its names mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'s> {
    /// Index of the package in the graph.
    pub(crate) package: usize,
    pub(crate) module: &'s [String],
}

impl<'g> Types<'g> {
    pub(crate) fn new(graph: &'g Graph) -> Self {
        let items = graph.packages.iter().map(|package| {
            let mut items: BTreeMap<&str, Vec<Item<'_>>> = BTreeMap::new();
            for file in package.files.iter().filter(|file| file.role == Role::Main) {
                let may_be = |cfgs: &[String]| {
                    file.likely(cfgs) != Presence::Dormant || package.member && file.needs_features(cfgs)
                };
                for item in file.facts.types.iter().filter(|item| may_be(&item.cfgs)) {
                    items.entry(&item.name).or_default().push(Item { file, item });
                }
            }
            items
        });
        Self { graph, items: items.collect(), renamed: graph.packages.iter().map(renamed).collect() }
    }

    /// What the type with this source text is at `site`.
    pub(crate) fn resolve(&self, text: &str, site: Site<'_>) -> Shape {
        self.text(text, site, Trail::default())
    }

    /// The fields of a struct, by name (without `r#`), with what their pointers point to.
    pub(crate) fn fields(&self, path: &TypePath) -> Vec<(String, Shape)> {
        self.declared_fields(path).iter().filter_map(|field| self.field(path, field)).collect()
    }

    fn field(&self, path: &TypePath, field: &Field) -> Option<(String, Shape)> {
        let site = Site { package: path.package, module: &path.module };
        Some((plain(field.name.as_deref()?), self.resolve(&field.ty, site)))
    }

    /// Those of its fields that wrappers cannot name, wherever in the program they stand.
    pub(crate) fn private_fields(&self, path: &TypePath) -> Vec<String> {
        let private = self.declared_fields(path).iter().filter(|field| !self.is_seen(path, &field.visibility));
        private.filter_map(|field| field.name.as_deref()).map(plain).collect()
    }

    /// Wrappers see what stands in the module of `path` with this visibility.
    fn is_seen(&self, path: &TypePath, visibility: &str) -> bool {
        self.viewer(path).sees(visibility, &path.module)
    }

    /// What a struct is in each build, as far as wrappers can say it: the declarations of a member under their `cfg`s, of another
    /// package the one that it has now.
    pub(crate) fn declarations(&self, path: &TypePath) -> Vec<Declaration> {
        let is_own = self.graph.packages[path.package].member;
        let all = self.items[path.package].get(&*path.name).into_iter().flatten();
        let all = all.filter(|item| item.module() == path.module).take(if is_own { usize::MAX } else { 1 });
        let declaration = |Item { item, .. }: &Item<'_>| {
            let TypeKind::Struct(all) = &item.kind else { return None };
            let is_always = |field: &&Field| self.is_seen(path, &field.visibility) && field.cfgs.is_empty();
            let fields: Vec<_> = all.iter().filter(is_always).filter_map(|field| self.field(path, field)).collect();
            let open = fields.len() < all.len() || item.non_exhaustive && !is_own;
            Some(Declaration { cfgs: if is_own { item.cfgs.clone() } else { Vec::new() }, fields, open })
        };
        all.filter_map(declaration).collect()
    }

    /// Wrappers can name it.
    pub(crate) fn is_in_sight(&self, path: &TypePath) -> bool {
        shown(self.graph, path, self.viewer(path)).is_ok()
    }

    /// Wrappers of what a member declares are that member's, as far as the plan can know.
    fn viewer(&self, path: &TypePath) -> Viewer {
        if self.graph.packages[path.package].member { Viewer::Same } else { Viewer::Other }
    }

    /// By which another crate names it.
    pub(crate) fn path_of(&self, path: &TypePath) -> String {
        let package = &self.graph.packages[path.package];
        let krate = package.lib.as_deref().unwrap_or(&package.name);
        [krate]
            .into_iter()
            .chain(path.module.iter().map(String::as_str))
            .chain([&*path.name])
            .collect::<Vec<_>>()
            .join("::")
    }

    fn declared_fields(&self, path: &TypePath) -> &'g [Field] {
        match self.declaration(path).map(|item| &item.kind) {
            Some(TypeKind::Struct(fields)) => fields,
            _ => &[],
        }
    }

    /// Its fields may lie where no value of their types may.
    pub(crate) fn is_packed(&self, path: &TypePath) -> bool {
        self.declaration(path).is_some_and(|item| item.repr.iter().any(|repr| repr.contains("packed")))
    }

    /// Its bytes may be copied: it is `Copy`.
    pub(crate) fn is_copy(&self, path: &TypePath) -> bool {
        self.declaration(path).is_some_and(|item| item.copy)
    }

    fn declaration(&self, path: &TypePath) -> Option<&'g TypeItem> {
        let mut all = self.items[path.package].get(&*path.name)?.iter();
        all.find(|item| item.module() == path.module).map(|item| item.item)
    }

    fn text(&self, text: &str, site: Site<'_>, trail: Trail) -> Shape {
        match rust::ty(text) {
            Ok(ty) => self.ty(&ty, site, trail),
            Err(error) => unknown(text, format!("`{text}` does not parse as a type: {error}")),
        }
    }

    fn ty(&self, ty: &syn::Type, site: Site<'_>, trail: Trail) -> Shape {
        let shown = || quote::quote!(#ty).to_string();
        if trail.depth > DEEPEST {
            return unknown(&shown(), "its aliases go in a circle".to_owned());
        }
        match ty {
            syn::Type::Group(group) => self.ty(&group.elem, site, trail),
            syn::Type::Paren(paren) => self.ty(&paren.elem, site, trail),
            syn::Type::Ptr(pointer) => {
                let to = if trail.in_field { Shape::Void } else { self.ty(&pointer.elem, site, trail.deeper()) };
                let mutable = matches!(pointer.mutability, syn::PointerMutability::Mut(_));
                Shape::Pointer { mutable, reference: false, newtype: None, to: Box::new(to) }
            }
            syn::Type::Array(array) => match lengths::length(self.graph, &array.len, site) {
                Some(len) => Shape::Array { of: Box::new(self.ty(&array.elem, site, trail.deeper())), len },
                // What is in a struct is not named.
                None if trail.in_field => {
                    let len = &array.len;
                    let of = Box::new(self.ty(&array.elem, site, trail.deeper()));
                    Shape::Array { of, len: quote::quote!(#len).to_string() }
                }
                None => unknown(&shown(), format!("the length of `{}` is no number that is known", shown())),
            },
            syn::Type::Reference(reference) => {
                let to = if trail.in_field { Shape::Void } else { self.ty(&reference.elem, site, trail.deeper()) };
                let mutable = reference.mutability.is_some();
                Shape::Pointer { mutable, reference: true, newtype: None, to: Box::new(to) }
            }
            syn::Type::FnPtr(pointer) => self.function(pointer, site, trail),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Shape::Void,
            syn::Type::Path(path) if path.qself.is_none() => self.path(&path.path, site, trail),
            syn::Type::Macro(mac) => self.expansion(&mac.mac, site, trail),
            _ => unknown(&shown(), format!("`{}` is not a type of C", shown())),
        }
    }

    fn function(&self, pointer: &syn::TypeFnPtr, site: Site<'_>, trail: Trail) -> Shape {
        let params = pointer.inputs.iter().enumerate().map(|(index, param)| {
            let name = param.name.as_ref().map(|(name, _)| plain(&name.to_string())).filter(|name| name != "_");
            (name.unwrap_or_else(|| format!("arg{}", index + 1)), self.ty(&param.ty, site, trail.deeper()))
        });
        let ret = match &pointer.output {
            syn::ReturnType::Type(_, ty) => Some(self.ty(ty, site, trail.deeper())).filter(|ret| *ret != Shape::Void),
            syn::ReturnType::Default => None,
        };
        let abi = pointer.abi.as_ref().map(|abi| match &abi.name {
            Some(name) => format!("extern \"{}\"", name.value()),
            None => "extern \"C\"".to_owned(),
        });
        let qualifiers: Vec<_> = pointer.unsafety.map(|_| "unsafe".to_owned()).into_iter().chain(abi).collect();
        Shape::Function(Box::new(Function {
            nullable: false,
            qualifiers: qualifiers.join(" "),
            variadic: pointer.variadic.is_some(),
            params: params.collect(),
            ret,
        }))
    }

    fn path(&self, path: &syn::Path, site: Site<'_>, trail: Trail) -> Shape {
        let Some(last) = path.segments.last() else { return unknown("", "an empty path".to_owned()) };
        let name = last.ident.to_string();
        if name == "Option"
            && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
            && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
        {
            // `Option<fn>` and `Option<NonNull<T>>` have C's NULL; nothing else in an `Option` has a C layout.
            return match self.ty(inner, site, trail.deeper()) {
                Shape::Function(function) => Shape::Function(Box::new(Function { nullable: true, ..*function })),
                _ => {
                    let why = "an `Option` of something other than a function pointer: declare a plain pointer, which may be NULL";
                    unknown(&name, why.to_owned())
                }
            };
        }
        let qualifier: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.named(&name, &qualifier[..qualifier.len() - 1], site, trail)
    }

    /// A name: of this crate, of C, or of a dependency, in this order, except that a path names its crate itself.
    fn named(&self, name: &str, qualifier: &[String], site: Site<'_>, trail: Trail) -> Shape {
        let foreign = qualifier.first().and_then(|first| self.graph.packages[site.package].externs.get(first));
        if let Some(&package) = foreign {
            return self
                .declared(package, name, &[], trail)
                .or_else(|| of_c(name))
                .unwrap_or_else(|| unknown(name, format!("`{}` has no type `{name}`", qualifier.join("::"))));
        }
        if matches!(qualifier.first().map(String::as_str), Some("std" | "core" | "libc")) {
            return of_c(name).unwrap_or_else(|| unknown(name, of_rust(name, "is not a known type of C")));
        }
        let module = follow(qualifier.iter().map(String::as_str), site.module);
        let here = self.declared(site.package, name, &module, trail).or_else(|| of_c(name));
        let elsewhere = || {
            let externs = self.graph.packages[site.package].externs.values();
            externs.copied().find_map(|package| self.declared(package, name, &[], trail))
        };
        here.or_else(elsewhere).unwrap_or_else(|| {
            let package = &self.graph.packages[site.package].name;
            unknown(name, of_rust(name, &format!("is not declared in `{package}` or its dependencies")))
        })
    }

    /// The type of that name in a package: the one in `module` if there is one, else all of that name if they agree.
    fn declared(&self, package: usize, name: &str, module: &[String], trail: Trail) -> Option<Shape> {
        let Some(all) = self.items[package].get(name) else {
            return self.behind_use(package, name, module, trail.deeper());
        };
        let near: Vec<_> = all.iter().filter(|item| item.module() == module).collect();
        let is_imported = |import: &Renamed| import.module == module;
        // What is imported from another crate is not what some other module of this one calls so.
        if near.is_empty() && self.renamed[package].get(name).is_some_and(|imports| imports.iter().any(is_imported)) {
            return self.behind_use(package, name, module, trail.deeper());
        }
        let candidates = if near.is_empty() { all.iter().collect() } else { near };
        // A `cfg` that could not be decided may hold; one that surely holds wins.
        let sure: Vec<_> =
            candidates.iter().copied().filter(|item| item.file.likely(&item.item.cfgs) == Presence::Live).collect();
        let possible: Vec<_> =
            candidates.iter().copied().filter(|item| item.file.likely(&item.item.cfgs) != Presence::Dormant).collect();
        let candidates = [sure, possible, candidates].into_iter().find(|items| !items.is_empty()).unwrap_or_default();
        let mut shapes = candidates.iter().map(|item| self.item(package, item, trail.deeper()));
        let first = shapes.next()?;
        let rest: Vec<_> = shapes.collect();
        Some(if rest.iter().all(|shape| *shape == first) {
            first
        } else if first.is_int() && rest.iter().all(Shape::is_int) {
            Shape::Int(None)
        } else {
            unknown(name, format!("`{name}` has several declarations that differ, under `cfg`s that were not decided"))
        })
    }

    /// What an import of that name leads to: the one in `module` if there is one, else all of that name if they agree.
    fn behind_use(&self, package: usize, name: &str, module: &[String], trail: Trail) -> Option<Shape> {
        let all = self.renamed[package].get(name)?;
        if trail.depth > DEEPEST {
            return Some(unknown(name, "its aliases go in a circle".to_owned()));
        }
        let near: Vec<_> = all.iter().filter(|import| import.module == module).collect();
        let candidates = if near.is_empty() { all.iter().collect() } else { near };
        let mut shapes = candidates.into_iter().filter_map(|Renamed { module, path }| {
            let (last, qualifier) = path.split_last()?;
            let of_libc = qualifier.first().is_some_and(|first| first == "libc").then(|| of_c(last)).flatten();
            Some(of_libc.unwrap_or_else(|| self.named(last, qualifier, Site { package, module }, trail)))
        });
        let first = shapes.next()?;
        Some(match shapes.all(|shape| shape == first) {
            true => first,
            false => unknown(name, format!("`{name}` is imported for several types that differ")),
        })
    }

    fn item(&self, package: usize, item: &Item<'g>, trail: Trail) -> Shape {
        let module = item.module();
        let site = Site { package, module: &module };
        let path = TypePath { package, module: module.clone(), name: item.item.name.clone() };
        if item.item.generic && !trail.in_field {
            let name = &item.item.name;
            let why =
                format!("`{name}` is generic, which nothing in C is: declare a type of its own for what is meant");
            return unknown(name, why);
        }
        match &item.item.kind {
            TypeKind::Alias(target) => self.text(target, site, trail),
            TypeKind::Foreign => Shape::Opaque(path),
            TypeKind::Enum(variants) if variants.is_empty() => Shape::Opaque(path),
            TypeKind::Enum(variants) if variants.iter().any(|variant| variant.ends_with("(..)")) => {
                let name = &item.item.name;
                unknown(name, format!("the enum `{name}`, whose variants have fields: no contract can speak of it"))
            }
            TypeKind::Enum(variants) => Shape::Enum { path, copy: item.item.copy, values: values(item.item, variants) },
            TypeKind::Struct(fields) if is_opaque(item.item, fields) => Shape::Opaque(path),
            TypeKind::Struct(fields) if let Some((mutable, to)) = self.newtype(item.item, fields, site, trail) => {
                let to = Box::new(to.unwrap_or_else(|| Shape::Opaque(path.clone())));
                Shape::Pointer { mutable, reference: false, newtype: Some(path), to }
            }
            TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                if !has_layout_of_c(item.item) {
                    let hindrance = Some("it is not `repr(C)`, so its layout is not C's".to_owned());
                    return Shape::Struct { path, hindrance, flat: false };
                }
                let trail = Trail { in_field: true, ..trail.deeper() };
                let shapes: Vec<_> = fields.iter().map(|field| self.text(&field.ty, site, trail)).collect();
                let flat = !shapes.last().is_some_and(is_flexible) && shapes.iter().all(Shape::is_flat);
                Shape::Struct { path, hindrance: hindrance(item.item, fields, &shapes), flat }
            }
        }
    }

    /// Whether a struct is a pointer under a name of its own, and nothing else; if so, whether as `*mut`, and to what that has a name. A
    /// pointer to what is not hidden is more than a name, and so is a struct with a named field: what C has as one.
    fn newtype(
        &self,
        item: &TypeItem,
        fields: &[Field],
        site: Site<'_>,
        trail: Trail,
    ) -> Option<(bool, Option<Shape>)> {
        let [field] = fields else { return None };
        let is_tuple = field.name.as_deref().is_none_or(|name| name == "0");
        if !is_tuple || !item.copy || !has_layout_of_c(item) {
            return None;
        }
        match self.text(&field.ty, site, trail.deeper()) {
            Shape::Pointer { mutable, reference: false, to, .. } => match *to {
                Shape::Void => Some((mutable, None)),
                Shape::Opaque(_) => Some((mutable, Some(*to))),
                _ => None,
            },
            _ => None,
        }
    }

    fn expansion(&self, mac: &syn::Macro, site: Site<'_>, trail: Trail) -> Shape {
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let files = self.graph.packages[site.package].files.iter();
        let texts = files.filter_map(|file| Some((file.text().ok()?, &*file.configs)));
        match macros::expand(texts, &name, &mac.tokens).and_then(|tokens| syn::parse2::<syn::Type>(tokens).ok()) {
            Some(ty) => self.ty(&ty, site, trail.deeper()),
            None => unknown(&format!("{name}!(…)"), format!("the macro `{name}!` is not one we can expand")),
        }
    }
}

/// `type` of `r#type`: as everybody else calls it, C's header first.
fn plain(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}

fn renamed(package: &Package) -> BTreeMap<&str, Vec<Renamed>> {
    let mut renamed: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in package.files.iter().filter(|file| file.role == Role::Main) {
        for import in &file.facts.imports {
            let path: Vec<_> = import.path.trim_start_matches("::").split("::").map(str::to_owned).collect();
            let is_other = |name: &&str| path.last().is_some_and(|last| last != name);
            let leads_out = package.externs.contains_key(&*path[0]) || matches!(&*path[0], "std" | "core" | "libc");
            if let Some(name) = import.name.as_deref().filter(|name| leads_out || is_other(name)) {
                let module = [&*file.module, &*import.scope.modules].concat();
                renamed.entry(name).or_default().push(Renamed { module, path });
            }
        }
    }
    renamed
}

impl Item<'_> {
    fn module(&self) -> Vec<String> {
        [&*self.file.module, &*self.item.modules].concat()
    }
}

/// Why the bytes of a struct with C's layout and fields of these types cannot be used as they are.
fn hindrance(item: &TypeItem, fields: &[Field], shapes: &[Shape]) -> Option<String> {
    let name = |field: &Field| field.name.clone().unwrap_or_else(|| "_".to_owned());
    let fields = || fields.iter().zip(shapes);
    if let Some((last, _)) = fields().next_back().filter(|(_, shape)| is_flexible(shape)) {
        return Some(format!("its field `{}` goes on beyond the struct", name(last)));
    }
    for (field, shape) in fields() {
        if let Some(why) = shape.hindrance() {
            let name = name(field);
            // `frame_info.block_size_id`: the innermost field that is in the way.
            return Some(match why.strip_prefix("its field `") {
                Some(inner) => format!("its field `{name}.{inner}"),
                None => format!("its field `{name}` holds {why}"),
            });
        }
    }
    (!item.copy).then(|| {
        format!("`{}` is not `Copy`: derive it, or declare the function with a struct of your own that is", item.name)
    })
}

/// `char data[]` at the end of a struct: as long as the memory that it is in.
fn is_flexible(shape: &Shape) -> bool {
    matches!(shape, Shape::Array { len, .. } if len == "0" || len == "0usize")
}

/// The values of an enum whose variants have no fields, as far as a wrapper can name all of them.
fn values(item: &TypeItem, variants: &[String]) -> Option<Values> {
    const INTEGERS: [&str; 10] = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "isize", "usize"];
    if item.repr.iter().any(|repr| repr.ends_with("(cfg)")) {
        return None;
    }
    let reprs: Vec<_> = item.repr.iter().flat_map(|repr| repr.split(',')).map(str::trim).collect();
    let stated = reprs.iter().find(|repr| INTEGERS.contains(*repr)).copied();
    // C's own enums are as wide as an `int`, and their values may be below 0.
    let integer = stated.or_else(|| reprs.contains(&"C").then_some("i32"))?;
    let can_be_named = !item.in_macro && !item.non_exhaustive && variants.iter().all(|name| !name.contains('('));
    can_be_named.then(|| Values { integer: integer.to_owned(), variants: variants.to_vec() })
}

fn has_layout_of_c(item: &TypeItem) -> bool {
    item.repr.iter().any(|repr| repr.starts_with('C') || repr.starts_with("transparent"))
}

/// The ways to say "contents hidden": `struct X;`, `struct X { _private: [u8; 0], … }`, `struct X(c_int);` that is not `Copy`.
/// `struct X([u8; 64]);` is memory that the caller provides.
fn is_opaque(item: &TypeItem, fields: &[Field]) -> bool {
    let zero_sized = |field: &Field| field.ty.replace(' ', "").ends_with(";0]") || field.ty.contains("PhantomData");
    let placeholder = |field: &Field| {
        field.name.as_deref().is_none_or(|name| name == "0" || name.starts_with('_')) && !field.ty.starts_with('[')
    };
    fields.iter().all(zero_sized) || (!item.copy && fields.len() == 1 && placeholder(&fields[0]))
}

/// Why a name is not known, with what to do where Rust's library has it for what C has no type of its own.
fn of_rust(name: &str, why: &str) -> String {
    const POINTERS: [&str; 9] = ["Box", "CStr", "CString", "NonNull", "Pin", "str", "String", "UnsafeCell", "Vec"];
    let is_number = name.starts_with("Atomic") || name.starts_with("NonZero");
    if POINTERS.contains(&name) {
        "a pointer type of Rust (declare a raw pointer)".to_owned()
    } else if is_number || ["MaybeUninit", "Wrapping", "char"].contains(&name) {
        "a Rust type that C does not have (declare the number or struct that it stands for)".to_owned()
    } else {
        format!("`{name}` {why}")
    }
}

fn unknown(ty: &str, why: String) -> Shape {
    Shape::Unknown { ty: ty.to_owned(), why }
}

/// Rust's primitives, the names of `core::ffi`, and those of C and POSIX that every platform of ours agrees on.
fn of_c(name: &str) -> Option<Shape> {
    match name {
        "c_void" => Some(Shape::Void),
        "bool" => Some(Shape::Bool),
        _ => Number::named(name).map(|number| match number.class {
            Class::Signed | Class::Unsigned => Shape::Int(Some(number.name.to_owned())),
            Class::Char => Shape::Char,
            Class::Float => Shape::Float(number.name.to_owned()),
        }),
    }
}
