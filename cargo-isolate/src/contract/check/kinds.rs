//! What goes by value, by reference and in buffers.

use super::{Checker, Contract, Dir, Subject, When, reason};
use crate::{
    contract::{Lasting, expr::Expr, object::Slice, shape::Shape},
    policy::{PolicyError, Spanned, model::FixedWord},
};
use std::ops::Range;

impl<'c> Checker<'c> {
    pub(super) fn value(&mut self, shape: &Shape) -> Option<Contract> {
        let returned = self.is_returned();
        match shape {
            Shape::Pointer { .. } => self.wrong_kind("is a pointer, and `value` is for what is not"),
            Shape::Function(_) => self.wrong_kind("is a callback, for which no wrappers are generated yet"),
            Shape::Unknown { .. } | Shape::Int(None) if self.words.ty.is_some() => Some(Contract::Value),
            Shape::Unknown { .. } | Shape::Int(None) => {
                self.wrong_kind("is of a type that is not known: add `ty`, the number type that it is")
            }
            Shape::Bool | Shape::Enum { copy: true, .. } if !returned => Some(Contract::Value),
            shape if returned && shape.bits().is_some() => Some(Contract::Value),
            Shape::Void if returned => Some(Contract::Value),
            shape => match shape.hindrance() {
                // Nothing that comes out of a domain is believed to be a valid `bool` or enum.
                Some(why) => self.wrong_kind(&format!("cannot cross by value: {}", reason(&why))),
                None => Some(Contract::Value),
            },
        }
    }

    pub(super) fn null(&mut self, shape: &Shape) -> Option<Contract> {
        match shape {
            _ if shape.is_reference() => self.wrong_kind("is declared as a reference, which is never NULL"),
            Shape::Function(function) if !function.nullable => {
                self.wrong_kind("is a function pointer without `Option`, which is never NULL")
            }
            Shape::Pointer { .. } | Shape::Function(_) if !self.is_returned() => Some(Contract::Fixed { value: 0 }),
            _ => self.wrong_kind("is no pointer parameter, so NULL cannot be passed for it"),
        }
    }

    pub(super) fn fixed(&mut self, shape: &Shape) -> Option<Contract> {
        let Some(value) = &self.words.value else {
            self.error(self.at.clone(), "nothing says which value is passed")
                .help("add `value = -1`, or whatever it is")
                .push(self.errors);
            return None;
        };
        let (at, value) = (
            value.span(),
            match value.get_ref() {
                FixedWord::Number(value) => *value,
                FixedWord::Text(text) => {
                    let (at, text) = (value.span(), text.clone());
                    return self.fixed_text(shape, at, text);
                }
            },
        );
        match shape {
            _ if self.is_returned() => self.wrong_kind("is returned, and `fixed` is for parameters"),
            _ if shape.is_reference() => self.wrong_kind("is declared as a reference: it must point to a value"),
            Shape::Pointer { .. } | Shape::Function(_) if value == 0 => {
                self.error(at, "an address of 0 is NULL").help("say `kind = \"null\"`").push(self.errors);
                None
            }
            Shape::Int(Some(_)) | Shape::Char | Shape::Pointer { .. } | Shape::Function(_) => {
                Some(Contract::Fixed { value })
            }
            _ => self.wrong_kind("is neither an integer nor an address"),
        }
    }

    /// A string that is always the same: a format, mostly.
    fn fixed_text(&mut self, shape: &Shape, at: Range<usize>, value: String) -> Option<Contract> {
        if let (Shape::Int(Some(_)), Some(name)) = (shape, size_of(&value)) {
            return self.size(at, name);
        }
        if self.is_returned() || !shape.pointee().is_some_and(|(_, to)| to.is_byte()) {
            return self.wrong_kind("is no parameter that points to characters");
        }
        if value.contains('\0') {
            self.errors.push(PolicyError::new(at, "a string of C ends at its first NUL"));
            return None;
        }
        Some(Contract::Text { value })
    }

    /// The size of a struct that the function has a pointer to.
    fn size(&mut self, at: Range<usize>, name: &str) -> Option<Contract> {
        let structs = self.signature.params.iter().filter_map(|param| match param.shape.pointee() {
            Some((_, Shape::Struct { path, .. })) => Some(path),
            _ => None,
        });
        let of = structs.clone().find(|path| path.name == name).cloned();
        if of.is_none() {
            let mut error = PolicyError::new(at, format!("no parameter points to a struct `{name}`"));
            if let Some(path) = structs.clone().next() {
                error = error.help(format!("such as `sizeof({})`", path.name));
            }
            self.errors.push(error);
        }
        Some(Contract::Size { of: of? })
    }

    pub(super) fn obj(&mut self, shape: &Shape) -> Option<Contract> {
        if let Some(of) = &self.words.inner_of {
            return self.inner(of, shape);
        }
        self.only("obj", &["dir", "null"]);
        if self.is_returned() {
            let is_struct = matches!(shape.pointee(), Some((_, Shape::Struct { .. })));
            return self.wrong_kind(match is_struct {
                true => {
                    "is returned, and `obj` is for parameters: say `handle`, and read its fields by `[struct.NAME]`"
                }
                false => "is returned, and `obj` is for parameters: say `buf` with `len = \"1\"`",
            });
        }
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        let dir = self.dir(if mutable { Dir::Inout } else { Dir::In });
        let nullable = self.nullable();
        self.writable(dir, mutable)?;
        // What is only read need not be a value when it comes back: it does not.
        let is_read = dir == Dir::In && !mutable && to.is_flat();
        if let Some(why) = to.hindrance().filter(|_| !is_read) {
            let message = format!("`{to}` cannot be copied to and from a domain: {}", reason(&why));
            self.error(self.at.clone(), message).push(self.errors);
            return None;
        }
        if nullable && dir == Dir::Out {
            return self.no_effect_of_null();
        }
        Some(Contract::Obj { dir, nullable })
    }

    pub(super) fn buf(&mut self, shape: &Shape) -> Option<Contract> {
        if let Some(slice) = self.scope.objects.slice(shape) {
            return self.slice(shape, slice);
        }
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        match (self.is_returned(), to.pointee()) {
            (true, _) => return self.given(to),
            (false, Some((_, to))) => return self.given_out(mutable, to),
            (false, None) => self.only("buf", &["dir", "len", "cap", "end", "written", "null", "until"]),
        }
        let dir = self.dir(if mutable { Dir::Inout } else { Dir::In });
        let nullable = self.nullable();
        self.writable(dir, mutable)?;
        self.elements(to)?;
        let len = match &self.words.end {
            Some(end) => self.end(end, to),
            None => self.bound(dir),
        };
        let written = match &self.words.written {
            Some(written) if dir == Dir::In => {
                self.error(written.span(), "nothing is written to an `in` buffer").push(self.errors);
                return None;
            }
            Some(written) => Some(self.expr(written, When::After)?),
            // What is `out` is wholly written; of what is `inout` the rest keeps its value anyway.
            None => None,
        };
        let until = self.until(dir)?;
        Some(Contract::Buf { dir, len: len?, written, nullable, until })
    }

    /// A struct of a pointer and a length.
    fn slice(&mut self, shape: &Shape, slice: &Slice) -> Option<Contract> {
        let name = &slice.path.name;
        let help = format!("remove it: `[struct.{name}]` says how long it is");
        self.only_of(&format!("a slice in a struct, which `{name}` is"), &help, &["dir", "null"]);
        if self.is_returned() {
            return self.wrong_kind(&format!("is returned: say `handle`, and read it with `{name}::of`"));
        }
        if !slice.copy {
            return self.wrong_kind(&format!("cannot be filled in: `{name}` is not `Copy`"));
        }
        let mutable = shape.is_mutable();
        if slice.position.is_some() {
            return self.progress(mutable, slice);
        }
        if self.words.dir.is_none() && mutable {
            self.dir_error("nothing says which way the slice goes: `dir` is \"in\", \"out\" or \"inout\"");
            return None;
        }
        let dir = self.dir(Dir::In);
        let nullable = self.nullable();
        if dir != Dir::In && !mutable {
            self.dir_error(&format!("`{}` is no `*mut`, so it can only be `in`", self.subject_name()));
            return None;
        }
        if nullable && (dir != Dir::In || shape.pointee().is_none()) {
            let at = self.at_null();
            self.errors.push(PolicyError::new(at, "only a pointer to a slice that goes `in` may be NULL"));
            return None;
        }
        Some(Contract::Slice { dir, slice: Box::new(slice.clone()), nullable })
    }

    /// A struct of a pointer, a length and a position.
    fn progress(&mut self, mutable: bool, slice: &Slice) -> Option<Contract> {
        if !mutable {
            return self.wrong_kind("is no `*mut`: the library could not say how far it has got");
        }
        let dir = self.dir(slice.progresses());
        if dir == Dir::Inout {
            self.dir_error("a slice with a position is read (`in`) or written (`out`)");
            return None;
        }
        if self.nullable() {
            let at = self.at_null();
            self.errors.push(PolicyError::new(at, "a slice with a position is always there"));
            return None;
        }
        Some(Contract::Progress { dir, slice: Box::new(slice.clone()) })
    }

    /// How long a buffer is that ends where another parameter points.
    fn end(&mut self, end: &Spanned<String>, to: &Shape) -> Option<Expr> {
        if let Some(other) = self.words.len.as_ref().or(self.words.cap.as_ref()) {
            self.error(other.span(), "`end` says how long it is").help("remove one of them").push(self.errors);
            return None;
        }
        let name = end.get_ref();
        let found = self.signature.params.iter().position(|param| param.name == *name);
        let Some(index) = found else {
            let names: Vec<_> = self.signature.params.iter().map(|param| &*param.name).collect();
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            self.errors.push(PolicyError::new(end.span(), message).did_you_mean(name, names));
            return None;
        };
        let shape = &self.signature.params[index].shape;
        let is_end = shape.pointee().is_some_and(|(_, other)| other == to) && !shape.is_reference();
        if !is_end || matches!(self.subject, Subject::Param(start) if start == index) {
            let message = format!("`{name}` cannot point to the end of `{}`", self.subject_name());
            let error = PolicyError::new(end.span(), message).label(format!("it is declared `{shape}`"));
            self.errors.push(error.help(format!("another parameter, a pointer to the same: `{to}`")));
            return None;
        }
        Some(Expr::End(name.clone()))
    }

    /// How long a buffer is by its `len` or `cap`.
    pub(super) fn bound(&mut self, dir: Dir) -> Option<Expr> {
        let bound = self.bound_said(dir)?;
        self.expr(bound, When::Before)
    }

    /// The words that say it.
    pub(super) fn bound_said(&mut self, dir: Dir) -> Option<&'c Spanned<String>> {
        let bound = match (dir, &self.words.len, &self.words.cap) {
            (Dir::Out, Some(len), _) => {
                self.error(len.span(), "an `out` buffer has no length before the call")
                    .help("say `cap = \"…\"`: how many elements it has room for")
                    .push(self.errors);
                return None;
            }
            (Dir::In, _, Some(cap)) => {
                self.error(cap.span(), "an `in` buffer has no capacity")
                    .help("say `len = \"…\"`: how many elements the function reads")
                    .push(self.errors);
                return None;
            }
            (Dir::Inout, Some(_), Some(cap)) => {
                self.error(cap.span(), "`len` and `cap` say the same of an `inout` buffer")
                    .help("remove one")
                    .push(self.errors);
                return None;
            }
            (_, Some(bound), _) | (_, _, Some(bound)) => bound,
            (_, None, None) => {
                let word = if dir == Dir::Out { "cap" } else { "len" };
                self.error(self.at.clone(), format!("nothing says how long `{}` is", self.subject_name()))
                    .help(format!(
                        "add `{word} = \"…\"`: a parameter, `*parameter`, a number, or an expression of those; or `end`, the parameter that points behind it"
                    ))
                    .push(self.errors);
                return None;
            }
        };
        Some(bound)
    }

    /// A buffer comes out of a parameter: `unsigned char **out`.
    fn given_out(&mut self, mutable: bool, to: &Shape) -> Option<Contract> {
        if self.dir(Dir::Out) != Dir::Out || !mutable {
            self.dir_error("through a pointer to a pointer a buffer comes out: say `dir = \"out\"`");
            return None;
        }
        self.given(to)
    }

    /// A buffer of the library, which is copied, and freed if it was given away.
    fn given(&mut self, to: &Shape) -> Option<Contract> {
        self.only("buf", &["dir", "len", "null", "own", "free"]);
        let dir = self.given_dir()?;
        if !to.is_element() {
            return self.wrong_kind("does not point to numbers or bytes");
        }
        let nullable = self.nullable();
        let free = self.free_memory(to);
        let Some(len) = &self.words.len else {
            self.error(self.at.clone(), format!("nothing says how long `{}` is", self.subject_name()))
                .help("add `len = \"…\"`: `ret`, `*parameter`, or a function that tells it, as in `len = \"sqlite3_column_bytes(stmt, column)\"`")
                .push(self.errors);
            return None;
        };
        let len = self.expr(len, When::After)?;
        Some(Contract::Given { dir, len, nullable, free: free? })
    }

    /// Whether it comes out of a parameter or is returned.
    fn given_dir(&mut self) -> Option<Dir> {
        if !self.is_returned() {
            return Some(Dir::Out);
        }
        if self.words.dir.is_some() {
            self.dir_error("a return value has no direction");
            return None;
        }
        Some(Dir::In)
    }

    fn elements(&mut self, to: &Shape) -> Option<()> {
        if matches!(to, Shape::Void) {
            return Some(());
        }
        if *to == Shape::Int(None) && self.words.ty.is_none() {
            self.wrong_kind("leads to numbers of a type that is not known: add `ty`, the number type that it is");
            return None;
        }
        let why = match to.hindrance() {
            None => return Some(()),
            Some(why) => why,
        };
        let message = format!("elements of type `{to}` cannot be copied to and from a domain: {}", reason(&why));
        let words = self.scope.objects.likely_slice(self.shape());
        let error = PolicyError::new(self.at.clone(), message);
        self.errors.push(match words {
            Some(words) => error.help(format!("if it is a slice, {words} says so")),
            None => error,
        });
        None
    }

    pub(super) fn cstr(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("cstr", &["dir", "null", "own", "free", "until"]);
        let nullable = self.nullable();
        let pointee = shape.pointee();
        let comes_out = match pointee {
            Some((_, to)) => self.is_returned() || to.pointee().is_some(),
            None => false,
        };
        let text = pointee.map(|(_, to)| to.pointee().map_or(to, |(_, to)| to));
        let Some(text) = text.filter(|text| text.is_byte()) else {
            return self.wrong_kind("does not point to characters");
        };
        if comes_out {
            if self.is_returned() && pointee.is_some_and(|(_, to)| to.pointee().is_some()) {
                return self.wrong_kind("does not point to characters");
            }
            if !self.is_returned() && !pointee.is_some_and(|(mutable, _)| mutable) {
                return self
                    .wrong_kind("points to strings that are read: say `array`, with `elem = { kind = \"cstr\" }`");
            }
            if !self.is_returned() && self.dir(Dir::Out) != Dir::Out {
                self.dir_error("through a pointer to a pointer a string comes out: say `dir = \"out\"`");
                return None;
            }
            let dir = self.given_dir()?;
            let free = self.free_memory(text)?;
            self.until(Dir::Out)?;
            return Some(Contract::Cstr { dir, nullable, free, until: Lasting::Call });
        }
        self.no_owner("cstr")?;
        let dir = self.dir(Dir::In);
        if dir == Dir::Out {
            self.dir_error("a string is read (`in`), or read and changed (`inout`)");
            return None;
        }
        self.writable(dir, pointee.is_some_and(|(mutable, _)| mutable))?;
        let until = self.until(dir)?;
        Some(Contract::Cstr { dir, nullable, free: None, until })
    }
}

/// `z_stream` of `sizeof(z_stream)`.
fn size_of(value: &str) -> Option<&str> {
    Some(value.strip_prefix("sizeof(")?.strip_suffix(')')?.trim())
}
