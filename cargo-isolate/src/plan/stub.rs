//! Policy text to start from, where nothing is known or names make something likely.

use super::{Decision, ParamPlan, RetPlan};
use crate::contract::{Contract, Dir, Hold, infer::Library};

/// Words for what comes out and is likely the caller's own, by the parameter's name or `ret`.
pub(super) fn gifts(
    function: &str,
    params: &[ParamPlan],
    ret: Option<&RetPlan>,
    library: &Library,
) -> Vec<(String, String)> {
    let is_found = |decision: &Decision, out: Dir| match decision {
        Decision::Rule { contract: Contract::Handle { dir, hold: Hold::Keep, .. }, .. } => *dir == out,
        _ => false,
    };
    let params = params.iter().filter(|param| is_found(&param.decision, Dir::Out)).filter_map(|param| {
        let (_, object) = param.shape.pointee()?.1.pointee()?;
        Some((param.name.clone(), library.gift(function, &param.name, object)?))
    });
    let ret = ret.filter(|ret| is_found(&ret.decision, Dir::In)).and_then(|ret| {
        let (_, object) = ret.shape.pointee()?;
        Some(("ret".to_owned(), library.gift(function, "ret", object)?))
    });
    params.chain(ret).collect()
}

/// Policy text to start from.
pub(super) fn stub(function: &str, open: &[(String, String)]) -> Option<String> {
    let lines = open.iter().map(|(name, candidate)| match &**name {
        "ret" => format!("ret = {candidate}\n"),
        name => format!("arg.{name} = {candidate}\n"),
    });
    (!open.is_empty()).then(|| format!("[fn.{function}]\n{}", lines.collect::<String>()))
}
