//! Pointers that lead into another argument.

use super::{Checker, Contract, Dir, Subject};
use crate::{
    contract::shape::Shape,
    policy::{PolicyError, Spanned},
};

impl Checker<'_> {
    /// `inner_of`: a place in that argument comes out, or goes in.
    pub(super) fn inner(&mut self, of: &Spanned<String>, shape: &Shape) -> Option<Contract> {
        self.only("obj", &["dir", "null", "inner_of"]);
        if shape.pointee().is_none() {
            return self.wrong_kind("is not a pointer");
        }
        if shape.is_reference() {
            return self.wrong_kind("is declared as a reference, which never leads right behind the last element");
        }
        let name = of.get_ref();
        let Some(index) = self.signature.params.iter().position(|param| param.name == *name) else {
            let names: Vec<_> = self.signature.params.iter().map(|param| &*param.name).collect();
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            self.errors.push(PolicyError::new(of.span(), message).did_you_mean(name, names));
            return None;
        };
        let other = &self.signature.params[index].shape;
        let leads_there = |pointer: &Shape| match (pointer.pointee(), other.pointee()) {
            (Some((_, to)), Some((_, other))) => other == to || other.is_byte() && to.is_byte(),
            _ => false,
        };
        let room = shape.pointee().filter(|(mutable, to)| *mutable && to.pointee().is_some()).map(|(_, to)| to);
        let is_itself = matches!(self.subject, Subject::Param(this) if this == index);
        let dir = match room {
            _ if is_itself => None,
            Some(room) if !self.is_returned() && leads_there(room) => Some(Dir::Out),
            _ => leads_there(shape).then_some(Dir::In),
        };
        let Some(dir) = dir else {
            let message = format!("`{}` cannot point into `{name}`", self.subject_name());
            let error = PolicyError::new(of.span(), message).label(format!("it is declared `{other}`"));
            let to = room.unwrap_or(shape).pointee().map_or(shape, |(_, to)| to);
            self.errors.push(error.help(format!("another parameter, a pointer to the same: `{to}`")));
            return None;
        };
        match (self.is_returned(), dir) {
            (true, _) if self.words.dir.is_some() => self.dir_error("a return value has no direction"),
            (false, Dir::Out) if self.dir(dir) != dir => {
                self.dir_error("such a pointer comes out: say `dir = \"out\"`")
            }
            (false, _) if self.dir(dir) != dir => self.dir_error("such a pointer goes in: leave `dir` out"),
            _ => {}
        }
        let nullable = self.nullable();
        Some(Contract::Inner { dir, of: name.clone(), nullable })
    }
}
