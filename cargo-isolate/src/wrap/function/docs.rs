//! Documentation of a wrapper.

use super::{contract, words::snake};
use crate::{
    contract::{Contract, Dir, expr::Expr, object::Life},
    plan::{FunctionPlan, Role},
};

pub(super) fn documentation(
    function: &FunctionPlan,
    lines: Vec<String>,
    results: &[String],
    panics: bool,
) -> Vec<String> {
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
    if function.retry > 0 {
        let times = if function.retry == 1 { "once".to_owned() } else { format!("up to {} times", function.retry) };
        docs.extend([String::new(), format!(" A call that a fault has ended is made again, {times}.")]);
    }
    if panics {
        docs.extend(
            ["", " # Panics", "", " When a slice is not as long as the other arguments say."].map(str::to_owned),
        );
    }
    docs
}

/// What the parts of the result are, in their order.
pub(super) fn outcomes(function: &FunctionPlan) -> String {
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
            (Contract::Object { life: Life::Made { .. }, .. }, _) => parts.push(format!("`{local}`")),
            (Contract::Object { cursors, .. }, _) => {
                parts.extend(cursors.iter().filter(|cursor| cursor.moves).map(|cursor| {
                    let verb = if cursor.dir == Dir::In { "read" } else { "wrote" };
                    format!("how many elements of `{}` it {verb}", snake(&cursor.field))
                }));
            }
            (_, Role::CellOf(_)) if !counted(function, &param.name) => parts.push(format!("`{local}`")),
            _ => {}
        }
    }
    parts.join(", then ")
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
        _ if need.is_some() => format!(", `{len}` elements of it"),
        Expr::Name(name) | Expr::Deref(name) => format!("; its length goes as `{name}`"),
        _ => String::new(),
    }
}
