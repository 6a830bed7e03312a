//! Functions whose return value tells success from failure.

use super::{Phase, Shape, Writer, handle::Wanted, words::bound};
use crate::{
    contract::{
        Contract, Failing,
        expr::{Comparison, Condition, Expr},
    },
    plan::Role,
};

/// When a condition is looked at.
#[derive(Clone, Copy)]
enum Known {
    Before,
    After,
}

/// What is made of a returned pointer, and held against NULL in the same step.
pub(super) struct UnlessNull {
    pub(super) local: String,
    /// An `Option`; with the reason why it is sound.
    pub(super) value: String,
    /// What comes next where there is something.
    pub(super) then: Option<String>,
}

impl Writer<'_, '_> {
    /// NULL, and nothing else, is how the function fails.
    pub(super) fn null_fails(&self) -> bool {
        self.function.failing.as_ref().is_some_and(|failing| matches!(failing.error, Condition::Null))
    }

    /// Returns an `Err` where the contract says that the function failed.
    pub(super) fn fails(&mut self, failing: &Failing) {
        let Some(ret) = &self.function.ret else { return };
        let (code, ty) = match ret.shape.pointee() {
            Some(_) => (self.names.runtime("Null"), self.names.runtime("Null").to_owned()),
            None => match ret.shape.bits() {
                Some(bits) => ("ret", bits.to_owned()),
                None => ("ret", self.names.shown(ret.shown_as.as_deref(), &ret.shape)),
            },
        };
        let report = match &failing.message {
            None => format!("return Err(call.failed({code}, None));"),
            Some(message) => {
                let text = self.names.ret_of(&message.function);
                let (mutable, to) = text.as_ref().and_then(Shape::pointee).unwrap_or((false, &Shape::Char));
                let const_cast = if mutable { ".cast_const()" } else { "" };
                let cast = if matches!(to, Shape::Char) { "" } else { ".cast()" };
                format!(
                    "///~ SAFETY: as above.\nlet message = unsafe {{ call.run(move || {}) }}?;\n\
                     ///~ SAFETY: it is checked to lie in the domain; without isolation `{}` is trusted to end it.\n\
                     let message = unsafe {{ call.string(message{const_cast}{cast}) }}?;\n\
                     return Err(call.failed({code}, message));",
                    self.call(message),
                    message.function
                )
            }
        };
        if let Some(UnlessNull { local, value, then }) = self.unless_null.take() {
            let held = bound(&format!("Some({local})"), &value);
            self.after.failed.push(format!("{} else {{\n{report}\n}};", held.trim_end_matches(';')));
            self.after.failed.extend(then);
        } else if self.null_fails() && self.wanted.iter().any(Wanted::is_returned) && self.after.checked.is_empty() {
            self.null_report = Some(report);
        } else {
            let condition = self.condition(&failing.error, Known::After);
            self.after.failed.push(format!("if {condition} {{\n{report}\n}}"));
        }
        self.error = format!("{}<{ty}>", self.names.runtime("Error"));
    }

    /// Holds the arguments against what the form is for.
    pub(super) fn when(&mut self) {
        let Some((form, when)) = self.function.form.as_ref().and_then(|form| Some((form, form.when.as_ref()?))) else {
            return;
        };
        let condition = self.condition(when, Known::Before);
        self.checks.push(format!("assert!({condition}, \"`{}` is for `{when}`\");", form.name));
    }

    fn condition(&mut self, condition: &Condition, known: Known) -> String {
        match condition {
            Condition::All(left, right) => {
                let (left, right) = (self.condition(left, known), self.condition(right, known));
                format!("{left} && {right}")
            }
            Condition::Any(left, right) => {
                let (left, right) = (self.condition(left, known), self.condition(right, known));
                format!("{left} || {right}")
            }
            Condition::Compare(comparison, left, right) => self.comparison(*comparison, left, right, known),
            Condition::Null => match self.function.ret.as_ref().and_then(|ret| ret.decision.contract()) {
                // It was copied, so that it could be freed.
                Some(Contract::Cstr { free: Some(_), .. } | Contract::Given { free: Some(_), .. }) => {
                    "ret.is_none()".to_owned()
                }
                _ => "ret.is_null()".to_owned(),
            },
        }
    }

    fn comparison(&mut self, comparison: Comparison, left: &Expr, right: &Expr, known: Known) -> String {
        let sign = comparison.sign();
        if let (Some(number), Expr::Int(literal)) = (self.number(left, right), right) {
            let literal = self.converted(right, left).unwrap_or_else(|| literal.to_string());
            return format!("{number} {sign} {literal}");
        }
        let mut side = |expr: &Expr, beside: &Expr| match (self.converted(expr, beside), known) {
            (Some(literal), _) => format!("{literal} as i128"),
            (None, Known::Before) => self.before(expr),
            (None, Known::After) => self.after_call(expr, Phase::Failed),
        };
        let (left, right) = (side(left, right), side(right, left));
        format!("({left}) {sign} ({right})")
    }

    /// A literal below 0 beside an unsigned value, as C converts it.
    fn converted(&mut self, literal: &Expr, beside: &Expr) -> Option<String> {
        let Expr::Int(literal @ ..0) = literal else { return None };
        let shape = match beside {
            Expr::Ret => self.function.ret.as_ref()?.shape.compared(),
            Expr::Call(call) => self.names.ret_of(&call.function)?,
            Expr::Name(name) => self.param(name)?.shape.clone(),
            Expr::Deref(name) => self.param(name)?.shape.pointee()?.1.clone(),
            Expr::Int(_) | Expr::Bound { .. } | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => {
                return None;
            }
        };
        let unsigned = shape.is_signed() == Some(false);
        unsigned.then(|| {
            let most = format!("{}::MAX", self.names.ty(&shape));
            if *literal == -1 { most } else { format!("({most} - {})", -1 - literal) }
        })
    }

    /// What can be held against the literal as it is, because its type has room for it.
    fn number(&mut self, expr: &Expr, literal: &Expr) -> Option<String> {
        let Expr::Int(literal) = literal else { return None };
        let shape = match expr {
            Expr::Ret => self.function.ret.as_ref()?.shape.compared(),
            Expr::Call(call) => self.names.ret_of(&call.function)?,
            Expr::Name(name) if self.fixed_number(name).is_some() => return None,
            Expr::Name(name) => match self.param(name) {
                Some(param) if param.role == Role::Caller => param.shape.clone(),
                _ => return None,
            },
            _ => return None,
        };
        has_room(&shape, *literal).then(|| match expr {
            Expr::Call(call) => self.ask(call, Phase::Failed),
            Expr::Name(name) => self.local(name),
            _ => "ret".to_owned(),
        })
    }
}

/// Whether the literal is a value of the integer type.
fn has_room(shape: &Shape, literal: i64) -> bool {
    let Some(number) = shape.number().filter(|_| shape.is_int()) else { return false };
    match literal {
        0..=0x7f => true,
        // Below 0, what C makes of it in an unsigned type.
        -0x7fff_ffff..=0x7fff_ffff => number.bits >= 32,
        _ => false,
    }
}
