//! Where wrappers stand. A wrapper also calls what its contract names: what frees or ends, counts, puts errors into words. All
//! of that must be there wherever the wrapper is.

use super::{DomainPlan, FunctionPlan};
use crate::{
    contract::{
        Contract, Hold,
        expr::{Condition, Expr},
        object::Life,
    },
    graph::Graph,
};
use isolate_lints::cfg::Presence;
use std::collections::BTreeSet;

/// Brings each wrapper under the predicates of what it calls, and refuses those that some features would leave without it.
pub(super) fn settle(graph: &Graph, domain: &mut DomainPlan) {
    let declared: Vec<_> = domain.functions.iter().map(|one| (one.name.clone(), one.declared.clone())).collect();
    for function in &mut domain.functions {
        let called = called(function);
        for (name, place) in declared.iter().filter(|(name, _)| called.contains(name)) {
            let own = &function.declared.cfgs;
            let more: Vec<_> = place.cfgs.iter().filter(|cfg| !own.contains(cfg)).cloned().collect();
            let file = graph.packages[place.index].files.iter().find(|file| graph.relative(&file.path) == place.file);
            let whatever_features =
                file.is_none_or(|file| file.configs.with_any_features().presence(&more) == Presence::Live);
            if whatever_features {
                function.declared.cfgs.extend(more);
            } else if function.refused.is_none() {
                function.refused = Some(format!(
                    "its contract names `{name}`, which is there only under `cfg({})`: declare both under the same `cfg`s",
                    more.join(", ")
                ));
                function.stub = None;
            }
        }
    }
}

/// The functions that a wrapper calls beside its own.
fn called(function: &FunctionPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let params = function.params.iter().map(|param| &param.decision);
    let decisions = params.chain(function.ret.iter().map(|ret| &ret.decision));
    for contract in decisions.filter_map(super::Decision::contract) {
        names.extend(contract.counted_by().into_iter().flat_map(asked));
        match contract {
            Contract::Given { free: Some(free), .. } | Contract::Cstr { free: Some(free), .. } => {
                names.insert(free.clone());
            }
            Contract::Handle { hold: Hold::Give { free, .. }, .. } => {
                names.insert(free.function.clone());
            }
            Contract::Object { life: Life::Made { end }, .. } => {
                names.insert(end.name.clone());
            }
            _ => {}
        }
    }
    names.extend(function.binds.iter().flat_map(|bind| asked(&bind.length)));
    if let Some(failing) = &function.failing {
        names.extend(failing.message.iter().map(|message| message.function.clone()));
        names.extend(asked_by(&failing.error));
    }
    names
}

fn asked(expr: &Expr) -> Vec<String> {
    let calls = expr.leaves().into_iter().filter_map(|leaf| match leaf {
        Expr::Call(call) => Some(call.function.clone()),
        _ => None,
    });
    calls.collect()
}

fn asked_by(condition: &Condition) -> Vec<String> {
    match condition {
        Condition::Compare(_, left, right) => [asked(left), asked(right)].concat(),
        Condition::Null => Vec::new(),
        Condition::All(left, right) | Condition::Any(left, right) => [asked_by(left), asked_by(right)].concat(),
    }
}
