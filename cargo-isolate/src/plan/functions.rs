//! The contracts of one function: what the policy states, what rules infer from the rest, what stays open.

use super::{Decision, FunctionPlan, ParamPlan, RetPlan, Role, select::Selected};
use crate::{
    contract::{
        Contract, Dir,
        check::{self, Param, Signature, Stated, Subject, list},
        expr::Expr,
        infer::{self, Inference, Known, Tier},
        object::{Function, Objects},
        shape::{Shape, TypePath},
        types::{Site, Types},
    },
    graph::Graph,
    policy::{PolicyError, Spanned, model},
};
use isolate_lints::facts::{ForeignKind, Param as Declaration};

/// Plans one function; mistakes of its policy entry are appended to `errors`.
pub(super) fn plan(
    graph: &Graph,
    types: &Types<'_>,
    policy: &model::Policy,
    objects: &Objects,
    selected: &Selected<'_>,
    errors: &mut Vec<PolicyError>,
) -> FunctionPlan {
    let item = selected.item;
    let (declarations, ret) = match &item.item {
        ForeignKind::Function { params, ret, .. } => (&params[..], ret.as_deref()),
        ForeignKind::Static { .. } => (&[][..], None),
    };
    let site = Site { package: selected.declared.index, module: &selected.declared.module };
    let signature = signature(types, site, &item.name, declarations, ret);
    let entry = policy.contract(&selected.domain, &item.name);
    let stated = Statements::read(entry.map(|(entry, _)| entry), &signature, errors);
    let by_entry = |contract| match entry {
        Some((_, true)) => Decision::Shipped { contract },
        _ => Decision::Policy { contract },
    };

    let roles = roles(&signature, &stated);
    let known = Known { stated: stated.params.iter().map(|stated| stated.contract.clone()).collect() };
    let mut open = Vec::new();
    let shapes: Vec<_> = signature.params.iter().map(|param| param.shape.clone()).collect();
    let object = |index| {
        let contract = objects.contract(&item.name, &shapes, index)?;
        Some((contract, objects.name(&shapes[index]).is_some_and(|name| !policy.structs.contains_key(name))))
    };
    let params = declarations.iter().zip(&signature.params).enumerate().map(|(index, (declaration, param))| {
        let role = roles[index].clone();
        let decision = match (&known.stated[index], &role) {
            (Some(contract), _) => by_entry(contract.clone()),
            (None, Role::Caller) if let Some((contract, shipped)) = object(index) => match shipped {
                true => Decision::Shipped { contract },
                false => Decision::Policy { contract },
            },
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
            (None, Role::Caller) if stated.params[index].ty.is_some() && param.shape.pointee().is_none() => {
                by_entry(Contract::Value)
            }
            (None, Role::Caller) => decide(&param.name, infer::param(&signature, index, &known), &mut open),
        };
        ParamPlan {
            name: param.name.clone(),
            ty: declaration.ty.clone(),
            shape: param.shape.clone(),
            shown_as: stated.params[index].ty.clone(),
            role,
            decision,
        }
    });
    let mut params: Vec<_> = params.collect();
    settle_inferred_lengths(&mut params, &mut open);

    let ret = ret.zip(signature.ret.as_ref()).map(|(ty, shape)| RetPlan {
        ty: ty.to_owned(),
        shape: shape.clone(),
        shown_as: stated.ret.ty.clone(),
        decision: match &stated.ret.contract {
            Some(contract) => by_entry(contract.clone()),
            None if stated.ret.ty.is_some() && shape.pointee().is_none() => by_entry(Contract::Value),
            None => decide("ret", infer::ret(shape), &mut open),
        },
    });

    let retry = retry(entry.map(|(entry, _)| entry), &params, errors);
    let refused = hopeless(graph, selected).or_else(|| no_contract_helps(&params, ret.as_ref()));
    FunctionPlan {
        name: item.name.clone(),
        symbol: item.link_name.clone(),
        abi: item.abi.clone(),
        declared: selected.declared.clone(),
        params,
        ret,
        retry,
        stub: refused.is_none().then(|| stub(&item.name, &open)).flatten(),
        refused,
    }
}

/// A call can be made again where its arguments outlive the instance.
fn retry(entry: Option<&model::FnContract>, params: &[ParamPlan], errors: &mut Vec<PolicyError>) -> u32 {
    let Some(retry) = entry.and_then(|entry| entry.retry.as_ref()) else { return 0 };
    let in_domain = params.iter().find(|param| match param.decision.contract() {
        Some(Contract::Handle { dir, .. }) => *dir != Dir::Out,
        Some(Contract::Object { .. }) => true,
        _ => false,
    });
    if let Some(param) = in_domain {
        let message = format!("cannot be made again: `{}` is an object in the domain", param.name);
        let error = PolicyError::new(retry.span(), message).label("after a fault it is gone");
        errors.push(error.help("handle the `Fault` where the object is made"));
    }
    *retry.get_ref()
}

/// The structs of the policy and those that ship, against all that is isolated.
pub(super) fn objects(
    types: &Types<'_>,
    policy: &model::Policy,
    selected: &[Selected<'_>],
    errors: &mut Vec<PolicyError>,
) -> Objects {
    let functions = selected.iter().filter_map(|selected| {
        let ForeignKind::Function { params, .. } = &selected.item.item else { return None };
        let declared = &selected.declared;
        let site = Site { package: declared.index, module: &declared.module };
        let name = selected.item.name.clone();
        Some(Function {
            domain: &selected.domain,
            path: TypePath { package: declared.index, module: declared.module.clone(), name },
            params: params.iter().map(|param| types.resolve(&param.ty, site)).collect(),
        })
    });
    let names: Vec<_> = selected.iter().map(|selected| (&*selected.domain, &*selected.item.name)).collect();
    Objects::read(&policy.all_structs(&names), types, &functions.collect::<Vec<_>>(), errors)
}

fn signature(
    types: &Types<'_>,
    site: Site<'_>,
    name: &str,
    declarations: &[Declaration],
    ret: Option<&str>,
) -> Signature {
    let params = declarations.iter().enumerate().map(|(index, declaration)| Param {
        name: declaration.name.clone().unwrap_or_else(|| format!("arg{}", index + 1)),
        shape: types.resolve(&declaration.ty, site),
    });
    Signature { name: name.to_owned(), params: params.collect(), ret: ret.map(|ret| types.resolve(ret, site)) }
}

/// What the policy's entry states, by parameter.
struct Statements {
    params: Vec<Stated>,
    ret: Stated,
}

impl Statements {
    fn read(entry: Option<&model::FnContract>, signature: &Signature, errors: &mut Vec<PolicyError>) -> Statements {
        let mut params = vec![Stated::default(); signature.params.len()];
        let mut ret = Stated::default();
        let Some(entry) = entry else { return Statements { params, ret } };
        for (name, words) in &entry.arg {
            match signature.params.iter().position(|param| param.name == *name.get_ref()) {
                Some(index) => {
                    params[index] = check::check(words, Subject::Param(index), signature, errors).unwrap_or_default();
                }
                None => errors.push(no_such_parameter(name, signature)),
            }
        }
        if let Some(words) = &entry.ret {
            if signature.ret.is_none() {
                errors.push(PolicyError::new(words.span(), format!("`{}` returns nothing", signature.name)));
            } else {
                ret = check::check(words, Subject::Ret, signature, errors).unwrap_or_default();
            }
        }
        let statements = Statements { params, ret };
        statements.check_cells(entry, signature, errors);
        statements
    }

    /// A length before the call depends on what this parameter points to.
    fn needs(&self, cell: &str) -> bool {
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

/// Parameters that hold nothing but the length of slices are hidden from the wrapper's caller.
fn roles(signature: &Signature, stated: &Statements) -> Vec<Role> {
    let contracts: Vec<_> = stated.params.iter().map(|stated| stated.contract.as_ref()).collect();
    let role = |param: &Param| {
        let slices = |wanted: &Expr| {
            let named = signature
                .params
                .iter()
                .zip(&contracts)
                .filter(|(_, contract)| matches!(contract, Some(Contract::Buf { len, .. }) if len == wanted));
            named.map(|(param, _)| param.name.clone()).collect::<Vec<_>>()
        };
        let (lengths, cells) = (slices(&Expr::Name(param.name.clone())), slices(&Expr::Deref(param.name.clone())));
        match (lengths.is_empty(), cells.is_empty()) {
            (false, _) => Role::LengthOf(lengths),
            (_, false) => Role::CellOf(cells),
            _ => Role::Caller,
        }
    };
    signature.params.iter().map(role).collect()
}

/// Lengths that rules found hide their parameters as well.
fn settle_inferred_lengths(params: &mut [ParamPlan], open: &mut Vec<(String, String)>) {
    for index in 0..params.len() {
        if params[index].role != Role::Caller {
            continue;
        }
        let name = params[index].name.clone();
        let is_length = |param: &&ParamPlan| match param.decision.contract() {
            Some(Contract::Buf { len, .. }) => *len == Expr::Name(name.clone()),
            _ => false,
        };
        let slices: Vec<_> = params.iter().filter(is_length).map(|param| param.name.clone()).collect();
        if !slices.is_empty() {
            open.retain(|(open, _)| *open != name);
            params[index].decision = implied(Contract::Value, format!("the length of {}", names(&slices)));
            params[index].role = Role::LengthOf(slices);
        }
    }
}

fn decide(name: &str, inference: Inference, open: &mut Vec<(String, String)>) -> Decision {
    match inference {
        Inference::Found { contract, tier, evidence } => Decision::Rule { contract, tier, evidence },
        Inference::Refused(refusal) => {
            open.extend(refusal.candidate.map(|candidate| (name.to_owned(), candidate)));
            Decision::Refused { reason: refusal.reason }
        }
    }
}

fn implied(contract: Contract, evidence: String) -> Decision {
    Decision::Rule { contract, tier: Tier::Proven, evidence }
}

/// Policy text to start from.
fn stub(function: &str, open: &[(String, String)]) -> Option<String> {
    let lines = open.iter().map(|(name, candidate)| match &**name {
        "ret" => format!("ret = {candidate}\n"),
        name => format!("arg.{name} = {candidate}\n"),
    });
    (!open.is_empty()).then(|| format!("[fn.{function}]\n{}", lines.collect::<String>()))
}

/// What no contract can mend.
fn hopeless(graph: &Graph, selected: &Selected<'_>) -> Option<String> {
    let item = selected.item;
    let package = &graph.packages[selected.declared.index];
    if selected.disputed {
        return Some(
            "it is declared several times with different signatures, under `cfg`s that were not decided".to_owned(),
        );
    }
    if matches!(item.item, ForeignKind::Function { variadic: true, .. }) {
        return Some("it is variadic: stable Rust cannot define the function that would stand before it".to_owned());
    }
    if !matches!(&*item.abi, "C" | "system") {
        return Some(format!("its ABI is `{}`: only `C` and `system` go through the gate", item.abi));
    }
    if item.visibility.is_empty() && package.member {
        let module = selected.declared.module.join("::");
        return Some(format!(
            "it is private to the module `{module}`: declare it `pub(crate)` so that a wrapper can call it"
        ));
    }
    None
}

/// What is refused and goes by value: contracts are about pointers.
fn no_contract_helps(params: &[ParamPlan], ret: Option<&RetPlan>) -> Option<String> {
    let params = params.iter().map(|param| (&*param.name, &param.shape, &param.shown_as, &param.decision));
    let ret = ret.map(|ret| ("ret", &ret.shape, &ret.shown_as, &ret.decision));
    let mut all = params.chain(ret);
    let (name, ..) = all.find(|(_, shape, shown_as, decision)| {
        let by_type =
            matches!(shape, Shape::Int(None)) || matches!(shape, Shape::Unknown { ty, .. } if !ty.starts_with('&'));
        matches!(decision, Decision::Refused { .. }) && shape.pointee().is_none() && shown_as.is_none() && !by_type
    })?;
    Some(format!("no contract can settle `{name}`"))
}

fn names(slices: &[String]) -> String {
    let slices: Vec<_> = slices.iter().map(|slice| &**slice).collect();
    list(&slices).replace(", ", " and ")
}
