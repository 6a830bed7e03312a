//! The contracts of one function: what the policy states, what rules infer from the rest, what stays open.

use super::{
    Decision, Declared, Form, FunctionPlan, ObjectPlan, ParamPlan, RetPlan, Role, Ships, forms,
    hopeless::{hopeless, no_contract_helps},
    ownership::{By, ending, freeing},
    roles::{implied, lengths_are_told, names, roles, settle_inferred_lengths},
    select::{self, Selected},
    statements::{self, Statements},
};
use crate::{
    contract::{
        Contract, Dir, EndingArg, Hold,
        check::{self, Param, Scope, Signature},
        infer::{self, Inference, Known, Library},
        object::{Function, Objects},
        shape::{Shape, TypePath},
        types::{Site, Types},
    },
    graph::{self, Graph},
    policy::{Entry, PolicyError, Spanned, model},
};
use isolate_lints::facts::{ForeignItem, ForeignKind, Param as Declaration};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// What the contract of one function depends on, apart from itself.
pub(super) struct Surroundings<'s> {
    graph: &'s Graph,
    types: &'s Types<'s>,
    policy: &'s model::Policy,
    objects: Objects,
    /// What all foreign functions of a package say together, by its index.
    libraries: BTreeMap<usize, Library>,
    /// By domain and name.
    signatures: BTreeMap<String, BTreeMap<String, Signature>>,
    /// Functions that end a handle, with the type of its object, by what the policy says of others.
    ends: BTreeMap<String, (Shape, By)>,
    /// Functions that free memory which others give away.
    frees: BTreeMap<String, By>,
}

impl<'s> Surroundings<'s> {
    /// Reads the structs of the policy, and those that ship, against all that is isolated.
    pub(super) fn new(
        graph: &'s Graph,
        types: &'s Types<'s>,
        policy: &'s model::Policy,
        selected: &[Selected<'_>],
        errors: &mut Vec<PolicyError>,
    ) -> Self {
        let mut signatures: BTreeMap<String, BTreeMap<String, Signature>> = BTreeMap::new();
        let mut functions = Vec::new();
        for one in selected {
            let mut signature = signature(types, one.item, &one.declared);
            signature.binds = binds(policy, &one.domain, &signature);
            functions.push(Function {
                domain: &one.domain,
                path: TypePath {
                    package: one.declared.index,
                    module: one.declared.module.clone(),
                    name: one.item.name.clone(),
                },
                params: signature.params.iter().map(|param| param.shape.clone()).collect(),
            });
            signatures.entry(one.domain.clone()).or_default().insert(one.item.name.clone(), signature);
        }
        let packages: BTreeSet<_> = selected.iter().map(|one| one.declared.index).collect();
        let libraries = packages.into_iter().map(|package| {
            let all = select::functions(graph, package).map(|one| signature(types, one.item, &one.declared));
            let files = graph.packages[package].files.iter().filter(|file| file.role == graph::Role::Main);
            let constants = files.flat_map(|file| &file.facts.constants);
            (package, Library::of(&all.collect::<Vec<_>>(), constants))
        });
        let libraries = libraries.collect();
        let names: Vec<_> = selected.iter().map(|one| (&*one.domain, &*one.item.name)).collect();
        Self {
            graph,
            types,
            policy,
            objects: Objects::read(&policy.all_structs(&names), types, &functions, errors),
            libraries,
            ends: ending(policy, selected, &signatures),
            frees: freeing(policy, selected),
            signatures,
        }
    }

    /// What the program may read of the structs that these functions take.
    pub(super) fn objects(&self, functions: &[FunctionPlan]) -> Vec<ObjectPlan> {
        let params = functions.iter().flat_map(|function| &function.params);
        let readable = params.filter_map(|param| self.objects.reads(&param.shape));
        let by_path: BTreeMap<_, _> = readable.filter(|(_, fields)| !fields.is_empty()).collect();
        by_path.into_iter().map(|(path, fields)| ObjectPlan { path: path.clone(), read: fields.to_vec() }).collect()
    }

    /// Plans one function, in each form in which it is called; mistakes of its policy entry are appended to `errors`.
    pub(super) fn plan(&self, selected: &Selected<'_>, errors: &mut Vec<PolicyError>) -> Vec<FunctionPlan> {
        let domain = &self.signatures[&selected.domain];
        let signature = &domain[&selected.item.name];
        let scope = Scope { signature, domain };
        let (own, entry, ships) = entry(self.policy.entry(&selected.domain, &selected.item.name), scope, errors);
        let said = |entry: Option<&model::FnContract>, form, scope: Scope<'_>, errors: &mut Vec<PolicyError>| {
            plan(self, selected, scope, Said { own, entry, ships: ships.clone(), form }, errors)
        };
        let Some(entry) = entry.as_deref() else { return vec![said(None, None, scope, errors)] };
        if entry.form.is_empty() {
            return match forms::size_query(entry, signature, errors) {
                None => vec![said(Some(entry), None, scope, errors)],
                Some((call, question)) => {
                    let form = Form { name: format!("{}_len", signature.name), when: None };
                    vec![said(Some(&question), Some(form), scope, errors), said(Some(&call), None, scope, errors)]
                }
            };
        }
        statements::fingerprint(entry, signature, errors);
        let site = Site { package: selected.declared.index, module: &selected.declared.module };
        let is_variadic = is_variadic(selected.item);
        let forms = entry.form.iter().map(|(name, words)| {
            let signature = forms::extended(signature, words, is_variadic, self.types, site, errors);
            let scope = Scope { signature: &signature, domain };
            let when = words.when.as_ref().and_then(|when| check::condition_before(when, scope, errors));
            let form = Form { name: name.get_ref().clone(), when };
            said(Some(&words.over(entry)), Some(form), scope, errors)
        });
        forms.collect()
    }

    /// What follows from what the policy, or what ships, says of other functions.
    fn implied(&self, signature: &Signature, index: usize) -> Option<Decision> {
        let (function, shape) = (&*signature.name, &signature.params[index].shape);
        shape.pointee()?;
        if let Some(said) = self.frees.get(function) {
            return Some(said.decision(Contract::Memory));
        }
        let (object, said) = self.ends.get(function)?;
        let EndingArg::Object { indirect } = EndingArg::object(shape, object)? else { return None };
        let is_first = |param: &Param| EndingArg::object(&param.shape, object).is_some();
        let first = signature.params.iter().position(is_first);
        let contract = Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Take { indirect } };
        (first == Some(index)).then(|| said.decision(contract))
    }
}

/// What is said of a function in one form.
struct Said<'p> {
    own: Option<&'p model::FnContract>,
    /// The policy's words over those that ship.
    entry: Option<&'p model::FnContract>,
    ships: Option<Ships>,
    form: Option<Form>,
}

fn plan(
    around: &Surroundings<'_>,
    selected: &Selected<'_>,
    scope: Scope<'_>,
    Said { own, entry, ships, form }: Said<'_>,
    errors: &mut Vec<PolicyError>,
) -> FunctionPlan {
    let (item, signature) = (selected.item, scope.signature);
    let (declarations, ret) = declared(selected.item);
    let mut stated = Statements::read(entry, scope, errors);
    if let Some(failing) = &mut stated.failing {
        let of_form = form.as_ref().and_then(|form| own?.form.get(&*form.name)).and_then(|form| form.error.as_ref());
        failing.ships = own.is_none_or(|own| own.error.is_none()) && of_form.is_none();
    }
    let by_entry = |is_own, contract| match is_own {
        true => Decision::Policy { contract },
        false => Decision::Shipped { contract },
    };
    let is_own = |name: &str| own.is_some_and(|own| own.arg.contains_key(name) || !own.form.is_empty());

    let roles = roles(signature, &stated);
    let known = Known {
        stated: stated.params.iter().map(|stated| stated.contract.clone()).collect(),
        library: &around.libraries[&selected.declared.index],
    };
    let mut open = Vec::new();
    let shapes: Vec<_> = signature.params.iter().map(|param| param.shape.clone()).collect();
    let object = |index| {
        let contract = around.objects.contract(&item.name, &shapes, index)?;
        let name = around.objects.name(&shapes[index]);
        Some((contract, name.is_some_and(|name| !around.policy.structs.contains_key(name))))
    };
    let params = signature.params.iter().enumerate().map(|(index, param)| {
        let role = roles[index].clone();
        let decision = match (&known.stated[index], &role) {
            (Some(contract), _) => by_entry(is_own(&param.name), contract.clone()),
            (None, Role::Caller) if let Some((contract, shipped)) = object(index) => match shipped {
                true => Decision::Shipped { contract },
                false => Decision::Policy { contract },
            },
            (None, Role::Caller) if let Some(decision) = around.implied(signature, index) => decision,
            (None, Role::Caller) if let Some(callback) = stated.user_of(&param.name, signature) => implied(
                Contract::Fixed { value: 0 },
                format!("the callback `{callback}` gets it, and a closure has no need of it"),
            ),
            (None, Role::EndOf(slice)) => {
                implied(Contract::Value, format!("points behind the last element of `{slice}`"))
            }
            (None, Role::LengthOf(slices)) => implied(Contract::Value, format!("the length of {}", names(slices))),
            (None, Role::CellOf(slices)) => {
                let contract = Contract::Obj { dir: Dir::Inout, nullable: false };
                implied(contract, format!("points to the length of {}", names(slices)))
            }
            // Used in a length expression: the caller must be able to say it.
            (None, Role::Caller) if stated.needs(&param.name) => {
                let contract = Contract::Obj { dir: Dir::Inout, nullable: false };
                implied(contract, "a length is computed from what it points to".to_owned())
            }
            // Used in one after the call alone: the wrapper needs nothing of the caller.
            (None, Role::Caller) if is_mutable_number(&param.shape) && stated.counts(&param.name) => {
                let contract = Contract::Obj { dir: Dir::Out, nullable: false };
                implied(contract, "what it points to after the call says how much there is".to_owned())
            }
            (None, Role::Caller) if stated.params[index].ty.is_some() && param.shape.pointee().is_none() => {
                by_entry(is_own(&param.name), Contract::Value)
            }
            (None, Role::Caller) => decide(&param.name, infer::param(signature, index, &known), &mut open),
        };
        ParamPlan {
            name: param.name.clone(),
            ty: param.ty.clone(),
            shape: param.shape.clone(),
            shown_as: stated.params[index].ty.clone(),
            role,
            decision,
        }
    });
    let mut params: Vec<_> = params.collect();
    settle_inferred_lengths(&mut params, &mut open);

    let returns = own.is_some_and(|own| own.ret.is_some());
    let null_fails = stated.failing.as_ref().is_some_and(|failing| failing.error.takes_null());
    let ret = ret.zip(signature.ret.as_ref()).map(|(ty, shape)| RetPlan {
        ty: ty.to_owned(),
        shape: shape.clone(),
        shown_as: stated.ret.ty.clone(),
        decision: match &stated.ret.contract {
            Some(contract) => by_entry(returns, contract.clone()),
            None if stated.ret.ty.is_some() && shape.pointee().is_none() => by_entry(returns, Contract::Value),
            None => decide("ret", infer::ret(signature, shape, known.library), &mut open).never_null_if(null_fails),
        },
    });

    let mut gifts = gifts(&signature.name, &params, ret.as_ref(), known.library);
    if !open.is_empty() {
        open.append(&mut gifts); // one table of the function, to be pasted once
    }
    lengths_are_told(entry, &params, &known.stated, errors);
    let retry = retry(entry, &params, errors);
    let refused =
        hopeless(around.graph, selected, form.is_some()).or_else(|| no_contract_helps(&params, ret.as_ref(), &open));
    FunctionPlan {
        name: item.name.clone(),
        symbol: item.link_name.clone(),
        abi: item.abi.clone(),
        declared: selected.declared.clone(),
        params,
        ret,
        ships,
        retry,
        never_fails: entry.and_then(|entry| entry.error.as_ref()).is_some_and(never),
        failing: stated.failing,
        variadic: is_variadic(item).then_some(declarations.len()),
        form,
        binds: stated.binds,
        stub: refused.is_none().then(|| stub(&item.name, &open)).flatten(),
        suggested: refused.is_none().then(|| stub(&item.name, &gifts)).flatten(),
        refused,
    }
}

/// What the policy says of a function, and that over what ships, as far as this fits the declaration: it speaks of the names in
/// the library's own bindings, and whoever declares the function with others cannot mend that.
fn entry<'p>(
    entry: Entry<'p>,
    scope: Scope<'_>,
    errors: &mut Vec<PolicyError>,
) -> (Option<&'p model::FnContract>, Option<Cow<'p, model::FnContract>>, Option<Ships>) {
    let Entry { own, ships } = entry;
    let never = own.and_then(|own| own.error.as_ref()).filter(|error| never(error));
    if let Some(error) = never.filter(|_| ships.is_none_or(|ships| ships.error.is_none())) {
        let message = format!("nothing that ships says when `{}` has failed", scope.signature.name);
        errors.push(PolicyError::new(error.span(), message).help("remove it"));
    }
    let Some(ships) = ships else { return (own, own.map(Cow::Borrowed), None) };
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
    (own, own.map(Cow::Borrowed), Some(Ships::Misfit { reason: error.message + &help }))
}

fn never(error: &Spanned<model::ErrorWord>) -> bool {
    *error.get_ref() == model::ErrorWord::Never
}

pub(super) fn is_variadic(item: &ForeignItem) -> bool {
    matches!(item.item, ForeignKind::Function { variadic: true, .. })
}

fn declared(item: &ForeignItem) -> (&[Declaration], Option<&str>) {
    match &item.item {
        ForeignKind::Function { params, ret, .. } => (params, ret.as_deref()),
        ForeignKind::Static { .. } => (&[], None),
    }
}

/// A call can be made again where its arguments outlive the instance.
fn retry(entry: Option<&model::FnContract>, params: &[ParamPlan], errors: &mut Vec<PolicyError>) -> u32 {
    let Some(retry) = entry.and_then(|entry| entry.retry.as_ref()) else { return 0 };
    let in_domain = params.iter().find(|param| match param.decision.contract() {
        Some(Contract::Handle { dir, hold, .. }) => *dir != Dir::Out || *hold != Hold::Keep,
        Some(Contract::Object { .. }) => true,
        _ => false,
    });
    if let Some(param) = in_domain {
        let message = format!("cannot be made again: `{}` is an object in the domain", param.name);
        let error = PolicyError::new(retry.span(), message).label("after a fault it is gone");
        errors.push(error.help("handle the `Fault` where the object is made"));
    }
    let is_callback = |param: &&ParamPlan| matches!(param.decision.contract(), Some(Contract::Callback { .. }));
    if let Some(param) = params.iter().find(is_callback) {
        let message = format!("cannot be made again: what `{}` did stays done", param.name);
        errors.push(PolicyError::new(retry.span(), message).help("remove it, and decide where the `Fault` is handled"));
    }
    *retry.get_ref()
}

fn signature(types: &Types<'_>, item: &ForeignItem, place: &Declared) -> Signature {
    let (declarations, ret) = declared(item);
    let site = Site { package: place.index, module: &place.module };
    let params = declarations.iter().enumerate().map(|(index, declaration)| Param {
        name: declaration.name.clone().unwrap_or_else(|| format!("arg{}", index + 1)),
        ty: declaration.ty.clone(),
        shape: types.resolve(&declaration.ty, site),
    });
    let params = params.collect();
    let ret_ty = ret.unwrap_or_default().to_owned();
    let ret = ret.map(|ret| types.resolve(ret, site));
    Signature { name: item.name.clone(), params, ret, ret_ty, binds: Vec::new() }
}

/// The lengths that a function tells of objects, as far as those are parameters of it.
fn binds(policy: &model::Policy, domain: &str, signature: &Signature) -> Vec<(usize, String)> {
    let Some(entry) = policy.entry(domain, &signature.name).whole() else { return Vec::new() };
    let bound = entry.bind.iter().filter_map(|(object, lengths)| {
        let index = signature.params.iter().position(|param| param.name == *object.get_ref())?;
        Some(lengths.keys().map(move |name| (index, name.get_ref().clone())).collect::<Vec<_>>())
    });
    bound.flatten().collect()
}

fn is_mutable_number(shape: &Shape) -> bool {
    matches!(shape, Shape::Pointer { mutable: true, to, .. } if to.is_int())
}

fn decide(name: &str, inference: Inference, open: &mut Vec<(String, String)>) -> Decision {
    match inference {
        Inference::Found { contract, tier, evidence } => Decision::Rule { contract, tier, evidence },
        Inference::Refused(refusal) => {
            open.extend(refusal.candidate.map(|candidate| (name.to_owned(), candidate)));
            Decision::Refused { reason: refusal.reason, is: refusal.is }
        }
    }
}

/// Words for what comes out and is likely the caller's own, by the parameter's name or `ret`.
fn gifts(function: &str, params: &[ParamPlan], ret: Option<&RetPlan>, library: &Library) -> Vec<(String, String)> {
    let is_found = |decision: &Decision, out: Dir| match decision {
        Decision::Rule { contract: Contract::Handle { dir, hold: Hold::Keep, .. }, .. } => *dir == out,
        _ => false,
    };
    let params = params.iter().filter(|param| is_found(&param.decision, Dir::Out)).filter_map(|param| {
        let (_, object) = param.shape.pointee()?.1.pointee()?;
        Some((param.name.clone(), library.gift(function, &param.name, object)?))
    });
    let ret = ret.filter(|ret| is_found(&ret.decision, Dir::In)).and_then(|ret| {
        let (_, object) = ret.shape.pointee()?;
        Some(("ret".to_owned(), library.gift(function, "ret", object)?))
    });
    params.chain(ret).collect()
}

/// Policy text to start from.
fn stub(function: &str, open: &[(String, String)]) -> Option<String> {
    let lines = open.iter().map(|(name, candidate)| match &**name {
        "ret" => format!("ret = {candidate}\n"),
        name => format!("arg.{name} = {candidate}\n"),
    });
    (!open.is_empty()).then(|| format!("[fn.{function}]\n{}", lines.collect::<String>()))
}
