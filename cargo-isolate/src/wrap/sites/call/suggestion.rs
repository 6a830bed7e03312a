//! The suggested call to write by hand.

use super::{
    super::{argument, fault::Takes},
    Argument, Call, PANICS,
    layout::tuple,
};
use crate::{
    contract::{Contract, Dir, Lasting, Told, object::Life, shape::Shape},
    plan::{ParamPlan, Role},
    wrap::function::snake,
};
use syn::{PathArguments, Type, TypeParamBound};

impl Call<'_> {
    /// Text that compiles in place of the call or before its statement. `todo!` stands for what is not known. A fault,
    /// an error code and NULL are handled separately.
    pub(super) fn suggestion(&self, takes: Takes) -> String {
        let known = self.wrapper.function.params.iter().enumerate().flat_map(|(index, param)| self.known(index, param));
        let known: Vec<_> = known.collect();
        // If the two lists differ in length, no argument is taken over.
        let known = if known.len() == self.wrapper.params.len() { known } else { Vec::new() };
        let mut known = known.into_iter();
        let arguments: Vec<_> = self
            .wrapper
            .params()
            .map(|(name, ty)| known.next().flatten().unwrap_or_else(|| unknown(name, ty)))
            .collect();
        let call = format!("{}({})", self.path(), arguments.join(", "));
        let end = match takes {
            Takes::Nothing if self.panic_may_end_all() => ".unwrap_or_else(|fault| todo!(\"{}\", fault))",
            Takes::Nothing => PANICS,
            Takes::Fault | Takes::Any => "?",
        };
        match (takes, self.code(), self.results()) {
            (Takes::Any, ..) | (_, None, _) => self.taken_apart(&format!("{call}{end}")),
            (_, Some(code), Some(parts)) => format!("{call}{}{end}", self.as_code(&parts, code)),
            (_, Some(_), None) => self.matched(&call, takes),
        }
    }

    /// A statement that destructures the result of a call whose errors `?` has returned.
    fn taken_apart(&self, call: &str) -> String {
        match &self.result_names()[..] {
            [one] if self.is_option() => format!("let Some({one}) = {call} else {{ todo!(\"NULL\") }};"),
            [one] if one != RETURNED => format!("let {one} = {call};"),
            [] | [_] => call.to_owned(),
            several => format!("let {} = {call};", tuple(several)),
        }
    }

    /// The same for a function whose failures do not convert to the enclosing function's error type: a `match` on the
    /// result.
    fn matched(&self, call: &str, takes: Takes) -> String {
        let fault = match takes {
            Takes::Nothing if self.panic_may_end_all() => "todo!(\"{}\", fault)",
            Takes::Nothing => "panic!(\"{}\", fault)",
            Takes::Fault | Takes::Any => "return Err(fault.into())",
        };
        let (start, done) = match &self.result_names()[..] {
            [] => (String::new(), "Ok(()) => {}".to_owned()),
            [one] if self.is_option() => {
                (format!("let {one} = "), format!("Ok(Some({one})) => {one}, Ok(None) => todo!(\"NULL\")"))
            }
            names => {
                let names = tuple(names);
                (format!("let {names} = "), format!("Ok({names}) => {names}"))
            }
        };
        let failed = "Err(isolate_rt::Error::Failed(failed)) => todo!(\"{}\", failed)";
        let close = if start.is_empty() { "" } else { ";" };
        format!("{start}match {call} {{ {done}, {failed}, Err(isolate_rt::Error::Fault(fault)) => {fault} }}{close}")
    }

    /// Whether the wrapper returns an `Option`.
    fn is_option(&self) -> bool {
        self.wrapper.ret.starts_with("Option<")
    }

    /// A name for each part of what the wrapper returns.
    fn result_names(&self) -> Vec<String> {
        let origins = &self.wrapper.origins;
        let name = |(at, place): (usize, &usize)| {
            let Some(param) = place.checked_sub(1).and_then(|index| self.params().get(index)) else {
                return RETURNED.to_owned();
            };
            match param.decision.contract() {
                // How much of the slice the function wrote; the caller has the slice itself.
                Some(Contract::Buf { .. }) => "written".to_owned(),
                Some(Contract::Progress { dir, .. }) => {
                    format!("{}_{}", snake(&param.name), if *dir == Dir::In { "read" } else { "written" })
                }
                // How much of each slice was processed, for the moving cursors of the object, in their order.
                Some(Contract::Object { life: Life::Used, cursors }) => {
                    let before = origins[..at].iter().filter(|other| *other == place).count();
                    let cursor = cursors.iter().filter(|cursor| cursor.moves).nth(before);
                    cursor.map_or_else(|| snake(&param.name), |cursor| format!("{}_done", snake(&cursor.field)))
                }
                _ => snake(&param.name),
            }
        };
        let mut names: Vec<String> = Vec::new();
        for name in origins.iter().enumerate().map(name) {
            let same = names.iter().filter(|other| **other == name).count();
            names.push(if same > 0 { format!("{name}_{}", same + 1) } else { name });
        }
        names
    }

    /// The wrapper's arguments for one parameter of the function: none for a parameter that it hides, and the slices of
    /// an object's cursors after the object. `None` stands for an argument that is not known.
    fn known(&self, index: usize, param: &ParamPlan) -> Vec<Option<String>> {
        let mut cursors = 0;
        let is_hidden = match param.decision.contract() {
            _ if !matches!(param.role, Role::Caller) => true,
            Some(
                Contract::Obj { dir, .. }
                | Contract::Handle { dir, .. }
                | Contract::Cstr { dir, .. }
                | Contract::Slice { dir, .. },
            ) => *dir == Dir::Out,
            Some(Contract::Object { life: Life::Made { .. }, .. }) => true,
            Some(Contract::Object { cursors: all, .. }) => {
                cursors = all.iter().filter(|cursor| cursor.moves).count();
                false
            }
            Some(
                Contract::Given { .. }
                | Contract::Fixed { .. }
                | Contract::Text { .. }
                | Contract::Size { .. }
                | Contract::Memory,
            ) => true,
            _ => false,
        };
        if is_hidden {
            return Vec::new();
        }
        let text = match (self.arguments.get(&index), self.argument(index)) {
            (Some(Argument::Kept), Some(expr)) => Some(self.source.of(expr).to_owned()),
            (Some(Argument::Text(text)), _) => Some(text.clone()),
            (Some(Argument::Part { open, inner, close }), _) => {
                Some(format!("{open}{}{close}", &self.source.text[inner.clone()]))
            }
            (_, given) => callback(param, given.is_some_and(|given| argument::is_fixed(given, 0))),
        };
        [vec![text], vec![None; cursors]].concat()
    }
}

/// The name of the part that the function itself returned.
const RETURNED: &str = "ret";

/// An argument of which only the type is known. `todo!()` has every type except that of a closure.
fn unknown(name: &str, ty: &str) -> String {
    let todo = format!("todo!(\"{name}: {ty}\")");
    match syn::parse_str(ty).ok().as_ref().and_then(closure_params) {
        Some(count) => format!("|{}| {todo}", vec!["_"; count].join(", ")),
        None => todo,
    }
}

/// The number of parameters of a closure type `impl FnMut(…)`.
fn closure_params(ty: &Type) -> Option<usize> {
    let Type::ImplTrait(closure) = ty else { return None };
    let TypeParamBound::Trait(bound) = closure.bounds.first()? else { return None };
    let PathArguments::Parenthesized(arguments) = &bound.path.segments.last()?.arguments else { return None };
    Some(arguments.inputs.len())
}

/// The closure that replaces a callback, with the parameter names of the library.
fn callback(param: &ParamPlan, is_null: bool) -> Option<String> {
    let (Some(Contract::Callback { scope, nullable, params: told, .. }), Shape::Function(function)) =
        (param.decision.contract(), &param.shape)
    else {
        return None;
    };
    if *nullable && is_null {
        return Some("None".to_owned());
    }
    let seen = told.iter().zip(&function.params).filter(|(one, (name, _))| match one {
        Told::User => false,
        Told::Value => !told.iter().any(|other| other.tells(name)),
        _ => true,
    });
    let names: Vec<_> = seen.map(|(_, (name, _))| snake(name)).collect();
    let answer = function.ret.as_ref().map_or_else(String::new, |ret| format!(": a `{ret}`"));
    let closure = format!("|{}| todo!(\"what the callback does{answer}\")", names.join(", "));
    Some(match (scope, nullable) {
        (Lasting::Call, true) => format!("Some(&mut {closure})"),
        (Lasting::Call, false) => closure,
        (Lasting::Object { .. }, true) => format!("Some(Box::new(move {closure}))"),
        (Lasting::Object { .. }, false) => format!("move {closure}"),
    })
}
