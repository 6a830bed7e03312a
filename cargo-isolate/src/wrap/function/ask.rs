//! Further functions of the library that a wrapper calls: they tell a length, say an error in words, free memory.

use super::words::snake;
use super::{Phase, Shape, Writer};
use crate::contract::expr::{Call, Expr};

impl Writer<'_, '_> {
    /// Asks a function for a number after the call; gives the local that holds it.
    pub(super) fn ask(&mut self, question: &Call, phase: Phase) -> String {
        let answer = self.fresh(&snake(&question.function));
        let call = self.call(question);
        let statement = format!("///~ SAFETY: as above.\nlet {answer} = unsafe {{ call.run(move || {call}) }}?;");
        self.statements(phase).push(statement);
        answer
    }

    /// The call itself, inside the domain.
    pub(super) fn call(&mut self, call: &Call) -> String {
        let function = self.names.function_named(&call.function);
        let params = self.names.params_of(&call.function);
        let args: Vec<_> = call.args.iter().zip(&params).map(|(arg, shape)| self.passed(arg, shape)).collect();
        format!("{function}({})", args.join(", "))
    }

    /// Frees memory of the library that was copied, at `pointer` of the type `shape`.
    pub(super) fn freeing(&mut self, function: &str, pointer: &str, shape: &Shape) -> String {
        let name = self.names.function_named(function);
        let wanted = self.names.params_of(function);
        let (from, to) = (shape.pointee(), wanted.first().and_then(Shape::pointee));
        let mutability = match (from.map(|(mutable, _)| mutable), to.map(|(mutable, _)| mutable)) {
            (Some(false), Some(true)) => ".cast_mut()",
            (Some(true), Some(false)) => ".cast_const()",
            _ => "",
        };
        let cast = if from.map(|(_, to)| to) == to.map(|(_, to)| to) { "" } else { ".cast()" };
        format!(
            "///~ SAFETY: `{}` gave it away, and nothing uses it afterwards.\n\
             unsafe {{ call.run(move || {{ {name}({pointer}{mutability}{cast}); }}) }}?;",
            self.function.name
        )
    }

    fn passed(&self, arg: &Expr, wanted: &Shape) -> String {
        let name = match arg {
            Expr::Name(name) => name.clone(),
            Expr::Deref(name) => format!("*{name}"),
            _ => String::new(),
        };
        if let Some(pointer) = self.pointers.get(&name) {
            return match wanted {
                Shape::Pointer { reference: true, mutable: false, .. } => format!("&*{pointer}"),
                Shape::Pointer { reference: true, .. } => format!("&mut *{pointer}"),
                Shape::Pointer { mutable: false, .. } => format!("{pointer}.cast_const()"),
                _ => pointer.clone(),
            };
        }
        match arg {
            Expr::Int(value) => value.to_string(),
            Expr::Ret if self.function.ret.as_ref().is_some_and(|ret| ret.shape == *wanted) => "ret".to_owned(),
            Expr::Ret => "ret as _".to_owned(),
            Expr::Name(name) if let Some(value) = self.fixed_number(name) => value.to_string(),
            Expr::Name(name) => match self.length_told(name) {
                Some(length) => format!("{length} as _"),
                None => format!("{}{}", self.local(name), self.cast(name, wanted)),
            },
            Expr::Deref(name) if let Some(told) = self.told(name) => format!("{told} as _"),
            Expr::Deref(name) => format!("*{} as _", self.local(name)),
            Expr::Call(_) | Expr::Bound { .. } | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => {
                unreachable!("the policy's arguments are leaves")
            }
        }
    }

    fn cast(&self, name: &str, wanted: &Shape) -> &'static str {
        let same = self.function.params.iter().any(|param| param.name == name && param.shape == *wanted);
        if same { "" } else { " as _" }
    }
}
