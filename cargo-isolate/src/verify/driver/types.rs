//! What types of a wrapper's signature say.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

/// `T` of `Result<T, Fault>`.
pub(super) fn success(output: &ReturnType) -> Option<&Type> {
    match output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) if ends_in(path, "Result") => generic(path),
            _ => None,
        },
        ReturnType::Default => None,
    }
}

pub(super) fn is_usize(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("usize"))
}

pub(super) fn ends_in(path: &syn::TypePath, name: &str) -> bool {
    path.path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// The first generic argument of a path's last segment.
pub(super) fn generic(path: &syn::TypePath) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether any of `names` ends a path inside `ty`.
pub(super) fn mentions(ty: &Type, names: &[&str]) -> bool {
    match ty {
        Type::Path(path) => {
            names.iter().any(|name| ends_in(path, name)) || generic(path).is_some_and(|inner| mentions(inner, names))
        }
        Type::Tuple(tuple) => tuple.elems.iter().any(|element| mentions(element, names)),
        _ => false,
    }
}
