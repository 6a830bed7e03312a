//! The graph and the policy → the plan.

use super::{
    DomainPlan, Library, Plan,
    crossing::crossing,
    domains, forms,
    select::{select, unused_contracts},
    standing,
    surroundings::Surroundings,
};
use crate::{
    contract::types::Types,
    graph::Graph,
    policy::{PolicyError, model},
};

/// Makes the plan. A mistake in the policy is an error; a function without a contract is part of the plan.
pub(crate) fn plan(graph: &Graph, policy: &model::Policy) -> Result<Plan, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let types = Types::new(graph);
    let selected = select(graph, policy, &mut errors);
    let around = Surroundings::new(graph, &types, policy, &selected, &mut errors);
    let mut domains = Vec::new();
    for (name, domain) in &policy.domain {
        let name = name.get_ref();
        let Some(library) = domains::library(graph, domain, &mut errors) else { continue };
        let functions = selected.iter().filter(|selected| selected.domain == *name);
        let functions: Vec<_> = functions.flat_map(|selected| around.plan(selected, &mut errors)).collect();
        let objects = around.objects(&functions);
        let contracts = policy.shipped_for(name).map(ToString::to_string);
        let crossing = crossing(&types, &functions);
        domains.push(DomainPlan { contracts, functions, objects, crossing, ..settings(name, domain, library) });
    }
    domains.iter_mut().for_each(|domain| standing::settle(graph, domain));
    forms::collisions(policy, &domains, &mut errors);
    domains::domains(graph, policy, &mut errors);
    unused_contracts(graph, policy, &selected, &mut errors);
    around.unused_binds(&selected, &mut errors);
    if errors.is_empty() {
        Ok(Plan { domains })
    } else {
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        errors.dedup();
        Err(errors)
    }
}

/// A domain as the policy sets it up, without what runs in it.
fn settings(name: &str, domain: &model::Domain, library: Library) -> DomainPlan {
    let heap = domain.heap.as_ref();
    DomainPlan {
        name: name.to_owned(),
        library,
        contracts: None,
        archives: domain.archives.iter().map(|archive| archive.get_ref().clone()).collect(),
        backend: domain.backend.as_ref().map_or(model::Backend::Auto, |backend| *backend.get_ref()),
        level: domain.level.as_ref().map_or(model::Level::Integrity, |level| *level.get_ref()),
        heap_kind: heap.and_then(|heap| heap.kind.as_ref()).map_or(model::HeapKind::Fast, |kind| *kind.get_ref()),
        heap_limit: heap.and_then(|heap| heap.limit.as_ref()).map(|limit| limit.get_ref().0),
        stack_size: domain.stack.as_ref().map(|stack| stack.get_ref().0),
        deadline: domain.deadline.as_ref().map(|deadline| deadline.get_ref().0),
        timer: domain.timer.as_ref().map_or(model::Timer::Own, |timer| *timer.get_ref()),
        threads: domain.threads.as_ref().map_or(model::Threads::Many, |threads| *threads.get_ref()),
        instances: domain.instances.as_ref().map_or(model::Instances::One, |instances| *instances.get_ref()),
        own_threads: domain.own_threads.as_ref().map_or(0, |most| *most.get_ref()),
        objects: Vec::new(),
        crossing: Vec::new(),
        functions: Vec::new(),
    }
}
