//! Functions that end objects or free memory, by what is said of those that give them away.

use super::{Decision, renamed::whole, select::Selected};
use crate::{
    contract::{Contract, check::Signature, shape::Shape},
    policy::{Entry, Spanned, model},
};
use std::collections::BTreeMap;

/// Who says something of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Policy,
    /// Contracts that ship.
    Tool,
}

impl By {
    /// Who names a function that frees what another gives away.
    fn of(entry: Entry<'_>, free: &str) -> By {
        let mut own = entry.own.iter().flat_map(|own| own.arg.values().chain(&own.ret));
        let names =
            |words: &Spanned<model::Contract>| words.get_ref().free.as_ref().is_some_and(|name| name.get_ref() == free);
        if own.any(names) { By::Policy } else { By::Tool }
    }

    pub(super) fn decision(self, contract: Contract) -> Decision {
        match self {
            By::Policy => Decision::Policy { contract },
            By::Tool => Decision::Shipped { contract },
        }
    }
}

/// The functions that free memory, by some `free` in what the policy, or what ships, says of an isolated function.
pub(super) fn freeing(policy: &model::Policy, selected: &[Selected<'_>]) -> BTreeMap<String, By> {
    let mut frees = BTreeMap::new();
    for entry in selected.iter().map(|one| policy.entry(&one.domain, &one.item.name)) {
        let Some(whole) = entry.whole() else { continue };
        let words = whole.arg.values().chain(&whole.ret).map(Spanned::get_ref).filter(|words| !is_handle(words));
        let named = words.filter_map(|words| Some(words.free.as_ref()?.get_ref().clone()));
        frees.extend(named.map(|free| (free.clone(), By::of(entry, &free))));
    }
    frees
}

/// As [`freeing`], the functions that end an object, with its type.
pub(super) fn ending(
    policy: &model::Policy,
    selected: &[Selected<'_>],
    signatures: &BTreeMap<String, BTreeMap<String, Signature>>,
) -> BTreeMap<String, (Shape, By)> {
    let mut ends = BTreeMap::new();
    for one in selected {
        let said = policy.entry(&one.domain, &one.item.name);
        let signature = &signatures[&one.domain][&one.item.name];
        let Some(entry) = whole(said, signature) else { continue };
        let args = entry.arg.iter().filter_map(|(name, words)| {
            // What comes out of a parameter does so through a pointer to the pointer.
            Some((words.get_ref(), signature.param(name.get_ref())?.shape.pointee()?.1))
        });
        let ret = entry.ret.iter().filter_map(|words| Some((words.get_ref(), signature.ret.as_ref()?)));
        for (words, pointer) in args.chain(ret).filter(|(words, _)| is_handle(words)) {
            if let (Some(free), Some((_, object))) = (&words.free, pointer.pointee()) {
                let free = free.get_ref();
                ends.insert(free.clone(), (object.clone(), By::of(said, free)));
            }
        }
    }
    ends
}

pub(super) fn is_handle(words: &model::Contract) -> bool {
    words.kind.as_ref().is_some_and(|kind| *kind.get_ref() == "handle")
}
