//! Prepares the subject of `verify`: the wrappers of a package over stubs, and what each stub receives, stores and
//! calls according to the plan.

use super::{
    Called, Cursor, Exact, Foreign, Given, Param, Pointee, Returns, STUBS, Stored, Subject,
    chosen::{self, Chosen},
};
use crate::{
    contract::{
        Contract, Dir, Element, Hold, Lasting,
        expr::Expr,
        object::{self, Life},
        shape::Shape,
    },
    plan::{Decision, FunctionPlan, ParamPlan, Plan, Role},
    wrap::{self, RenderError, Target},
};

/// The wrappers of one package, redirected to stubs.
pub(crate) fn subject(plan: &Plan, target: &Target) -> Result<Subject, RenderError> {
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
    let chosen = Chosen::of(function);
    let is_picky = chosen.is_none();
    let chosen = chosen.unwrap_or_default();
    let null_fails = function.failing.as_ref().is_some_and(|failing| failing.error.takes_null());
    Foreign {
        package: function.declared.index,
        name: function.name.clone(),
        wrapper: function.wrapper().to_owned(),
        picky: is_picky,
        variadic: function.variadic,
        params: function.params.iter().map(|one| param(function, one, &chosen)).collect(),
        ret: function.ret.as_ref().map(|ret| spelt(&ret.ty, &ret.shape)),
        bits: function.ret.as_ref().and_then(|ret| ret.shape.bits()).map(str::to_owned),
        row_lengths: row_lengths(function),
        never_null: function.ret.as_ref().is_some_and(|ret| {
            ret.decision.contract().is_some_and(is_never_null) || null_fails && ret.shape.pointee().is_some()
        }),
        points_into: function.ret.as_ref().and_then(|ret| match ret.decision.contract()? {
            Contract::Inner { of, nullable, .. } if null_fails || !nullable => place(function, of),
            _ => None,
        }),
        shows_ret: function.ret.is_some() && !function.is_told_otherwise(),
        counts: function.params.iter().any(|param| is_room(function, param, &chosen, &Expr::Ret)),
        returns: returns(function),
        answers: answers(function),
        origins: Vec::new(),
    }
}

fn row_lengths(function: &FunctionPlan) -> Vec<String> {
    let of_each = function.params.iter().filter_map(|param| match param.decision.contract()? {
        Contract::Array { elem: Element::Buf { len, .. }, .. } => Some(len),
        _ => None,
    });
    let bound = of_each.flat_map(Expr::leaves).filter_map(|leaf| match leaf {
        Expr::Bound { name, .. } => Some(name.clone()),
        _ => None,
    });
    bound.collect()
}

fn place(function: &FunctionPlan, name: &str) -> Option<usize> {
    function.params.iter().position(|param| param.name == name)
}

/// How the wrapper's result can be compared with the function's; `None` if the return value may indicate failure or is
/// part of a length.
fn answers(function: &FunctionPlan) -> Option<Exact> {
    let ret = function.ret.as_ref().filter(|ret| ret.shown_as.is_none())?;
    let is_value = ret.decision.contract() == Some(&Contract::Value);
    exact(&ret.shape).filter(|_| is_value && function.failing.is_none() && !tells(function))
}

/// How it tells that it works, where its contract has a word for failing.
fn returns(function: &FunctionPlan) -> Returns {
    let (Some(ret), Some(failing)) = (&function.ret, &function.failing) else { return Returns::Anything };
    if ret.shape.pointee().is_some() {
        return if chosen::is_success(&failing.error, 0) { Returns::Anything } else { Returns::Unknown };
    }
    let is_shown = ret.shown_as.is_none() && ret.decision.contract() == Some(&Contract::Value);
    match chosen::success(&failing.error, &ret.shape.compared()) {
        None => Returns::Unknown,
        Some(number) if tells(function) => Returns::Count { least: number },
        Some(number) => Returns::Number { number, shown: is_shown && !function.is_told_otherwise() },
    }
}

/// What it returns is, or is part of, the length of something.
fn tells(function: &FunctionPlan) -> bool {
    expressions(function).iter().any(|leaf| matches!(leaf, Expr::Ret))
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

fn param(function: &FunctionPlan, param: &ParamPlan, chosen: &Chosen) -> Param {
    let anything = |stored: bool| stored.then_some(Stored::Anything);
    let stored = match (&param.role, param.decision.contract()) {
        (Role::Caller, Some(Contract::Buf { dir: Dir::Out | Dir::Inout, written, .. }))
            if written.as_ref().is_none_or(|written| is_room(function, param, chosen, written))
                && extent(function, param, chosen).is_some() =>
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
    Param {
        name: wrap::snake(&param.name),
        ty: spelt(&param.ty, &param.shape),
        given: given(function, param, chosen),
        elements: extent(function, param, chosen),
        stored,
        called,
        cursors: cursors(param),
    }
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
fn given(function: &FunctionPlan, param: &ParamPlan, chosen: &Chosen) -> Option<Given> {
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
        (Role::Caller, Contract::Value) if let Some(amount) = chosen.amount(&param.name) => Some(Given::Amount(amount)),
        (Role::Caller, Contract::Fixed { value }) if is_fixed(param) => {
            Some(Given::Amount(chosen::Amount::Number(*value)))
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
            extent(function, param, chosen).map(|_| match object.filter(is_held) {
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

/// How many elements a slice of numbers has, in Rust: its length, or end, is a parameter of its own, which the wrapper's caller
/// does not see, or follows from what others are.
fn extent(function: &FunctionPlan, param: &ParamPlan, chosen: &Chosen) -> Option<String> {
    let Contract::Buf { len, .. } = param.decision.contract()? else { return None };
    let is_length = |other: &ParamPlan| match (&other.role, len) {
        (Role::LengthOf(_), Expr::Name(name))
        | (Role::CellOf(_), Expr::Deref(name))
        | (Role::EndOf(_), Expr::End(name)) => other.name == *name,
        _ => false,
    };
    let (_, to) = param.shape.pointee()?;
    if !(to.is_number() || matches!(to, Shape::Char | Shape::Void)) || param.shown_as.is_some() {
        return None;
    }
    match function.params.iter().any(is_length) {
        true => Some(chosen::Amount::Length.in_rust("usize")),
        // That of an array on its own is in the type of what the wrapper takes.
        false if len.leaves().iter().all(|leaf| matches!(leaf, Expr::Int(_))) => None,
        false => chosen.elements(len),
    }
}

/// The wrapper passes this integer or address every time.
fn is_fixed(param: &ParamPlan) -> bool {
    matches!(param.shape, Shape::Int(_)) || param.shape.pointee().is_some()
}

/// What the function moves in an object, and the wrapper takes slices for.
fn cursors(param: &ParamPlan) -> Vec<Cursor> {
    let Some(Contract::Object { life: Life::Used, cursors }) = param.decision.contract() else { return Vec::new() };
    let moved = cursors.iter().filter(|cursor| cursor.moves);
    moved.filter_map(cursor).collect()
}

fn cursor(object::Cursor { field, dir, left, pointer, .. }: &object::Cursor) -> Option<Cursor> {
    let (_, to) = pointer.pointee()?;
    let is_plain = to.is_number() || matches!(to, Shape::Char | Shape::Void);
    is_plain.then(|| Cursor {
        name: wrap::snake(field),
        field: field.clone(),
        left: left.clone(),
        dir: *dir,
        size: to.number().map_or(1, |number| number.bits.div_ceil(8)),
    })
}

/// Whether a parameter is a slice that the function can fill, with `told` as the length that it wrote.
fn is_room(function: &FunctionPlan, param: &ParamPlan, chosen: &Chosen, told: &Expr) -> bool {
    let Some(Contract::Buf { dir: Dir::Out | Dir::Inout, len, written: Some(written), .. }) = param.decision.contract()
    else {
        return false;
    };
    written == told && extent(function, param, chosen).is_some() && (*written == Expr::Ret || written == len)
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
