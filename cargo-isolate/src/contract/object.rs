//! `[struct.NAME]` of the policy: structs whose bytes are not enough, because they hold pointers.
//!
//! Those that callers provide, and a library keeps pointers to, cannot be copied in and out for each call. Their memory stays in
//! the domain, from the function that fills one to the one that ends it, and each call moves its cursors: a pointer, and how many
//! elements are left there. Those that a library makes are behind handles. Of both the program reads what the policy names. And
//! what is nothing but a pointer and a length is a slice.

mod read;
#[cfg(test)]
mod tests;

use super::{
    Contract, Dir, Hold,
    expr::Expr,
    shape::{Shape, TypePath},
    types::Types,
};
use crate::{
    glob::Glob,
    policy::{PolicyError, Spanned, model},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a function does to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "life", rename_all = "kebab-case")]
pub(crate) enum Life {
    /// Fills it; the function `end` ends it.
    Made { end: TypePath },
    /// Works on it.
    Used,
    /// Ends it.
    Ended,
}

/// A pointer in an object that moves along a buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cursor {
    pub(crate) field: String,
    pub(crate) dir: Dir,
    /// The field that counts the elements left.
    pub(crate) left: String,
    /// The type of the first field.
    #[serde(skip)]
    pub(crate) pointer: Shape,
    /// The type of the second.
    #[serde(skip)]
    pub(crate) counter: Shape,
    /// The function at hand moves it; elsewhere it points nowhere.
    pub(crate) moves: bool,
}

/// A foreign function, as far as objects care.
pub(crate) struct Function<'f> {
    pub(crate) domain: &'f str,
    pub(crate) path: TypePath,
    pub(crate) params: Vec<Shape>,
    pub(crate) ret: Option<Shape>,
}

/// A field that the program may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// A number, or a pointer to what `holds` says.
    #[serde(rename = "type", serialize_with = "shown")]
    pub(crate) shape: Shape,
    #[serde(flatten)]
    pub(crate) holds: Holds,
}

impl Holds {
    /// How much it is, where other fields say that.
    pub(crate) fn len(&self) -> Option<&Expr> {
        match self {
            Holds::Values { len } | Holds::Objects { len } => Some(len),
            Holds::Number | Holds::Text | Holds::Object => None,
        }
    }
}

impl Field {
    /// The struct of the objects that it leads to.
    pub(crate) fn leads_to(&self) -> Option<&TypePath> {
        match self.holds {
            Holds::Object | Holds::Objects { .. } => structure(&self.shape),
            Holds::Number | Holds::Text | Holds::Values { .. } => None,
        }
    }
}

/// What a field leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "holds", rename_all = "kebab-case")]
pub(crate) enum Holds {
    Number,
    Text,
    /// Numbers or bytes, as many as other fields say.
    Values {
        len: Expr,
    },
    /// An object of the library.
    Object,
    /// As many of them as other fields say, one behind the other.
    Objects {
        len: Expr,
    },
}

/// A struct that holds a pointer and how many elements lie there, and nothing else but how many of them are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Slice {
    #[serde(skip)]
    pub(crate) path: TypePath,
    pub(crate) pointer: String,
    pub(crate) length: String,
    /// The type of the first field.
    #[serde(skip)]
    pub(crate) elements: Shape,
    /// The type of the second.
    #[serde(skip)]
    pub(crate) counter: Shape,
    /// The field that says how far the library has got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<String>,
    /// It is `Copy`.
    #[serde(skip)]
    pub(crate) copy: bool,
}

impl Slice {
    /// Which way it goes, with a position, where the policy does not say: what is `const` is read.
    pub(crate) fn progresses(&self) -> Dir {
        if self.elements.is_mutable() { Dir::Out } else { Dir::In }
    }
}

fn shown<S: serde::Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(shape)
}

/// The structs of a policy.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    by_name: BTreeMap<String, Object>,
    /// Structs of which the policy could say that they are slices, and how.
    likely_slices: BTreeMap<TypePath, String>,
}

#[derive(Debug)]
struct Object {
    path: TypePath,
    /// Empty for those that the library makes itself.
    create: Vec<(Glob, TypePath)>,
    cursors: Vec<(Cursor, Vec<Glob>)>,
    reads: Vec<Field>,
    slice: Option<Slice>,
}

impl Objects {
    /// Reads structs against the functions that take and return them. It is no mistake where nobody knows one that ships with the tool.
    pub(crate) fn read(
        structs: &BTreeMap<Spanned<String>, model::Struct>,
        ships: impl Fn(&str) -> bool,
        types: &Types<'_>,
        functions: &[Function<'_>],
        errors: &mut Vec<PolicyError>,
    ) -> Objects {
        let named: Vec<_> = functions.iter().flat_map(Function::structs).collect();
        let mut objects = Objects { likely_slices: read::likely_slices(&named, types), ..Objects::default() };
        let mut known: BTreeMap<&str, TypePath> = BTreeMap::new();
        let mut others: BTreeMap<&str, &TypePath> = BTreeMap::new();
        for path in named {
            let name = path.name.trim_start_matches("r#");
            let first = known.entry(name).or_insert_with(|| path.clone());
            if first != path {
                others.entry(name).or_insert(path);
            }
        }
        let behind = read::behind(structs, &known, types);
        for (name, words) in structs {
            let Some(path) = known.get(&**name.get_ref()).or_else(|| behind.get(&**name.get_ref())) else {
                if ships(name.get_ref()) {
                    continue;
                }
                let error = PolicyError::new(
                    name.span(),
                    format!("no isolated function takes or returns a pointer to a struct `{}`", name.get_ref()),
                );
                errors.push(error.did_you_mean(name.get_ref(), known.keys().copied()));
                continue;
            };
            if let Some(other) = others.get(&**name.get_ref()).filter(|_| !ships(name.get_ref())) {
                let (one, other) = (types.path_of(path), types.path_of(other));
                let message = format!(
                    "`{}` is a name of two structs that isolated functions know: `{one}` and `{other}`",
                    name.get_ref()
                );
                let help = "one of them may be spoken of here: take the functions of the other out with `except`";
                errors.push(PolicyError::new(name.span(), message).help(help));
                continue;
            }
            if let Some(object) = read::object(name, words, path, types, functions, errors) {
                objects.by_name.insert(name.get_ref().clone(), object);
            }
        }
        objects
    }

    /// The struct of these that a parameter points to.
    pub(crate) fn name<'s>(&self, shape: &'s Shape) -> Option<&'s str> {
        structure(shape).map(|path| path.name.trim_start_matches("r#")).filter(|name| self.by_name.contains_key(*name))
    }

    /// All of them that live in the domain, with what the program may read of them.
    pub(crate) fn reads(&self) -> impl Iterator<Item = (&TypePath, &[Field], Place)> {
        let readable = self.by_name.values().filter(|object| !object.reads.is_empty());
        readable.map(|object| (&object.path, &*object.reads, object.place()))
    }

    /// The struct that a parameter is, or points to, if the policy says that it is a slice.
    pub(crate) fn slice(&self, shape: &Shape) -> Option<&Slice> {
        let path = structure(shape).or(match shape {
            Shape::Struct { path, .. } => Some(path),
            _ => None,
        })?;
        self.object(path)?.slice.as_ref()
    }

    /// Points to a struct whose memory callers provide.
    pub(crate) fn is_provided(&self, shape: &Shape) -> bool {
        structure(shape).and_then(|path| self.object(path)).is_some_and(|object| object.place() == Place::Caller)
    }

    /// Words with which the policy would say so, of a struct that looks like one.
    pub(crate) fn likely_slice(&self, shape: &Shape) -> Option<String> {
        let path = structure(shape)?;
        let words = self.likely_slices.get(path).filter(|_| self.object(path).is_none())?;
        Some(format!("`[struct.{}]` with `{words}`", path.name))
    }

    fn object(&self, path: &TypePath) -> Option<&Object> {
        self.by_name.get(path.name.trim_start_matches("r#")).filter(|object| object.path == *path)
    }

    /// The contract of what is returned, if it points to one of these structs, which the library makes itself.
    pub(crate) fn returned(&self, shape: &Shape) -> Option<Contract> {
        let object = self.object(structure(shape)?)?;
        let contract = Contract::Handle { dir: Dir::In, nullable: true, hold: Hold::Keep };
        (object.place() == Place::Library).then_some(contract)
    }

    /// The contract of the parameter at `index`, if it points to one of these structs.
    pub(crate) fn contract(&self, function: &str, params: &[Shape], index: usize) -> Option<Contract> {
        let path = structure(&params[index])?;
        let object = self.object(path)?;
        if object.place() == Place::Library {
            let contract = Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep };
            return object.slice.is_none().then_some(contract);
        }
        let is_first = params[..index].iter().filter_map(structure).all(|other| other != path);
        let end = object.create.iter().find(|(pattern, _)| pattern.is_match(function)).map(|(_, end)| end);
        let life = match end {
            Some(end) if is_first => Life::Made { end: end.clone() },
            _ if is_first && object.create.iter().any(|(_, end)| end.name == function) => Life::Ended,
            _ => Life::Used,
        };
        let cursors = object.cursors.iter().filter(|_| life == Life::Used).map(|(cursor, functions)| {
            let moves = is_first && functions.iter().any(|pattern| pattern.is_match(function));
            Cursor { moves, ..cursor.clone() }
        });
        Some(Contract::Object { cursors: cursors.collect(), life })
    }
}

impl Object {
    fn place(&self) -> Place {
        if self.create.is_empty() { Place::Library } else { Place::Caller }
    }
}

/// Who provides the memory of a struct, outside of the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// Callers: a wrapper makes an object of it, in the domain.
    Caller,
    /// Nobody: the library makes it, and gives away pointers.
    Library,
}

impl Function<'_> {
    /// The structs that its signature speaks of.
    fn structs(&self) -> impl Iterator<Item = &TypePath> {
        self.params.iter().chain(&self.ret).filter_map(|shape| {
            let mut shape = shape;
            while let Some((_, to)) = shape.pointee() {
                shape = to;
            }
            match shape {
                Shape::Struct { path, .. } => Some(path),
                _ => None,
            }
        })
    }
}

/// The struct that a parameter points to.
fn structure(shape: &Shape) -> Option<&TypePath> {
    match shape.pointee() {
        Some((_, Shape::Struct { path, .. })) => Some(path),
        _ => None,
    }
}
