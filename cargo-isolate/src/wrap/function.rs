//! One function of the plan → what the template needs to write its wrapper.

use super::target::Names;
use crate::{
    contract::{
        Contract, Dir,
        expr::{Expr, Op},
        shape::Shape,
    },
    plan::{FunctionPlan, ParamPlan, Role},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
    stage: Vec<Step>,
    callee: String,
    args: Vec<String>,
    /// Pattern for what the function returned.
    returned: &'static str,
    collect: Vec<String>,
    result: String,
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
        let Writer { params, checks, stage, args, checked, plain, docs, results, .. } = writer;
        let (types, values): (Vec<_>, Vec<_>) = results.into_iter().map(|result| (result.ty, result.value)).unzip();
        View {
            name: function.name.clone(),
            docs: documentation(function, docs, &types, !checks.is_empty()),
            params,
            ret: tuple(&types),
            checks,
            stage,
            callee,
            args,
            returned: if function.ret.is_some() { "ret" } else { "()" },
            // What may still fail comes first: after an `Err` every `&mut` argument has its old value.
            collect: checked.into_iter().chain(plain).collect(),
            result: tuple(&values),
        }
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
        let mut taken: BTreeSet<String> = ["call", "ret", "room", "into", "ffi"].map(str::to_owned).into();
        let locals = function.params.iter().map(|param| fresh(&mut taken, &snake(&param.name))).collect();
        Self {
            function,
            names,
            locals,
            taken,
            rooms: BTreeMap::new(),
            params: Vec::new(),
            checks: Vec::new(),
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
            (Role::Caller, Contract::Cstr { nullable }) => self.cstr(&local, *nullable, param),
            (Role::Caller, Contract::Handle { dir: Dir::Out, .. }) => self.handle_out(&local, param),
            (Role::Caller, Contract::Handle { nullable, .. }) => self.handle(&local, *nullable, param),
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

    fn same_length(&mut self, slices: &[String]) {
        for other in &slices[1..] {
            let (first, other_len) = (self.slice_len(&slices[0]), self.slice_len(other));
            let (a, b) = (self.local(other), self.local(&slices[0]));
            self.checks.push(format!("assert_eq!({other_len}, {first}, \"`{a}` and `{b}` differ in length\");"));
        }
    }

    fn cstr(&mut self, local: &str, nullable: bool, param: &ParamPlan) {
        let ty = self.names.of_c("CStr");
        self.take_param(local, optional(format!("&{ty}"), nullable));
        let var = self.fresh(&format!("{local}_ptr"));
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
        let var = self.fresh(&format!("{local}_ptr"));
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
        let room = self.fresh(&format!("{local}_room"));
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
        let room = self.fresh(&format!("{local}_room"));
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
        let var = self.fresh(&format!("{local}_{suffix}"));
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

    /// The slice must be as long as the function is told, unless it is the slice that tells. Gives the checked length.
    fn check_length(&mut self, local: &str, len: &Expr, name: &str) -> Option<String> {
        let hidden = self.function.params.iter().any(|param| match (&param.role, len) {
            (Role::LengthOf(slices), Expr::Name(length)) => param.name == *length && slices.iter().any(|s| s == name),
            (Role::CellOf(slices), Expr::Deref(length)) => param.name == *length && slices.iter().any(|s| s == name),
            _ => false,
        });
        if hidden || matches!(len, Expr::Int(_)) {
            return None;
        }
        let need = self.before(len);
        let have = self.slice_len(name);
        let need_var = self.fresh(&format!("{local}_need"));
        let have_var = self.fresh(&format!("{local}_have"));
        self.checks.push(format!("let {need_var}: i128 = {need};"));
        self.checks.push(format!("let {have_var} = {have} as i128;"));
        self.checks.push(format!(
            "assert!((0..={have_var}).contains(&{need_var}), \"`{len}` is {{{need_var}}}, but `{local}` has {{{have_var}}} elements\");"
        ));
        Some(need_var)
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
                    results.push(Outcome { ty: "usize".to_owned(), value: format!("call.count({local})") });
                }
                _ if matches!(param.role, Role::CellOf(_)) => {}
                Contract::Obj { dir: Dir::Out, .. } | Contract::Handle { dir: Dir::Out, .. } => {
                    results.extend(outs.next());
                }
                _ => {}
            }
        }
        self.results = results;
    }

    fn returned(&mut self) -> Option<Outcome> {
        let ret = self.function.ret.as_ref()?;
        match ret.decision.contract() {
            Some(Contract::Cstr { .. }) => {
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
                Some(Outcome { ty: format!("Option<{ty}>"), value: "ret".to_owned() })
            }
            Some(Contract::Handle { .. }) => {
                let cast = if matches!(ret.shape, Shape::Pointer { mutable: false, .. }) { ".cast_mut()" } else { "" };
                self.checked.insert(0, format!("let ret = call.adopt(ret{cast})?;"));
                let ty = self.handle_type(&ret.shape);
                Some(Outcome { ty: format!("Option<{ty}>"), value: "ret".to_owned() })
            }
            _ => {
                let ty = self.names.shown(ret.shown_as.as_deref(), &ret.shape);
                Some(Outcome { ty, value: "ret".to_owned() })
            }
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
        let var = self.fresh(&format!("{local}_written"));
        self.plain.push(format!("let {var} = {take};"));
        Some(Outcome { ty: "usize".to_owned(), value: var })
    }

    /// An expression after the call, as a `usize`.
    fn count(&self, expr: &Expr) -> String {
        match expr {
            Expr::Int(value) => value.to_string(),
            Expr::Ret => "call.count(ret)".to_owned(),
            Expr::Deref(name) if self.is_read_back(name) => format!("call.count({})", self.local(name)),
            expr => format!("call.count({})", self.wide(expr, true)),
        }
    }

    /// An expression before the call.
    fn before(&self, expr: &Expr) -> String {
        self.wide(expr, false)
    }

    /// As an `i128`, in which sums of 64-bit values cannot overflow and products saturate.
    fn wide(&self, expr: &Expr, after: bool) -> String {
        match expr {
            Expr::Int(value) => format!("{value}_i128"),
            Expr::Ret => "ret as i128".to_owned(),
            Expr::Deref(name) if after && self.is_read_back(name) => format!("{} as i128", self.local(name)),
            Expr::Name(name) | Expr::Deref(name) => match (self.slice_that_tells(name), expr) {
                (Some(slice), _) => format!("{} as i128", self.slice_len(&slice)),
                (None, Expr::Name(_)) => format!("{} as i128", self.local(name)),
                (None, _) => format!("*{} as i128", self.local(name)),
            },
            Expr::Binary(op, left, right) => {
                let method = match op {
                    Op::Add => "saturating_add",
                    Op::Sub => "saturating_sub",
                    Op::Mul => "saturating_mul",
                    Op::Min => "min",
                    Op::Max => "max",
                };
                let (receiver, argument) = (self.wide(left, after), self.wide(right, after));
                match &**left {
                    Expr::Binary(..) | Expr::Int(_) => format!("{receiver}.{method}({argument})"),
                    _ => format!("({receiver}).{method}({argument})"),
                }
            }
        }
    }

    /// The local of that name holds the value after the call, or a reference to it.
    fn is_read_back(&self, name: &str) -> bool {
        self.function.params.iter().any(|param| {
            param.name == name
                && (matches!(param.role, Role::CellOf(_))
                    || matches!(contract(param), Contract::Obj { dir: Dir::Out, .. }))
        })
    }

    /// The slice whose length a hidden parameter is.
    fn slice_that_tells(&self, name: &str) -> Option<String> {
        let param = self.function.params.iter().find(|param| param.name == name)?;
        match &param.role {
            Role::LengthOf(slices) | Role::CellOf(slices) => slices.first().cloned(),
            Role::Caller => None,
        }
    }

    fn slice_len(&self, name: &str) -> String {
        let local = self.local(name);
        let param = self.function.params.iter().find(|param| param.name == name);
        match param.map(contract) {
            Some(Contract::Buf { nullable: true, dir: Dir::In, .. }) => {
                format!("{local}.map_or(0, |slice| slice.len())")
            }
            Some(Contract::Buf { nullable: true, .. }) => format!("{local}.as_deref().map_or(0, |slice| slice.len())"),
            _ => format!("{local}.len()"),
        }
    }

    fn local(&self, name: &str) -> String {
        let index = self.function.params.iter().position(|param| param.name == name);
        index.map_or_else(|| snake(name), |index| self.locals[index].clone())
    }

    fn handle_type(&mut self, pointer: &Shape) -> String {
        self.names.uses_handles = true;
        let object = pointer.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        format!("Handle<{object}>")
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

fn documentation(function: &FunctionPlan, lines: Vec<String>, results: &[String], panics: bool) -> Vec<String> {
    let mut docs = vec![format!(" `{}` of `{}`.", function.name, function.declared.package)];
    if !lines.is_empty() {
        docs.push(String::new());
        docs.extend(lines);
    }
    if results.len() > 1 || (results.len() == 1 && function.ret.is_none()) {
        docs.push(String::new());
        docs.push(format!(" Returns {}.", outcomes(function)));
    }
    docs.extend(
        ["", " # Errors", "", " When the call ends in a fault; what is `&mut` keeps its value then."]
            .map(str::to_owned),
    );
    if panics {
        docs.extend(
            ["", " # Panics", "", " When a slice is not as long as the other arguments say."].map(str::to_owned),
        );
    }
    docs
}

/// What the parts of the result are, in their order.
fn outcomes(function: &FunctionPlan) -> String {
    let mut parts: Vec<String> = function.ret.iter().map(|_| format!("what `{}` returned", function.name)).collect();
    for param in &function.params {
        let local = snake(&param.name);
        match (contract(param), &param.role) {
            (Contract::Buf { written: Some(_), .. }, _) => {
                parts.push(format!("how many elements of `{local}` it wrote"))
            }
            (Contract::Obj { dir: Dir::Out, .. } | Contract::Handle { dir: Dir::Out, .. }, _) => {
                parts.push(format!("`{local}`"));
            }
            (_, Role::CellOf(_)) if !counted(function, &param.name) => parts.push(format!("`{local}`")),
            _ => {}
        }
    }
    parts.join(", then ")
}

/// Some buffer's `written` tells what this cell holds after the call.
fn counted(function: &FunctionPlan, cell: &str) -> bool {
    function.params.iter().any(|param| match contract(param) {
        Contract::Buf { written: Some(written), .. } => {
            written.leaves().iter().any(|leaf| matches!(leaf, Expr::Deref(name) if name == cell))
        }
        _ => false,
    })
}

/// How the function learns how much there is.
fn extent(len: &Expr, need: &Option<String>) -> String {
    match len {
        _ if need.is_some() => format!(", `{len}` elements of it"),
        Expr::Name(name) | Expr::Deref(name) => format!("; its length goes as `{name}`"),
        _ => String::new(),
    }
}

/// A value of which every bit pattern is valid, as `isolate_rt::Plain` knows: numbers and arrays of them.
fn is_plain(shape: &Shape) -> bool {
    match shape {
        Shape::Array { of, .. } => is_plain(of),
        shape => shape.is_number(),
    }
}

fn optional(ty: String, nullable: bool) -> String {
    if nullable { format!("Option<{ty}>") } else { ty }
}

/// `call(from)`, or a `match` that passes on `none` where there is nothing.
fn when_some(nullable: bool, borrow: &str, from: &str, call: &dyn Fn(&str) -> String, none: &str) -> String {
    if nullable { format!("match {borrow} {{ Some({from}) => {}, None => {none} }}", call(from)) } else { call(from) }
}

/// C's `T *` for what it only reads.
fn mut_cast(shape: &Shape) -> &'static str {
    if matches!(shape, Shape::Pointer { mutable: true, .. }) { ".cast_mut()" } else { "" }
}

fn room_pointer(room: &str, nullable: bool, is_const: bool, cast: &str) -> String {
    match (nullable, is_const) {
        (false, false) => format!("{room}.as_mut_ptr(){cast}"),
        (false, true) => format!("{room}.as_ptr(){cast}"),
        (true, false) => format!("{room}.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr(){cast})"),
        (true, true) => format!("{room}.map_or(std::ptr::null(), |room| room.as_ptr(){cast})"),
    }
}

fn tuple(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        parts => format!("({})", parts.join(", ")),
    }
}

fn fresh(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// `destLen` → `dest_len`, `type` → `type_`.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| chars[index]);
        let ends_word = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
            || (before.is_some_and(char::is_uppercase) && chars.get(index + 1).is_some_and(|next| next.is_lowercase()));
        if c.is_uppercase() && ends_word {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    if syn::parse_str::<syn::Ident>(&out).is_err() {
        out.push('_');
    }
    out
}
