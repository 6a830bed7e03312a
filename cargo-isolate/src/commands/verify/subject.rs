//! Prepares the subject of `verify`: the wrappers of a package over stubs, and what each stub receives, stores and
//! calls according to the plan.

use crate::{
    contract::{Contract, Dir, Element, Hold, Lasting, expr::Expr, shape::Shape},
    plan::{Decision, FunctionPlan, ParamPlan, Plan, Role},
    verify::{Called, Exact, Foreign, Given, Param, Pointee, STUBS, Stored, Subject},
    wrap::{self, RenderError, Target},
};

/// The wrappers of one package, redirected to stubs.
pub(super) fn subject(plan: &Plan, target: &Target) -> Result<Subject, RenderError> {
    let redirected = target.clone().redirected(|_| STUBS.to_owned());
    let mut subject = Subject { wrappers: Vec::new(), functions: Vec::new(), fragment: String::new() };
    for file in wrap::render(plan, &redirected)? {
        match (file.path.file_stem(), file.path.extension()) {
            (Some("mod"), _) => {}
            (Some(domain), Some("rs")) => subject.wrappers.push((domain.to_owned(), file.text)),
            _ => subject.fragment = file.text,
        }
    }
    for domain in plan.domains.iter().filter(|domain| target.domains.contains(&domain.name)) {
        let mut origins = wrap::origins(domain, target);
        let foreign = |function: &FunctionPlan| Foreign {
            origins: origins.remove(function.wrapper()).unwrap_or_default(),
            ..foreign(function)
        };
        subject.functions.extend(domain.functions.iter().map(foreign));
    }
    Ok(subject)
}

fn foreign(function: &FunctionPlan) -> Foreign {
    Foreign {
        package: function.declared.index,
        name: function.name.clone(),
        wrapper: function.wrapper().to_owned(),
        picky: function.form.as_ref().is_some_and(|form| form.when.is_some()),
        variadic: function.variadic,
        params: function.params.iter().map(|one| param(function, one)).collect(),
        ret: function.ret.as_ref().map(|ret| spelt(&ret.ty, &ret.shape)),
        bits: function.ret.as_ref().and_then(|ret| ret.shape.bits()).map(str::to_owned),
        never_null: function.ret.as_ref().and_then(|ret| ret.decision.contract()).is_some_and(is_never_null),
        points_into: function.ret.as_ref().and_then(|ret| match ret.decision.contract()? {
            Contract::Inner { of, nullable: false, .. } => place(function, of),
            _ => None,
        }),
        shows_ret: function.ret.is_some() && !function.is_told_otherwise(),
        counts: function.params.iter().any(|param| is_room(function, param, &Expr::Ret)),
        answers: answers(function),
        origins: Vec::new(),
    }
}

fn place(function: &FunctionPlan, name: &str) -> Option<usize> {
    function.params.iter().position(|param| param.name == name)
}

/// How the wrapper's result can be compared with the function's; `None` if the return value indicates failure or is
/// part of a length.
fn answers(function: &FunctionPlan) -> Option<Exact> {
    let ret = function.ret.as_ref().filter(|ret| ret.shown_as.is_none())?;
    let is_value = ret.decision.contract() == Some(&Contract::Value) && function.failing.is_none();
    let is_told = expressions(function).iter().any(|leaf| matches!(leaf, Expr::Ret));
    exact(&ret.shape).filter(|_| is_value && !is_told)
}

/// How precisely values of a type can be compared.
fn exact(shape: &Shape) -> Option<Exact> {
    match shape {
        _ if shape.is_number() => Some(Exact::Whole),
        Shape::Struct { .. } => Some(Exact::InPart),
        _ => None,
    }
}

/// The leaves of all length expressions in the function's contracts, including arguments of calls in them.
fn expressions(function: &FunctionPlan) -> Vec<&Expr> {
    let params = function.params.iter().map(|param| &param.decision);
    let contracts = params.chain(function.ret.iter().map(|ret| &ret.decision)).filter_map(Decision::contract);
    let lengths = contracts.flat_map(|contract| contract.lengths().chain(contract.counted_by()));
    let lengths = lengths.chain(function.binds.iter().map(|bind| &bind.length));
    lengths.flat_map(Expr::leaves_and_arguments).collect()
}

fn param(function: &FunctionPlan, param: &ParamPlan) -> Param {
    let anything = |stored: bool| stored.then_some(Stored::Anything);
    let stored = match (&param.role, param.decision.contract()) {
        (Role::Caller, Some(Contract::Buf { dir: Dir::Out | Dir::Inout, written, .. }))
            if written.as_ref().is_none_or(|written| is_room(function, param, written))
                && is_hidden(function, param) =>
        {
            Some(Stored::Room)
        }
        (Role::CellOf(_), _) => anything(param.shape.is_mutable()),
        (Role::LengthOf(_) | Role::LengthsOf(_) | Role::EndOf(_), _) | (_, None) => None,
        (Role::Caller, Some(contract)) => match contract {
            Contract::Given { .. } | Contract::Cstr { dir: Dir::Out, .. } if is_never_null(contract) => {
                Some(Stored::Object)
            }
            Contract::Handle { dir: Dir::Out, hold: Hold::Give { .. }, nullable: false } => Some(Stored::Object),
            Contract::Inner { dir: Dir::In, .. } => None,
            Contract::Inner { of, nullable: false, .. } => place(function, of).map(Stored::Place),
            Contract::Obj { dir: Dir::Out | Dir::Inout, .. } if let Some(exact) = comes_out(function, param) => {
                Some(Stored::Value(exact))
            }
            Contract::Buf { dir, .. } => (*dir != Dir::In).then_some(Stored::First),
            Contract::Array { elem: Element::Buf { dir: Dir::Out | Dir::Inout, len, .. }, .. } => {
                (matches!(len, Expr::Bound { .. }) && counts_elements(function, param)).then_some(Stored::Rows)
            }
            Contract::Obj { dir, .. } | Contract::Handle { dir, .. } | Contract::Slice { dir, .. } => {
                anything(*dir != Dir::In)
            }
            Contract::Object { .. } | Contract::Given { .. } | Contract::Inner { .. } | Contract::Progress { .. } => {
                Some(Stored::Anything)
            }
            Contract::Cstr { dir, .. } => anything(*dir == Dir::Out),
            Contract::Value
            | Contract::Fixed { .. }
            | Contract::Text { .. }
            | Contract::Size { .. }
            | Contract::Array { .. }
            | Contract::Callback { .. }
            | Contract::Memory => None,
        },
    };
    let called = match (&param.shape, param.decision.contract()) {
        // A callback that outlives the call is called by later ones.
        (Shape::Function(function), Some(Contract::Callback { scope: Lasting::Call, .. })) => Some(Called {
            nullable: function.nullable,
            pointers: function.params.iter().map(|(_, shape)| shape.pointee().is_some()).collect(),
        }),
        _ => None,
    };
    let name = wrap::snake(&param.name);
    Param { name, ty: spelt(&param.ty, &param.shape), given: given(function, param), stored, called }
}

/// How the value behind a pointer can be compared after the call; `None` if a length depends on it.
fn comes_out(function: &FunctionPlan, param: &ParamPlan) -> Option<Exact> {
    let is_told = expressions(function)
        .iter()
        .any(|leaf| matches!(leaf, Expr::Deref(name) | Expr::Name(name) if *name == param.name));
    let (_, to) = param.shape.pointee()?;
    exact(to).filter(|_| param.shown_as.is_none() && !is_told)
}

/// What the function must receive for the arguments of the wrapper, where the contract determines it.
fn given(function: &FunctionPlan, param: &ParamPlan) -> Option<Given> {
    let named = |name: &String| function.params.iter().find(|param| param.name == *name);
    let nullable = |slice: &ParamPlan| match slice.decision.contract() {
        Some(Contract::Buf { nullable, .. } | Contract::Array { nullable, .. }) if slice.shown_as.is_none() => {
            Some(*nullable)
        }
        _ => None,
    };
    match (&param.role, param.decision.contract()?) {
        (Role::LengthOf(slices), _) if param.shape.is_number() => {
            let counted = |slice: &&ParamPlan| {
                let len = slice.decision.contract().and_then(Contract::len);
                matches!(len, Some(Expr::Name(len)) if *len == param.name)
            };
            let mut nullable = slices.iter().map(|slice| nullable(named(slice).filter(counted)?));
            let first = nullable.next()??;
            nullable.all(|other| other == Some(first)).then_some(Given::Length { nullable: first })
        }
        (Role::CellOf(slices), _) => {
            let plain = slices.iter().all(|slice| named(slice).and_then(nullable) == Some(false));
            (plain && param.shape.pointee().is_some_and(|(mutable, to)| mutable && to.is_number()))
                .then_some(Given::Cell)
        }
        // A number that a length depends on would dictate the length of the slices.
        (Role::Caller, Contract::Value) => {
            let lengths = function
                .params
                .iter()
                .map(|param| &param.decision)
                .chain(function.ret.as_ref().map(|ret| &ret.decision));
            let contracts: Vec<_> = lengths.filter_map(|decision| decision.contract()).collect();
            let is_length = |contract: &&Contract| {
                contract.lengths().chain(contract.counted_by()).any(|len| mentions(len, &param.name))
            };
            let is_integer = matches!(param.shape, Shape::Int(_)) && param.shown_as.is_none();
            (is_integer && function.binds.is_empty() && !contracts.iter().any(is_length)).then_some(Given::Number)
        }
        (Role::LengthsOf(array), _) => {
            let of = place(function, array)?;
            match function.params[of].decision.contract()? {
                Contract::Array { elem: Element::Buf { dir: Dir::In, nullable: gaps, .. }, nullable, .. } => {
                    let (gaps, nullable) = (*gaps, *nullable);
                    counts_elements(function, &function.params[of]).then_some(Given::Lengths { of, gaps, nullable })
                }
                _ => None,
            }
        }
        (Role::EndOf(slice), _) => {
            let place = place(function, slice)?;
            let nullable = nullable(&function.params[place])?;
            Some(Given::End { slice: place, nullable })
        }
        (Role::Caller, Contract::Inner { dir: Dir::In, of, nullable }) => {
            Some(Given::Place { of: place(function, of)?, nullable: *nullable })
        }
        (Role::Caller, Contract::Array { ended, elem, nullable, .. }) => {
            let (to, gaps) = match elem {
                Element::Cstr { nullable } => (Pointee::Text, *nullable),
                Element::Handle { nullable } => (Pointee::Object, *nullable),
                Element::Buf { dir: Dir::In, nullable, .. } => (Pointee::Values, *nullable),
                Element::Obj | Element::Buf { .. } => return None,
            };
            let (ended, nullable) = (*ended, *nullable);
            counts_elements(function, param).then_some(Given::Pointers { to, gaps, ended, nullable })
        }
        (Role::Caller, contract @ Contract::Buf { dir: Dir::In, nullable, .. }) => {
            let nullable = *nullable;
            // What is returned keeps something only after the stub is done.
            let object = contract.kept_for().and_then(|(object, _)| place(function, object));
            let is_held = |object: &usize| {
                let ParamPlan { shape, decision, .. } = &function.params[*object];
                matches!(decision.contract(), Some(Contract::Handle { dir: Dir::In, .. })) && !shape.is_newtype()
            };
            is_hidden(function, param).then_some(match object.filter(is_held) {
                Some(object) => Given::Kept { object, nullable },
                None => Given::Input { nullable },
            })
        }
        _ => None,
    }
}

/// Whether a length refers to a parameter, or calls a function, which may depend on anything.
fn mentions(length: &Expr, param: &str) -> bool {
    length.leaves().into_iter().any(|leaf| match leaf {
        Expr::Name(name) | Expr::Deref(name) => name == param,
        Expr::Call(_) => true,
        _ => false,
    })
}

/// Whether an array of pointers has as many elements for the function as for the wrapper: a parameter gives their
/// number, or NULL ends the array.
fn counts_elements(function: &FunctionPlan, param: &ParamPlan) -> bool {
    let Some(Contract::Array { len, .. }) = param.decision.contract() else { return false };
    let is_length = |len: &Expr| {
        let told = |other: &ParamPlan| matches!((&other.role, len), (Role::LengthOf(_), Expr::Name(name)) if other.name == *name);
        matches!(len, Expr::Bound { .. }) || function.params.iter().any(told)
    };
    param.shown_as.is_none() && len.as_ref().is_none_or(is_length)
}

/// Whether a parameter is a slice of numbers whose length or end is another parameter that callers of the wrapper do
/// not see.
fn is_hidden(function: &FunctionPlan, param: &ParamPlan) -> bool {
    let Some(Contract::Buf { len, .. }) = param.decision.contract() else { return false };
    let is_length = |other: &ParamPlan| match (&other.role, len) {
        (Role::LengthOf(_), Expr::Name(name))
        | (Role::CellOf(_), Expr::Deref(name))
        | (Role::EndOf(_), Expr::End(name)) => other.name == *name,
        _ => false,
    };
    let of_numbers =
        param.shape.pointee().is_some_and(|(_, to)| to.is_number() || matches!(to, Shape::Char | Shape::Void));
    of_numbers && param.shown_as.is_none() && function.params.iter().any(is_length)
}

/// Whether a parameter is a slice that the function can fill, with `told` as the length that it wrote.
fn is_room(function: &FunctionPlan, param: &ParamPlan, told: &Expr) -> bool {
    let Some(Contract::Buf { dir: Dir::Out | Dir::Inout, len, written: Some(written), .. }) = param.decision.contract()
    else {
        return false;
    };
    written == told && is_hidden(function, param) && (*written == Expr::Ret || written == len)
}

/// Whether the contract excludes NULL for a pointer.
fn is_never_null(contract: &Contract) -> bool {
    matches!(
        contract,
        Contract::Cstr { nullable: false, .. }
            | Contract::Given { nullable: false, .. }
            | Contract::Handle { nullable: false, .. }
    )
}

/// A type as a stub spells it: as declared, except for a macro call, whose expansion only the plan knows.
fn spelt(ty: &str, shape: &Shape) -> String {
    if ty.contains('!') { shape.to_string() } else { ty.to_owned() }
}
