//! One function of the plan → what the template needs to write its wrapper.

mod docs;
mod lengths;
mod object;
mod words;

use super::target::Names;
use crate::{
    contract::{Contract, Dir, expr::Expr, object::Life, shape::Shape},
    plan::{FunctionPlan, ParamPlan, Role},
};
pub(super) use docs::counted;
use docs::{documentation, extent};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use words::{fresh, is_plain, joined, mut_cast, optional, room_pointer, tuple, when_some};

pub(super) use words::snake;

/// What the template of a wrapper sees.
#[derive(Debug, Serialize)]
pub(super) struct View {
    name: String,
    docs: Vec<String>,
    params: Vec<Parameter>,
    /// What is in `Result<_, Fault>`.
    ret: String,
    /// Statements before anything is entered.
    checks: Vec<String>,
    /// Objects to be filled, made before the call: in the order of their ends, they outlive it.
    before: Vec<String>,
    stage: Vec<Step>,
    callee: String,
    args: Vec<String>,
    /// Pattern for what the function returned.
    returned: &'static str,
    collect: Vec<String>,
    result: String,
    /// What the function returned is the result as it is.
    as_it_is: bool,
    /// How often a call that ended in a fault is made again.
    retry: u32,
}

#[derive(Debug, Serialize)]
struct Parameter {
    name: String,
    ty: String,
}

/// A statement that prepares an argument.
#[derive(Debug, Serialize)]
struct Step {
    /// Why its `unsafe` block is sound.
    safety: Option<String>,
    statement: String,
}

impl View {
    pub(super) fn new(function: &FunctionPlan, names: &mut Names<'_>) -> View {
        let callee = names.function(function);
        let mut writer = Writer::new(function, names);
        for index in 0..function.params.len() {
            writer.param(index);
        }
        writer.results();
        let Writer { params, checks, before, stage, args, checked, plain, docs, results, .. } = writer;
        let (types, values): (Vec<_>, Vec<_>) = results.into_iter().map(|result| (result.ty, result.value)).unzip();
        let returned = if function.ret.is_some() { "ret" } else { "()" };
        let result = tuple(&values);
        // What may still fail comes first: after an `Err` every `&mut` argument has its old value.
        let collect: Vec<_> = checked.into_iter().chain(plain).collect();
        View {
            name: function.name.clone(),
            docs: documentation(function, docs, &types, !checks.is_empty()),
            params,
            ret: tuple(&types),
            checks,
            before,
            stage,
            callee,
            args,
            as_it_is: collect.is_empty() && result == returned,
            returned,
            collect,
            result,
            retry: function.retry,
        }
    }

    /// Names and types of the wrapper's parameters, and what is in its `Result<_, Fault>`.
    pub(super) fn signature(self) -> (Vec<(String, String)>, String) {
        (self.params.into_iter().map(|param| (param.name, param.ty)).collect(), self.ret)
    }
}

/// One part of what the wrapper returns.
struct Outcome {
    ty: String,
    value: String,
}

struct Writer<'w, 'n> {
    function: &'w FunctionPlan,
    names: &'w mut Names<'n>,
    /// Local name of each parameter.
    locals: Vec<String>,
    taken: BTreeSet<String>,
    /// Staged buffer of each output, by the parameter's local name, with the checked length if there is one.
    rooms: BTreeMap<String, (String, Option<String>)>,
    params: Vec<Parameter>,
    checks: Vec<String>,
    before: Vec<String>,
    stage: Vec<Step>,
    args: Vec<String>,
    /// Statements after the call that may return `Err`.
    checked: Vec<String>,
    /// The others.
    plain: Vec<String>,
    /// One line per parameter.
    docs: Vec<String>,
    results: Vec<Outcome>,
}

impl<'w, 'n> Writer<'w, 'n> {
    fn new(function: &'w FunctionPlan, names: &'w mut Names<'n>) -> Self {
        let mut taken: BTreeSet<String> =
            ["call", "ret", "room", "into", "object", "end", "ffi"].map(str::to_owned).into();
        let locals = function.params.iter().map(|param| fresh(&mut taken, &snake(&param.name))).collect();
        Self {
            function,
            names,
            locals,
            taken,
            rooms: BTreeMap::new(),
            params: Vec::new(),
            checks: Vec::new(),
            before: Vec::new(),
            stage: Vec::new(),
            args: Vec::new(),
            checked: Vec::new(),
            plain: Vec::new(),
            docs: Vec::new(),
            results: Vec::new(),
        }
    }

    fn param(&mut self, index: usize) {
        let param = &self.function.params[index];
        let local = self.locals[index].clone();
        match (&param.role, contract(param)) {
            (Role::LengthOf(slices), _) => self.length(index, &local, &slices.clone()),
            (Role::CellOf(slices), _) => self.cell(&local, &slices.clone()),
            (Role::Caller, Contract::Value) => {
                let ty = self.shown(param, &param.shape);
                self.take_param(&local, ty);
                self.args.push(local);
            }
            (Role::Caller, Contract::Cstr { dir, nullable }) => self.cstr(&local, *dir, *nullable, param),
            (Role::Caller, Contract::Handle { dir: Dir::Out, .. }) => self.handle_out(&local, param),
            (Role::Caller, Contract::Handle { nullable, .. }) => self.handle(&local, *nullable, param),
            (Role::Caller, Contract::Object { life, cursors }) => {
                self.object(&local, &life.clone(), &cursors.clone(), param);
            }
            (Role::Caller, Contract::Obj { dir, nullable }) => self.obj(&local, *dir, *nullable, param),
            (Role::Caller, Contract::Buf { dir, len, nullable, .. }) => {
                self.buf(&local, *dir, &len.clone(), *nullable, param);
            }
        }
    }

    /// A length that slices know.
    fn length(&mut self, index: usize, local: &str, slices: &[String]) {
        let of = self.slice_len(&slices[0]);
        self.same_length(slices);
        self.step(format!("let {local} = call.length({of})?;"));
        self.args.push(self.locals[index].clone());
    }

    /// A pointer to a length that slices know.
    fn cell(&mut self, local: &str, slices: &[String]) {
        let of = self.slice_len(&slices[0]);
        self.same_length(slices);
        self.step(format!("let {local} = call.inout(&[call.length({of})?])?;"));
        self.args.push(format!("{local}.as_mut_ptr()"));
    }

    fn cstr(&mut self, local: &str, dir: Dir, nullable: bool, param: &ParamPlan) {
        let ty = self.names.of_c("CStr");
        self.take_param(local, optional(format!("&{ty}"), nullable));
        if dir == Dir::Inout {
            let room = self.fresh(&joined(local, "room"));
            let call = |from: &str| {
                let staged = format!("call.inout({from}.to_bytes_with_nul())?");
                if nullable { format!("Some({staged})") } else { staged }
            };
            let value = when_some(nullable, local, local, &call, "None");
            self.step(format!("let {room} = {value};"));
            self.args.push(room_pointer(&room, nullable, false, ".cast()"));
            self.doc(local, "a string; the function may change its own copy of it");
            return;
        }
        let var = self.fresh(&joined(local, "ptr"));
        let call = |from: &str| format!("call.input_str({from})?");
        let value = when_some(nullable, local, local, &call, "std::ptr::null()");
        self.step(format!("let {var} = {value};"));
        let is_char = matches!(param.shape.pointee(), Some((_, Shape::Char)));
        self.args.push(format!("{var}{}{}", mut_cast(&param.shape), if is_char { "" } else { ".cast()" }));
        self.doc(local, "a string, read");
    }

    fn handle(&mut self, local: &str, nullable: bool, param: &ParamPlan) {
        let ty = self.handle_type(&param.shape);
        self.take_param(local, optional(format!("&{ty}"), nullable));
        let var = self.fresh(&joined(local, "ptr"));
        let call = |from: &str| format!("call.handle({from})?");
        let value = when_some(nullable, local, local, &call, "std::ptr::null_mut()");
        self.step(format!("let {var} = {value};"));
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(format!("{var}{}", if is_const { ".cast_const()" } else { "" }));
        self.doc(local, "an object in the domain");
    }

    fn handle_out(&mut self, local: &str, param: &ParamPlan) {
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((mutable, to)) = pointer.pointee() else { return };
        let object = self.names.ty(to);
        let room = self.fresh(&joined(local, "room"));
        self.step(format!("let {room} = call.inout(&[std::ptr::null_mut::<{object}>()])?;"));
        self.args.push(format!("{room}.as_mut_ptr(){}", if mutable { "" } else { ".cast()" }));
        self.checked.push(format!("let {local} = call.adopt(call.read({room}))?;"));
        let ty = self.handle_type(pointer);
        self.results.push(Outcome { ty: format!("Option<{ty}>"), value: local.to_owned() });
    }

    fn obj(&mut self, local: &str, dir: Dir, nullable: bool, param: &ParamPlan) {
        let Some((_, to)) = param.shape.pointee() else { return };
        let ty = self.shown(param, to);
        let plain = is_plain(to);
        let room = self.fresh(&joined(local, "room"));
        match dir {
            Dir::In if plain => {
                self.take_param(local, optional(format!("&{ty}"), nullable));
                let call = |from: &str| format!("call.input(std::slice::from_ref({from}))?");
                let value = when_some(nullable, local, local, &call, "std::ptr::null()");
                self.step(format!("let {room} = {value};"));
                self.args.push(format!("{room}{}", mut_cast(&param.shape)));
                self.doc(local, "read");
            }
            Dir::Out => {
                let value = match to {
                    Shape::Int(_) | Shape::Char => "call.inout(&[0])?".to_owned(),
                    Shape::Float(_) => "call.inout(&[0.0])?".to_owned(),
                    _ if plain => format!("call.output::<{ty}>(1)?"),
                    _ => format!("unsafe {{ call.output_any::<{ty}>(1) }}?"),
                };
                self.staged(&room, &value, (!plain).then_some(&ty));
                self.args.push(format!("{room}.as_mut_ptr()"));
                self.plain.push(format!("let {local} = call.read({room});"));
                self.results.push(Outcome { ty, value: local.to_owned() });
            }
            Dir::In | Dir::Inout => {
                let mutable = if dir == Dir::In { "" } else { "mut " };
                self.take_param(local, optional(format!("&{mutable}{ty}"), nullable));
                let call = |from: &str| {
                    let staged = format!("std::slice::from_ref({from})");
                    let staged = if plain {
                        format!("call.inout::<{ty}>({staged})?")
                    } else {
                        format!("unsafe {{ call.inout_any::<{ty}>({staged}) }}?")
                    };
                    if nullable { format!("Some({staged})") } else { staged }
                };
                let borrow = if dir == Dir::In { local.to_owned() } else { format!("&{local}") };
                let value = when_some(nullable, &borrow, local, &call, "None");
                self.staged(&room, &value, (!plain).then_some(&ty));
                let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
                self.args.push(room_pointer(&room, nullable, is_const, ""));
                if dir == Dir::Inout {
                    self.plain.push(if nullable {
                        format!("if let (Some(room), Some(into)) = ({room}, {local}) {{ *into = call.read(room); }}")
                    } else {
                        format!("*{local} = call.read({room});")
                    });
                }
                self.doc(local, if dir == Dir::In { "read" } else { "read and written" });
            }
        }
    }

    fn buf(&mut self, local: &str, dir: Dir, len: &Expr, nullable: bool, param: &ParamPlan) {
        let Some((_, to)) = param.shape.pointee() else { return };
        let cast = if matches!(to, Shape::Char | Shape::Void) { ".cast()" } else { "" };
        let elem = if cast.is_empty() { self.shown(param, to) } else { "u8".to_owned() };
        let plain = is_plain(to) || !cast.is_empty();
        let mutable = if dir == Dir::In { "" } else { "mut " };
        let slice = match len {
            Expr::Int(count) => format!("&{mutable}[{elem}; {count}]"),
            _ => format!("&{mutable}[{elem}]"),
        };
        self.take_param(local, optional(slice, nullable));
        let need = self.check_length(local, len, &param.name);

        let suffix = if dir == Dir::In && plain { "ptr" } else { "room" };
        let var = self.fresh(&joined(local, suffix));
        if dir == Dir::In && plain {
            let call = |from: &str| format!("call.input({from})?");
            let value = when_some(nullable, local, local, &call, "std::ptr::null()");
            self.step(format!("let {var} = {value};"));
            self.args.push(format!("{var}{}{cast}", mut_cast(&param.shape)));
            self.doc(local, &format!("read{}", extent(len, &need)));
            return;
        }
        let call = |from: &str| {
            let staged = match (dir, plain) {
                (Dir::Out, true) => format!("call.output::<{elem}>({from}.len())?"),
                (Dir::Out, false) => format!("unsafe {{ call.output_any::<{elem}>({from}.len()) }}?"),
                (_, true) => format!("call.inout::<{elem}>({from})?"),
                (_, false) => format!("unsafe {{ call.inout_any::<{elem}>({from}) }}?"),
            };
            if nullable { format!("Some({staged})") } else { staged }
        };
        let borrow = if dir == Dir::In { local.to_owned() } else { format!("&{local}") };
        let value = when_some(nullable, &borrow, local, &call, "None");
        self.staged(&var, &value, (!plain).then_some(&elem));
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(room_pointer(&var, nullable, is_const, cast));
        let what = match dir {
            Dir::In => "read",
            Dir::Out => "written",
            Dir::Inout => "read and written",
        };
        self.doc(local, &format!("{what}{}", extent(len, &need)));
        self.rooms.insert(local.to_owned(), (var, need));
    }

    /// What comes back: the return value, then everything else in the order of the signature.
    fn results(&mut self) {
        let outs = std::mem::take(&mut self.results);
        let mut outs = outs.into_iter();
        let mut results = Vec::new();
        results.extend(self.returned());
        let function = self.function;
        // Lengths behind pointers first: each is read once, and others are computed from it.
        for (index, param) in function.params.iter().enumerate() {
            if matches!(param.role, Role::CellOf(_)) {
                let local = &self.locals[index];
                self.plain.insert(0, format!("let {local} = call.read({local});"));
            }
        }
        for (index, param) in function.params.iter().enumerate() {
            let local = self.locals[index].clone();
            match contract(param) {
                Contract::Buf { dir: Dir::Out | Dir::Inout, .. } => results.extend(self.take_back(&local, param)),
                _ if matches!(param.role, Role::CellOf(_)) && !counted(function, &param.name) => {
                    // A claim of the domain about a slice: never more than the slice has.
                    let most = self.most(&param.role);
                    results.push(Outcome { ty: "usize".to_owned(), value: format!("call.count({local}).min({most})") });
                }
                _ if matches!(param.role, Role::CellOf(_)) => {}
                Contract::Obj { dir: Dir::Out, .. } | Contract::Handle { dir: Dir::Out, .. } => {
                    results.extend(outs.next());
                }
                Contract::Object { life: Life::Made { .. }, .. } => results.extend(outs.next()),
                Contract::Object { cursors, .. } => {
                    results.extend(outs.by_ref().take(cursors.iter().filter(|cursor| cursor.moves).count()));
                }
                _ => {}
            }
        }
        self.results = results;
    }

    /// Elements of the first slice that a cell tells the length of, after the call, when a `&mut` one may have been moved.
    fn most(&self, role: &Role) -> String {
        let Role::CellOf(slices) = role else { return "0".to_owned() };
        let nullable =
            self.function.params.iter().any(|param| {
                param.name == slices[0] && matches!(contract(param), Contract::Buf { nullable: true, .. })
            });
        match self.rooms.get(&self.local(&slices[0])) {
            Some((room, _)) if nullable => format!("{room}.map_or(0, |room| room.len())"),
            Some((room, _)) => format!("{room}.len()"),
            None => self.slice_len(&slices[0]),
        }
    }

    fn returned(&mut self) -> Option<Outcome> {
        let ret = self.function.ret.as_ref()?;
        match ret.decision.contract() {
            Some(Contract::Cstr { nullable, .. }) => {
                let is_char = matches!(ret.shape.pointee(), Some((_, Shape::Char)));
                let cast = if is_char { "" } else { ".cast()" };
                let cast_const =
                    if matches!(ret.shape, Shape::Pointer { mutable: true, .. }) { ".cast_const()" } else { "" };
                self.checked.insert(
                    0,
                    format!(
                        "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.\n\
                         let ret = unsafe {{ call.string(ret{cast_const}{cast}) }}?;"
                    ),
                );
                let ty = self.names.of_c("CString");
                self.require(*nullable);
                Some(Outcome { ty: optional(ty, *nullable), value: "ret".to_owned() })
            }
            Some(Contract::Handle { nullable, .. }) => {
                let cast = if matches!(ret.shape, Shape::Pointer { mutable: false, .. }) { ".cast_mut()" } else { "" };
                self.checked.insert(0, format!("let ret = call.adopt(ret{cast})?;"));
                let ty = self.handle_type(&ret.shape);
                self.require(*nullable);
                Some(Outcome { ty: optional(ty, *nullable), value: "ret".to_owned() })
            }
            _ => {
                let ty = self.names.shown(ret.shown_as.as_deref(), &ret.shape);
                Some(Outcome { ty, value: "ret".to_owned() })
            }
        }
    }

    /// Whether a domain keeps its contract is checked like everything else that comes out of it.
    fn require(&mut self, nullable: bool) {
        if !nullable {
            self.checked.insert(1, "let ret = call.required(ret)?;".to_owned());
        }
    }

    /// Copies a buffer out of the domain.
    fn take_back(&mut self, local: &str, param: &ParamPlan) -> Option<Outcome> {
        let Contract::Buf { dir, written, nullable, .. } = contract(param) else { return None };
        let (room, need) = self.rooms.get(local).cloned()?;
        let count = match (written, dir, need) {
            (Some(written), _, _) => self.count(written),
            // What the function was not told of, it did not write.
            (None, Dir::Out, Some(need)) => format!("call.count({need})"),
            (None, _, _) if *nullable => "room.len()".to_owned(),
            (None, _, _) => format!("{room}.len()"),
        };
        let take = if *nullable {
            format!("match ({room}, {local}) {{ (Some(room), Some(into)) => call.take(room, {count}, into), _ => 0 }}")
        } else {
            format!("call.take({room}, {count}, {local})")
        };
        if written.is_none() {
            self.plain.push(format!("{take};"));
            return None;
        }
        let var = self.fresh(&joined(local, "written"));
        self.plain.push(format!("let {var} = {take};"));
        Some(Outcome { ty: "usize".to_owned(), value: var })
    }

    fn handle_type(&mut self, pointer: &Shape) -> String {
        let handle = self.names.runtime("Handle");
        let object = pointer.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        format!("{handle}<{object}>")
    }

    fn shown(&mut self, param: &ParamPlan, shape: &Shape) -> String {
        self.names.shown(param.shown_as.as_deref(), shape)
    }

    fn take_param(&mut self, name: &str, ty: String) {
        self.params.push(Parameter { name: name.to_owned(), ty });
    }

    fn step(&mut self, statement: String) {
        self.stage.push(Step { safety: None, statement });
    }

    /// Room for a value; `any` names the type when only we know that every bit pattern of it is one.
    fn staged(&mut self, room: &str, value: &str, any: Option<&String>) {
        let safety = any.map(|ty| format!("`{ty}` holds plain numbers only, so every bit pattern is a value of it."));
        self.stage.push(Step { safety, statement: format!("let {room} = {value};") });
    }

    fn doc(&mut self, local: &str, what: &str) {
        self.docs.push(format!(" * `{local}`: {what}."));
    }

    fn fresh(&mut self, wanted: &str) -> String {
        fresh(&mut self.taken, wanted)
    }
}

/// The contract of a parameter in a function that is ready.
fn contract(param: &ParamPlan) -> &Contract {
    param.decision.contract().expect("a function is rendered only when every parameter has a contract")
}
