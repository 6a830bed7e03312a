//! One function of the plan → what the template needs to write its wrapper.
//!
//! Each kind of pointer has a module: it says how an argument is made before the call, and what is made of it afterwards.

mod array;
mod ask;
mod buffer;
mod callback;
mod docs;
mod failing;
mod handle;
mod inner;
mod kept;
mod lengths;
mod object;
mod scalar;
mod slice;
mod string;
mod view;
mod words;
mod writer;

use crate::{
    contract::{Contract, Dir, Element, Lasting, shape::Shape},
    plan::{ParamPlan, Role},
};
pub(super) use docs::counted;
pub(super) use lengths::wide_with;
pub(super) use view::{Signature, View};
pub(super) use words::fresh;
use words::{joined, optional};
use writer::{Outcome, Phase, Writer, contract};

pub(crate) use words::{raw, snake};

impl Writer<'_, '_> {
    /// What the wrapper takes for a parameter, and passes.
    fn argument(&mut self, index: usize) {
        let param = &self.function.params[index];
        let local = self.locals[index].clone();
        match (&param.role, contract(param)) {
            (Role::LengthOf(slices), _) => self.length(&local, slices),
            (Role::EndOf(_), _) => {
                self.inward.push((index, self.args.len()));
                self.args.push(local);
            }
            (Role::CellOf(slices), _) => self.cell(&local, slices),
            (Role::LengthsOf(array), _) => self.lengths_of_each(&local, array, param),
            (Role::Caller, Contract::Value) => self.value(&local, param),
            (Role::Caller, Contract::Fixed { value }) => self.fixed(*value, param),
            (Role::Caller, Contract::Text { value }) => self.fixed_text(value, param),
            (Role::Caller, Contract::Size { of }) => self.size(of, param),
            (Role::Caller, Contract::Inner { dir: Dir::In, of, nullable }) => {
                self.inner_in(index, &local, of, *nullable)
            }
            (Role::Caller, Contract::Cstr { dir: Dir::Out, .. } | Contract::Given { .. } | Contract::Inner { .. }) => {
                self.pointer_out(&local, param);
            }
            (Role::Caller, Contract::Cstr { dir, nullable, until, .. }) => match until {
                Lasting::Call => self.cstr(&local, *dir, *nullable, param),
                Lasting::Object { .. } => self.cstr_kept(&local, *nullable, param),
            },
            (Role::Caller, Contract::Handle { dir: Dir::Out, .. }) => self.handle_out(&local, param),
            (Role::Caller, Contract::Handle { nullable, hold, .. }) => self.handle(&local, *nullable, hold, param),
            (Role::Caller, Contract::Object { life, cursors }) => self.object(index, &local, life, cursors),
            (Role::Caller, Contract::Obj { dir, nullable }) => self.obj(&local, *dir, *nullable, param),
            (Role::Caller, Contract::Buf { dir, len, nullable, until, .. }) => match until {
                Lasting::Call => self.buf(&local, *dir, len, *nullable, param),
                Lasting::Object { .. } => self.buf_kept(&local, len, *nullable, param),
            },
            (Role::Caller, Contract::Array { .. }) => self.array(&local, param),
            (Role::Caller, Contract::Slice { dir, slice, nullable }) => {
                self.slice(&local, *dir, slice, *nullable, param)
            }
            (Role::Caller, Contract::Progress { dir, slice }) => self.progress(&local, *dir, slice),
            (Role::Caller, Contract::Callback { scope, nullable, params, .. }) => match scope {
                Lasting::Call => self.callback(&local, *nullable, params, param),
                Lasting::Object { object, slot } => {
                    self.kept_callback(&local, (object, slot.as_deref()), *nullable, params, param);
                }
            },
            (Role::Caller, Contract::Memory) => unreachable!("such a function has no wrapper"),
        }
    }

    /// The declaration wants a reference for the last argument.
    fn refer(&mut self, mutable: bool) {
        if let Some(pointer) = self.args.last_mut() {
            *pointer = format!("&{}*{pointer}", if mutable { "mut " } else { "" });
        }
    }

    /// What becomes of it after the call.
    fn outcome(&mut self, index: usize) {
        let param = &self.function.params[index];
        let local = self.locals[index].clone();
        match (&param.role, contract(param)) {
            (Role::LengthOf(_) | Role::LengthsOf(_) | Role::EndOf(_), _) => {}
            (Role::CellOf(slices), _) => self.length_back(index, &local, slices),
            (Role::Caller, Contract::Buf { dir: Dir::Out | Dir::Inout, .. }) => self.take_back(index, &local, param),
            (Role::Caller, Contract::Array { elem: Element::Buf { dir: Dir::Out | Dir::Inout, .. }, .. }) => {
                self.each_back(&local);
            }
            (Role::Caller, Contract::Obj { dir, nullable }) => self.obj_back(index, &local, *dir, *nullable, param),
            (Role::Caller, Contract::Given { .. } | Contract::Cstr { dir: Dir::Out, .. }) => {
                self.given_out(index, &local, param);
            }
            (Role::Caller, Contract::Inner { dir: Dir::Out, of, nullable }) => {
                self.inner_out(index, &local, of, *nullable, param);
            }
            (Role::Caller, Contract::Handle { dir: Dir::Out, nullable, hold }) => {
                self.handle_back(index, &local, *nullable, hold, param);
            }
            (Role::Caller, Contract::Slice { dir: Dir::Out | Dir::Inout, slice, .. }) => {
                self.slice_back(index, &local, slice);
            }
            (Role::Caller, Contract::Progress { dir, slice }) => self.progress_back(index, &local, *dir, slice),
            (Role::Caller, _) => {}
        }
    }

    /// What the function returned.
    fn returned(&mut self) {
        let Some(ret) = &self.function.ret else { return };
        match ret.decision.contract() {
            Some(Contract::Cstr { nullable, free, .. }) => self.string_returned(*nullable, free.as_deref(), &ret.shape),
            Some(Contract::Given { len, nullable, free, .. }) => {
                self.values_returned(len, *nullable, free.as_deref(), &ret.shape);
            }
            Some(Contract::Inner { of, nullable, .. }) => self.inner_returned(of, *nullable, &ret.shape),
            Some(Contract::Handle { nullable, hold, .. }) => self.handle_returned(*nullable, hold, &ret.shape),
            _ if self.function.is_told_otherwise() => {}
            _ => {
                let ty = self.names.shown(ret.shown_as.as_deref(), &ret.shape);
                let what = format!("what `{}` returned", self.function.name);
                self.result(0, ty, "ret", what);
            }
        }
    }
}
