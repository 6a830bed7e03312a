//! Parameters that the wrapper's caller does not see: lengths of slices, and where they end.

use super::{Decision, ParamPlan, RetPlan, Role, statements::Statements};
use crate::{
    contract::{
        Contract, Dir,
        check::{Param, Signature, list},
        expr::Expr,
        infer::Tier,
    },
    policy::{PolicyError, Spanned, model},
};

/// Parameters that hold nothing but the length of slices are hidden from the wrapper's caller.
pub(super) fn roles(signature: &Signature, stated: &Statements) -> Vec<Role> {
    let contracts: Vec<_> = stated.params.iter().map(|stated| stated.contract.as_ref()).collect();
    let role = |param: &Param| {
        let slices = |wanted: &Expr| {
            let named = signature
                .params
                .iter()
                .zip(&contracts)
                .filter(|(_, contract)| contract.and_then(Contract::len) == Some(wanted));
            named.map(|(param, _)| param.name.clone()).collect::<Vec<_>>()
        };
        if let Some(slice) = slices(&Expr::End(param.name.clone())).into_iter().next() {
            return Role::EndOf(slice);
        }
        let (lengths, cells) = (slices(&Expr::Name(param.name.clone())), slices(&Expr::Deref(param.name.clone())));
        match (lengths.is_empty(), cells.is_empty()) {
            (false, _) => Role::LengthOf(lengths),
            (_, false) => Role::CellOf(cells),
            _ => Role::Caller,
        }
    };
    signature.params.iter().map(role).collect()
}

/// Lengths that rules found hide their parameters as well.
pub(super) fn settle_inferred_lengths(params: &mut [ParamPlan], open: &mut Vec<(String, String)>) {
    for index in 0..params.len() {
        if params[index].role != Role::Caller {
            continue;
        }
        let name = params[index].name.clone();
        let length = Expr::Name(name.clone());
        let is_length =
            |param: &&ParamPlan| param.decision.contract().and_then(Contract::len).is_some_and(|len| *len == length);
        let slices: Vec<_> = params.iter().filter(is_length).map(|param| param.name.clone()).collect();
        if !slices.is_empty() {
            open.retain(|(open, _)| *open != name);
            params[index].decision = implied(Contract::Value, format!("the length of {}", names(&slices)));
            params[index].role = Role::LengthOf(slices);
        }
    }
}

/// The wrapper tells such a length itself: nobody else can say what it is.
pub(super) fn lengths_are_told(
    entry: Option<&model::FnContract>,
    params: &[ParamPlan],
    stated: &[Option<Contract>],
    errors: &mut Vec<PolicyError>,
) {
    for (param, stated) in params.iter().zip(stated) {
        let told = match (&param.role, stated) {
            (
                Role::LengthOf(slices) | Role::CellOf(slices),
                Some(Contract::Fixed { .. } | Contract::Text { .. } | Contract::Size { .. }),
            ) => {
                let of = names(slices);
                (format!("is the length of {of}, which the wrapper tells"), format!("another `len` of {of}"))
            }
            (Role::EndOf(slice), Some(_)) => {
                (format!("is where `{slice}` ends, which the wrapper tells"), format!("another `end` of `{slice}`"))
            }
            _ => continue,
        };
        let Some(words) = entry.and_then(|entry| entry.arg.get(&*param.name)) else { continue };
        let message = format!("`{}` {}", param.name, told.0);
        errors.push(PolicyError::new(words.span(), message).help(format!("remove it, or say {}", told.1)));
    }
}

/// A place in an argument is one in a slice or a string that the wrapper takes.
pub(super) fn lead_into_slices(
    entry: Option<&model::FnContract>,
    params: &[ParamPlan],
    ret: Option<&RetPlan>,
    errors: &mut Vec<PolicyError>,
) {
    let Some(entry) = entry else { return };
    let of_params = params.iter().map(|param| (entry.arg.get(&*param.name), &param.decision));
    for (words, decision) in of_params.chain(ret.map(|ret| (entry.ret.as_ref(), &ret.decision))) {
        let (Some(words), Some(Contract::Inner { of, nullable, .. })) = (words, decision.contract()) else { continue };
        let is_error = entry.error.is_some() && decision_is_of(ret, decision);
        let into = params.iter().find(|param| param.name == *of).and_then(|param| param.decision.contract());
        match into {
            Some(Contract::Buf { nullable: true, .. } | Contract::Cstr { nullable: true, .. })
                if !nullable && !is_error =>
            {
                let message = format!("`{of}` may be NULL, and then there is no place in it");
                errors.push(PolicyError::new(words.span(), message).help("add `null = \"ok\"`"));
            }
            Some(Contract::Buf { .. } | Contract::Cstr { dir: Dir::In | Dir::Inout, .. }) | None => {}
            Some(_) => {
                let place = words.get_ref().inner_of.as_ref().map_or(words.span(), Spanned::span);
                let message = format!("`{of}` is no slice and no string, in which there are places");
                errors.push(PolicyError::new(place, message).help("say of it `kind = \"buf\"` or `kind = \"cstr\"`"));
            }
        }
    }
}

fn decision_is_of(ret: Option<&RetPlan>, decision: &Decision) -> bool {
    ret.is_some_and(|ret| std::ptr::eq(&raw const ret.decision, decision))
}

pub(super) fn implied(contract: Contract, evidence: String) -> Decision {
    Decision::Rule { contract, tier: Tier::Clear, evidence }
}

pub(super) fn names(slices: &[String]) -> String {
    let slices: Vec<_> = slices.iter().map(|slice| &**slice).collect();
    list(&slices).replace(", ", " and ")
}
