//! What is known of a wrapper while its parameters are gone through, and what each of them adds to.

use super::view::{Parameter, Step};
use super::words::{fresh, optional, snake};
use super::{failing, handle, kept};
use crate::contract::{Contract, shape::Shape};
use crate::plan::{FunctionPlan, ParamPlan, Role};
use crate::wrap::names::Names;
use std::collections::{BTreeMap, BTreeSet};

/// One part of what the wrapper returns.
pub(super) struct Outcome {
    /// 0 for what the function returned, else one more than the index of the parameter.
    pub(super) place: usize,
    pub(super) ty: String,
    pub(super) value: String,
    /// For the documentation.
    pub(super) what: String,
}

/// Statements after the call. What may still fail comes before anything is written: after an `Err` every `&mut` argument has
/// its old value.
#[derive(Default)]
pub(super) struct After {
    /// Numbers that came back, each read once.
    pub(super) read: Vec<String>,
    /// What the library gives away is taken over, whatever comes of the call.
    pub(super) taken: Vec<String>,
    /// With the closures that it keeps.
    pub(super) kept: Vec<String>,
    /// The function may have failed.
    pub(super) failed: Vec<String>,
    /// What came back is checked.
    pub(super) checked: Vec<String>,
    /// Objects, which nothing that fails may follow.
    pub(super) owned: Vec<String>,
    /// Nothing fails any more.
    pub(super) plain: Vec<String>,
}

impl After {
    pub(super) fn in_order(self) -> Vec<String> {
        [self.read, self.taken, self.kept, self.failed, self.checked, self.owned, self.plain].concat()
    }
}

/// When something that came back is looked at.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Phase {
    Taken,
    Failed,
    Checked,
}

pub(super) struct Writer<'w, 'n> {
    pub(super) function: &'w FunctionPlan,
    pub(super) names: &'w mut Names<'n>,
    /// Local name of each parameter.
    pub(super) locals: Vec<String>,
    pub(super) taken: BTreeSet<String>,
    /// Staged buffer of each output, by the parameter's local name, with the checked length if there is one.
    pub(super) rooms: BTreeMap<String, (String, Option<String>)>,
    /// Locals that hold how long every slice of an array must be, by the parameter's local name.
    pub(super) needs: BTreeMap<String, String>,
    /// Locals that hold what is behind a pointer after the call, by the parameter's name; whether it is an `Option`.
    pub(super) told: BTreeMap<String, (String, bool)>,
    /// Locals that hold the struct in which the function says how far it has got in a slice, by the parameter's local name.
    pub(super) positioned: BTreeMap<String, String>,
    /// Locals that hold the pointer to a slice of the caller, by the parameter's name.
    pub(super) starts: BTreeMap<String, String>,
    /// Parameters that point into one, or to its end, with their places among the arguments.
    pub(super) inward: Vec<(usize, usize)>,
    /// Locals that hold the pointer to an object, by the parameter's name.
    pub(super) pointers: BTreeMap<String, String>,
    /// Locals that hold an object which the library gave away, if it did, by the parameter's name or `ret`.
    pub(super) given: BTreeMap<String, String>,
    /// Locals that hold what was told of an object, by the parameter's name and its own.
    pub(super) bound: BTreeMap<(String, String), String>,
    /// Locals that hold objects which the function ends.
    pub(super) ended: Vec<String>,
    /// Objects that the library must have given away.
    pub(super) wanted: Vec<handle::Wanted>,
    /// What is made of a returned pointer, where NULL is how the function fails.
    pub(super) unless_null: Option<failing::UnlessNull>,
    /// What to do where such a pointer to an object is NULL.
    pub(super) null_report: Option<String>,
    /// What objects are to keep.
    pub(super) kept: Vec<kept::ToKeep>,
    pub(super) params: Vec<Parameter>,
    pub(super) checks: Vec<String>,
    pub(super) before: Vec<String>,
    pub(super) stage: Vec<Step>,
    /// How many of them come first: see [`Writer::first_step`].
    pub(super) objects: usize,
    pub(super) args: Vec<String>,
    pub(super) after: After,
    /// One line per parameter.
    pub(super) docs: Vec<String>,
    pub(super) results: Vec<Outcome>,
    /// Type of the wrapper's error.
    pub(super) error: String,
    /// Slices are held against other arguments.
    pub(super) holds_lengths: bool,
    /// There are closures for this call, and they look at what their arguments point to.
    pub(super) registers: bool,
    pub(super) looks_inside: bool,
}

impl<'w, 'n> Writer<'w, 'n> {
    pub(super) fn new(function: &'w FunctionPlan, names: &'w mut Names<'n>) -> Self {
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
            needs: BTreeMap::new(),
            told: BTreeMap::new(),
            positioned: BTreeMap::new(),
            starts: BTreeMap::new(),
            inward: Vec::new(),
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

    pub(super) fn result(&mut self, place: usize, ty: String, value: impl Into<String>, what: String) {
        self.results.push(Outcome { place, ty, value: value.into(), what });
    }

    /// Whether a domain keeps its contract is checked like everything else that comes out of it: `value` is an `Option`.
    pub(super) fn require(&mut self, value: &str, nullable: bool, ty: String) -> String {
        let is_held = self.unless_null.as_ref().is_some_and(|held| held.local == value);
        if !nullable && !is_held {
            self.after.checked.push(format!("let {value} = call.required({value})?;"));
        }
        optional(ty, nullable)
    }

    pub(super) fn statements(&mut self, phase: Phase) -> &mut Vec<String> {
        match phase {
            Phase::Taken => &mut self.after.taken,
            Phase::Failed => &mut self.after.failed,
            Phase::Checked => &mut self.after.checked,
        }
    }

    pub(super) fn shown(&mut self, param: &ParamPlan, shape: &Shape) -> String {
        self.names.shown(param.shown_as.as_deref(), shape)
    }

    pub(super) fn take_param(&mut self, name: &str, ty: String) {
        self.params.push(Parameter { name: name.to_owned(), ty });
    }

    /// A parameter as it is declared, of which what comes out must be lent and not moved: the call may be made again.
    pub(super) fn again(&self, local: &str, comes_out: bool) -> String {
        if comes_out && self.function.retry > 0 { format!("mut {local}") } else { local.to_owned() }
    }

    /// The `Option` of a place of the caller's to write to.
    pub(super) fn lent(&self, local: &str) -> String {
        if self.function.retry > 0 { format!("{local}.as_deref_mut()") } else { local.to_owned() }
    }

    /// For objects of the domain: where they live, the call runs. So they come before all that is staged.
    pub(super) fn first_step(&mut self, statement: String) {
        self.stage.insert(self.objects, Step { safety: None, statement });
        self.objects += 1;
    }

    pub(super) fn step(&mut self, statement: String) {
        self.stage.push(Step { safety: None, statement });
    }

    /// Behind the parameters no declaration says what an argument is, and C takes what it is passed for what it expects there.
    pub(super) fn type_extras(&mut self) {
        let Some(declared) = self.function.variadic else { return };
        let all = self.function.params.iter().zip(&self.locals).zip(&mut self.args);
        for ((param, local), arg) in all.skip(declared) {
            let is_typed = matches!((&param.role, contract(param)), (Role::Caller, Contract::Value));
            if is_typed && param.shown_as.is_none() {
                continue;
            }
            let ty = self.names.ty(&param.shape);
            *arg = format!("{{ let {local}: {ty} = {arg}; {local} }}");
        }
    }

    /// As [`Writer::step`], with what its `unsafe` owes.
    pub(super) fn owing_step(&mut self, safety: &str, statement: String) {
        self.stage.push(Step { safety: Some(safety.to_owned()), statement });
    }

    /// Room for a value; `any` names the type when only we know that every bit pattern of it is one.
    pub(super) fn staged(&mut self, room: &str, value: &str, any: Option<&String>) {
        let safety = any.map(|ty| format!("`{ty}` holds plain numbers only, so every bit pattern is a value of it."));
        self.stage.push(Step { safety, statement: format!("let {room} = {value};") });
    }

    pub(super) fn doc(&mut self, local: &str, what: &str) {
        self.docs.push(format!(" * `{local}`: {what}."));
    }

    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        fresh(&mut self.taken, wanted)
    }
}

/// The contract of a parameter in a function that is ready.
pub(super) fn contract(param: &ParamPlan) -> &Contract {
    param.decision.contract().expect("a function is rendered only when every parameter has a contract")
}
