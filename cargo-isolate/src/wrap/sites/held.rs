//! Pointers to objects of the library that the program keeps, in a private field or a local: where all that is done with one goes
//! through wrappers, it becomes the handle that they take, its type, where it comes from and every use together, or nothing.
//!
//! ```text
//! fields and locals ─► uses (what is done with each) ─► text (what takes their place) ─► calls that are read with that
//! ```

mod field;
mod local;
mod names;
mod shape;
mod text;
mod uses;
mod walk;
mod way;

use super::{
    argument::without_parens,
    failure,
    finder::Found,
    source::{Edit, Source, range},
    wrappers::Wrapper,
};
use crate::graph::SourceFile;
use field::Field;
use names::Names;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use syn::Expr;
use uses::Uses;
pub(super) use way::may_leave;

/// Where something stands: line and column.
pub(super) type At = (u32, u32);

/// Gives the wrapper of the call at a place, if that is one to rewrite.
pub(super) type WrapperAt<'w> = &'w dyn Fn(At) -> Option<&'w Wrapper<'w>>;

/// A file whose pointers may become handles.
pub(super) struct InFile<'s> {
    pub(super) source: &'s Source,
    /// Its calls.
    pub(super) found: &'s BTreeMap<At, Found<'s>>,
    pub(super) wrapper: WrapperAt<'s>,
    /// The number that a constant has, where the wrapper's function is.
    pub(super) constant: &'s dyn Fn(&Wrapper<'_>, &str) -> Option<i64>,
}

impl InFile<'_> {
    /// Where the call at a place has surely failed.
    fn failed(&self, at: At) -> Vec<Range<usize>> {
        let (Some(wrapper), Some(found)) = ((self.wrapper)(at), self.found.get(&at)) else { return Vec::new() };
        let (Some(failing), Some(function)) = (&wrapper.function.failing, found.function) else { return Vec::new() };
        let constant = |name: &str| (self.constant)(wrapper, name);
        failure::told(self.source, &function, found.call, &failing.error, &constant).failed
    }
}

/// The pointers of one file that may become handles.
#[derive(Default)]
pub(super) struct Held {
    slots: Vec<Slot>,
}

/// One of them, with the locals that it comes from.
struct Slot {
    /// What takes the place of arguments, by where they begin.
    arguments: BTreeMap<usize, Given>,
    /// Locals whose addresses are given to the functions that make the object, by where they stand.
    rooms: BTreeMap<usize, Made>,
    /// Calls that return the object.
    made: BTreeMap<At, Made>,
    /// Calls at the end of an object, and whether in `drop`, where nobody asks what they return.
    ended: BTreeMap<At, bool>,
    /// All the calls that must be rewritten for it.
    calls: BTreeSet<At>,
    edits: Vec<Edit>,
}

/// What the function that makes an object returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// An `Option` of it, as it is wanted.
    AsIs,
    /// The object, where an `Option` is wanted.
    InSome,
}

/// An argument that is such an object.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The place that holds it: `self.parser`.
    pub(super) place: String,
    /// It is an `Option`.
    pub(super) optional: bool,
    /// It is an `Owned`, which ends the object when it is dropped.
    pub(super) owned: bool,
    /// Nothing uses it behind the call.
    pub(super) last: bool,
    /// The function is the one that ends it when it is dropped.
    pub(super) is_end: bool,
}

impl Held {
    /// Finds them in a file. `below`: other files, which see the private items of this one.
    pub(super) fn new(file: &InFile<'_>, below: &[&SourceFile]) -> Held {
        let source = file.source;
        let is_elsewhere = |field: &Field<'_>| {
            let mut texts = below.iter().filter_map(|other| other.text().ok());
            texts.any(|text| field.may_be_used_in(text))
        };
        let fields = field::fields(source).into_iter().filter(|field| !is_elsewhere(field));
        let names = Names::new(&source.file);
        let of_fields = fields.filter_map(|field| Uses::of_field(source, &names, field));
        let mut slots: Vec<_> = of_fields.filter_map(|uses| text::slot(file, &uses)).collect();
        let of_locals = Uses::of_locals(source, &names);
        slots.extend(of_locals.iter().filter_map(|uses| text::slot(file, uses)));
        Held { slots }
    }

    /// The one that an expression is, which a function is given.
    pub(super) fn argument(&self, expr: &Expr) -> Option<&Given> {
        let at = range(without_parens(expr)).start;
        self.slots.iter().find_map(|slot| slot.arguments.get(&at))
    }

    /// The one that an object is stored in.
    pub(super) fn room(&self, place: &Expr) -> Option<Made> {
        self.slots.iter().find_map(|slot| slot.rooms.get(&range(place).start)).copied()
    }

    /// The call at a place returns one.
    pub(super) fn made(&self, at: At) -> Option<Made> {
        self.slots.iter().find_map(|slot| slot.made.get(&at)).copied()
    }

    /// The call at a place is the last one with an object; `Some(true)`: in `drop`.
    pub(super) fn ends(&self, at: At) -> Option<bool> {
        self.slots.iter().find_map(|slot| slot.ended.get(&at)).copied()
    }

    /// The calls that they need rewritten.
    pub(super) fn calls(&self) -> impl Iterator<Item = At> + '_ {
        self.slots.iter().flat_map(|slot| &slot.calls).copied()
    }

    /// Drops those that need one of these calls.
    pub(super) fn leave(&mut self, calls: &BTreeSet<At>) {
        self.slots.retain(|slot| slot.calls.is_disjoint(calls));
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = Edit> + '_ {
        self.slots.iter().flat_map(|slot| &slot.edits).cloned()
    }
}
