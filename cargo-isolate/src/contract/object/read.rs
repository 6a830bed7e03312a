//! What the policy says of one struct, against its declaration and the functions that know it.

use super::{Cursor, Field, Function, Holds, Object, Slice, structure};
use crate::{
    contract::{
        Dir,
        check::list,
        expr::{Expr, Mentioned},
        infer::sounds_like_length,
        shape::{Shape, TypePath},
        types::Types,
    },
    glob::Glob,
    policy::{PolicyError, Spanned, model},
};
use std::collections::BTreeMap;

/// Reads one struct; mistakes are appended to `errors`.
pub(super) fn object(
    name: &Spanned<String>,
    words: &model::Struct,
    path: &TypePath,
    types: &Types<'_>,
    functions: &[Function<'_>],
    errors: &mut Vec<PolicyError>,
) -> Option<Object> {
    let takes = |function: &&Function<'_>| function.params.iter().filter_map(structure).any(|taken| taken == path);
    let taking: Vec<_> = functions.iter().filter(takes).collect();
    let reader = Reader {
        name: name.get_ref(),
        words,
        fields: types.fields(path),
        private: types.private_fields(path),
        taking: &taking,
        errors,
    };
    let mut object = reader.read(name, path)?;
    let by_field = !object.create.is_empty() || !object.reads.is_empty() && object.slice.is_none();
    if by_field && types.is_packed(path) {
        let message =
            format!("`{}` is packed: its fields lie where no value of their types may be read or set", path.name);
        errors.push(
            PolicyError::new(name.span(), message)
                .help("declare it as C lays it out where it is not packed, or remove this"),
        );
        return None;
    }
    if let Some(slice) = &mut object.slice {
        slice.copy = types.is_copy(path);
    }
    Some(object)
}

/// Structs that only fields of others lead to, by name.
pub(super) fn behind<'s>(
    structs: &'s BTreeMap<Spanned<String>, model::Struct>,
    known: &BTreeMap<&str, TypePath>,
    types: &Types<'_>,
) -> BTreeMap<&'s str, TypePath> {
    let mut found: BTreeMap<&str, TypePath> = BTreeMap::new();
    // Each round finds at least one more, or is the last.
    for _ in structs {
        let seen =
            structs.keys().filter_map(|name| known.get(&**name.get_ref()).or_else(|| found.get(&**name.get_ref())));
        let fields = seen.flat_map(|path| types.fields(path));
        let paths: Vec<_> = fields.filter_map(|(_, shape)| structure(&shape).cloned()).collect();
        for name in structs.keys().map(|name| &**name.get_ref()).filter(|name| !known.contains_key(name)) {
            if let Some(path) = paths.iter().find(|path| path.name.trim_start_matches("r#") == name) {
                found.entry(name).or_insert_with(|| path.clone());
            }
        }
    }
    found
}

/// Structs with one field that points to values, one that counts them, maybe a position there, and no other: by their paths, with what
/// the policy could say of that field.
pub(super) fn likely_slices(structs: &[&TypePath], types: &Types<'_>) -> BTreeMap<TypePath, String> {
    let slice = |path: &&TypePath| {
        let fields = types.fields(path);
        let (pointers, numbers): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, shape)| shape.pointee().is_some());
        let ([(pointer, shape)], true) = (&pointers[..], numbers.iter().all(|(_, shape)| is_counter(shape))) else {
            return None;
        };
        let (positions, lengths): (Vec<_>, Vec<_>) =
            numbers.iter().map(|(name, _)| name).partition(|name| ["pos", "position"].contains(&name.as_str()));
        let position = match (&lengths[..], &positions[..]) {
            ([_], []) => String::new(),
            ([_], [position]) => format!(", position = \"{position}\""),
            _ => return None,
        };
        // `(id, options)` is no slice.
        let is_slice = shape.pointee().is_some_and(|(_, to)| to.is_element()) && sounds_like_length(lengths[0]);
        is_slice.then(|| ((*path).clone(), format!("field.{pointer} = {{ len = \"{}\"{position} }}", lengths[0])))
    };
    structs.iter().filter_map(slice).collect()
}

struct Reader<'r> {
    name: &'r str,
    words: &'r model::Struct,
    fields: Vec<(String, Shape)>,
    /// Those that wrappers cannot name.
    private: Vec<String>,
    /// Isolated functions that take a pointer to it.
    taking: &'r [&'r Function<'r>],
    errors: &'r mut Vec<PolicyError>,
}

impl Reader<'_> {
    fn read(mut self, name: &Spanned<String>, path: &TypePath) -> Option<Object> {
        let before = self.errors.len();
        let words = self.words;
        for private in &words.private {
            self.declared(private);
        }
        let create: Vec<_> = words.create.iter().filter_map(|(pattern, end)| self.create(pattern, end)).collect();
        words.field.iter().for_each(|(field, words)| self.sort(field, words));
        let cursors = words.field.iter().filter_map(|(field, words)| self.cursor(field, words)).collect();
        let mut reads: Vec<_> = words.read.iter().filter_map(|field| self.readable(field)).collect();
        let mut slice = None;
        for (field, words) in &words.field {
            let values = words.get_ref().len.as_ref().and_then(|len| self.values(field, len));
            match &words.get_ref().position {
                None => reads.extend(values),
                Some(position) => slice = values.and_then(|field| self.positioned(path, field, position)),
            }
        }
        match words.create.is_empty() {
            true => self.of_library(name),
            false => self.of_caller(name),
        }
        let slice = slice.or_else(|| self.slice(path, &reads)).filter(|_| words.create.is_empty());
        (self.errors.len() == before).then_some(Object { path: path.clone(), create, cursors, reads, slice })
    }

    /// Whoever provides the memory sets the pointers in it: each needs a word.
    fn of_caller(&mut self, name: &Spanned<String>) {
        let words = self.words;
        let said = |field: &str| {
            words.private.iter().chain(&words.read).any(|name| name.get_ref() == field)
                || words.field.keys().any(|cursor| cursor.get_ref() == field)
        };
        let open = self.fields.iter().filter(|(field, shape)| !shape.is_plain() && !said(field));
        let open: Vec<_> = open.map(|(field, _)| format!("`{field}`")).collect();
        if !open.is_empty() {
            let message = format!("nothing says what these fields of `{}` point to: {}", self.name, open.join(", "));
            self.errors.push(PolicyError::new(name.span(), message).help(
                "`private` lists those that are NULL at the start and the library's own from then on, `read` strings that it sets; a `field` moves along a buffer",
            ));
        }
    }

    /// What the library makes it sets itself: there is nothing to say but what the program reads.
    fn of_library(&mut self, name: &Spanned<String>) {
        let words = self.words;
        let cursor = words
            .field
            .values()
            .find(|field| field.get_ref().len.is_none() && field.get_ref().is_cursor())
            .map(Spanned::span);
        let at = cursor.or(words.private.first().map(Spanned::span));
        if let Some(at) = at.or((words.read.is_empty() && words.field.is_empty()).then(|| name.span())) {
            let message = format!("nothing says which functions fill a `{}`, and which end it", self.name);
            self.errors.push(PolicyError::new(at, message).help(
                "create = { \"deflateInit*\" = \"deflateEnd\" }, for one; of a struct that the library makes itself, `read` and `field` with `len` say what the program sees",
            ));
        }
    }

    /// A cursor of the program, or a buffer of the library.
    fn sort(&mut self, name: &Spanned<String>, words: &Spanned<model::Field>) {
        let model::Field { len, position, dir, left, functions } = words.get_ref();
        let (name, of_cursor) = (name.get_ref(), words.get_ref().is_cursor());
        let is_cursor = dir.is_some() && left.is_some() && !functions.is_empty();
        let message = match (len, of_cursor) {
            (Some(_), true) => {
                format!("`{name}` is a buffer of the library by its `len`, and a cursor by its other words")
            }
            (None, _) if !is_cursor || position.is_some() => format!("nothing says how much `{name}` points to"),
            _ => return,
        };
        self.errors.push(PolicyError::new(words.span(), message).help(
            "`len`: how many elements the program may read; or `dir`, `left` and `fn` of a cursor, which functions move",
        ));
    }

    /// It holds a pointer and a length, and nothing else.
    fn slice(&self, path: &TypePath, reads: &[Field]) -> Option<Slice> {
        let slice = reads.iter().find_map(|field| self.of_length(path, field))?;
        (self.fields.len() == 2).then_some(slice)
    }

    /// It holds a position as well.
    fn positioned(&mut self, path: &TypePath, field: Field, position: &Spanned<String>) -> Option<Slice> {
        let slice = self.of_length(path, &field).filter(|slice| slice.length != *position.get_ref());
        let counts = is_counter(&self.field(position)?);
        match slice {
            Some(slice) if counts && self.fields.len() == 3 && self.words.create.is_empty() => {
                Some(Slice { position: Some(position.get_ref().clone()), ..slice })
            }
            _ => {
                let message = format!(
                    "`{}` is no struct of a pointer, a length and a position, each a field, and nothing else",
                    self.name
                );
                self.errors.push(PolicyError::new(position.span(), message));
                None
            }
        }
    }

    /// The slice that a field leads to, if another field is its length.
    fn of_length(&self, path: &TypePath, field: &Field) -> Option<Slice> {
        let Holds::Values { len: Expr::Name(length) } = &field.holds else { return None };
        if field.shape.is_reference() {
            return None; // wrappers fill in pointers
        }
        let (_, counter) = self.fields.iter().find(|(name, _)| name == length)?;
        Some(Slice {
            path: path.clone(),
            pointer: field.name.clone(),
            length: length.clone(),
            elements: field.shape.clone(),
            counter: counter.clone(),
            position: None,
            copy: false,
        })
    }

    /// A field that wrappers set or read.
    fn field(&mut self, name: &Spanned<String>) -> Option<Shape> {
        let shape = self.declared(name)?;
        self.seen(name.get_ref(), name.span()).then_some(shape)
    }

    fn seen(&mut self, field: &str, at: std::ops::Range<usize>) -> bool {
        let is_private = self.private.iter().any(|private| private == field);
        if is_private {
            let message = format!("`{field}` of `{}` is private, so no wrapper can name it", self.name);
            let help = "declare the functions with a struct of your own, or make the field `pub`, where it is yours";
            self.errors.push(PolicyError::new(at, message).help(help));
        }
        !is_private
    }

    fn declared(&mut self, name: &Spanned<String>) -> Option<Shape> {
        let found = self.fields.iter().find(|(field, _)| field == name.get_ref()).map(|(_, shape)| shape.clone());
        if found.is_none() {
            let error = PolicyError::new(name.span(), format!("`{}` has no field `{}`", self.name, name.get_ref()));
            let known = self.fields.iter().map(|(field, _)| &**field);
            self.errors.push(error.did_you_mean(name.get_ref(), known));
        }
        found
    }

    /// A number, a string, or an object of the library.
    fn readable(&mut self, name: &Spanned<String>) -> Option<Field> {
        if self.words.field.contains_key(&**name.get_ref()) {
            let message = format!("`field.{}` says what the program sees of it", name.get_ref());
            self.errors.push(PolicyError::new(name.span(), message).help("remove it here"));
            return None;
        }
        let shape = self.field(name)?;
        let holds = match &shape {
            Shape::Int(None) => None,
            shape if shape.is_number() => Some(Holds::Number),
            shape => match shape.pointee().filter(|_| !shape.is_newtype()) {
                Some((_, Shape::Char)) => Some(Holds::Text),
                Some((_, Shape::Opaque(_) | Shape::Struct { .. })) => Some(Holds::Object),
                _ => None,
            },
        };
        if holds.is_none() {
            let error = PolicyError::new(
                name.span(),
                format!("`{}` is neither a number nor a string, nor an object of the library", name.get_ref()),
            );
            let is_run = shape.pointee().is_some_and(|(_, to)| to.is_element());
            let help = format!("`field.{} = {{ len = \"…\" }}` says how many elements there are", name.get_ref());
            self.errors.push(if is_run { error.help(help) } else { error });
        }
        Some(Field { name: name.get_ref().clone(), shape, holds: holds? })
    }

    /// A buffer of the library, and how long it is.
    fn values(&mut self, name: &Spanned<String>, len: &Spanned<String>) -> Option<Field> {
        let shape = self.field(name)?;
        let len = self.length(len)?;
        let holds = match shape.pointee() {
            Some((_, to)) if to.is_element() => Holds::Values { len },
            Some((_, Shape::Struct { .. })) => Holds::Objects { len },
            _ => {
                let message = format!("`{}` does not point to numbers, bytes or structs", name.get_ref());
                self.errors.push(PolicyError::new(name.span(), message));
                return None;
            }
        };
        Some(Field { name: name.get_ref().clone(), shape, holds })
    }

    /// A length that is made of fields.
    fn length(&mut self, text: &Spanned<String>) -> Option<Expr> {
        let (expr, mentions) = match Expr::parse(text.get_ref()) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.errors.push(PolicyError::new(text.span(), error.message));
                return None;
            }
        };
        let counts = |(_, shape): &&(String, Shape)| is_counter(shape);
        for mention in &mentions {
            let known: Vec<_> = self.fields.iter().filter(counts).map(|(field, _)| &**field).collect();
            let (name, message) = match &mention.what {
                Mentioned::Value(name) if known.contains(&&**name) => {
                    let name = name.clone();
                    if !self.seen(&name, text.span()) {
                        return None;
                    }
                    continue;
                }
                Mentioned::Value(name) => (&**name, format!("`{}` has no field `{name}` that counts", self.name)),
                _ => ("", "a length here is made of fields of the struct, and numbers".to_owned()),
            };
            let error = PolicyError::new(text.span(), message).help(match known.is_empty() {
                true => "a whole number, where it is always the same".to_owned(),
                false => format!("its integers: {}", list(&known)),
            });
            self.errors.push(error.did_you_mean(name, known));
            return None;
        }
        if expr.quotients() > 0 || matches!(expr, Expr::Int(..0)) {
            self.errors
                .push(PolicyError::new(text.span(), "a length here divides by numbers only, and is not below 0"));
            return None;
        }
        Some(expr)
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
        let model::Field { len: None, position: None, dir: Some(dir), left: Some(left), functions } = words.get_ref()
        else {
            return None; // a buffer, or told of already
        };
        let pointer = self.field(name)?;
        let counter = self.field(left)?;
        let elements = pointer.pointee().map(|(_, to)| to);
        if !elements.is_some_and(Shape::is_element) {
            let message = format!("`{}` does not point to numbers or bytes", name.get_ref());
            self.errors.push(PolicyError::new(at, message));
            return None;
        }
        if !is_counter(&counter) {
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

/// An integer whose type has a name.
fn is_counter(shape: &Shape) -> bool {
    matches!(shape, Shape::Int(Some(_)))
}
