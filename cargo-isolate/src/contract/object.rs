//! `[struct.NAME]` of the policy: structs that a library keeps pointers to, and that point to what it works on.
//!
//! Such a struct cannot be copied in and out for each call. Its memory stays in the domain, from the function that fills it
//! to the one that ends it, and each call moves its cursors: a pointer, and how many elements are left there.

use super::{
    Contract, Dir,
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
}

/// A field that the program may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// A number, or a pointer to text.
    #[serde(rename = "type", serialize_with = "shown")]
    pub(crate) shape: Shape,
}

fn shown<S: serde::Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(shape)
}

/// The structs of a policy.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    by_name: BTreeMap<String, Object>,
}

#[derive(Debug)]
struct Object {
    create: Vec<(Glob, TypePath)>,
    cursors: Vec<(Cursor, Vec<Glob>)>,
    reads: Vec<Field>,
}

impl Objects {
    /// Reads structs against the functions that take them.
    pub(crate) fn read(
        structs: &BTreeMap<Spanned<String>, model::Struct>,
        types: &Types<'_>,
        functions: &[Function<'_>],
        errors: &mut Vec<PolicyError>,
    ) -> Objects {
        let mut objects = Objects::default();
        for (name, words) in structs {
            let taking: Vec<_> =
                functions.iter().filter(|function| takes(function, name.get_ref()).is_some()).collect();
            let Some(path) = taking.first().and_then(|function| takes(function, name.get_ref())) else {
                let known = functions.iter().flat_map(|function| &function.params).filter_map(structure);
                let error = PolicyError::new(
                    name.span(),
                    format!("no isolated function takes a pointer to a struct `{}`", name.get_ref()),
                );
                errors.push(error.did_you_mean(name.get_ref(), known.map(|path| &*path.name)));
                continue;
            };
            let reader = Reader { name: name.get_ref(), words, fields: types.fields(path), taking: &taking, errors };
            if let Some(object) = reader.read(name) {
                objects.by_name.insert(name.get_ref().clone(), object);
            }
        }
        objects
    }

    /// The struct of these that a parameter points to.
    pub(crate) fn name<'s>(&self, shape: &'s Shape) -> Option<&'s str> {
        structure(shape).map(|path| &*path.name).filter(|name| self.by_name.contains_key(*name))
    }

    /// What the program may read of the struct of these that a parameter points to.
    pub(crate) fn reads<'s>(&'s self, shape: &'s Shape) -> Option<(&'s TypePath, &'s [Field])> {
        let path = structure(shape)?;
        Some((path, &self.by_name.get(&path.name)?.reads))
    }

    /// The contract of the parameter at `index`, if it points to one of these structs.
    pub(crate) fn contract(&self, function: &str, params: &[Shape], index: usize) -> Option<Contract> {
        let path = structure(&params[index])?;
        let object = self.by_name.get(&path.name)?;
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

struct Reader<'r> {
    name: &'r str,
    words: &'r model::Struct,
    fields: Vec<(String, Shape)>,
    /// Isolated functions that take a pointer to it.
    taking: &'r [&'r Function<'r>],
    errors: &'r mut Vec<PolicyError>,
}

impl Reader<'_> {
    fn read(mut self, name: &Spanned<String>) -> Option<Object> {
        let before = self.errors.len();
        let words = self.words;
        for private in &words.private {
            self.field(private);
        }
        let create = words.create.iter().filter_map(|(pattern, end)| self.create(pattern, end)).collect();
        let cursors = words.field.iter().filter_map(|(field, words)| self.cursor(field, words)).collect();
        let reads = words.read.iter().filter_map(|field| self.readable(field)).collect();
        if words.create.is_empty() {
            let message = format!("nothing says which functions fill a `{}`, and which end it", self.name);
            self.errors.push(
                PolicyError::new(name.span(), message).help("create = { \"deflateInit*\" = \"deflateEnd\" }, for one"),
            );
        }
        let said = |field: &str| {
            words.private.iter().chain(&words.read).any(|name| name.get_ref() == field)
                || words.field.keys().any(|cursor| cursor.get_ref() == field)
        };
        let open = self.fields.iter().filter(|(field, shape)| !is_number(shape) && !said(field));
        let open: Vec<_> = open.map(|(field, _)| format!("`{field}`")).collect();
        if !open.is_empty() {
            let message = format!("nothing says what these fields of `{}` point to: {}", self.name, open.join(", "));
            self.errors.push(PolicyError::new(name.span(), message).help(
                "`private` lists those that are NULL at the start and the library's own from then on, `read` strings that it sets; a `field` moves along a buffer",
            ));
        }
        (self.errors.len() == before).then_some(Object { create, cursors, reads })
    }

    fn field(&mut self, name: &Spanned<String>) -> Option<Shape> {
        let found = self.fields.iter().find(|(field, _)| field == name.get_ref()).map(|(_, shape)| shape.clone());
        if found.is_none() {
            let error = PolicyError::new(name.span(), format!("`{}` has no field `{}`", self.name, name.get_ref()));
            let known = self.fields.iter().map(|(field, _)| &**field);
            self.errors.push(error.did_you_mean(name.get_ref(), known));
        }
        found
    }

    /// A number, or a string.
    fn readable(&mut self, name: &Spanned<String>) -> Option<Field> {
        let shape = self.field(name)?;
        let is_named = |shape: &Shape| shape.is_number() && *shape != Shape::Int(None);
        if !(is_named(&shape) || shape.pointee().is_some_and(|(_, to)| *to == Shape::Char)) {
            let message = format!("`{}` is neither a number nor a string", name.get_ref());
            self.errors.push(PolicyError::new(name.span(), message));
            return None;
        }
        Some(Field { name: name.get_ref().clone(), shape })
    }

    fn create(&mut self, pattern: &Spanned<String>, end: &Spanned<String>) -> Option<(Glob, TypePath)> {
        let glob = match Glob::of_policy(pattern.get_ref()) {
            Ok(glob) => glob,
            Err(why) => {
                self.errors.push(PolicyError::new(pattern.span(), why));
                return None;
            }
        };
        let makes = self.matches(&glob, pattern.span())?;
        let Some(ends) = self.taking.iter().find(|function| function.path.name == *end.get_ref()) else {
            let error = PolicyError::new(
                end.span(),
                format!("no isolated function `{}` takes a `{}`", end.get_ref(), self.name),
            );
            let known = self.taking.iter().map(|function| &*function.path.name);
            self.errors.push(error.did_you_mean(end.get_ref(), known));
            return None;
        };
        if ends.params.len() != 1 || ends.domain != makes {
            let message = format!("`{}` cannot end it when it is dropped", end.get_ref());
            self.errors.push(
                PolicyError::new(end.span(), message)
                    .help("that takes a function of the same domain with no other parameter"),
            );
            return None;
        }
        Some((glob, ends.path.clone()))
    }

    /// The domain of the functions that a glob matches.
    fn matches(&mut self, glob: &Glob, span: std::ops::Range<usize>) -> Option<String> {
        let found = self.taking.iter().find(|function| glob.is_match(&function.path.name));
        if found.is_none() {
            let message = format!("no isolated function `{}` takes a `{}`", glob.text(), self.name);
            self.errors.push(PolicyError::new(span, message));
        }
        found.map(|function| function.domain.to_owned())
    }

    fn cursor(&mut self, name: &Spanned<String>, words: &Spanned<model::Field>) -> Option<(Cursor, Vec<Glob>)> {
        let at = words.span();
        let model::Field { dir, left, functions } = words.get_ref();
        let pointer = self.field(name)?;
        let counter = self.field(left)?;
        let elements = pointer.pointee().map(|(_, to)| to);
        if !elements.is_some_and(|to| to.is_number() || matches!(to, Shape::Void)) {
            let message = format!("`{}` does not point to numbers or bytes", name.get_ref());
            self.errors.push(PolicyError::new(at, message));
            return None;
        }
        if !matches!(counter, Shape::Int(Some(_))) {
            self.errors.push(PolicyError::new(left.span(), format!("`{}` is not an integer", left.get_ref())));
            return None;
        }
        let dir = match dir.get_ref() {
            model::CursorDir::In => Dir::In,
            model::CursorDir::Out => Dir::Out,
        };
        for pattern in functions {
            self.matches(pattern.get_ref(), pattern.span());
        }
        let functions = functions.iter().map(|pattern| pattern.get_ref().clone()).collect();
        let (field, left) = (name.get_ref().clone(), left.get_ref().clone());
        Some((Cursor { field, dir, left, pointer, counter, moves: false }, functions))
    }
}

/// The struct that a parameter points to.
fn structure(shape: &Shape) -> Option<&TypePath> {
    match shape.pointee() {
        Some((_, Shape::Struct { path, .. })) => Some(path),
        _ => None,
    }
}

fn takes<'f>(function: &'f Function<'_>, name: &str) -> Option<&'f TypePath> {
    function.params.iter().filter_map(structure).find(|path| path.name == name)
}

fn is_number(shape: &Shape) -> bool {
    match shape {
        Shape::Array { of, .. } => is_number(of),
        shape => shape.is_number(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{fixture, plan::plan};

    const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
pub enum internal {}
#[repr(C)]
pub struct stream {
    pub next_in: *mut u8,
    pub avail_in: u32,
    pub total: [u64; 2],
    pub state: *mut internal,
    pub hook: unsafe extern \"C\" fn(*mut u8),
}
unsafe extern \"C\" {
    pub fn begin(strm: *mut stream, level: i32) -> i32;
    pub fn work(strm: *mut stream, flush: i32) -> i32;
    pub fn copy(from: *const stream, to: *mut stream) -> i32;
    pub fn end(strm: *mut stream) -> i32;
    pub fn version() -> i32;
}
";

    /// The policy's `[struct]`, and what `plan` makes of it: contracts, or mistakes.
    #[track_caller]
    fn check(words: &str, expected: &[&str]) {
        let text = format!(
            "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"*\"]\n[struct.stream]\n{words}\n"
        );
        let found: Vec<_> = match plan(&fixture::graph(LIBRARY), &fixture::policy(&text)) {
            Ok(plan) => {
                let functions = plan.domains[0].functions.iter().map(|function| {
                    let params = function.params.iter().map(|param| {
                        param.decision.contract().map_or_else(|| "refused".to_owned(), super::Contract::to_toml)
                    });
                    format!("{}: {}", function.name, params.collect::<Vec<_>>().join(", "))
                });
                functions.collect()
            }
            Err(errors) => fixture::mistakes(&text, &errors).lines().map(str::to_owned).collect(),
        };
        assert_eq!(found, expected);
    }

    const PRIVATE: &str = "private = [\"state\", \"hook\"]";

    #[test]
    fn a_life() {
        let cursor =
            "create = { begin = \"end\" }\nfield.next_in = { dir = \"in\", left = \"avail_in\", fn = [\"work\"] }";
        check(
            &format!("{cursor}\n{PRIVATE}"),
            &[
                "begin: filled here, ended by `end`, { kind = \"value\" }",
                "work: stays in the domain; moves `next_in`, { kind = \"value\" }",
                "copy: stays in the domain, stays in the domain",
                "end: ended here",
                "version: ",
            ],
        );
    }

    #[test]
    fn what_is_not_there() {
        check(
            &format!(
                "create = {{ \"beginn*\" = \"end\", begin = \"ende\" }}\nfield.next = {{ dir = \"in\", left = \"avail\", fn = [\"work\"] }}\n{PRIVATE}"
            ),
            &[
                "7:9 [stream] nothing says what these fields of `stream` point to: `next_in`",
                "    `private` lists those that are NULL at the start and the library's own from then on, `read` strings that it sets; a `field` moves along a buffer",
                "8:12 [\"beginn*\"] no isolated function `beginn*` takes a `stream`",
                "8:39 [\"ende\"] no isolated function `ende` takes a `stream`",
                "    did you mean `end`?",
                "9:7 [next] `stream` has no field `next`",
                "    did you mean `next_in`?",
            ],
        );
    }

    #[test]
    fn what_does_not_fit() {
        check(
            "create = { begin = \"end\" }\nprivate = [\"next_in\", \"state\", \"hook\"]\nread = [\"avail_in\", \"total\", \"state\", \"msg\"]",
            &[
                "10:21 [\"total\"] `total` is neither a number nor a string",
                "10:30 [\"state\"] `state` is neither a number nor a string",
                "10:39 [\"msg\"] `stream` has no field `msg`",
            ],
        );
        check(
            &format!(
                "create = {{ begin = \"work\" }}\nfield.next_in = {{ dir = \"in\", left = \"total\", fn = [\"version\"] }}\n{PRIVATE}"
            ),
            &[
                "8:20 [\"work\"] `work` cannot end it when it is dropped",
                "    that takes a function of the same domain with no other parameter",
                "9:38 [\"total\"] `total` is not an integer",
            ],
        );
    }
}
