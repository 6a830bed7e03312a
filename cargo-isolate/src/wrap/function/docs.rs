//! Documentation of a wrapper.

use super::{Outcome, contract};
use crate::{
    contract::{Contract, expr::Expr},
    plan::FunctionPlan,
};

pub(super) fn documentation(
    function: &FunctionPlan,
    lines: Vec<String>,
    results: &[Outcome],
    panics: bool,
) -> Vec<String> {
    let mut docs = vec![format!(" `{}` of `{}`.", function.name, function.declared.package)];
    if !lines.is_empty() {
        docs.push(String::new());
        docs.extend(lines);
    }
    let as_it_is = matches!(results, [Outcome { place: 0, ty, .. }] if !ty.contains("CString") && !ty.contains("Vec<"));
    if !results.is_empty() && !as_it_is {
        let results: Vec<_> = results.iter().map(|result| &*result.what).collect();
        docs.push(String::new());
        docs.push(format!(" Returns {}.", results.join(", then ")));
    }
    docs.extend(["", " # Errors", ""].map(str::to_owned));
    docs.push(match &function.failing {
        None => " When the call ends in a fault; what is `&mut` keeps its value then.".to_owned(),
        Some(failing) => format!(
            " When `{}` fails (`{}`), or the call ends in a fault; what is `&mut` keeps its value then.",
            function.name, failing.error
        ),
    });
    if function.retry > 0 {
        let times = if function.retry == 1 { "once".to_owned() } else { format!("up to {} times", function.retry) };
        docs.extend([
            String::new(),
            format!(" A call that a fault other than `Timeout` has ended is made again, {times}."),
        ]);
    }
    if panics {
        docs.extend(
            ["", " # Panics", "", " When a slice is not as long as the other arguments say."].map(str::to_owned),
        );
    }
    docs
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
