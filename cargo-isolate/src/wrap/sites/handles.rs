//! Raw pointers to objects of the library that the program stores in a private field or a local. If every use of such a
//! pointer goes through wrappers, the pointer becomes the handle that the wrappers take. Its type, its origins and all
//! of its uses change together, or none of them does.
//!
//! ```text
//! fields and locals ─► uses (of each) ─► text (their replacements) ─► the calls, read with these replacements
//! ```

mod field;
mod local;
mod must_end;
mod names;
mod shape;
mod text;
mod uses;
mod walk;

use super::{
    argument::without_parens,
    failure,
    finder::Found,
    source::{Edit, Source, range},
    wrappers::Wrapper,
};
use crate::graph::SourceFile;
use field::Field;
pub(super) use must_end::may_leave;
use names::Names;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use syn::Expr;
use uses::Uses;

/// A position: line and column.
pub(super) type At = (u32, u32);

/// Looks up the wrapper of the call at a position; `None` if that call is not one to rewrite.
pub(super) type WrapperAt<'w> = &'w dyn Fn(At) -> Option<&'w Wrapper<'w>>;

/// A file whose pointers may become handles.
pub(super) struct InFile<'s> {
    pub(super) source: &'s Source,
    /// The direct calls of the file.
    pub(super) found: &'s BTreeMap<At, Found<'s>>,
    pub(super) wrapper: WrapperAt<'s>,
    /// The value of an integer constant, as seen from the wrapper's function.
    pub(super) constant: &'s dyn Fn(&Wrapper<'_>, &str) -> Option<i64>,
}

impl InFile<'_> {
    /// The code that runs only after the call at a position has failed.
    fn failed(&self, at: At) -> Vec<Range<usize>> {
        let (Some(wrapper), Some(found)) = ((self.wrapper)(at), self.found.get(&at)) else { return Vec::new() };
        let (Some(failing), Some(function)) = (&wrapper.function.failing, found.function) else { return Vec::new() };
        let constant = |name: &str| (self.constant)(wrapper, name);
        failure::regions(self.source, &function, found.call, &failing.error, &constant).failed
    }
}

/// The pointers of one file that can become handles.
#[derive(Default)]
pub(super) struct Handles {
    conversions: Vec<Conversion>,
}

/// One pointer that becomes a handle, with the locals that are moved into it.
struct Conversion {
    /// The replacements of arguments, by the byte where they begin.
    arguments: BTreeMap<usize, HandleArgument>,
    /// Locals that receive the object through an out-parameter, by the byte where the local is named.
    out_params: BTreeMap<usize, Stored>,
    /// Calls that return the object, by position.
    created: BTreeMap<At, Stored>,
    /// Calls that destroy the object, and whether they are in `drop`, where their result is ignored.
    destroyed: BTreeMap<At, bool>,
    /// All calls that must be rewritten for this conversion to be correct.
    calls: BTreeSet<At>,
    edits: Vec<Edit>,
}

/// How the wrapper's result becomes the value that the program stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// Unchanged: the result is an `Option` already.
    AsIs,
    /// In `Some(…)`: the result is the object, and an `Option` is stored.
    InSome,
}

/// A handle as the argument of a call.
#[derive(Clone, Debug)]
pub(super) struct HandleArgument {
    /// The place expression that holds the handle: `self.parser`.
    pub(super) place: String,
    /// The place is an `Option`.
    pub(super) optional: bool,
    /// The handle is an `Owned`, which destroys the object when it is dropped.
    pub(super) owned: bool,
    /// Nothing uses the handle after the call.
    pub(super) last: bool,
    /// The called function is the one by which an `Owned` destroys the object.
    pub(super) is_end: bool,
}

impl Handles {
    /// Finds the convertible pointers of a file. `below`: the other files that can see its private items.
    pub(super) fn new(file: &InFile<'_>, below: &[&SourceFile]) -> Handles {
        let source = file.source;
        let is_elsewhere = |field: &Field<'_>| {
            let mut texts = below.iter().filter_map(|other| other.text().ok());
            texts.any(|text| field.may_be_used_in(text))
        };
        let fields = field::fields(source).into_iter().filter(|field| !is_elsewhere(field));
        let names = Names::new(&source.file);
        let of_fields = fields.filter_map(|field| Uses::of_field(source, &names, field));
        let mut conversions: Vec<_> = of_fields.filter_map(|uses| text::conversion(file, &uses)).collect();
        let of_locals = Uses::of_locals(source, &names);
        conversions.extend(of_locals.iter().filter_map(|uses| text::conversion(file, uses)));
        Handles { conversions }
    }

    /// The handle that replaces an argument.
    pub(super) fn argument(&self, expr: &Expr) -> Option<&HandleArgument> {
        let at = range(without_parens(expr)).start;
        self.conversions.iter().find_map(|conversion| conversion.arguments.get(&at))
    }

    /// How the result is stored in a local that receives it through an out-parameter.
    pub(super) fn out_param(&self, place: &Expr) -> Option<Stored> {
        self.conversions.iter().find_map(|conversion| conversion.out_params.get(&range(place).start)).copied()
    }

    /// How the result of the call at a position is stored, if the call returns such an object.
    pub(super) fn created(&self, at: At) -> Option<Stored> {
        self.conversions.iter().find_map(|conversion| conversion.created.get(&at)).copied()
    }

    /// Whether the call at a position destroys such an object. `Some(true)`: in `drop`.
    pub(super) fn destroys(&self, at: At) -> Option<bool> {
        self.conversions.iter().find_map(|conversion| conversion.destroyed.get(&at)).copied()
    }

    /// The calls that must be rewritten for the conversions.
    pub(super) fn required_calls(&self) -> impl Iterator<Item = At> + '_ {
        self.conversions.iter().flat_map(|conversion| &conversion.calls).copied()
    }

    /// Gives up the conversions that require one of these calls.
    pub(super) fn give_up(&mut self, calls: &BTreeSet<At>) {
        self.conversions.retain(|conversion| conversion.calls.is_disjoint(calls));
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = Edit> + '_ {
        self.conversions.iter().flat_map(|conversion| &conversion.edits).cloned()
    }
}
