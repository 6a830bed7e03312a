//! One function of the plan → what the template needs to write its wrapper.
//!
//! Each kind of pointer has a module: it says how an argument is made before the call, and what is made of it afterwards.

mod ask;
mod buffer;
mod callback;
mod docs;
mod failing;
mod handle;
mod lengths;
mod object;
mod scalar;
mod string;
mod words;

use super::names::Names;
use crate::{
    contract::{
        Contract, Dir, Lasting,
        shape::{Shape, TypePath},
    },
    plan::{FunctionPlan, ParamPlan, Role},
};
pub(super) use docs::counted;
use docs::documentation;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use words::{fresh, joined, optional, tuple};

pub(crate) use words::snake;

/// What the template of a wrapper sees.
#[derive(Debug, Serialize)]
pub(super) struct View {
    name: String,
    /// Predicates under which it is there.
    cfgs: Vec<String>,
    /// The foreign function, as faults name it.
    foreign: String,
    docs: Vec<String>,
    params: Vec<Parameter>,
    /// `T` of the `Result<T, E>`.
    ret: String,
    /// `E` of it.
    error: String,
    /// Statements before anything is entered.
    checks: Vec<String>,
    /// What must outlive the call, because it ends with a call of its own.
    before: Vec<String>,
    stage: Vec<Step>,
    /// The runtime's function that runs it.
    run: &'static str,
    callee: String,
    args: Vec<String>,
    /// Why the call is sound.
    safety: String,
    /// Objects that it ends, whatever else comes of the call.
    ended: Vec<String>,
    /// It returns something.
    returns: bool,
    collect: Vec<String>,
    /// What the wrapper ends with; empty where that is the call itself.
    tail: String,
    /// How often a call that ended in a fault is made again.
    retry: u32,
    #[serde(skip)]
    origins: Vec<usize>,
}

/// A wrapper as its callers see it.
pub(super) struct Signature {
    /// Names and types.
    pub(super) params: Vec<(String, String)>,
    /// `T` of its `Result<T, E>`.
    pub(super) ret: String,
    /// `E` of it.
    pub(super) error: String,
    /// See [`View::origins`].
    pub(super) origins: Vec<usize>,
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
        names.enter(function);
        let callee = names.function(function);
        let cfgs = names.around().to_vec();
        let mut writer = Writer::new(function, names);
        for (index, param) in function.params.iter().enumerate() {
            writer.argument(index);
            if let Shape::Pointer { reference: true, mutable, .. } = param.shape {
                writer.refer(mutable);
            }
        }
        writer.point_to_ends();
        writer.read_cells();
        writer.returned();
        for index in 0..function.params.len() {
            writer.outcome(index);
        }
        writer.keep();
        writer.bind();
        match &function.failing {
            Some(failing) => writer.fails(failing),
            None => writer.error = writer.names.runtime("Fault").to_owned(),
        }
        writer.require_owned();
        writer.when();
        let run = if writer.registers { "run_with(&mut callbacks, " } else { "run(" };
        let Writer {
            params, checks, before, stage, args, after, ended, docs, mut results, error, holds_lengths, ..
        } = writer;
        results.sort_by_key(|result| result.place);
        let values: Vec<_> = results.iter().map(|result| result.value.clone()).collect();
        let types: Vec<_> = results.iter().map(|result| result.ty.clone()).collect();
        let returned = if function.ret.is_some() { "ret" } else { "()" };
        let result = tuple(&values);
        let mut collect = after.in_order();
        let tail = match collect.is_empty() && result == returned && error == "Fault" {
            true => String::new(),
            false => tail(&mut collect, result, &error),
        };
        View {
            name: function.wrapper().to_owned(),
            cfgs,
            foreign: function.name.clone(),
            docs: documentation(function, docs, &params, &results, holds_lengths),
            params,
            ret: tuple(&types),
            safety: safety(function),
            ended,
            returns: function.ret.is_some(),
            error,
            checks,
            before,
            stage,
            run,
            callee,
            args,
            collect,
            tail,
            retry: function.retry,
            origins: results.iter().map(|result| result.place).collect(),
        }
    }

    /// More parameters than clippy likes.
    pub(super) fn takes_many(&self) -> bool {
        self.params.len() > 7
    }

    /// Where each part of what it returns comes from: 0 for what the function returned, else one more than the place of the
    /// parameter.
    pub(super) fn origins(self) -> Vec<usize> {
        self.origins
    }

    pub(super) fn signature(self) -> Signature {
        // `mut` is the wrapper's own business.
        let name = |param: &Parameter| param.name.trim_start_matches("mut ").to_owned();
        let params = self.params.into_iter().map(|param| (name(&param), param.ty)).collect();
        Signature { params, ret: self.ret, error: self.error, origins: self.origins }
    }
}

/// The last expression. A value that is checked last of all needs no name.
fn tail(collect: &mut Vec<String>, result: String, error: &str) -> String {
    let named = format!("let {result} = ");
    let last = collect.last().and_then(|last| {
        let at = last.find(&named)?;
        let checked = last[at + named.len()..].strip_suffix("?;")?;
        let expression = if error == "Fault" { checked.to_owned() } else { format!("Ok({checked}?)") };
        Some(format!("{}{expression}", &last[..at]))
    });
    match last {
        Some(last) => {
            collect.pop();
            last
        }
        None => format!("Ok({result})"),
    }
}

/// Why the call of the function is sound.
fn safety(function: &FunctionPlan) -> String {
    let is_number = |param: &ParamPlan| param.shape.pointee().is_none() && !matches!(param.shape, Shape::Function(_));
    let passed = match function.params.iter().all(is_number) {
        true => format!("`{}` gets no pointer", function.name),
        false => format!("each pointer covers what the contract of `{}` says", function.name),
    };
    format!("///~ SAFETY: {passed}, and nothing that comes back is used\n///~ before it was checked.")
}

/// One part of what the wrapper returns.
struct Outcome {
    /// 0 for what the function returned, else one more than the index of the parameter.
    place: usize,
    ty: String,
    value: String,
    /// For the documentation.
    what: String,
}

/// Statements after the call. What may still fail comes before anything is written: after an `Err` every `&mut` argument has
/// its old value.
#[derive(Default)]
struct After {
    /// Numbers that came back, each read once.
    read: Vec<String>,
    /// What the library gives away is taken over, whatever comes of the call.
    taken: Vec<String>,
    /// With the closures that it keeps.
    kept: Vec<String>,
    /// The function may have failed.
    failed: Vec<String>,
    /// What came back is checked.
    checked: Vec<String>,
    /// Objects, which nothing that fails may follow.
    owned: Vec<String>,
    /// Nothing fails any more.
    plain: Vec<String>,
}

impl After {
    fn in_order(self) -> Vec<String> {
        [self.read, self.taken, self.kept, self.failed, self.checked, self.owned, self.plain].concat()
    }
}

/// When something that came back is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Taken,
    Failed,
    Checked,
}

struct Writer<'w, 'n> {
    function: &'w FunctionPlan,
    names: &'w mut Names<'n>,
    /// Local name of each parameter.
    locals: Vec<String>,
    taken: BTreeSet<String>,
    /// Staged buffer of each output, by the parameter's local name, with the checked length if there is one.
    rooms: BTreeMap<String, (String, Option<String>)>,
    /// Locals that hold what is behind a pointer after the call, by the parameter's name; whether it is an `Option`.
    told: BTreeMap<String, (String, bool)>,
    /// Locals that hold the pointer to a slice of the caller, by the parameter's name.
    starts: BTreeMap<String, String>,
    /// Parameters that point to the end of one, with their places among the arguments.
    ends: Vec<(usize, usize)>,
    /// Locals that hold the pointer to an object, by the parameter's name.
    pointers: BTreeMap<String, String>,
    /// Locals that hold an object which the library gave away, if it did, by the parameter's name or `ret`.
    given: BTreeMap<String, String>,
    /// Locals that hold what was told of an object, by the parameter's name and its own.
    bound: BTreeMap<(String, String), String>,
    /// Locals that hold objects which the function ends.
    ended: Vec<String>,
    /// Objects that the library must have given away.
    wanted: Vec<handle::Wanted>,
    /// What is made of a returned pointer, where NULL is how the function fails.
    unless_null: Option<failing::UnlessNull>,
    /// What to do where such a pointer to an object is NULL.
    null_report: Option<String>,
    /// Closures that objects are to keep.
    kept: Vec<callback::ToKeep>,
    params: Vec<Parameter>,
    checks: Vec<String>,
    before: Vec<String>,
    stage: Vec<Step>,
    /// How many of them come first: see [`Writer::first_step`].
    objects: usize,
    args: Vec<String>,
    after: After,
    /// One line per parameter.
    docs: Vec<String>,
    results: Vec<Outcome>,
    /// Type of the wrapper's error.
    error: String,
    /// Slices are held against other arguments.
    holds_lengths: bool,
    /// There are closures for this call, and they look at what their arguments point to.
    registers: bool,
    looks_inside: bool,
}

impl<'w, 'n> Writer<'w, 'n> {
    fn new(function: &'w FunctionPlan, names: &'w mut Names<'n>) -> Self {
        let mut taken: BTreeSet<String> =
            ["call", "ret", "room", "into", "told", "object", "parent", "end", "ffi", "message", "callbacks", "inside"]
                .map(str::to_owned)
                .into();
        let locals = function.params.iter().map(|param| fresh(&mut taken, &snake(&param.name))).collect();
        Self {
            function,
            names,
            locals,
            taken,
            rooms: BTreeMap::new(),
            told: BTreeMap::new(),
            starts: BTreeMap::new(),
            ends: Vec::new(),
            pointers: BTreeMap::new(),
            given: BTreeMap::new(),
            bound: BTreeMap::new(),
            ended: Vec::new(),
            wanted: Vec::new(),
            unless_null: None,
            null_report: None,
            kept: Vec::new(),
            params: Vec::new(),
            checks: Vec::new(),
            before: Vec::new(),
            stage: Vec::new(),
            objects: 0,
            args: Vec::new(),
            after: After::default(),
            docs: Vec::new(),
            results: Vec::new(),
            error: String::new(),
            holds_lengths: false,
            registers: false,
            looks_inside: false,
        }
    }

    /// What the wrapper takes for a parameter, and passes.
    fn argument(&mut self, index: usize) {
        let param = &self.function.params[index];
        let local = self.locals[index].clone();
        match (&param.role, contract(param)) {
            (Role::LengthOf(slices), _) => self.length(&local, slices),
            (Role::EndOf(_), _) => {
                self.ends.push((index, self.args.len()));
                self.args.push(local);
            }
            (Role::CellOf(slices), _) => self.cell(&local, slices),
            (Role::Caller, Contract::Value) => self.value(&local, param),
            (Role::Caller, Contract::Fixed { value }) => self.fixed(*value, param),
            (Role::Caller, Contract::Text { value }) => self.fixed_text(value, param),
            (Role::Caller, Contract::Size { of }) => self.size(of, param),
            (Role::Caller, Contract::Cstr { dir: Dir::Out, .. } | Contract::Given { .. }) => {
                self.pointer_out(&local, param);
            }
            (Role::Caller, Contract::Cstr { dir, nullable, .. }) => self.cstr(&local, *dir, *nullable, param),
            (Role::Caller, Contract::Handle { dir: Dir::Out, .. }) => self.handle_out(&local, param),
            (Role::Caller, Contract::Handle { nullable, hold, .. }) => self.handle(&local, *nullable, hold, param),
            (Role::Caller, Contract::Object { life, cursors }) => self.object(index, &local, life, cursors),
            (Role::Caller, Contract::Obj { dir, nullable }) => self.obj(&local, *dir, *nullable, param),
            (Role::Caller, Contract::Buf { dir, len, nullable, .. }) => self.buf(&local, *dir, len, *nullable, param),
            (Role::Caller, Contract::Callback { scope, nullable, params, .. }) => match scope {
                Lasting::Call => self.callback(&local, *nullable, params, param),
                Lasting::Object { object, slot } => {
                    self.kept_callback(&local, (object, slot.as_deref()), *nullable, params, param);
                }
            },
            (Role::Caller, Contract::Memory) => unreachable!("such a function has no wrapper"),
        }
    }

    /// The declaration wants a reference for the last argument.
    fn refer(&mut self, mutable: bool) {
        if let Some(pointer) = self.args.last_mut() {
            *pointer = format!("&{}*{pointer}", if mutable { "mut " } else { "" });
        }
    }

    /// What becomes of it after the call.
    fn outcome(&mut self, index: usize) {
        let param = &self.function.params[index];
        let local = self.locals[index].clone();
        match (&param.role, contract(param)) {
            (Role::LengthOf(_) | Role::EndOf(_), _) => {}
            (Role::CellOf(slices), _) => self.length_back(index, &local, slices),
            (Role::Caller, Contract::Buf { dir: Dir::Out | Dir::Inout, .. }) => self.take_back(index, &local, param),
            (Role::Caller, Contract::Obj { dir, nullable }) => self.obj_back(index, &local, *dir, *nullable, param),
            (Role::Caller, Contract::Given { .. } | Contract::Cstr { dir: Dir::Out, .. }) => {
                self.given_out(index, &local, param);
            }
            (Role::Caller, Contract::Handle { dir: Dir::Out, nullable, hold }) => {
                self.handle_back(index, &local, *nullable, hold, param);
            }
            (Role::Caller, _) => {}
        }
    }

    /// What the function returned.
    fn returned(&mut self) {
        let Some(ret) = &self.function.ret else { return };
        match ret.decision.contract() {
            Some(Contract::Cstr { nullable, free, .. }) => self.string_returned(*nullable, free.as_deref(), &ret.shape),
            Some(Contract::Given { len, nullable, free, .. }) => {
                self.values_returned(len, *nullable, free.as_deref(), &ret.shape);
            }
            Some(Contract::Handle { nullable, hold, .. }) => self.handle_returned(*nullable, hold, &ret.shape),
            _ if self.function.is_told_otherwise() => {}
            _ => {
                let ty = self.names.shown(ret.shown_as.as_deref(), &ret.shape);
                let what = format!("what `{}` returned", self.function.name);
                self.result(0, ty, "ret", what);
            }
        }
    }

    /// The same for every caller.
    fn fixed(&mut self, value: i64, param: &ParamPlan) {
        self.args.push(match (value, &param.shape) {
            (0, Shape::Function(_)) => "None".to_owned(),
            // An address that no function has: the library knows it as a word, and never calls it.
            (_, shape @ Shape::Function(_)) => {
                format!("std::mem::transmute::<isize, {}>({value})", self.names.ty(shape))
            }
            (0, Shape::Pointer { mutable: false, .. }) => "std::ptr::null()".to_owned(),
            (0, Shape::Pointer { mutable: true, .. }) => "std::ptr::null_mut()".to_owned(),
            (_, Shape::Pointer { mutable: false, .. }) => format!("{value}_isize as *const _"),
            (_, Shape::Pointer { mutable: true, .. }) => format!("{value}_isize as *mut _"),
            _ => value.to_string(),
        });
    }

    /// A string of the program, which the domain reads.
    fn fixed_text(&mut self, value: &str, param: &ParamPlan) {
        let cast = if matches!(param.shape.pointee(), Some((_, Shape::Char))) { "" } else { ".cast()" };
        let mut_cast = words::mut_cast(&param.shape);
        self.args.push(match self.names.has_c_strings() {
            true => format!("c{value:?}.as_ptr(){mut_cast}{cast}"),
            false => format!("b\"{}\\0\".as_ptr(){mut_cast}.cast()", value.as_bytes().escape_ascii()),
        });
    }

    /// That of a struct of the library.
    fn size(&mut self, of: &TypePath, param: &ParamPlan) {
        let (of, ty) = (self.names.item(of), self.names.ty(&param.shape));
        self.args.push(format!("std::mem::size_of::<{of}>() as {ty}"));
    }

    fn result(&mut self, place: usize, ty: String, value: impl Into<String>, what: String) {
        self.results.push(Outcome { place, ty, value: value.into(), what });
    }

    /// Whether a domain keeps its contract is checked like everything else that comes out of it: `value` is an `Option`.
    fn require(&mut self, value: &str, nullable: bool, ty: String) -> String {
        let is_held = self.unless_null.as_ref().is_some_and(|held| held.local == value);
        if !nullable && !is_held {
            self.after.checked.push(format!("let {value} = call.required({value})?;"));
        }
        optional(ty, nullable)
    }

    fn statements(&mut self, phase: Phase) -> &mut Vec<String> {
        match phase {
            Phase::Taken => &mut self.after.taken,
            Phase::Failed => &mut self.after.failed,
            Phase::Checked => &mut self.after.checked,
        }
    }

    fn shown(&mut self, param: &ParamPlan, shape: &Shape) -> String {
        self.names.shown(param.shown_as.as_deref(), shape)
    }

    fn take_param(&mut self, name: &str, ty: String) {
        self.params.push(Parameter { name: name.to_owned(), ty });
    }

    /// For objects of the domain: where they live, the call runs. So they come before all that is staged.
    fn first_step(&mut self, statement: String) {
        self.stage.insert(self.objects, Step { safety: None, statement });
        self.objects += 1;
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
