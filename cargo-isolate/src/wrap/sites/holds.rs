//! What a type or a value holds, judged by its text: enough to know what its `as_ptr()` points into.

use syn::{Expr, ExprMethodCall, GenericArgument, Item, Lit, Member, PathArguments, Type};

/// What a local or a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// `&[T]` or `&mut [T]`.
    Slice {
        of: Option<String>,
    },
    /// Dereferences to a slice that is as long as its capacity: an array, `vec![…]`, `Box<[T]>`.
    Owner {
        of: Option<String>,
        length: Option<String>,
    },
    /// A `Vec` whose length may be less than its capacity.
    Vec {
        of: Option<String>,
    },
    /// An index by a range into one of these: an unsized place, not yet a reference.
    Part {
        of: Option<String>,
    },
    /// `str` or `String`.
    Text,
    CString,
    CStr,
    /// `MaybeUninit<T>`.
    Uninit,
    /// `&T` or `&mut T` of something else.
    Reference,
    /// Something else, or a binding that is not followed.
    Unknown,
}

impl Holds {
    /// The name of the element type, where it is written.
    pub(super) fn element(&self) -> Option<&str> {
        match self {
            Holds::Slice { of } | Holds::Owner { of, .. } | Holds::Vec { of } | Holds::Part { of } => of.as_deref(),
            Holds::Text => Some("u8"),
            _ => None,
        }
    }

    /// Whether it is a slice or dereferences to one.
    pub(super) fn is_slice(&self) -> bool {
        matches!(self, Holds::Slice { .. } | Holds::Owner { .. } | Holds::Vec { .. } | Holds::Part { .. })
    }

    /// The result of indexing it by a range.
    pub(super) fn part(self) -> Holds {
        match self {
            Holds::Slice { of } | Holds::Owner { of, .. } | Holds::Vec { of } | Holds::Part { of } => {
                Holds::Part { of }
            }
            Holds::Text => Holds::Text,
            _ => Holds::Unknown,
        }
    }
}

/// What a field of the struct `of` holds, if `items` declare exactly one struct of that name with exactly one such
/// field. Several declarations would be alternatives under `cfg`.
pub(super) fn of_field(items: &[Item], of: &Type, member: &Member) -> Holds {
    let Type::Path(path) = of else { return Holds::Unknown };
    let Some(name) = path.path.segments.last().filter(|_| path.path.segments.len() == 1) else {
        return Holds::Unknown;
    };
    let mut structs = items.iter().filter_map(|item| match item {
        Item::Struct(item) if item.ident == name.ident => Some(item),
        _ => None,
    });
    let (Some(item), None) = (structs.next(), structs.next()) else { return Holds::Unknown };
    let mut fields = item.fields.iter().enumerate().filter(|(index, field)| match (member, &field.ident) {
        (Member::Named(name), Some(field)) => name == field,
        (Member::Unnamed(place), None) => place.index as usize == *index,
        _ => false,
    });
    let (Some((_, field)), None) = (fields.next(), fields.next()) else { return Holds::Unknown };
    of_type(&field.ty)
}

/// What a value of this type holds.
pub(super) fn of_type(ty: &Type) -> Holds {
    match ty {
        Type::Paren(paren) => of_type(&paren.elem),
        Type::Group(group) => of_type(&group.elem),
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => Holds::Slice { of: name_of(&slice.elem) },
            Type::Path(_) => match of_type(&reference.elem) {
                Holds::Unknown => Holds::Reference,
                holds => holds,
            },
            // `&mut &mut [T]` and the like are not followed; `&[T; N]` coerces to a slice where it is passed.
            Type::Array(array) => Holds::Slice { of: name_of(&array.elem) },
            _ => Holds::Unknown,
        },
        Type::Array(array) => {
            let length = &array.len;
            Holds::Owner { of: name_of(&array.elem), length: Some(quote::quote!(#length).to_string()) }
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return Holds::Unknown };
            match (&*last.ident.to_string(), argument_of(&last.arguments)) {
                ("Vec", of) => Holds::Vec { of: of.and_then(name_of) },
                ("Box" | "Rc" | "Arc", Some(Type::Slice(slice))) => {
                    Holds::Owner { of: name_of(&slice.elem), length: None }
                }
                ("str" | "String", _) => Holds::Text,
                ("CString", _) => Holds::CString,
                ("CStr", _) => Holds::CStr,
                ("MaybeUninit", _) => Holds::Uninit,
                _ => Holds::Unknown,
            }
        }
        _ => Holds::Unknown,
    }
}

/// `T` of `<T>`.
pub(super) fn argument_of(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn name_of(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        // Text that is no name of a numeric type, so that the elements are never taken for numbers.
        Type::Array(_) | Type::Tuple(_) => Some(quote::quote!(#ty).to_string().replace(' ', "")),
        _ => None,
    }
}

/// What a value holds, judged by its text. For a `Result` or an `Option`: what its payload holds.
pub(super) fn of_value(value: &Expr) -> Holds {
    match value {
        Expr::Paren(paren) => of_value(&paren.expr),
        Expr::Try(tried) => of_value(&tried.expr),
        Expr::Macro(mac) if mac.mac.path.is_ident("vec") => {
            Holds::Owner { of: first_suffix(&mac.mac.tokens), length: None }
        }
        Expr::Macro(mac) if mac.mac.path.is_ident("format") => Holds::Text,
        Expr::Repeat(repeat) => {
            let length = &repeat.len;
            Holds::Owner { of: suffix(&repeat.expr), length: Some(quote::quote!(#length).to_string()) }
        }
        Expr::Array(array) => {
            Holds::Owner { of: array.elems.first().and_then(suffix), length: Some(array.elems.len().to_string()) }
        }
        Expr::Lit(lit) => match &lit.lit {
            Lit::ByteStr(_) => Holds::Slice { of: Some("u8".to_owned()) },
            Lit::Str(_) => Holds::Text,
            Lit::CStr(_) => Holds::CStr,
            _ => Holds::Unknown,
        },
        Expr::Reference(reference) => match &*reference.expr {
            Expr::Index(index) if matches!(*index.index, Expr::Range(_)) => Holds::Slice { of: None },
            _ => Holds::Unknown,
        },
        Expr::Call(call) => of_call(&call.func),
        Expr::MethodCall(call) => of_method(call),
        _ => Holds::Unknown,
    }
}

/// What a well-known constructor returns.
fn of_call(function: &Expr) -> Holds {
    let Expr::Path(path) = function else { return Holds::Unknown };
    let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        [.., "Vec", "new" | "with_capacity"] => {
            let vec = path.path.segments.iter().rev().nth(1);
            Holds::Vec { of: vec.and_then(|vec| argument_of(&vec.arguments)).and_then(name_of) }
        }
        [.., "CString", "new"] => Holds::CString,
        [.., "String", _] => Holds::Text,
        [.., "MaybeUninit", "uninit" | "zeroed"] => Holds::Uninit,
        [.., "fs", "read"] => Holds::Owner { of: Some("u8".to_owned()), length: None },
        _ => Holds::Unknown,
    }
}

fn of_method(call: &ExprMethodCall) -> Holds {
    match &*call.method.to_string() {
        "as_bytes" | "to_bytes" | "to_bytes_with_nul" => Holds::Slice { of: Some("u8".to_owned()) },
        "into_bytes" => Holds::Owner { of: Some("u8".to_owned()), length: None },
        "to_vec" => Holds::Owner { of: None, length: None },
        "as_c_str" => Holds::CStr,
        "unwrap" | "expect" | "map_err" | "ok" | "ok_or" | "ok_or_else" | "context" | "with_context" => {
            of_value(&call.receiver)
        }
        "to_string" => Holds::Text,
        _ => Holds::Unknown,
    }
}

/// `u8` for `0u8` and `0 as u8`. Nested arrays and tuples get a text that is no name of a numeric type.
fn suffix(value: &Expr) -> Option<String> {
    let lit = match value {
        Expr::Lit(lit) => lit,
        Expr::Cast(cast) => return name_of(&cast.ty),
        Expr::Repeat(_) | Expr::Array(_) | Expr::Tuple(_) => return Some("several values".to_owned()),
        _ => return None,
    };
    let suffix = match &lit.lit {
        Lit::Int(int) => int.suffix(),
        Lit::Byte(_) => "u8",
        _ => "",
    };
    (!suffix.is_empty()).then(|| suffix.to_owned())
}

fn first_suffix(tokens: &proc_macro2::TokenStream) -> Option<String> {
    let first = tokens.clone().into_iter().next()?;
    syn::parse2::<Expr>(first.into()).ok().as_ref().and_then(suffix)
}
