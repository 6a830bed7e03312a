//! What the policy's entry about one function states, against its signature.

use crate::{
    contract::{
        Contract, Dir, Failing,
        check::{self, Scope, Signature, Stated, Subject, list},
        expr::Expr,
    },
    policy::{PolicyError, Spanned, model},
};

/// What the policy's entry states, by parameter.
pub(super) struct Statements {
    pub(super) params: Vec<Stated>,
    pub(super) ret: Stated,
    pub(super) failing: Option<Failing>,
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
        let Some(entry) = entry else { return Statements { params, ret, failing: None } };
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
        let statements = Statements { params, ret, failing };
        statements.check_cells(entry, signature, errors);
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
            .filter_map(|contract| match contract {
                Contract::Buf { len, .. } => Some(len.leaves()),
                _ => None,
            })
            .flatten()
            .any(|leaf| matches!(leaf, Expr::Deref(name) if name == cell))
    }

    /// A capacity is read before the call, so a parameter that only comes out, or may be NULL, cannot hold it.
    fn check_cells(&self, entry: &model::FnContract, signature: &Signature, errors: &mut Vec<PolicyError>) {
        for (stated, param) in self.params.iter().zip(&signature.params) {
            let Some(Contract::Buf { len, .. }) = &stated.contract else { continue };
            for leaf in len.leaves() {
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

fn no_such_parameter(name: &Spanned<String>, signature: &Signature) -> PolicyError {
    let names: Vec<_> = signature.params.iter().map(|param| &*param.name).collect();
    let error = PolicyError::new(name.span(), format!("`{}` has no parameter `{}`", signature.name, name.get_ref()));
    let error = if names.is_empty() { error } else { error.help(format!("its parameters: {}", list(&names))) };
    error.did_you_mean(name.get_ref(), names)
}
