//! Pointers that lead into an argument, held against what that argument was found to be.

use super::{Decision, ParamPlan, RetPlan};
use crate::{
    contract::{Contract, Dir},
    policy::{PolicyError, Spanned, model},
};

/// A place in an argument is one in a slice or a string that the wrapper takes.
pub(super) fn lead_into_slices(
    entry: Option<&model::FnContract>,
    params: &[ParamPlan],
    ret: Option<&RetPlan>,
    errors: &mut Vec<PolicyError>,
) {
    let Some(entry) = entry else { return };
    for param in params {
        // What goes in is the start of nothing, then.
        let goes_in = matches!(param.decision.contract(), Some(Contract::Inner { dir: Dir::In, .. }));
        check(entry.arg.get(&*param.name), &param.decision, goes_in, params, errors);
    }
    if let Some(ret) = ret {
        // Where the function says by NULL that it failed, there is no place either.
        check(entry.ret.as_ref(), &ret.decision, entry.error.is_some(), params, errors);
    }
}

fn check(
    words: Option<&Spanned<model::Contract>>,
    decision: &Decision,
    may_lack: bool,
    params: &[ParamPlan],
    errors: &mut Vec<PolicyError>,
) {
    let (Some(words), Some(Contract::Inner { of, nullable, .. })) = (words, decision.contract()) else { return };
    let into = params.iter().find(|param| param.name == *of).and_then(|param| param.decision.contract());
    match into {
        Some(Contract::Buf { nullable: true, .. } | Contract::Cstr { nullable: true, .. })
            if !nullable && !may_lack =>
        {
            let message = format!("`{of}` may be NULL, and then there is no place in it");
            errors.push(PolicyError::new(words.span(), message).help("add `null = \"ok\"`"));
        }
        Some(contract) if contract.kept_for().is_some() => {
            let message = format!("`{of}` is a copy that the library keeps, and the program knows no place in that");
            errors
                .push(PolicyError::new(words.span(), message).help("say `kind = \"null\"`, or leave the function out"));
        }
        Some(Contract::Buf { .. } | Contract::Cstr { dir: Dir::In | Dir::Inout, .. }) | None => {}
        Some(_) => {
            let place = words.get_ref().inner_of.as_ref().map_or(words.span(), Spanned::span);
            let message = format!("`{of}` is no slice and no string, in which there are places");
            errors.push(PolicyError::new(place, message).help("say of it `kind = \"buf\"` or `kind = \"cstr\"`"));
        }
    }
}
