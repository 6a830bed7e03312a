//! What the wrapper returns, and where the code around the call wants it.

use super::{Call, Made, Outcome};
use crate::{
    contract::{Contract, Dir, expr::Expr as Length},
    plan::Role,
    wrap::function,
};

/// Where the number that C returned is to be found when the function did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// It is always the same.
    Always(i64),
    /// It counts the elements that were written.
    Count,
    /// The wrapper returns it.
    Returned,
}

/// One part of what the wrapper returns.
pub(super) enum Part<'c> {
    Returned,
    /// What the direct call returned, as a count of elements.
    Count,
    /// A count that the direct call did not give.
    Ignored,
    To {
        place: Outcome<'c>,
        /// What it could be called.
        name: &'static str,
        /// The place is of another type than the wrapper's `usize`.
        converts: bool,
        /// It is an `Option`, and what the wrapper returns is none.
        in_some: bool,
    },
}

impl<'c> Call<'c> {
    /// Where its wrapper tells failure by an `Err`: how the number that C returns is made of what the wrapper returns.
    pub(super) fn code(&self) -> Option<Code> {
        let function = self.wrapper.function;
        let failing = function.failing.as_ref()?;
        Some(match failing.error.leaves_one_value() {
            Some(value) => Code::Always(value),
            None if function.is_told_otherwise() => Code::Count,
            None => Code::Returned,
        })
    }

    /// The parts of the wrapper's result, in their order; `None` if it is not made of what is known here.
    pub(super) fn results(&self) -> Option<Vec<Part<'c>>> {
        let function = self.wrapper.function;
        let mut parts = Vec::new();
        if let Some(ret) = &function.ret {
            match ret.decision.contract() {
                Some(Contract::Value) if function.is_told_otherwise() => {}
                Some(Contract::Value) => parts.push(Part::Returned),
                Some(Contract::Handle { .. }) if self.held.made(self.at()).is_some() => parts.push(Part::Returned),
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
                    // A count computed from several: the cell itself is not given back.
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
                    let in_some = self.held.room(local)? == Made::InSome;
                    parts.push(Part::To { place, name: "object", converts: false, in_some });
                }
                _ => {}
            }
        }
        let is_unit = self.wrapper.ret == "()";
        let is_tuple = self.wrapper.ret.starts_with('(') && !is_unit;
        // An object that it returns is none of them.
        (is_tuple == (parts.len() > 1) && is_unit == parts.is_empty()).then_some(parts)
    }

    /// A count that goes where the parameter at `index` points to.
    fn counter(&self, index: usize, name: &'static str) -> Option<Part<'c>> {
        let converts = !self.params()[index].shape.pointee().is_some_and(|(_, counter)| counter.is_usize());
        Some(Part::To { place: *self.outcomes.get(&index)?, name, converts, in_some: false })
    }
}
