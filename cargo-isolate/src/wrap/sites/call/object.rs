//! Messages about objects that live in a domain: which wrapper returns one, and what replaces the program's own object.
//! Where the program is to store it between calls must be decided by hand.

use crate::contract::{Contract, Hold, object::Life};
use crate::wrap::sites::wrappers::Wrapper;

/// Why a call that takes an object as its argument at `index` cannot be rewritten, and what to write instead.
pub(super) fn why(wrapper: &Wrapper<'_>, index: usize) -> String {
    let param = &wrapper.function.params[index];
    let name = &param.name;
    let makers = &wrapper.makers[index];
    let from = format!("what the wrapper of {} returned", any_of(makers));
    match param.decision.contract() {
        Some(Contract::Object { life: Life::Made { end }, .. }) => format!(
            "`{name}`: the wrapper makes it and returns it, an `Object` to keep where the struct was; dropping it calls `{}`",
            end.name
        ),
        Some(Contract::Handle { hold: Hold::Give { .. }, .. }) => {
            format!(
                "`{name}`: the wrapper returns it, a value to keep where the pointer was, which ends when it is dropped"
            )
        }
        _ if makers.is_empty() => {
            format!("`{name}` is an object that no wrapper returns: isolate the function that makes it, too")
        }
        Some(Contract::Object { life: Life::Ended, .. }) => {
            format!(
                "`{name}` is {from}, an `Object` that ends when it is dropped: leave this call out, or pass it here"
            )
        }
        Some(Contract::Object { life: Life::Used, cursors }) => {
            let moved: Vec<_> = cursors.iter().filter(|cursor| cursor.moves).map(|cursor| &*cursor.field).collect();
            let slices = match &moved[..] {
                [] => String::new(),
                [one] => format!("; `{one}` is a slice, and the result says how much of it is done"),
                several => {
                    format!("; {} are slices, and the result says how much of each is done", all_of(several))
                }
            };
            format!("`{name}` is {from}, an `Object` to keep where the struct was{slices}")
        }
        Some(Contract::Handle { hold: Hold::Take { .. }, .. }) => {
            format!("`{name}` is {from}, which ends when it is dropped: leave this call out, or pass it here")
        }
        _ => format!("`{name}` is {from}, to keep where the pointer was"),
    }
}

fn any_of(names: &[&str]) -> String {
    listed(names, "or")
}

pub(in crate::wrap::sites) fn all_of(names: &[&str]) -> String {
    listed(names, "and")
}

fn listed(names: &[&str], last: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [before @ .., end] if !before.is_empty() => format!("{} {last} {end}", before.join(", ")),
        names => names.concat(),
    }
}
