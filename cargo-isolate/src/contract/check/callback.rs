//! Callbacks: closures of the program that a function calls before it returns.

mod told;

use super::{Checker, Contract, PolicyError, Spanned};
use crate::contract::shape::{Function, Shape};

/// More arguments the runtime's closures do not have.
pub(crate) const MOST_ARGUMENTS: usize = 6;

impl Checker<'_> {
    pub(super) fn callback(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("cb", &["scope", "user", "params", "null"]);
        let Shape::Function(function) = shape else { return self.wrong_kind("is no function pointer") };
        if self.is_returned() {
            return self.wrong_kind("is returned, and a callback is passed");
        }
        let scope = self.scope()?;
        let nullable = self.nullable();
        if nullable && !function.nullable {
            let at = self.words.null.as_ref().map_or(self.at.clone(), Spanned::span);
            self.errors.push(PolicyError::new(at, "a function pointer without `Option` is never NULL"));
            return None;
        }
        self.callable(function)?;
        if let Some((name, shape)) = function.params.iter().find(|(_, shape)| shape.is_newtype()) {
            let message = format!("`{name}` of `{}` is a pointer in a struct, `{shape}`", self.subject_name());
            self.error(self.at.clone(), message).help("no closure can be passed for such a callback").push(self.errors);
            return None;
        }
        if let Some((name, shape)) = function.params.iter().find(|(_, shape)| shape.is_reference()) {
            let message = format!("`{name}` of `{}` is a reference, `{shape}`", self.subject_name());
            let help = "nothing from a domain is believed to be one: declare a pointer";
            self.error(self.at.clone(), message).help(help).push(self.errors);
            return None;
        }
        let user = self.user()?;
        let params = match &self.words.params {
            Some(params) => self.told(params, function)?,
            None => self.told_unsaid(function, user.is_some())?,
        };
        Some(Contract::Callback { scope, user, nullable, params })
    }

    /// Whether a closure can stand behind such a pointer at all.
    fn callable(&mut self, function: &Function) -> Option<()> {
        let count = function.params.len();
        if function.variadic {
            self.wrong_kind("takes a variable number of arguments, which no closure does")?;
        }
        if !function.qualifiers.ends_with("extern \"C\"") && !function.qualifiers.ends_with("extern \"C-unwind\"") {
            self.wrong_kind("is not `extern \"C\"`")?;
        }
        if count > MOST_ARGUMENTS {
            self.wrong_kind(&format!("takes {count} arguments, and closures have up to {MOST_ARGUMENTS}"))?;
        }
        if let Some(shape) = function.ret.as_ref().filter(|shape| !shape.is_number()) {
            self.wrong_kind(&format!("returns a `{shape}`, and closures return numbers"))?;
        }
        let told = |shape: &Shape| shape.pointee().is_some() || (shape.is_number() && *shape != Shape::Int(None));
        if let Some((name, shape)) = function.params.iter().find(|(_, shape)| !told(shape)) {
            self.wrong_kind(&format!("takes `{name}`, and a closure is not told of a `{shape}`"))?;
        }
        Some(())
    }

    /// The parameter that carries what the library hands on; inner `None`: there is none.
    fn user(&mut self) -> Option<Option<String>> {
        let Some(user) = &self.words.user else { return Some(None) };
        let name = user.get_ref();
        let Some(param) = self.signature.param(name) else {
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(user.span(), message).did_you_mean(name, params));
            return None;
        };
        if param.shape.pointee().is_none() {
            let message = format!("`{name}` is no pointer: `{}`", param.shape);
            self.errors.push(PolicyError::new(user.span(), message));
            return None;
        }
        Some(Some(name.clone()))
    }
}

#[cfg(test)]
mod tests;
