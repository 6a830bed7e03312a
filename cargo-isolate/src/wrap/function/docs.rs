//! Documentation of a wrapper.

use super::{Outcome, contract, view::Parameter};
use crate::{
    contract::{Contract, expr::Expr},
    plan::FunctionPlan,
};

pub(super) fn documentation(
    function: &FunctionPlan,
    lines: Vec<String>,
    params: &[Parameter],
    results: &[Outcome],
    lengths: bool,
) -> Vec<String> {
    let when = function.form.as_ref().and_then(|form| form.when.as_ref());
    let form = when.map(|when| format!(", where `{when}`")).unwrap_or_default();
    let mut docs = vec![format!(" `{}` of `{}`{form}.", function.name, function.declared.package)];
    docs.extend(asks(function));
    if !lines.is_empty() {
        docs.push(String::new());
        docs.extend(lines);
    }
    let as_it_is = matches!(results, [Outcome { place: 0, what, .. }] if what.starts_with("what "));
    if !results.is_empty() && !as_it_is {
        let results: Vec<_> = results.iter().map(|result| &*result.what).collect();
        docs.push(String::new());
        docs.push(format!(" Returns {}.", results.join(", then ")));
    }
    docs.extend(["", " # Errors", ""].map(str::to_owned));
    let fails = function.failing.as_ref().map(|failing| format!("`{}` fails (`{}`)", function.name, failing.error));
    let short = lengths.then(|| "a slice is shorter than the other arguments say".to_owned());
    let before: String = fails.into_iter().chain(short).map(|why| why + ", ").collect();
    let or = if before.is_empty() { "" } else { "or " };
    docs.push(format!(" When {before}{or}the call ends in a fault{}.", kept(params)));
    if function.retry > 0 {
        let times = if function.retry == 1 { "once".to_owned() } else { format!("up to {} times", function.retry) };
        docs.extend([
            String::new(),
            format!(" A call that a fault other than `Timeout` has ended is made again, {times}."),
        ]);
    }
    if let Some(when) = when {
        docs.extend(["".to_owned(), " # Panics".to_owned(), String::new(), format!(" When not `{when}`.")]);
    }
    docs
}

/// What of the caller's is as it was after an error.
fn kept(params: &[Parameter]) -> String {
    let changed = |ty: &str| ty.contains("&mut ") && !ty.contains("dyn ") && !ty.contains("Object<");
    let names: Vec<_> =
        params.iter().filter(|param| changed(&param.ty)).map(|param| format!("`{}`", param.name)).collect();
    match names.split_last() {
        None => String::new(),
        Some((name, [])) => format!("; {name} keeps its value then"),
        Some((last, others)) => format!("; {} and {last} keep their values then", others.join(", ")),
    }
}

/// What a wrapper leaves out that is not a length.
fn asks(function: &FunctionPlan) -> Vec<String> {
    let fixed = function.params.iter().filter_map(|param| match contract(param) {
        // Of a function that has one wrapper, the contract speaks.
        Contract::Fixed { .. } if function.form.is_none() => None,
        Contract::Fixed { value: 0 } if param.shape.pointee().is_some() => Some(format!("NULL for `{}`", param.name)),
        Contract::Fixed { value } => Some(format!("{value} for `{}`", param.name)),
        Contract::Text { value } => Some(format!("`{value:?}` for `{}`", param.name)),
        Contract::Size { of } => Some(format!("the size of a `{}` for `{}`", of.name, param.name)),
        _ => None,
    });
    let fixed: Vec<_> = fixed.collect();
    if fixed.is_empty() { Vec::new() } else { vec![String::new(), format!(" It gets {}.", fixed.join(", "))] }
}

/// Some buffer's `written` tells what this cell holds after the call.
pub(in crate::wrap) fn counted(function: &FunctionPlan, cell: &str) -> bool {
    function.params.iter().any(|param| match contract(param) {
        Contract::Buf { written: Some(written), .. } => {
            written.leaves().iter().any(|leaf| matches!(leaf, Expr::Deref(name) if name == cell))
        }
        _ => false,
    })
}

/// How the function learns how much there is.
pub(super) fn extent(len: &Expr, need: &Option<String>) -> String {
    match len {
        _ if need.is_some() && len.rounds() => format!(", `{len}` elements of it, rounded down"),
        _ if need.is_some() => format!(", `{len}` elements of it"),
        Expr::Name(name) | Expr::Deref(name) => format!("; its length goes as `{name}`"),
        Expr::End(name) => format!("; `{name}` points behind it"),
        _ => String::new(),
    }
}
