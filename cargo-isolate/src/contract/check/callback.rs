//! Callbacks: closures of the program that a function calls before it returns.

mod told;

use super::{Checker, Contract, PolicyError, SCOPES, Spanned};
use crate::contract::{
    Lasting,
    shape::{Function, Shape},
};

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

    fn scope(&mut self) -> Option<Lasting> {
        let Some(scope) = &self.words.scope else {
            self.error(self.at.clone(), "nothing says how long the library may call it")
                .help("add `scope = \"call\"`, if it does so only until the function returns, or `scope = \"free:OBJECT\"`, if it keeps it for an object: a call after that is a fault")
                .push(self.errors);
            return None;
        };
        let word = scope.get_ref();
        let object = match word.split_once(':') {
            _ if word == "call" => return Some(Lasting::Call),
            Some(("free", object)) => Lasting::Object { object: object.to_owned(), slot: None },
            Some(("slot", place))
                if let Some((object, slot)) = place.split_once('.').filter(|(_, slot)| !slot.is_empty()) =>
            {
                Lasting::Object { object: object.to_owned(), slot: Some(slot.to_owned()) }
            }
            _ => {
                let error = match &**word {
                    "once" | "forever" => {
                        PolicyError::new(scope.span(), "no wrappers are generated for callbacks that no object keeps")
                    }
                    word => {
                        PolicyError::new(scope.span(), format!("there is no scope `{word}`")).did_you_mean(word, SCOPES)
                    }
                };
                let help = "one of `call`, until the function returns; `free:OBJECT`, until the object of that parameter, or of `ret`, has ended; `slot:OBJECT.NAME`, until another takes that place";
                self.errors.push(error.help(help));
                return None;
            }
        };
        self.keeper(scope, &object)?;
        Some(object)
    }

    /// The object that a closure is kept for must be one that can be owned.
    fn keeper(&mut self, scope: &Spanned<String>, lasting: &Lasting) -> Option<()> {
        let Lasting::Object { object, .. } = lasting else { return Some(()) };
        let shape = match (&**object, self.signature.param(object)) {
            ("ret", _) => self.signature.ret.as_ref(),
            (_, param) => param.map(|param| &param.shape),
        };
        let Some(shape) = shape else {
            let message = match &**object {
                "ret" => format!("`{}` returns nothing", self.signature.name),
                _ => format!("`{}` has no parameter `{object}`", self.signature.name),
            };
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(scope.span(), message).did_you_mean(object, params));
            return None;
        };
        let to = shape.pointee().map(|(_, to)| to.pointee().map_or(to, |(_, to)| to));
        if !matches!(to, Some(Shape::Opaque(_))) {
            let message = format!("`{object}` is not a handle, so no closure can be kept for it: `{shape}`");
            self.errors.push(PolicyError::new(scope.span(), message));
            return None;
        }
        Some(())
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
