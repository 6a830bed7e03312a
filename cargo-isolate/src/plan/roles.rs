//! Parameters that the wrapper's caller does not see: lengths of slices, and where they end.

use super::{Decision, ParamPlan, Role, statements::Statements};
use crate::{
    contract::{
        Contract,
        check::{Param, Signature, list},
        expr::Expr,
        infer::Tier,
    },
    policy::{PolicyError, model},
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
        let of_each = |(_, contract): &(&Param, &Option<&Contract>)| {
            contract.and_then(Contract::length_of_each) == Some(&*param.name)
        };
        if let Some((array, _)) = signature.params.iter().zip(&contracts).find(of_each) {
            return Role::LengthsOf(array.name.clone());
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
            (Role::LengthsOf(array), Some(_)) => (
                format!("tells how long each buffer of `{array}` is, and the wrapper tells that"),
                format!("another `len` for those of `{array}`"),
            ),
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

pub(super) fn implied(contract: Contract, evidence: String) -> Decision {
    Decision::Rule { contract, tier: Tier::Clear, evidence }
}

pub(super) fn names(slices: &[String]) -> String {
    let slices: Vec<_> = slices.iter().map(|slice| &**slice).collect();
    list(&slices).replace(", ", " and ")
}
