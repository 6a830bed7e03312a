//! What each argument becomes.

use super::{Argument, Call, Outcome, object, text};
use crate::{
    contract::{Contract, Dir, Hold},
    plan::{ParamPlan, Role},
    wrap::sites::{
        argument::{self, Pointer},
        holds::{self, Holds},
        locals,
        source::range,
    },
};
use syn::{Expr, Lit};

impl<'c> Call<'c> {
    /// Reads the argument at `index` by its contract. The error says why the call cannot be rewritten.
    pub(super) fn read_argument(&mut self, index: usize) -> Result<(), String> {
        let param = &self.params()[index];
        let Some(expr) = self.argument(index) else { return Ok(()) };
        let Some(contract) = param.decision.contract() else { return Err("it has no contract".to_owned()) };
        let name = &param.name;
        let read = match (&param.role, contract) {
            (Role::LengthOf(slices), _) => {
                debug_assert!(!slices.is_empty());
                let Some(length) = argument::length(expr) else {
                    return Err(format!("`{}` is a length that cannot be evaluated elsewhere", self.source.of(expr)));
                };
                self.check_type(length);
                Argument::Omitted
            }
            (Role::EndOf(slice), _) => {
                return Err(format!("`{name}` is where `{slice}` ends, and the wrapper takes one slice for both"));
            }
            (Role::CellOf(_), _) => match argument::pointer(expr) {
                Pointer::To { place } => {
                    self.check_type(place);
                    self.outcomes.insert(index, Outcome::Assign(place));
                    Argument::Omitted
                }
                _ => return Err(format!("`{name}`: `{}` is not `&mut` to a variable", self.source.of(expr))),
            },
            (_, Contract::Value) => Argument::Kept,
            (_, Contract::Cstr { dir: Dir::In, nullable, .. }) => self.string(expr, *nullable, name)?,
            (_, Contract::Obj { dir: Dir::Out, .. }) => {
                let outcome = self.place_for(expr, name)?;
                if let Outcome::Assign(place) = outcome
                    && !self.is_zero_before(place)
                {
                    return Err(format!(
                        "`{name}`: where the function writes nothing, `{}` keeps what it had, and the wrapper gives zero",
                        self.source.of(place)
                    ));
                }
                self.outcomes.insert(index, outcome);
                Argument::Omitted
            }
            (_, Contract::Obj { dir, nullable }) => self.object(expr, *dir, *nullable, name)?,
            (_, Contract::Buf { dir, len, nullable, .. }) => self.buffer(index, expr, *dir, len, *nullable)?,
            (_, Contract::Handle { dir: Dir::Out, .. })
                if let Pointer::To { place } = argument::pointer(expr)
                    && self.handles.out_param(place).is_some() =>
            {
                if !self.is_zero_before(place) {
                    return Err(object::why(self.wrapper, index));
                }
                self.outcomes.insert(index, Outcome::Assign(place));
                Argument::Omitted
            }
            (_, Contract::Handle { nullable, hold, .. }) if let Some(given) = self.handles.argument(expr) => {
                Argument::Text(match hold {
                    Hold::Take { .. } => given.place.clone(),
                    Hold::Keep | Hold::Give { .. } => given.reference(*nullable),
                })
            }
            (_, Contract::Handle { .. } | Contract::Object { .. }) => return Err(object::why(self.wrapper, index)),
            (_, Contract::Fixed { value }) if argument::is_fixed(expr, *value) || self.is_captured(name) => {
                Argument::Omitted
            }
            (_, Contract::Fixed { value }) => {
                let value = if param.shape.is_number() { value.to_string() } else { "NULL".to_owned() };
                return Err(format!(
                    "`{name}` is always {value} in the wrapper, and `{}` may be another",
                    self.source.of(expr)
                ));
            }
            (_, Contract::Text { value }) if text::is(expr, value) => Argument::Omitted,
            (_, Contract::Text { value }) => {
                return Err(format!(
                    "`{name}` is always {value:?} in the wrapper, and `{}` may be another",
                    self.source.of(expr)
                ));
            }
            (_, Contract::Size { of }) if argument::is_size_of(expr, &of.name) => Argument::Omitted,
            (_, Contract::Size { of }) => {
                let (of, given) = (&of.name, self.source.of(expr));
                return Err(format!(
                    "`{name}` is always the size of `{of}` in the wrapper, and `{given}` may be another"
                ));
            }
            (_, Contract::Callback { nullable: true, .. }) if argument::is_fixed(expr, 0) => {
                Argument::Text("None".to_owned())
            }
            (_, contract) => return Err(why_not(name, contract)),
        };
        self.arguments.insert(index, read);
        Ok(())
    }

    /// A variable that is no longer an argument may lose the use that its type was inferred from.
    fn check_type(&mut self, variable: &Expr) {
        let (Expr::Path(path), Some(function)) = (argument::without_parens(variable), self.found.function) else {
            return;
        };
        let call = range(self.found.call).start;
        if let Some(name) = path.path.get_ident().map(ToString::to_string)
            && locals::is_of_any_type(&function, &name, call)
        {
            self.refuse(format!(
                "the type of `{name}` was inferred from this argument, which the wrapper does not take: annotate it in its `let`"
            ));
        }
    }

    /// Whether a parameter is the user data of a callback, which a closure captures instead.
    fn is_captured(&self, name: &str) -> bool {
        let captured = |param: &ParamPlan| match param.decision.contract() {
            Some(Contract::Callback { user: Some(user), .. }) => user == name,
            _ => false,
        };
        self.params().iter().any(captured)
    }

    pub(super) fn holds(&self, expr: &Expr) -> Holds {
        match (argument::without_parens(expr), self.found.function) {
            (Expr::Path(path), Some(function)) => match path.path.get_ident() {
                Some(name) => locals::holds(&function, &name.to_string(), range(self.found.call).start),
                None => Holds::Unknown,
            },
            (Expr::Lit(lit), _) => match &lit.lit {
                Lit::ByteStr(_) => Holds::Slice { of: Some("u8".to_owned()) },
                Lit::Str(_) => Holds::Text,
                Lit::CStr(_) => Holds::CStr,
                _ => Holds::Unknown,
            },
            (Expr::MethodCall(call), _) if call.method == "as_bytes" => Holds::Slice { of: Some("u8".to_owned()) },
            (Expr::MethodCall(call), _) if call.method == "as_c_str" => Holds::CStr,
            (Expr::Index(index), _) if matches!(*index.index, Expr::Range(_)) => self.holds(&index.expr).part(),
            (Expr::Field(field), _) if argument::is_self(&field.base) && self.found.outermost => {
                let of = self.found.of;
                of.map_or(Holds::Unknown, |of| holds::of_field(&self.source.file.items, of, &field.member))
            }
            _ => Holds::Unknown,
        }
    }

    fn object(&self, expr: &Expr, dir: Dir, nullable: bool, name: &str) -> Result<Argument, String> {
        let mutable = if dir == Dir::In { "" } else { "mut " };
        let some = |text: String| Argument::Text(if nullable { format!("Some({text})") } else { text });
        match argument::pointer(expr) {
            Pointer::Null if nullable => Ok(Argument::Text("None".to_owned())),
            Pointer::Null => Err(format!("`{name}` is NULL here, and the policy says that it never is")),
            Pointer::To { place } => Ok(some(format!("&{mutable}{}", self.source.of(place)))),
            Pointer::Named { name } if self.holds(name) == Holds::Reference => {
                Ok(some(self.source.of(name).to_owned()))
            }
            // Casting a reference to a pointer does not change what it points to.
            _ if let Some(name) = argument::reference(expr)
                && self.holds(name) == Holds::Reference =>
            {
                Ok(some(self.source.of(name).to_owned()))
            }
            _ => Err(format!("`{name}`: nothing says what `{}` points to", self.source.of(expr))),
        }
    }

    fn place_for(&self, expr: &'c Expr, name: &str) -> Result<Outcome<'c>, String> {
        match argument::pointer(expr) {
            Pointer::To { place } => Ok(Outcome::Assign(place)),
            Pointer::Into { of, start: None, .. } if self.holds(of) == Holds::Uninit => Ok(Outcome::Write(of)),
            _ => Err(format!("`{name}`: `{}` is not `&mut` to a variable", self.source.of(expr))),
        }
    }

    /// Whether a place is known to be zero before the call. The wrapper returns zero where the function writes nothing,
    /// so the assignment does not change such a place.
    fn is_zero_before(&self, place: &Expr) -> bool {
        let (Expr::Path(path), Some(function)) = (argument::without_parens(place), self.found.function) else {
            return false;
        };
        let call = range(self.found.call).start;
        path.path.get_ident().is_some_and(|name| locals::is_zero(self.source, &function, &name.to_string(), call))
    }
}

/// Why the argument of a parameter with this contract must be written by hand.
fn why_not(name: &str, contract: &Contract) -> String {
    match contract {
        Contract::Callback { .. } => {
            format!("`{name}` is a callback: the wrapper takes a closure, which captures the user data itself")
        }
        Contract::Array { .. } => {
            format!("`{name}` is an array of pointers: the wrapper takes a slice of what they lead to")
        }
        Contract::Slice { slice, .. } => {
            format!("`{name}` is a `{}`: the wrapper takes a slice, and returns a copy", slice.path.name)
        }
        Contract::Progress { slice, .. } => format!(
            "`{name}` is a `{}`: the wrapper takes a slice, begins at its start, and returns how far the library has got",
            slice.path.name
        ),
        Contract::Inner { dir: Dir::In, of, .. } => {
            format!("`{name}`: the wrapper takes a place in `{of}`, a number, where C takes a pointer")
        }
        Contract::Inner { of, .. } => {
            format!("`{name}`: the wrapper returns a place in `{of}`, where C stores a pointer")
        }
        Contract::Cstr { dir: Dir::In | Dir::Inout, .. } => format!(
            "`{name}` is text that the function changes: the wrapper takes a `&CStr`, and the changes stay in the domain"
        ),
        Contract::Memory => format!("`{name}` is memory that the wrappers free themselves"),
        _ => format!("`{name}`: the wrapper returns a copy of what the library stores there"),
    }
}
