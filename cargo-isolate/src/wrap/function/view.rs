//! What the template of a wrapper sees.

use super::docs::documentation;
use super::words::tuple;
use super::writer::Writer;
use crate::contract::shape::Shape;
use crate::plan::{FunctionPlan, ParamPlan};
use crate::wrap::names::Names;
use serde::Serialize;

/// What the template of a wrapper sees.
#[derive(Debug, Serialize)]
pub(in crate::wrap) struct View {
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
pub(in crate::wrap) struct Signature {
    /// Names and types.
    pub(in crate::wrap) params: Vec<(String, String)>,
    /// `T` of its `Result<T, E>`.
    pub(in crate::wrap) ret: String,
    /// `E` of it.
    pub(in crate::wrap) error: String,
    /// See [`View::origins`].
    pub(in crate::wrap) origins: Vec<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) ty: String,
}

/// A statement that prepares an argument.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// Why its `unsafe` block is sound.
    pub(super) safety: Option<String>,
    pub(super) statement: String,
}

impl View {
    pub(in crate::wrap) fn new(function: &FunctionPlan, names: &mut Names<'_>) -> View {
        names.enter(function);
        let callee = names.callee(function);
        let cfgs = names.around().to_vec();
        let mut writer = Writer::new(function, names);
        for (index, param) in function.params.iter().enumerate() {
            writer.argument(index);
            if let Shape::Pointer { reference: true, mutable, .. } = param.shape {
                writer.refer(mutable);
            }
        }
        writer.point_into_others();
        writer.read_cells();
        writer.returned();
        for index in 0..function.params.len() {
            writer.outcome(index);
        }
        writer.check_returned();
        writer.keep();
        writer.bind();
        match &function.failing {
            Some(failing) => writer.fails(failing),
            None => writer.error = writer.names.runtime("Fault").to_owned(),
        }
        writer.type_extras();
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
    pub(in crate::wrap) fn takes_many(&self) -> bool {
        self.params.len() > 7
    }

    /// Where each part of what it returns comes from: 0 for what the function returned, else one more than the place of the
    /// parameter.
    pub(in crate::wrap) fn origins(self) -> Vec<usize> {
        self.origins
    }

    pub(in crate::wrap) fn signature(self) -> Signature {
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
