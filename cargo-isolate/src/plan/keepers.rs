//! Objects that keep something: a length, or what is made of them. The program must have them to keep it.

use super::{
    ParamPlan,
    mentions::{mentions, texts},
};
use crate::{
    contract::{Contract, Dir, Hold, expr::Mentioned},
    policy::{PolicyError, Spanned, model},
};
use std::ops::Range;

/// What an object keeps.
#[derive(Clone, Copy)]
enum Kept {
    /// What is made of it ends before it does.
    Child,
    /// A length is known of it after the call.
    Length,
    /// A length that was known before.
    Told,
}

/// An object that is not there, or may not be, keeps nothing.
pub(super) fn are_there(
    entry: Option<&model::FnContract>,
    when: Option<&Spanned<String>>,
    params: &[ParamPlan],
    errors: &mut Vec<PolicyError>,
) {
    let Some(entry) = entry else { return };
    let words = entry.arg.values().chain(&entry.ret).map(Spanned::get_ref);
    let parents = words.filter_map(|words| words.parent.as_ref()).map(|parent| (parent, Kept::Child));
    let bound = entry.bind.keys().map(|object| (object, Kept::Length));
    let named = parents.chain(bound).map(|(object, kept)| (object.get_ref().clone(), object.span(), kept));
    let told = texts(entry, when).into_iter().flat_map(|(text, is_condition)| lengths(&text, is_condition));
    let told = told.map(|(object, _, at)| (object, at, Kept::Told));
    for (object, at, kept) in named.chain(told) {
        let Some(param) = params.iter().find(|param| param.name == object) else { continue };
        let may_be_held = param.shape.pointee().is_some_and(|(_, to)| to.may_be_held());
        let Some(contract) = param.decision.contract().filter(|_| may_be_held) else { continue };
        let Some(why) = missing(contract, kept) else { continue };
        let what = match kept {
            Kept::Child => format!("nothing can be made of `{object}`, and end before it"),
            Kept::Length => format!("no length can be bound to `{object}`"),
            Kept::Told => format!("no length is known of `{object}`"),
        };
        errors.push(PolicyError::new(at, format!("{what}: it {why}")).help(match contract {
            Contract::Handle { nullable: true, .. } => "remove its `null`, or say this in a `form` where it is there",
            _ => "the program must have the object, as a `handle` of its own",
        }));
    }
}

/// The objects of whose lengths a text speaks, with the names of these and their places.
pub(super) fn lengths(text: &Spanned<String>, is_condition: bool) -> Vec<(String, String, Range<usize>)> {
    let bound = |(what, place)| match what {
        Mentioned::Bound { object, name } => Some((object, name, place)),
        _ => None,
    };
    mentions(text, is_condition).into_iter().filter_map(bound).collect()
}

/// Why the wrapper has no object that it could ask or tell.
fn missing(contract: &Contract, kept: Kept) -> Option<&'static str> {
    match (contract, kept) {
        (Contract::Handle { nullable: true, .. }, _) => Some("may be NULL"),
        (Contract::Handle { hold: Hold::Take { .. }, .. }, Kept::Child | Kept::Length) => Some("ends with this call"),
        (Contract::Handle { dir: Dir::Out, .. }, Kept::Child | Kept::Told) => Some("comes out of this call"),
        (Contract::Handle { dir: Dir::Out, hold: Hold::Keep, .. }, Kept::Length) => Some("stays the library's"),
        (Contract::Handle { .. }, _) => None,
        _ => Some("is not a handle here"),
    }
}
