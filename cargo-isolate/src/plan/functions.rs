//! The contracts of one function: what the policy states, what rules infer from the rest, what stays open.

use super::{
    Decision, Form, FunctionPlan, ParamPlan, RetPlan, Role, Ships,
    entry::never,
    hopeless::{hopeless, no_contract_helps},
    ineffective::always_the_same,
    keepers, numbers,
    places::lead_into_slices,
    roles::{implied, lengths_are_told, names, roles, settle_inferred_lengths},
    select::Selected,
    statements::Statements,
    stub::{gifts, stub},
    surroundings::{Surroundings, declared, is_variadic},
};
use crate::{
    contract::{
        Contract, Dir, Element,
        check::{Scope, Signature},
        infer::{self, Inference, Known, Nature, Refusal},
        object::Slice,
        shape::Shape,
    },
    policy::{PolicyError, Spanned, model},
};

/// What is said of a function in one form.
pub(super) struct Said<'p> {
    pub(super) own: Option<&'p model::FnContract>,
    /// The policy's words over those that ship.
    pub(super) entry: Option<&'p model::FnContract>,
    pub(super) ships: Option<Ships>,
    pub(super) form: Option<Form>,
    /// What holds of the arguments in it, as the policy says it.
    pub(super) when: Option<&'p Spanned<String>>,
}

/// Plans a function in one form; mistakes of its policy entry are appended to `errors`.
pub(super) fn plan(
    around: &Surroundings<'_>,
    selected: &Selected<'_>,
    scope: Scope<'_>,
    said: Said<'_>,
    errors: &mut Vec<PolicyError>,
) -> FunctionPlan {
    let (item, signature) = (selected.item, scope.signature);
    let (declarations, ret) = declared(item);
    let mut stated = Statements::read(said.entry, scope, errors);
    if let Some(failing) = &mut stated.failing {
        failing.ships = !said.is_own_error();
    }
    let known = Known {
        stated: stated.params.iter().map(|stated| stated.contract.clone()).collect(),
        library: &around.libraries[&selected.declared.index],
    };
    let roles = roles(signature, &stated);
    let mut function = Function { around, signature, said: &said, stated: &stated, roles, known, open: Vec::new() };
    let mut params: Vec<_> = (0..signature.params.len()).map(|index| function.param(index)).collect();
    settle_inferred_lengths(&mut params, &mut function.open);
    let ret = ret.map(str::to_owned).zip(signature.ret.as_ref()).map(|(ty, shape)| function.ret(ty, shape));

    let Function { known, mut open, .. } = function;
    let mut gifts = gifts(&signature.name, &params, ret.as_ref(), known.library);
    if !open.is_empty() {
        open.append(&mut gifts); // one table of the function, to be pasted once
    }
    lengths_are_told(said.entry, &params, &known.stated, errors);
    numbers::are_there(said.entry, said.when, &params, errors);
    lead_into_slices(said.entry, &params, ret.as_ref(), errors);
    keepers::are_there(said.entry, said.when, &params, errors);
    always_the_same(&said, scope.domain, &params, ret.as_ref(), stated.failing.as_ref(), errors);
    let retry = retry(said.entry, &params, errors);
    let refused = hopeless(around.graph, selected, signature, said.form.is_some())
        .or_else(|| no_contract_helps(&params, ret.as_ref(), &open));
    let mut proposed = refused.is_none().then(|| stub(&item.name, &open)).flatten();
    let suggested = refused.is_none().then(|| stub(&item.name, &gifts)).flatten();
    // Rules know less of the function than what was written for it: what that says would be missing, and nobody would notice.
    let unheard = refused.is_none().then(|| said.unheard()).flatten();
    if let Some((_, tables)) = &unheard {
        proposed = Some(tables.clone());
    }
    let refused = refused.or(unheard.map(|(reason, _)| reason));
    FunctionPlan {
        name: item.name.clone(),
        symbol: item.link_name.clone(),
        abi: item.abi.clone(),
        declared: selected.declared.clone(),
        params,
        ret,
        retry,
        never_fails: said.entry.and_then(|entry| entry.error.as_ref()).is_some_and(never),
        ships: said.ships,
        form: said.form,
        failing: stated.failing,
        variadic: is_variadic(item).then_some(declarations.len()),
        binds: stated.binds,
        stub: proposed,
        suggested,
        refused,
    }
}

impl Said<'_> {
    /// Why what ships is left out, and what it says, where the policy says nothing instead.
    fn unheard(&self) -> Option<(String, String)> {
        match &self.ships {
            Some(Ships::Misfit { reason, tables, replaced: false }) => {
                Some((format!("the contract that ships for it is not used: {reason}"), tables.clone()))
            }
            _ => None,
        }
    }

    /// When it has failed, the policy says itself, of the function or of this form.
    pub(super) fn is_own_error(&self) -> bool {
        let Some(own) = self.own else { return false };
        let of_form = || own.form.get(&*self.form.as_ref()?.name)?.error.as_ref();
        own.error.is_some() || of_form().is_some()
    }

    /// What the entry says of a parameter, as the policy's words or as those that ship.
    fn of_param(&self, name: &str, contract: Contract) -> Decision {
        by_entry(self.own.is_some_and(|own| own.arg.contains_key(name) || !own.form.is_empty()), contract)
    }

    fn of_ret(&self, contract: Contract) -> Decision {
        by_entry(self.own.is_some_and(|own| own.ret.is_some()), contract)
    }
}

fn by_entry(is_own: bool, contract: Contract) -> Decision {
    match is_own {
        true => Decision::Policy { contract },
        false => Decision::Shipped { contract },
    }
}

/// A function whose parameters are decided one by one.
struct Function<'f> {
    around: &'f Surroundings<'f>,
    signature: &'f Signature,
    said: &'f Said<'f>,
    stated: &'f Statements,
    /// By parameter.
    roles: Vec<Role>,
    known: Known<'f>,
    /// Entries to start from for what was refused, by the parameter's name or `ret`.
    open: Vec<(String, String)>,
}

impl Function<'_> {
    fn param(&mut self, index: usize) -> ParamPlan {
        let param = &self.signature.params[index];
        ParamPlan {
            name: param.name.clone(),
            ty: param.ty.clone(),
            shape: param.shape.clone(),
            shown_as: self.stated.params[index].ty.clone(),
            role: self.roles[index].clone(),
            decision: match &self.known.stated[index] {
                Some(contract) => self.said.of_param(&param.name, contract.clone()),
                None => self.unstated(index),
            },
        }
    }

    /// Of a parameter that no entry of its function has a contract for.
    fn unstated(&mut self, index: usize) -> Decision {
        let param = &self.signature.params[index];
        match &self.roles[index] {
            Role::Caller => {}
            Role::EndOf(slice) => {
                return implied(Contract::Value, format!("points behind the last element of `{slice}`"));
            }
            Role::LengthsOf(array) => {
                let contract = Contract::Obj { dir: Dir::In, nullable: false };
                let dropped = if param.shape.is_mutable() { "; what C makes of them is not looked at" } else { "" };
                return implied(contract, format!("points to the length of each buffer of `{array}`{dropped}"));
            }
            Role::LengthOf(slices) => return implied(Contract::Value, format!("the length of {}", names(slices))),
            Role::CellOf(slices) => {
                let contract = Contract::Obj { dir: Dir::Inout, nullable: false };
                return implied(contract, format!("points to the length of {}", names(slices)));
            }
        }
        if let Some(decision) = self.object(index).or_else(|| self.around.implied(self.signature, index)) {
            return decision;
        }
        if let Some(callback) = self.stated.user_of(&param.name, self.signature) {
            let evidence = format!("the callback `{callback}` gets it, and a closure has no need of it");
            return implied(Contract::Fixed { value: 0 }, evidence);
        }
        // Used in a length expression: the caller must be able to say it.
        if self.stated.needs(&param.name) {
            let dir = if param.shape.is_mutable() { Dir::Inout } else { Dir::In };
            let contract = Contract::Obj { dir, nullable: false };
            return implied(contract, "a length is computed from what it points to".to_owned());
        }
        // Used in one after the call alone: the wrapper needs nothing of the caller.
        if is_mutable_number(&param.shape) && self.stated.counts(&param.name) {
            let contract = Contract::Obj { dir: Dir::Out, nullable: false };
            return implied(contract, "what it points to after the call says how much there is".to_owned());
        }
        if self.stated.params[index].ty.is_some() && param.shape.pointee().is_none() {
            return self.said.of_param(&param.name, Contract::Value);
        }
        let slice = self.around.objects.slice(&param.shape);
        let inference = match (infer::param(self.signature, index, &self.known), slice) {
            // No object of the library has a position, whoever hands it out.
            (inference, Some(slice)) if matches!(inference, Inference::Refused(_)) || slice.position.is_some() => {
                match self.slice(&param.shape, slice) {
                    Ok(decision) => return decision,
                    Err(refusal) => Inference::Refused(refusal),
                }
            }
            (Inference::Refused(refusal), None) => Inference::Refused(self.maybe_slice(&param.shape, refusal)),
            (found, _) => found,
        };
        self.decide(&param.name, inference)
    }

    /// Of a struct that stays in the domain, by the policy's table of it or one that ships.
    fn object(&self, index: usize) -> Option<Decision> {
        let Surroundings { objects, policy, .. } = self.around;
        let shapes: Vec<_> = self.signature.params.iter().map(|param| param.shape.clone()).collect();
        let contract = objects.contract(&self.signature.name, &shapes, index)?;
        let is_own = objects.name(&shapes[index]).is_none_or(|name| policy.structs.contains_key(name));
        Some(by_entry(is_own, contract))
    }

    /// Of a pointer and a length in one struct, which way it goes is to be said, unless the declaration does.
    fn slice(&self, shape: &Shape, slice: &Slice) -> Result<Decision, Refusal> {
        let name = &slice.path.name;
        let refused = |reason: String, candidate: Option<&str>| {
            Err(Refusal { reason, candidate: candidate.map(str::to_owned), is: None })
        };
        let own = || Box::new(slice.clone());
        let contract = match (shape.is_mutable(), &slice.position) {
            (false, Some(_)) => {
                return refused(format!("`{name}` has a position, and the library cannot set it here"), None);
            }
            _ if !slice.copy => {
                return refused(format!("`{name}` is not `Copy`, so wrappers cannot fill one in"), None);
            }
            (true, None) => {
                let reason = format!("nothing says whether the slice in this `{name}` goes in or comes out");
                return refused(reason, Some("{ kind = \"buf\", dir = \"in\" }  # or \"out\", or \"inout\""));
            }
            (true, Some(_)) => Contract::Progress { dir: slice.progresses(), slice: own() },
            (false, None) => Contract::Slice { dir: Dir::In, slice: own(), nullable: false },
        };
        Ok(by_entry(self.around.policy.structs.contains_key(&**name), contract))
    }

    /// What is refused, and looks like such a struct.
    fn maybe_slice(&self, shape: &Shape, refusal: Refusal) -> Refusal {
        match self.around.objects.likely_slice(shape) {
            Some(words) if refusal.candidate.is_none() => {
                // One that functions work on may be more than that.
                let is = refusal.is.or(Some(Nature::Slice));
                Refusal { reason: format!("{}; if that is a slice, {words} says so", refusal.reason), is, ..refusal }
            }
            _ => refusal,
        }
    }

    fn ret(&mut self, ty: String, shape: &Shape) -> RetPlan {
        let (stated, null_fails) = (&self.stated.ret, self.stated.failing.as_ref());
        let null_fails = null_fails.is_some_and(|failing| failing.error.takes_null());
        let decision = match &stated.contract {
            Some(contract) => self.said.of_ret(contract.clone()),
            None if stated.ty.is_some() && shape.pointee().is_none() => self.said.of_ret(Contract::Value),
            None => {
                match (infer::ret(self.signature, shape, self.known.library), self.around.objects.returned(shape)) {
                    (Inference::Refused(_), Some(contract)) => self.said.of_ret(contract),
                    (inference, _) => self.decide("ret", inference).never_null_if(null_fails),
                }
            }
        };
        RetPlan { ty, shape: shape.clone(), shown_as: self.stated.ret.ty.clone(), decision }
    }

    fn decide(&mut self, name: &str, inference: Inference) -> Decision {
        match inference {
            Inference::Found { contract, tier, evidence } => Decision::Rule { contract, tier, evidence },
            Inference::Refused(refusal) => {
                self.open.extend(refusal.candidate.map(|candidate| (name.to_owned(), candidate)));
                Decision::Refused { reason: refusal.reason, is: refusal.is }
            }
        }
    }
}

/// A call can be made again where its arguments outlive the instance.
fn retry(entry: Option<&model::FnContract>, params: &[ParamPlan], errors: &mut Vec<PolicyError>) -> u32 {
    let Some(retry) = entry.and_then(|entry| entry.retry.as_ref()) else { return 0 };
    let in_domain = params.iter().find_map(|param| match param.decision.contract()? {
        Contract::Handle { dir, .. } if *dir != Dir::Out => Some((param, "is an object")),
        Contract::Object { .. } => Some((param, "is an object")),
        Contract::Array { elem: Element::Handle { .. }, .. } => Some((param, "leads to objects")),
        _ => None,
    });
    if let Some((param, is)) = in_domain {
        let message = format!("cannot be retried: `{}` {is} in the domain", param.name);
        let error = PolicyError::new(retry.span(), message).label("after a fault it is gone");
        errors.push(error.help("handle the `Fault` where the object is made"));
    }
    let is_callback = |param: &&ParamPlan| matches!(param.decision.contract(), Some(Contract::Callback { .. }));
    if let Some(param) = params.iter().find(is_callback) {
        let message = format!("cannot be retried: the effects of the callback `{}` cannot be undone", param.name);
        errors.push(PolicyError::new(retry.span(), message).help("remove it, and decide where the `Fault` is handled"));
    }
    *retry.get_ref()
}

fn is_mutable_number(shape: &Shape) -> bool {
    matches!(shape, Shape::Pointer { mutable: true, to, .. } if to.is_int())
}
