//! Pointers that lead into another argument.

use super::{Checker, Contract, Dir, Subject};
use crate::{
    contract::shape::Shape,
    policy::{PolicyError, Spanned},
};

impl Checker<'_> {
    /// `inner_of`: the place in that argument comes out.
    pub(super) fn inner(&mut self, of: &Spanned<String>, shape: &Shape) -> Option<Contract> {
        self.only("obj", &["dir", "null", "inner_of"]);
        let pointer = match (self.is_returned(), shape.pointee()) {
            (true, _) => {
                if self.words.dir.is_some() {
                    self.dir_error("a return value has no direction");
                }
                Some(shape)
            }
            (false, Some((true, to))) => Some(to),
            (false, _) => None,
        };
        let Some((_, to)) = pointer.and_then(Shape::pointee) else {
            return self.wrong_kind("is no place for a pointer that comes out");
        };
        if !self.is_returned() && self.dir(Dir::Out) != Dir::Out {
            self.dir_error("such a pointer comes out: say `dir = \"out\"`");
        }
        let nullable = self.nullable();
        let name = of.get_ref();
        let Some(index) = self.signature.params.iter().position(|param| param.name == *name) else {
            let names: Vec<_> = self.signature.params.iter().map(|param| &*param.name).collect();
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            self.errors.push(PolicyError::new(of.span(), message).did_you_mean(name, names));
            return None;
        };
        let other = &self.signature.params[index].shape;
        let is_same = |other: &Shape| other == to || other.is_byte() && to.is_byte();
        let leads = other.pointee().is_some_and(|(_, other)| is_same(other));
        if !leads || matches!(self.subject, Subject::Param(this) if this == index) {
            let message = format!("`{}` cannot point into `{name}`", self.subject_name());
            let error = PolicyError::new(of.span(), message).label(format!("it is declared `{other}`"));
            self.errors.push(error.help(format!("another parameter, a pointer to the same: `{to}`")));
            return None;
        }
        let dir = if self.is_returned() { Dir::In } else { Dir::Out };
        Some(Contract::Inner { dir, of: name.clone(), nullable })
    }
}
