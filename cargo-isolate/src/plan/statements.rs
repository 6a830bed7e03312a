//! What the policy's entry about one function states, against its signature.

use super::Bind;
use crate::{
    contract::{
        Contract, Dir, Failing, Hold,
        check::{self, Scope, Signature, Stated, Subject, list},
        expr::Expr,
        shape,
    },
    policy::{PolicyError, Spanned, model},
    rust,
};
use std::collections::BTreeMap;

/// What the policy's entry states, by parameter.
pub(super) struct Statements {
    pub(super) params: Vec<Stated>,
    pub(super) ret: Stated,
    pub(super) failing: Option<Failing>,
    pub(super) binds: Vec<Bind>,
}

impl Statements {
    pub(super) fn read(
        entry: Option<&model::FnContract>,
        scope: Scope<'_>,
        errors: &mut Vec<PolicyError>,
    ) -> Statements {
        let signature = scope.signature;
        let mut params = vec![Stated::default(); signature.params.len()];
        let mut ret = Stated::default();
        let Some(entry) = entry else { return Statements { params, ret, failing: None, binds: Vec::new() } };
        for (name, words) in &entry.arg {
            match signature.params.iter().position(|param| param.name == *name.get_ref()) {
                Some(index) => {
                    params[index] = check::check(words, Subject::Param(index), scope, errors).unwrap_or_default();
                }
                None => errors.push(no_such_parameter(name, signature)),
            }
        }
        if let Some(words) = &entry.ret {
            if signature.ret.is_none() {
                errors.push(PolicyError::new(words.span(), format!("`{}` returns nothing", signature.name)));
            } else {
                ret = check::check(words, Subject::Ret, scope, errors).unwrap_or_default();
            }
        }
        let failing = check::failing(entry, scope, errors);
        if let (Some(failing), Some(words)) = (&failing, &entry.ret)
            && failing.error.takes_null()
            && let Some(null) = words.get_ref().null.as_ref().filter(|null| null.get_ref() == "ok")
        {
            let message = "NULL is an error here, so it is never returned";
            errors.push(PolicyError::new(null.span(), message).help("remove it, or `ret == NULL` from `error`"));
        }
        fingerprint(entry, signature, errors);
        let binds = binds(entry, scope, errors);
        let statements = Statements { params, ret, failing, binds };
        statements.check_ends(entry, signature, errors);
        statements.check_lengths_of_each(entry, signature, errors);
        statements.check_cells(entry, signature, errors);
        statements.check_keepers(entry, signature, errors);
        statements
    }

    /// The callback that gets this parameter.
    pub(super) fn user_of<'s>(&self, name: &str, signature: &'s Signature) -> Option<&'s str> {
        let index = self.params.iter().position(
            |stated| matches!(&stated.contract, Some(Contract::Callback { user: Some(user), .. }) if user == name),
        )?;
        Some(&signature.params[index].name)
    }

    /// A length before the call depends on what this parameter points to.
    pub(super) fn needs(&self, cell: &str) -> bool {
        let contracts = self.params.iter().filter_map(|stated| stated.contract.as_ref());
        contracts
            .flat_map(Contract::lengths)
            .flat_map(Expr::leaves)
            .any(|leaf| matches!(leaf, Expr::Deref(name) if name == cell))
    }

    /// What this parameter points to after the call tells how much came out, or whether anything did.
    pub(super) fn counts(&self, cell: &str) -> bool {
        let contracts = self.params.iter().chain([&self.ret]).filter_map(|stated| stated.contract.as_ref());
        let lengths = contracts.filter_map(Contract::counted_by).chain(self.binds.iter().map(|bind| &bind.length));
        lengths.flat_map(Expr::leaves).any(|leaf| matches!(leaf, Expr::Deref(name) if name == cell))
    }

    /// What comes out of the function keeps something only if the program gets to own it.
    fn check_keepers(&self, entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
        let mut slots = BTreeMap::new();
        for (stated, param) in self.params.iter().zip(&signature.params) {
            let Some(contract) = &stated.contract else { continue };
            let Some((object, slot)) = contract.kept_for() else { continue };
            let words = entry.arg.get(&*param.name);
            let place = words.map(|words| {
                let word = words.get_ref().scope.as_ref().or(words.get_ref().until.as_ref());
                word.map_or(words.span(), Spanned::span)
            });
            let is_closure = matches!(contract, Contract::Callback { .. });
            if let (Some(place), Some(slot)) = (&place, slot)
                && let Some(former) = slots.insert((is_closure, object, slot), &param.name)
            {
                let message = format!("`{former}` is in that place already");
                errors.push(PolicyError::new(place.clone(), message).help("give each a NAME of its own"));
            }
            let index = signature.params.iter().position(|param| param.name == *object);
            let keeper = match index {
                Some(index) => self.params[index].contract.as_ref(),
                None => self.ret.contract.as_ref(),
            };
            let is_kept = match keeper {
                Some(Contract::Handle { dir, hold, .. }) if index.is_none() || *dir == Dir::Out => {
                    matches!(hold, Hold::Give { .. })
                }
                Some(Contract::Handle { nullable, hold, .. }) => !nullable && *hold == Hold::Keep,
                // A rule will find that it is a handle.
                None => index.is_some(),
                Some(_) => false,
            };
            if let Some(place) = place.filter(|_| !is_kept) {
                let message = format!("`{object}` is no object of the program, which could keep `{}`", param.name);
                let help = "say of it `kind = \"handle\"`, and `own = \"give\"` if it comes out of the function";
                errors.push(PolicyError::new(place, message).help(help));
            }
        }
    }

    /// Two slices that end in one place would be two pointers for one parameter.
    fn check_ends(&self, entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
        let mut ends = BTreeMap::new();
        for (stated, param) in self.params.iter().zip(&signature.params) {
            let Some(Contract::Buf { len: Expr::End(end), .. }) = &stated.contract else { continue };
            let former = ends.insert(end, &param.name);
            if let (Some(former), Some(words)) = (former, entry.arg.get(&*param.name)) {
                let message = format!("`{end}` is where `{former}` ends");
                let place = words.get_ref().end.as_ref().map_or(words.span(), Spanned::span);
                errors.push(
                    PolicyError::new(place, message).help("one slice ends there: say what the other is in another way"),
                );
            }
        }
    }

    /// An array of lengths is one array's.
    fn check_lengths_of_each(&self, entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
        let mut arrays = BTreeMap::new();
        for (stated, param) in self.params.iter().zip(&signature.params) {
            let Some(lengths) = stated.contract.as_ref().and_then(Contract::length_of_each) else { continue };
            let Some(words) = entry.arg.get(&*param.name) else { continue };
            let array = &param.name;
            let first = *arrays.entry(lengths).or_insert(array);
            if first != array {
                let message = format!("`{lengths}` tells the lengths of `{first}` already");
                errors.push(PolicyError::new(words.span(), message).help("an array of lengths is one array's"));
            }
        }
    }

    /// A capacity is read before the call, so a parameter that only comes out, or may be NULL, cannot hold it.
    fn check_cells(&self, entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
        for (stated, param) in self.params.iter().zip(&signature.params) {
            for leaf in stated.contract.iter().flat_map(Contract::lengths).flat_map(Expr::leaves) {
                let Expr::Deref(cell) = leaf else { continue };
                let index = signature.params.iter().position(|param| param.name == *cell);
                let contract = index.and_then(|index| self.params[index].contract.as_ref());
                let Some(words) = entry.arg.get(&**cell) else { continue };
                let of = &param.name;
                match contract {
                    Some(Contract::Obj { dir: Dir::Out, .. }) => {
                        let message =
                            format!("`*{cell}` is the length of `{of}` before the call, so it cannot be `out`");
                        let help = "say `dir = \"inout\"`, or remove this entry";
                        errors.push(PolicyError::new(words.span(), message).help(help));
                    }
                    Some(Contract::Obj { nullable: true, .. }) => {
                        let message = format!("`*{cell}` is the length of `{of}`, so `{cell}` cannot be NULL");
                        errors.push(PolicyError::new(words.span(), message).help("remove `null = \"ok\"`"));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The declaration is the one that the contract was written for, if it says which.
pub(super) fn fingerprint(entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
    let Some(wanted) = &entry.signature else { return };
    let params = signature.params.iter().map(|param| (&*param.name, &param.shape));
    let found = shape::signature(params, signature.ret.as_ref());
    let squeezed = |text: &str| text.replace(char::is_whitespace, "");
    if squeezed(wanted.get_ref()) == squeezed(&found) {
        return;
    }
    if is_signature(wanted.get_ref()) {
        let message = format!("`{}` is not declared as it was when this was written", signature.name);
        let help = format!("it is `{found}` now: hold the contract against the library's header, then write that");
        errors.push(PolicyError::new(wanted.span(), message).help(help));
    } else {
        let message = format!("`{}` is not a signature as Rust writes it", wanted.get_ref());
        errors.push(PolicyError::new(wanted.span(), message).help(format!("this function is `{found}`")));
    }
}

/// Reads as the type of a function, whose parameters may have any name.
fn is_signature(text: &str) -> bool {
    matches!(rust::ty(text), Ok(syn::Type::FnPtr(_)))
}

/// Lengths that are known of objects after the call.
fn binds(entry: &model::FnContract, scope: Scope<'_>, errors: &mut Vec<PolicyError>) -> Vec<Bind> {
    let mut binds = Vec::new();
    for (object, lengths) in &entry.bind {
        let Some(param) = scope.signature.param(object.get_ref()) else {
            errors.push(no_such_parameter(object, scope.signature));
            continue;
        };
        if !param.shape.pointee().is_some_and(|(_, to)| to.may_be_held()) {
            let message =
                format!("`{}` is not a handle, so no length can be bound to it: `{}`", param.name, param.shape);
            errors.push(PolicyError::new(object.span(), message));
            continue;
        }
        for (name, length) in lengths {
            let length = check::length_after(length, scope, errors);
            let object = object.get_ref().clone();
            binds.extend(length.map(|length| Bind { object, name: name.get_ref().clone(), length }));
        }
    }
    binds
}

fn no_such_parameter(name: &Spanned<String>, signature: &Signature) -> PolicyError {
    let names: Vec<_> = signature.params.iter().map(|param| &*param.name).collect();
    let error = PolicyError::new(name.span(), format!("`{}` has no parameter `{}`", signature.name, name.get_ref()));
    let error = if names.is_empty() { error } else { error.help(format!("its parameters: {}", list(&names))) };
    error.did_you_mean(name.get_ref(), names)
}
