//! What the wrapper returns, and where the code around the call needs it.

use super::{Call, Outcome, Stored};
use crate::{
    contract::{Contract, Dir, expr::Expr as Length},
    plan::Role,
    wrap::function,
};

/// How to reconstruct the number that C returned when the function did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// It always has this value.
    Always(i64),
    /// It is the count of elements that were written.
    Count,
    /// The wrapper returns it.
    Returned,
}

/// One part of what the wrapper returns.
pub(super) enum Part<'c> {
    Returned,
    /// A count of elements that the direct call returned as its result.
    Count,
    /// A count that the direct call did not return.
    Ignored,
    To {
        place: Outcome<'c>,
        /// A name to bind it to.
        name: &'static str,
        /// The place has another type than `usize`, so the count is cast.
        converts: bool,
        /// The place is an `Option`, and the wrapper's result is not.
        in_some: bool,
    },
}

impl<'c> Call<'c> {
    /// How the number that C returns is made from the wrapper's result, if the wrapper reports failure by an `Err`.
    pub(super) fn code(&self) -> Option<Code> {
        let function = self.wrapper.function;
        let failing = function.failing.as_ref()?;
        Some(match failing.error.leaves_one_value() {
            Some(value) => Code::Always(value),
            None if function.is_told_otherwise() => Code::Count,
            None => Code::Returned,
        })
    }

    /// The parts of the wrapper's result, in order; `None` if a part is not understood.
    pub(super) fn results(&self) -> Option<Vec<Part<'c>>> {
        let function = self.wrapper.function;
        let mut parts = Vec::new();
        if let Some(ret) = &function.ret {
            match ret.decision.contract() {
                Some(Contract::Value) if function.is_told_otherwise() => {}
                Some(Contract::Value) => parts.push(Part::Returned),
                Some(Contract::Handle { .. }) if self.handles.created(self.at()).is_some() => {
                    parts.push(Part::Returned)
                }
                _ => return None,
            }
        }
        let cell_of = |len: &Length| match len {
            Length::Deref(cell) => function.params.iter().position(|param| param.name == *cell),
            _ => None,
        };
        for (index, param) in function.params.iter().enumerate() {
            match param.decision.contract()? {
                Contract::Buf { dir: Dir::Out | Dir::Inout, written: Some(written), .. } => match cell_of(written) {
                    Some(cell) => parts.push(self.counter(cell, "written")?),
                    // The count is computed from several values, and the wrapper does not return the cell itself.
                    None if written.leaves().iter().any(|leaf| matches!(leaf, Length::Deref(_))) => return None,
                    None if self.code() == Some(Code::Count) && *written == Length::Ret => parts.push(Part::Count),
                    None => parts.push(Part::Ignored),
                },
                _ if matches!(param.role, Role::CellOf(_)) && !function::counted(function, &param.name) => {
                    parts.push(self.counter(index, "len")?);
                }
                Contract::Obj { dir: Dir::Out, .. } if function.is_count(&param.name) => {}
                Contract::Obj { dir: Dir::Out, .. } => {
                    let place = *self.outcomes.get(&index)?;
                    parts.push(Part::To { place, name: "value", converts: false, in_some: false });
                }
                Contract::Handle { dir: Dir::Out, .. } => {
                    let place = *self.outcomes.get(&index)?;
                    let Outcome::Assign(local) = place else { return None };
                    let in_some = self.handles.out_param(local)? == Stored::InSome;
                    parts.push(Part::To { place, name: "object", converts: false, in_some });
                }
                _ => {}
            }
        }
        let is_unit = self.wrapper.ret == "()";
        let is_tuple = self.wrapper.ret.starts_with('(') && !is_unit;
        // Parts that were not understood, such as a returned object, make the numbers differ.
        (is_tuple == (parts.len() > 1) && is_unit == parts.is_empty()).then_some(parts)
    }

    /// A count that is stored where the parameter at `index` points to.
    fn counter(&self, index: usize, name: &'static str) -> Option<Part<'c>> {
        let converts = !self.params()[index].shape.pointee().is_some_and(|(_, counter)| counter.is_usize());
        Some(Part::To { place: *self.outcomes.get(&index)?, name, converts, in_some: false })
    }
}
