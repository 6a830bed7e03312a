//! What a type of a foreign signature is, with aliases followed to the end.

use super::number::{Class, Number};
use serde::Serialize;
use std::fmt;

/// A resolved type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// An integer by the name that Rust code can use for it (`c_int`, `u32`); `None` where several definitions disagree.
    Int(Option<String>),
    /// `f32`, `f64`, `c_float` or `c_double`.
    Float(String),
    Bool,
    /// `c_char`: text or bytes.
    Char,
    /// `c_void`.
    Void,
    Pointer {
        mutable: bool,
        /// Declared as `&T`: never NULL.
        reference: bool,
        /// Declared as a struct that holds nothing else, `struct Context(*mut c_void)`: C has a pointer there. Where nothing else has a
        /// name for it, what it points to goes by that of the struct.
        newtype: Option<TypePath>,
        to: Box<Shape>,
    },
    Array {
        of: Box<Shape>,
        /// Number of elements, as source text.
        len: String,
    },
    /// A type whose contents are hidden: only ever seen through a pointer.
    Opaque(TypePath),
    /// A struct or union whose fields are known.
    Struct {
        path: TypePath,
        /// Why its bytes cannot be copied from a domain and used as they are; `None`: they can.
        hindrance: Option<String>,
        /// No pointer is in it: whoever has the bytes has all of it.
        flat: bool,
    },
    /// A Rust enum: not every integer is a value of it.
    Enum {
        path: TypePath,
        copy: bool,
        /// `None` where they are not the same in every build, or C has something else.
        values: Option<Values>,
    },
    /// A function pointer.
    Function(Box<Function>),
    /// Anything else, with the reason.
    Unknown {
        ty: String,
        why: String,
    },
}

/// The values of a Rust enum without fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Values {
    /// The integer that holds one.
    pub(crate) integer: String,
    /// The names of its variants.
    pub(crate) variants: Vec<String>,
}

/// What a function pointer points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Function {
    /// It is in an `Option`: there may be none.
    pub(crate) nullable: bool,
    /// What stands before `fn`, ABI included: `unsafe extern "C"`.
    pub(crate) qualifiers: String,
    pub(crate) variadic: bool,
    /// By name; `arg3` for the third where it has none.
    pub(crate) params: Vec<(String, Shape)>,
    /// `None` for unit.
    pub(crate) ret: Option<Shape>,
}

/// A type by the place of its declaration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct TypePath {
    /// Index of the package in the graph.
    pub(crate) package: usize,
    pub(crate) module: Vec<String>,
    pub(crate) name: String,
}

/// What a function takes and gives, with aliases followed, to be held against another version of the same declaration.
pub(crate) fn signature<'s>(params: impl Iterator<Item = (&'s str, &'s Shape)>, ret: Option<&Shape>) -> String {
    let params: Vec<_> = params.map(|(name, shape)| format!("{name}: {}", spelt(shape))).collect();
    let ret = ret.map(|ret| format!(" -> {}", spelt(ret))).unwrap_or_default();
    format!("fn({}){ret}", params.join(", "))
}

/// As it is displayed, with all that a callback takes and gives.
fn spelt(shape: &Shape) -> String {
    match shape {
        Shape::Function(function) => {
            signature(function.params.iter().map(|(name, shape)| (&**name, shape)), function.ret.as_ref())
        }
        Shape::Pointer { mutable: true, to, reference: false, newtype: None } => format!("*mut {}", spelt(to)),
        Shape::Pointer { mutable: false, to, reference: false, newtype: None } => format!("*const {}", spelt(to)),
        shape => shape.to_string(),
    }
}

impl Shape {
    /// An integer, however it is called.
    pub(crate) fn is_int(&self) -> bool {
        matches!(self, Shape::Int(_))
    }

    /// What a handle may lead to: nothing is seen of it, or it has pointers of its own.
    pub(crate) fn may_be_held(&self) -> bool {
        matches!(self, Shape::Opaque(_) | Shape::Struct { hindrance: Some(_), flat: false, .. })
    }

    /// What Rust counts with.
    pub(crate) fn is_usize(&self) -> bool {
        matches!(self, Shape::Int(Some(name)) if name == "usize")
    }

    /// One byte wide, or of unknown width: what buffers are made of.
    pub(crate) fn is_byte(&self) -> bool {
        match self {
            Shape::Void => true,
            shape => shape.number().is_some_and(|number| number.bits == 8),
        }
    }

    /// A pointer through which may be written.
    pub(crate) fn is_mutable(&self) -> bool {
        matches!(self.pointee(), Some((true, _)))
    }

    /// Text, or memory of no type: to the program its elements are bytes.
    pub(crate) fn is_raw(&self) -> bool {
        matches!(self, Shape::Char | Shape::Void)
    }

    /// Which number it is, where one name of it is right everywhere.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Shape::Int(Some(name)) | Shape::Float(name) => Number::named(name),
            Shape::Char => Number::named("c_char"),
            _ => None,
        }
    }

    /// Whether the integer has values below 0; `None` for what is none, or one of which we do not know.
    pub(crate) fn is_signed(&self) -> Option<bool> {
        match self.number()?.class {
            Class::Signed => Some(true),
            Class::Unsigned => Some(false),
            Class::Char | Class::Float => None,
        }
    }

    /// The integer as which a wrapper takes a value of a type from a domain, where not every one is such a value, and it can be held
    /// against those that are.
    pub(crate) fn bits(&self) -> Option<&str> {
        match self {
            Shape::Bool => Some("u8"),
            Shape::Enum { values: Some(values), .. } => Some(&values.integer),
            _ => None,
        }
    }

    /// What conditions compare: the integer of a `bool` or an enum, else the type itself.
    pub(crate) fn compared(&self) -> Shape {
        self.bits().map_or_else(|| self.clone(), |bits| Shape::Int(Some(bits.to_owned())))
    }

    /// A number: every bit pattern is a value.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Shape::Int(_) | Shape::Float(_) | Shape::Char)
    }

    /// A value of which every bit pattern is valid, as `isolate_rt::Plain` knows: numbers and arrays of them.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Shape::Array { of, .. } => of.is_plain(),
            shape => shape.is_number(),
        }
    }

    /// What buffers are made of: numbers, or bytes behind `void *`.
    pub(crate) fn is_element(&self) -> bool {
        self.is_number() || *self == Shape::Void
    }

    /// What it points to, and whether as `*mut`.
    pub(crate) fn pointee(&self) -> Option<(bool, &Shape)> {
        match self {
            Shape::Pointer { mutable, to, .. } => Some((*mutable, to)),
            _ => None,
        }
    }

    /// C sees the same in both, whatever each calls it.
    pub(crate) fn is_like(&self, other: &Shape) -> bool {
        match (self, other) {
            (Shape::Pointer { mutable, to, .. }, Shape::Pointer { mutable: also_mutable, to: also_to, .. }) => {
                mutable == also_mutable && to.is_like(also_to)
            }
            (Shape::Opaque(_), Shape::Opaque(_)) | (Shape::Function(_), Shape::Function(_)) => true,
            (Shape::Struct { path, .. }, Shape::Struct { path: also_path, .. }) => path.name == also_path.name,
            _ if self.is_byte() && other.is_byte() => true,
            _ => match (self.number(), other.number()) {
                (Some(number), Some(also)) => number.plain() == also.plain(),
                _ => self == other,
            },
        }
    }

    /// A pointer that Rust holds to be valid.
    pub(crate) fn is_reference(&self) -> bool {
        matches!(self, Shape::Pointer { reference: true, .. })
    }

    /// A pointer that Rust has as a struct of its own.
    pub(crate) fn is_newtype(&self) -> bool {
        matches!(self, Shape::Pointer { newtype: Some(_), .. })
    }

    /// Whether a value of this type is all there is to know: it leads nowhere else.
    pub(crate) fn is_flat(&self) -> bool {
        match self {
            Shape::Int(_) | Shape::Float(_) | Shape::Char | Shape::Bool | Shape::Enum { .. } => true,
            Shape::Array { of, .. } => of.is_flat(),
            Shape::Struct { flat, .. } => *flat,
            Shape::Pointer { .. } | Shape::Function(_) | Shape::Void | Shape::Opaque(_) | Shape::Unknown { .. } => {
                false
            }
        }
    }

    /// Every type of it that a crate declares, itself first.
    pub(crate) fn types<'s>(&'s self, found: &mut Vec<&'s TypePath>) {
        match self {
            Shape::Pointer { newtype, to, .. } => {
                found.extend(newtype);
                to.types(found);
            }
            Shape::Array { of, .. } => of.types(found),
            Shape::Opaque(path) | Shape::Enum { path, .. } | Shape::Struct { path, .. } => found.push(path),
            Shape::Function(signature) => {
                signature
                    .params
                    .iter()
                    .map(|(_, shape)| shape)
                    .chain(&signature.ret)
                    .for_each(|shape| shape.types(found));
            }
            _ => {}
        }
    }

    /// Why a value of this type that a domain left in memory cannot be used as it is; `None`: it can.
    pub(crate) fn hindrance(&self) -> Option<String> {
        match self {
            Shape::Int(_) | Shape::Float(_) | Shape::Char => None,
            Shape::Array { of, .. } => of.hindrance(),
            Shape::Struct { hindrance, .. } => hindrance.clone(),
            Shape::Pointer { .. } => Some("a pointer".to_owned()),
            Shape::Bool => Some("a `bool`, of which only two bit patterns are values".to_owned()),
            Shape::Enum { path, .. } => {
                Some(format!("the enum `{}`, of which not every bit pattern is a value", path.name))
            }
            Shape::Function(_) => Some("a function pointer".to_owned()),
            Shape::Void => Some("`c_void`".to_owned()),
            Shape::Opaque(path) => Some(format!("the opaque `{}`", path.name)),
            Shape::Unknown { why, .. } => Some(why.clone()),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Int(Some(name)) | Shape::Float(name) => f.write_str(name),
            Shape::Int(None) => f.write_str("integer"),
            Shape::Bool => f.write_str("bool"),
            Shape::Char => f.write_str("c_char"),
            Shape::Void => f.write_str("c_void"),
            Shape::Pointer { newtype: Some(path), .. } => f.write_str(&path.name),
            Shape::Pointer { mutable: true, reference: true, to, .. } => write!(f, "&mut {to}"),
            Shape::Pointer { mutable: false, reference: true, to, .. } => write!(f, "&{to}"),
            Shape::Pointer { mutable: true, to, .. } => write!(f, "*mut {to}"),
            Shape::Pointer { mutable: false, to, .. } => write!(f, "*const {to}"),
            Shape::Array { of, len } => write!(f, "[{of}; {len}]"),
            Shape::Opaque(path) | Shape::Struct { path, .. } | Shape::Enum { path, .. } => f.write_str(&path.name),
            Shape::Function(_) => f.write_str("fn pointer"),
            Shape::Unknown { ty, .. } => f.write_str(ty),
        }
    }
}
