//! What a function can do with a `Fault`: return it where its error type converts from it.

use crate::{
    graph::{Package, Role, SourceFile},
    rust,
};
use isolate_lints::facts::TypeKind;
use syn::{GenericArgument, PathArguments, ReturnType, Type};

/// Which errors `?` can convert into the error type of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// A `Fault`, and no other error that is known here.
    Fault,
    /// Every error, including `isolate_rt::Error`, by which wrappers report that the library returned a failure.
    Any,
}

/// Which errors `?` converts in a function of this file with this return type, judged by the text.
pub(super) fn takes(package: &Package, file: &SourceFile, output: &ReturnType) -> Takes {
    let ReturnType::Type(_, ty) = output else { return Takes::Nothing };
    match error_of(package, Some(file), ty, 0) {
        Some((file, error)) => takes_as(package, file, &error, 0),
        None => Takes::Nothing,
    }
}

/// The error type of a `Result`, and the file whose imports resolve its names; `None` in place of the file where it is
/// not known.
fn error_of<'f>(
    package: &Package,
    file: Option<&'f SourceFile>,
    ty: &Type,
    depth: u8,
) -> Option<(Option<&'f SourceFile>, Type)> {
    let Type::Path(path) = ty else { return None };
    let arguments: Vec<&Type> = match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().filter_map(as_type).collect(),
        _ => Vec::new(),
    };
    let words = words(file, path);
    let last = words.last()?;
    if last == "Result" && arguments.len() == 2 {
        return Some((file, arguments[1].clone()));
    }
    let standing_for = |error: &str| Some((None, syn::parse_str(error).ok()?));
    match words.iter().rev().nth(1).map(String::as_str) {
        // The default error type of their one-argument `Result` converts from every error.
        Some(krate @ ("anyhow" | "eyre" | "color_eyre")) => standing_for(&format!("{krate}::Error")),
        Some("io") => standing_for("std::io::Error"),
        Some("fmt") => None,
        _ if depth > 8 || !is_own(package, &words) => None,
        _ => alias(package, last).and_then(|ty| error_of(package, None, &ty, depth + 1)),
    }
}

fn takes_as(package: &Package, file: Option<&SourceFile>, error: &Type, depth: u8) -> Takes {
    let Type::Path(path) = error else { return Takes::Nothing };
    let words = words(file, path);
    let (Some(name), Some(last)) = (words.last(), path.path.segments.last()) else { return Takes::Nothing };
    match (&**name, &last.arguments) {
        ("Fault", _) => Takes::Fault,
        ("Box", PathArguments::AngleBracketed(arguments))
            if arguments.args.iter().filter_map(as_type).any(is_dyn_error) =>
        {
            Takes::Any
        }
        ("Error", _) if words.iter().rev().nth(1).is_some_and(|before| before == "io") => Takes::Fault,
        ("Error" | "Report", _) if ["anyhow", "eyre", "color_eyre"].contains(&&*words[0]) => Takes::Any,
        _ if depth > 8 || !is_own(package, &words) => Takes::Nothing,
        _ => match alias(package, name) {
            Some(ty) => takes_as(package, None, &ty, depth + 1),
            None if converts(package, name) => Takes::Fault,
            None => Takes::Nothing,
        },
    }
}

/// Whether a path may resolve to an item of this package: its first segment is no other crate and not `Self`.
fn is_own(package: &Package, words: &[String]) -> bool {
    match words {
        [first, _, ..] => {
            !["std", "core", "alloc", "Self"].contains(&&**first) && !package.externs.contains_key(&**first)
        }
        _ => true,
    }
}

/// The segments of a path with the first one resolved through the file's imports: `Result` after `use std::io::Result`
/// is `std::io::Result`.
fn words(file: Option<&SourceFile>, path: &syn::TypePath) -> Vec<String> {
    let mut words: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let imports = file.into_iter().flat_map(|file| &file.facts.imports);
    let mut named = imports.filter(|import| import.name.as_deref() == words.first().map(String::as_str));
    // A name that several modules of the file import is ambiguous.
    if let (Some(import), None) = (named.next(), named.next()) {
        words.splice(..1, import.path.split("::").filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

fn is_dyn_error(ty: &Type) -> bool {
    let Type::TraitObject(object) = ty else { return false };
    object.bounds.iter().any(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Error"),
        _ => false,
    })
}

fn as_type(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The target of a type alias of the package, if exactly one alias has that name.
fn alias(package: &Package, name: &str) -> Option<Type> {
    let items = package.files.iter().filter(|file| file.role == Role::Main).flat_map(|file| &file.facts.types);
    let mut named = items.filter(|item| item.name == name);
    match (named.next().map(|item| &item.kind), named.next()) {
        (Some(TypeKind::Alias(target)), None) => rust::ty(target).ok(),
        _ => None,
    }
}

/// Whether the package contains `impl From<Fault> for Name`.
fn converts(package: &Package, name: &str) -> bool {
    let texts = package.files.iter().filter(|file| file.role == Role::Main).filter_map(|file| file.text().ok());
    let is_it = |text: &str| {
        let text: String = text.split_whitespace().collect();
        ["From<Fault>for", "From<isolate_rt::Fault>for"].iter().any(|start| {
            text.match_indices(start).any(|(at, _)| {
                let rest = &text[at + start.len()..];
                rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            })
        })
    };
    texts.into_iter().any(is_it)
}
