//! What a function can do with a `Fault`: pass it on where its own error type takes it.

use crate::graph::{Package, Role};
use isolate_lints::facts::TypeKind;
use syn::{GenericArgument, PathArguments, ReturnType, Type};

/// Whether `?` turns a `Fault` into the error that a function of this package returns, as far as its text says.
pub(super) fn passes_on(package: &Package, output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    error_of(package, ty, 0).is_some_and(|error| takes_fault(package, &error, 0))
}

/// The error type of a `Result`.
fn error_of(package: &Package, ty: &Type, depth: u8) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let arguments: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().filter_map(as_type).collect(),
        _ => Vec::new(),
    };
    if last.ident == "Result" && arguments.len() == 2 {
        return Some(arguments[1].clone());
    }
    let qualifier = path.path.segments.iter().rev().nth(1).map(|segment| segment.ident.to_string());
    match qualifier.as_deref() {
        // Their one-argument `Result` is over an error that takes any other.
        Some(krate @ ("anyhow" | "eyre" | "color_eyre")) => syn::parse_str(&format!("{krate}::Error")).ok(),
        Some("io") => syn::parse_str("std::io::Error").ok(),
        Some("fmt") => None,
        _ if depth > 8 => None,
        _ => alias(package, &last.ident.to_string()).and_then(|ty| error_of(package, &ty, depth + 1)).or_else(|| {
            imports_any_result(package, &last.ident).then(|| syn::parse_str("anyhow::Error").ok()).flatten()
        }),
    }
}

fn takes_fault(package: &Package, error: &Type, depth: u8) -> bool {
    let Type::Path(path) = error else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let name = last.ident.to_string();
    let is_of = |krate: &str| path.path.segments.first().is_some_and(|first| first.ident == krate);
    match (&*name, &last.arguments) {
        ("Fault", _) => true,
        ("Box", PathArguments::AngleBracketed(arguments)) => {
            arguments.args.iter().filter_map(as_type).any(is_dyn_error)
        }
        ("Error", _) if path.path.segments.iter().rev().nth(1).is_some_and(|before| before.ident == "io") => true,
        ("Error" | "Report", _) if ["anyhow", "eyre", "color_eyre"].iter().any(|krate| is_of(krate)) => true,
        _ if depth > 8 => false,
        _ => match alias(package, &name) {
            Some(ty) => takes_fault(package, &ty, depth + 1),
            None => converts(package, &name),
        },
    }
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

/// What a type alias of the package stands for, if there is one alias of that name.
fn alias(package: &Package, name: &str) -> Option<Type> {
    let items = package.files.iter().filter(|file| file.role == Role::Main).flat_map(|file| &file.facts.types);
    let mut named = items.filter(|item| item.name == name);
    match (named.next().map(|item| &item.kind), named.next()) {
        (Some(TypeKind::Alias(target)), None) => syn::parse_str(target).ok(),
        _ => None,
    }
}

fn imports_any_result(package: &Package, name: &syn::Ident) -> bool {
    let imports = package.files.iter().flat_map(|file| &file.facts.imports);
    let mut named = imports.filter(|import| import.name.as_deref().is_some_and(|local| name == local));
    named.any(|import| matches!(&*import.path, "anyhow::Result" | "eyre::Result" | "color_eyre::Result"))
}

/// `impl From<Fault> for Name`, wherever it stands in the package.
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
