//! What the policy says of a function together with what ships for it.

use super::{
    Ships, forms,
    renamed::{misplaced, renamed},
    statements::Statements,
};
use crate::{
    contract::check::Scope,
    policy::{Entry, PolicyError, Shipped, Spanned, model},
};
use std::borrow::Cow;

/// What the policy says of a function, and that over what ships, as far as this fits the declaration: whoever declares a function in
/// another way cannot mend it.
pub(super) fn entry<'p>(
    entry: Entry<'p>,
    scope: Scope<'_>,
    errors: &mut Vec<PolicyError>,
) -> (Option<&'p model::FnContract>, Option<Cow<'p, model::FnContract>>, Option<Ships>) {
    let Entry { own, ships, shipped } = entry;
    let never = own.and_then(|own| own.error.as_ref()).filter(|error| never(error));
    if let Some(error) = never.filter(|_| ships.is_none_or(|ships| ships.error.is_none())) {
        let message = format!("nothing that ships says when `{}` has failed", scope.signature.name);
        errors.push(PolicyError::new(error.span(), message).help("remove it"));
    }
    let name = &scope.signature.name;
    let unused = |reason: String, tables: String| Ships::Misfit { reason, tables, replaced: own.is_some() };
    let tables = || shipped.map(|shipped| shipped.tables(name)).unwrap_or_default();
    let Some(ships) = ships else {
        // Whoever has words of their own for a function need not hear of those for another version of its library.
        let other = shipped.filter(|_| own.is_none()).and_then(Shipped::other_version);
        return (own, own.map(Cow::Borrowed), other.map(|reason| unused(reason, tables())));
    };
    if let Some(reason) = misplaced(scope.signature) {
        return (own, own.map(Cow::Borrowed), Some(unused(reason, commented(name, &tables()))));
    }
    let ships = &renamed(ships, scope.signature);
    let mistakes = |entry: Option<&model::FnContract>| {
        let mut errors = Vec::new();
        let asked = entry.and_then(|entry| forms::size_query(entry, scope.signature, &mut errors));
        Statements::read(asked.as_ref().map(|(call, _)| call).or(entry), scope, &mut errors);
        errors
    };
    let misfit = |entry: &model::FnContract, of: &[PolicyError]| {
        mistakes(Some(entry)).into_iter().find(|error| !of.contains(error))
    };
    let over = |ships: &model::FnContract| own.map_or_else(|| ships.clone(), |own| own.over(ships));
    // What says an error in words need not be isolated along.
    let silent = model::FnContract { message: None, ..ships.clone() };
    let of_own = mistakes(own);
    let used = |ships: &model::FnContract| (own, Some(Cow::Owned(over(ships))), Some(Ships::Used));
    let Some(error) = misfit(&over(ships), &of_own) else { return used(ships) };
    if ships.message.is_some() && misfit(&over(&silent), &of_own).is_none() {
        return used(&silent);
    }
    // What fits the declaration as it ships, and no more under the policy's words, is their mistake.
    if own.is_some()
        && let Some(ships) = [ships, &silent].into_iter().find(|ships| misfit(ships, &[]).is_none())
    {
        return used(ships);
    }
    let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
    let what =
        format!("; give parameters the names of the library's bindings, or say under `[fn.{name}]` what yours mean");
    let what = if error.message.contains("has no parameter") { what } else { String::new() };
    (own, own.map(Cow::Borrowed), Some(unused(error.message + &help + &what, commented(name, &tables()))))
}

/// What ships and does not fit as it is, for whoever writes other words.
fn commented(function: &str, tables: &str) -> String {
    let lines = tables.lines().map(|line| format!("# {line}\n"));
    format!("[fn.{function}]\n{}", lines.collect::<String>())
}

pub(super) fn never(error: &Spanned<model::ErrorWord>) -> bool {
    *error.get_ref() == model::ErrorWord::Never
}
