//! Functions that no contract makes safe to call, and why.

use super::{Decision, ParamPlan, RetPlan, reach, select::Selected, surroundings::is_variadic};
use crate::{contract::check::Signature, graph::Graph};

/// What no contract can mend.
pub(super) fn hopeless(
    graph: &Graph,
    selected: &Selected<'_>,
    signature: &Signature,
    in_a_form: bool,
) -> Option<String> {
    let item = selected.item;
    if selected.disputed {
        return Some(
            "it is declared several times with different signatures, under `cfg`s that were not decided".to_owned(),
        );
    }
    if is_variadic(item) && !in_a_form {
        let form = "`[fn.NAME.form.WRAPPER]` says what it gets in one way of calling it";
        return Some(format!(
            "it is variadic, and stable Rust cannot define a wrapper with a variable number of arguments; {form}"
        ));
    }
    if !matches!(&*item.abi, "C" | "system") {
        return Some(format!("its ABI is `{}`: only `C` and `system` go through the gate", item.abi));
    }
    reach::hidden(graph, selected, signature)
}

/// What is refused, goes by value, and has no words to start from: the other contracts are about pointers.
pub(super) fn no_contract_helps(
    params: &[ParamPlan],
    ret: Option<&RetPlan>,
    open: &[(String, String)],
) -> Option<String> {
    let params = params.iter().map(|param| (&*param.name, &param.shape, &param.shown_as, &param.decision));
    let ret = ret.map(|ret| ("ret", &ret.shape, &ret.shown_as, &ret.decision));
    let mut all = params.chain(ret);
    let (name, ..) = all.find(|(name, shape, shown_as, decision)| {
        let has_words = shown_as.is_some() || open.iter().any(|(open, _)| open == name);
        matches!(decision, Decision::Refused { .. }) && shape.pointee().is_none() && !has_words
    })?;
    Some(format!("no contract can settle `{name}`"))
}
