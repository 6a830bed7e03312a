//! Turns a pointer and its length into a slice.

use super::{Argument, Call};
use crate::{
    contract::{
        Dir,
        expr::Expr as Length,
        number::{self, Number},
        shape::Shape,
    },
    plan::{ParamPlan, Role},
    wrap::sites::{
        argument::{self, Pointer},
        holds::Holds,
    },
};
use syn::Expr;

impl<'c> Call<'c> {
    pub(super) fn buffer(
        &self,
        index: usize,
        expr: &'c Expr,
        dir: Dir,
        len: &Length,
        nullable: bool,
    ) -> Result<Argument, String> {
        let param = &self.params()[index];
        let name = &param.name;
        let (of, start, cast) = match self.pointer(expr) {
            Pointer::Into { of, start, cast } => (of, start, cast),
            Pointer::Null if nullable => return self.nothing(name, len),
            Pointer::Null => return Err(format!("`{name}` is NULL here, and the policy says that it never is")),
            _ => match self.behind_helper(expr).filter(|_| dir == Dir::In) {
                Some(of) => (of, None, true),
                None => {
                    return Err(format!("`{name}`: nothing says which slice `{}` points into", self.source.of(expr)));
                }
            },
        };
        let holds = self.holds(of);
        let text = self.source.of(of);
        match (element(param), holds.element()) {
            // Without a cast the compiler has checked the element type, whatever its alias is called.
            (Some(wanted), Some(has)) if !number::are_same(&wanted, has) && (cast || Number::named(has).is_some()) => {
                return Err(format!("`{name}` takes a slice of `{wanted}`, and `{text}` has `{has}`"));
            }
            // Without the cast, an element type that is not written would be inferred differently.
            (_, None) if cast => {
                return Err(format!(
                    "`{text}` is cast, and nothing here says what its elements are: write it, as in `vec![0u8; …]`"
                ));
            }
            _ => {}
        }
        let mut bound = self.bound(param, len, of, start)?;
        let writes = dir != Dir::In;
        let spare = self.spare_capacity(index).filter(|_| !matches!(bound, Bound::Len));
        let given = self.length(len).and_then(|argument| argument::length(argument));
        if spare.as_ref().zip(given).is_some_and(|(spare, length)| spare.is_length(self, length)) {
            bound = Bound::Len;
        }
        // A `Vec` may have more capacity than its length says. A slice of it would be shorter than the buffer of the
        // direct call.
        let may_be_longer = matches!(holds, Holds::Vec { .. }) || !holds.is_slice();
        if writes && !matches!(bound, Bound::Len) && may_be_longer && spare.is_none() {
            return Err(format!(
                "it is not clear that `{text}` is initialised for its whole length, as `vec![0; …]` is"
            ));
        }
        if writes && holds == Holds::Text {
            return Err(format!("`{text}` is text, which no wrapper writes to"));
        }
        let array = match len {
            Length::Int(count) => Some(*count),
            _ => None,
        };
        if let Some(count) = array {
            let is_array = matches!(&holds, Holds::Owner { length: Some(length), .. } if *length == count.to_string());
            if !is_array || start.is_some() {
                return Err(format!("`{name}` takes an array of {count}, and nothing here says that `{text}` is one"));
            }
        }
        // `add` and an index take no other type.
        let start = start.map(|start| argument::as_usize(self.source, start, true));
        let ranges = match (&start, &bound) {
            (None, Bound::Len | Bound::Whole) => String::new(),
            (None, Bound::To(end)) => format!("[..{end}]"),
            (Some(start), Bound::Len | Bound::Whole) => format!("[{start}..]"),
            (Some(start), Bound::To(end)) => format!("[{start}..][..{end}]"),
        };
        let mutable = if writes { "mut " } else { "" };
        let slice = match (&holds, ranges.is_empty()) {
            // For `out: &mut Vec<T>`, `&mut out` would be a `&mut &mut Vec<T>`.
            (Holds::Owner { .. } | Holds::Vec { .. }, true) if array.is_none() && self.is_reference(of) => {
                match nullable || writes {
                    true => format!("&{mutable}{text}[..]"),
                    false => text.to_owned(),
                }
            }
            // A `&mut` slice cannot be moved out of a field behind `&mut self`, so it is reborrowed.
            (Holds::Slice { .. }, true) if writes && nullable && argument::is_field(of) => format!("&mut {text}[..]"),
            (Holds::Text, true) => format!("{text}.as_bytes()"),
            (Holds::Text, false) => format!("&{text}.as_bytes(){ranges}"),
            (Holds::Slice { .. }, true) => text.to_owned(),
            (Holds::Unknown, true) if writes => format!("&mut {text}[..]"),
            _ => format!("&{mutable}{text}{ranges}"),
        };
        Ok(Argument::Text(if nullable { format!("Some({slice})") } else { slice }))
    }

    /// The argument that is the length.
    fn length(&self, len: &Length) -> Option<&'c Expr> {
        let Length::Name(name) = len else { return None };
        self.argument(self.params().iter().position(|param| param.name == *name)?)
    }

    /// NULL becomes `None`, for which the wrapper passes the length 0.
    fn nothing(&self, name: &str, len: &Length) -> Result<Argument, String> {
        let hidden =
            |param: &ParamPlan| matches!(len, Length::Name(name) if *name == param.name && param.role != Role::Caller);
        let length = self.params().iter().position(hidden).and_then(|index| self.argument(index));
        // A length that cannot be evaluated elsewhere is reported where that argument is read.
        match length.and_then(argument::length).filter(|length| !argument::is_literal_zero(length)) {
            Some(length) => {
                let length = self.source.of(length);
                Err(format!(
                    "`{name}` is NULL here with the length `{length}`, but the wrapper passes length 0 for `None`"
                ))
            }
            None => Ok(Argument::Text("None".to_owned())),
        }
    }

    /// How much of a slice is passed.
    fn bound(&self, param: &ParamPlan, len: &Length, of: &Expr, start: Option<&Expr>) -> Result<Bound, String> {
        let position = |name: &str| self.params().iter().position(|param| param.name == name);
        let (name, cell) = match len {
            Length::Name(name) => (name, false),
            Length::Deref(name) => (name, true),
            // Other arguments determine the length, and the wrapper checks the slice against them.
            _ => return Ok(Bound::Whole),
        };
        let Some(index) = position(name) else { return Ok(Bound::Whole) };
        if matches!(self.params()[index].role, Role::Caller) {
            return Ok(Bound::Whole);
        }
        let Some(argument) = self.argument(index) else { return Ok(Bound::Whole) };
        let text = self.source.of(argument);
        let declared = &self.params()[index].shape;
        let is_usize = match cell {
            false => declared.is_usize() && argument::length(argument).is_some_and(|length| same(length, argument)),
            true => {
                let is_plain = matches!(argument::without_parens(argument), Expr::Reference(_));
                is_plain && declared.pointee().is_some_and(|(_, counter)| counter.is_usize())
            }
        };
        let length = match cell {
            false => argument::length(argument),
            true => match argument::pointer(argument) {
                Pointer::To { place } => Some(place),
                _ => None,
            },
        };
        let Some(length) = length else {
            return Err(format!("`{}`: nothing says how `{text}` is the length of `{}`", param.name, param.name));
        };
        if argument::may_be_sentinel(length) {
            return Err(format!("`{text}` is no length"));
        }
        let holds = |expr: &Expr| self.holds(expr);
        let is_all = match start {
            None if let Some((whole, start)) = argument::rest(of)
                && argument::is_rest_of(self.source, length, whole, start, &holds) =>
            {
                true
            }
            None => argument::is_length_of(self.source, length, of, &holds),
            Some(start) => argument::is_rest_of(self.source, length, of, start, &holds),
        };
        if is_all {
            return Ok(Bound::Len);
        }
        let is_part = start.is_some() || matches!(of, Expr::Index(_));
        if is_part && argument::mentions(self.source, length, of) {
            let (of, length) = (self.source.of(of), self.source.of(length));
            return Err(format!(
                "`{length}` borrows `{of}` while a part of it is borrowed: store it in a variable first"
            ));
        }
        Ok(Bound::To(argument::as_usize(self.source, length, is_usize)))
    }
}

/// Whether two expressions are the same node, apart from parentheses.
fn same(one: &Expr, other: &Expr) -> bool {
    std::ptr::eq(argument::without_parens(one), argument::without_parens(other))
}

/// How much of a slice is passed.
enum Bound {
    /// All of it, or all from `start` on: the call passes `len()`.
    Len,
    /// All of it: other arguments determine its length.
    Whole,
    To(String),
}

/// The name of the element type of the wrapper's slice, if it has one.
pub(super) fn element(param: &ParamPlan) -> Option<String> {
    match (param.shape.pointee(), &param.shown_as) {
        (Some((_, to)), _) if to.is_raw() => Some("u8".to_owned()),
        (_, Some(ty)) => Some(ty.clone()),
        (Some((_, Shape::Int(Some(name)) | Shape::Float(name))), _) => Some(name.clone()),
        _ => None,
    }
}
