//! Expressions and conditions: what they speak of must be there, and known by then.

use super::{Param, Scope, list};
use crate::{
    contract::{
        expr::{Call, Condition, Expr, ExprError, Mention, Mentioned},
        number,
        shape::Shape,
    },
    policy::{PolicyError, Spanned},
};
use std::ops::Range;

/// When an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Before the call: nothing is known of what comes back.
    Before,
    After,
}

pub(super) struct Expressions<'e> {
    pub(super) scope: Scope<'e>,
    pub(super) errors: &'e mut Vec<PolicyError>,
}

impl Expressions<'_> {
    /// Reads a length.
    pub(super) fn expr(&mut self, text: &Spanned<String>, when: When) -> Option<Expr> {
        let expr = self.read(text, Expr::parse, when)?;
        if let Some(Expr::Int(..0)) = expr.leaves().first() {
            self.errors.push(PolicyError::new(text.span(), "a length is not below 0"));
            return None;
        }
        Some(expr)
    }

    /// Reads when a function has failed: what it returned must say so.
    pub(super) fn condition(&mut self, text: &Spanned<String>) -> Option<Condition> {
        let function = &self.scope.signature.name;
        let ret = self.scope.signature.ret.as_ref();
        if !ret.is_some_and(|ret| ret.is_int() || ret.bits().is_some() || ret.pointee().is_some()) {
            let message = format!("`{function}` returns neither an integer nor a pointer, which could be an error");
            self.errors.push(PolicyError::new(text.span(), message));
            return None;
        }
        let condition = self.read(text, Condition::parse, When::After)?;
        self.tells(&condition, text).then_some(condition)
    }

    /// Reads what must hold before the call.
    pub(super) fn condition_before(&mut self, text: &Spanned<String>) -> Option<Condition> {
        let condition = self.read(text, Condition::parse, When::Before)?;
        if condition.quotients() > 0 {
            let error = PolicyError::new(text.span(), "what `when` says cannot fail, as a division by a parameter can");
            self.errors.push(error.help("divide by a number, or multiply the other side"));
            return None;
        }
        self.tells(&condition, text).then_some(condition)
    }

    /// A comparison with what no value of the type can be is always true, or always false, and would hide every failure.
    fn tells(&mut self, condition: &Condition, text: &Spanned<String>) -> bool {
        let (comparison, left, right) = match condition {
            Condition::Null => return true,
            Condition::All(left, right) | Condition::Any(left, right) => {
                let left = self.tells(left, text);
                return self.tells(right, text) && left;
            }
            Condition::Compare(comparison, left, right) => (*comparison, left, right),
        };
        let (comparison, number, literal) = match (left, right) {
            (number, Expr::Int(literal)) => (comparison, number, *literal),
            (Expr::Int(literal), number) => (comparison.turned(), number, *literal),
            _ => return true,
        };
        let Some(shape) = self.shape_of(number) else { return true };
        let Err((never, help)) = number::compared(shape, comparison, literal) else { return true };
        let error = PolicyError::new(text.span(), format!("`{number}` is `{shape}`, {never}"));
        self.errors.push(error.help(help));
        false
    }

    /// The type of a number that is no computed one.
    fn shape_of(&self, number: &Expr) -> Option<&Shape> {
        let signature = self.scope.signature;
        match number {
            Expr::Ret => signature.ret.as_ref(),
            Expr::Name(name) => Some(&signature.param(name)?.shape),
            Expr::Deref(name) => Some(signature.param(name)?.shape.pointee()?.1),
            Expr::Call(call) => self.scope.domain.get(&call.function)?.ret.as_ref(),
            Expr::Int(_) | Expr::Bound { .. } | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => {
                None
            }
        }
    }

    /// Reads the call of a function that returns a string.
    pub(super) fn message(&mut self, text: &Spanned<String>) -> Option<Call> {
        let Expr::Call(call) = self.read(text, Expr::parse, When::After)? else {
            let error = PolicyError::new(text.span(), "a message is what a function of the library returns");
            self.errors.push(error.help("as in `message = \"zError(ret)\"`"));
            return None;
        };
        let ret = self.scope.domain.get(&call.function).and_then(|function| function.ret.as_ref());
        let is_text = ret.and_then(Shape::pointee).is_some_and(|(_, to)| to.is_byte());
        if !is_text {
            self.errors.push(PolicyError::new(text.span(), format!("`{}` returns no string", call.function)));
        }
        is_text.then_some(call)
    }

    fn read<T>(
        &mut self,
        text: &Spanned<String>,
        parse: impl Fn(&str) -> Result<(T, Vec<Mention>), ExprError>,
        when: When,
    ) -> Option<T> {
        // The place inside the string, as far as no escapes stand before it.
        let place = |span: &Range<usize>| {
            let quoted = text.span().len() == text.get_ref().len() + 2;
            let start = text.span().start + 1;
            if quoted { start + span.start..start + span.end } else { text.span() }
        };
        let (read, mentions) = match parse(text.get_ref()) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.errors.push(PolicyError::new(place(&error.span), error.message));
                return None;
            }
        };
        let before = self.errors.len();
        for mention in &mentions {
            let at = place(&mention.span);
            let checked = match &mention.what {
                Mentioned::Value(name) => self.name(name, false, at, when),
                Mentioned::Pointee(name) => self.name(name, true, at, when),
                Mentioned::Outer(name) => self.outer(name, at),
                Mentioned::Ret => self.ret(at, when),
                Mentioned::Null => self.null(at, when),
                Mentioned::Call(call) => self.call(call, at, when),
                Mentioned::Bound { object, name } => self.bound(object, name, at),
            };
            self.errors.extend(checked.and_then(|()| self.fits(&mention.what, place(&mention.span))).err());
        }
        (self.errors.len() == before).then_some(read)
    }

    /// Wrappers compute in numbers of 128 bits that may be below 0.
    fn fits(&self, mentioned: &Mentioned, at: Range<usize>) -> Result<(), PolicyError> {
        let number = match mentioned {
            Mentioned::Value(name) => Expr::Name(name.clone()),
            Mentioned::Pointee(name) => Expr::Deref(name.clone()),
            Mentioned::Call(call) => Expr::Call(call.clone()),
            Mentioned::Ret => Expr::Ret,
            Mentioned::Outer(_) | Mentioned::Null | Mentioned::Bound { .. } => return Ok(()),
        };
        let shape = self.shape_of(&number).filter(|shape| shape.is_signed() == Some(false));
        if shape.and_then(Shape::number).is_none_or(|shape| shape.bits < 128) {
            return Ok(());
        }
        let error = PolicyError::new(at, format!("`{number}` is a `u128`, which wrappers do not compute with"));
        Err(error.help("no length or code of C is that wide: declare it as it is there"))
    }

    fn ret(&self, at: Range<usize>, when: When) -> Result<(), PolicyError> {
        let signature = self.scope.signature;
        if when == When::Before {
            return Err(PolicyError::new(at, "`ret` is not known before the call").help("`written` may use it"));
        }
        match &signature.ret {
            Some(shape) if shape.is_int() || shape.bits().is_some() => Ok(()),
            Some(shape) if shape.pointee().is_some() => {
                let error = PolicyError::new(at, format!("`ret` is a pointer: what `{}` returns", signature.name));
                Err(error.help("`error = \"ret == NULL\"` is what can be said of it"))
            }
            _ => Err(PolicyError::new(at, format!("`ret` is no integer: what `{}` returns", signature.name))),
        }
    }

    /// The function returns a pointer.
    fn null(&self, at: Range<usize>, when: When) -> Result<(), PolicyError> {
        if when == When::Before {
            return self.ret(at, when);
        }
        let signature = self.scope.signature;
        match signature.ret.as_ref().and_then(Shape::pointee) {
            Some(_) => Ok(()),
            None => Err(PolicyError::new(at, format!("`{}` returns no pointer, which could be NULL", signature.name))),
        }
    }

    fn name(&self, name: &str, deref: bool, at: Range<usize>, when: When) -> Result<(), PolicyError> {
        let signature = self.scope.signature;
        let Some(param) = signature.param(name) else {
            let message = format!("`{}` has no parameter `{name}`", signature.name);
            let usable = self.usable(when);
            let usable: Vec<_> = usable.iter().map(|name| &**name).collect();
            let numbers =
                if usable.is_empty() { "numbers".to_owned() } else { format!("{} and numbers", list(&usable)) };
            return Err(PolicyError::new(at, message)
                .help(format!("made of {numbers}, with `+`, `-`, `*`, `/`, `min(…)` and `max(…)`"))
                .did_you_mean(name, usable));
        };
        match (deref, param.shape.pointee()) {
            (false, None) if param.shape.is_int() => Ok(()),
            (true, Some((_, to))) if to.is_int() => Ok(()),
            (false, Some((_, to))) if to.is_int() => {
                Err(PolicyError::new(at, format!("`{name}` is a pointer"))
                    .help(format!("what it points to is `*{name}`")))
            }
            (true, None) if param.shape.is_int() => {
                Err(PolicyError::new(at, format!("`{name}` is no pointer")).help(format!("write `{name}`")))
            }
            _ => Err(PolicyError::new(
                at,
                format!("`{name}` is neither an integer nor a pointer to one: `{}`", param.shape),
            )),
        }
    }

    /// An integer that the function around a callback gets.
    fn outer(&self, name: &str, at: Range<usize>) -> Result<(), PolicyError> {
        let Some(outer) = self.scope.outer else {
            let message = format!("`fn.{name}` is for what a callback gets: what the function was called with");
            return Err(PolicyError::new(at, message).help(format!("write `{name}`")));
        };
        let counts = |param: &&Param| param.shape.is_int();
        if outer.param(name).filter(counts).is_some() {
            return Ok(());
        }
        let known: Vec<_> = outer.params.iter().filter(counts).map(|param| &*param.name).collect();
        let error = PolicyError::new(at, format!("`{}` has no parameter `{name}` that is an integer", outer.name));
        let help = if known.is_empty() { "it has none at all".to_owned() } else { format!("it has {}", list(&known)) };
        Err(error.help(help).did_you_mean(name, known))
    }

    /// Some function of the domain tells it of such an object.
    fn bound(&self, object: &str, name: &str, at: Range<usize>) -> Result<(), PolicyError> {
        let signature = self.scope.signature;
        let Some(param) = signature.param(object) else {
            let message = format!("`{}` has no parameter `{object}`", signature.name);
            let params = signature.params.iter().map(|param| &*param.name);
            return Err(PolicyError::new(at, message).did_you_mean(object, params));
        };
        let Some((_, of)) = param.shape.pointee().filter(|(_, of)| of.may_be_held()) else {
            return Err(PolicyError::new(at, format!("`{object}` is no handle: `{}`", param.shape)));
        };
        let told = self.scope.domain.values().flat_map(|function| {
            let of_it = move |(index, _): &&(usize, String)| {
                function.params[*index].shape.pointee().is_some_and(|(_, to)| to == of)
            };
            function.binds.iter().filter(of_it).map(|(_, name)| &**name)
        });
        let told: Vec<&str> = told.collect();
        if told.contains(&name) {
            return Ok(());
        }
        let error = PolicyError::new(at, format!("no function of this domain tells `{name}` of such an object"));
        let help = format!("`bind.{object} = {{ {name} = \"…\" }}` at the function after which it is known");
        Err(error.help(help).did_you_mean(name, told))
    }

    fn call(&self, call: &Call, at: Range<usize>, when: When) -> Result<(), PolicyError> {
        let name = &call.function;
        if when == When::Before {
            let error = PolicyError::new(at, format!("`{name}` cannot be asked before the call"));
            return Err(error.help("`written`, and the `len` of what comes out, may ask a function"));
        }
        let Some(function) = self.scope.domain.get(name) else {
            let error = PolicyError::new(at, format!("no function `{name}` runs in this domain"));
            let error = error.help("there are `min(…)` and `max(…)`, and the functions that `extern` names");
            return Err(error.did_you_mean(name, self.scope.domain.keys().map(|name| &**name)));
        };
        if function.params.len() != call.args.len() {
            let (wants, got) = (function.params.len(), call.args.len());
            return Err(PolicyError::new(at, format!("`{name}` takes {wants} arguments, not {got}")));
        }
        for (arg, param) in call.args.iter().zip(&function.params) {
            if let Expr::Name(name) | Expr::Deref(name) = arg
                && self.scope.signature.param(name).is_none()
            {
                let names = self.scope.signature.params.iter().map(|param| &*param.name);
                let message = format!("`{}` has no parameter `{name}`", self.scope.signature.name);
                return Err(PolicyError::new(at, message).did_you_mean(name, names));
            }
            if !self.passes(arg, &param.shape) {
                let message = format!("`{arg}` does not fit `{}` of `{name}`", param.name);
                return Err(PolicyError::new(at, message).label(format!("it is declared `{}`", param.shape)));
            }
        }
        Ok(())
    }

    /// The parameter is a struct that stands for a slice.
    fn is_slice(&self, name: &str) -> bool {
        let param = self.scope.signature.param(name);
        param.is_some_and(|param| self.scope.objects.slice(&param.shape).is_some())
    }

    /// Whether an argument is what a parameter takes.
    fn passes(&self, arg: &Expr, wanted: &Shape) -> bool {
        let signature = self.scope.signature;
        let pointee = |shape: &Shape| shape.pointee().map(|(_, to)| to.clone());
        let found = match arg {
            Expr::Int(_) => return wanted.is_int(),
            Expr::Ret => signature.ret.clone(),
            Expr::Name(name) => signature.param(name).map(|param| param.shape.clone()),
            Expr::Deref(name) => signature.param(name).and_then(|param| pointee(&param.shape)),
            Expr::Call(_) | Expr::Bound { .. } | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => {
                None
            }
        };
        let Some(found) = found else { return false };
        match (pointee(&found), pointee(wanted)) {
            (Some(found), Some(wanted)) => {
                let is_object = matches!(found, Shape::Opaque(_) | Shape::Struct { .. });
                // Of a slice in a struct the wrapper's caller has none to pass.
                is_object && found == wanted && !matches!(arg, Expr::Name(name) if self.is_slice(name))
            }
            (None, None) => found.is_int() && wanted.is_int(),
            _ => false,
        }
    }

    /// What an expression about this function can be made of, besides numbers.
    fn usable(&self, when: When) -> Vec<String> {
        let signature = self.scope.signature;
        let params = signature.params.iter().filter_map(|param| match param.shape.pointee() {
            None if param.shape.is_int() => Some(param.name.clone()),
            Some((_, to)) if to.is_int() && !to.is_byte() => Some(format!("*{}", param.name)),
            _ => None,
        });
        let ret = when == When::After && signature.ret.as_ref().is_some_and(Shape::is_int);
        params.chain(ret.then(|| "ret".to_owned())).collect()
    }
}
