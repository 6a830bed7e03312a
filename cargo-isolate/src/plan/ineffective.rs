//! Words of the policy that change nothing: what they say never is so, or is used nowhere.

use super::{ParamPlan, RetPlan, functions::Said, keepers, mentions::texts, renamed::whole, select::Selected};
use crate::{
    contract::{
        Contract, Failing,
        check::Signature,
        expr::{Expr, Range, range, verdict},
        shape::Shape,
    },
    policy::{PolicyError, model},
};
use std::collections::BTreeMap;

/// Signatures by domain and name.
type Signatures = BTreeMap<String, BTreeMap<String, Signature>>;

/// Conditions that come out the same for every call, and lengths that are always below 0.
pub(super) fn always_the_same(
    said: &Said<'_>,
    domain: &BTreeMap<String, Signature>,
    params: &[ParamPlan],
    ret: Option<&RetPlan>,
    failing: Option<&Failing>,
    errors: &mut Vec<PolicyError>,
) {
    let Some(entry) = said.entry else { return };
    let leaf = |expr: &Expr| values(expr, domain, params, ret);
    if let (Some(failing), Some(error)) = (failing, entry.error.as_ref().filter(|_| said.is_own_error()))
        && let Some(always) = verdict(&failing.error, &leaf)
    {
        let (is, help) = match always {
            true => ("always so: every call would fail", "say which values are errors"),
            false => ("never so: no call would fail", "remove it, or say which values are errors"),
        };
        errors.push(PolicyError::new(error.span(), format!("`{}` is {is}", failing.error)).help(help));
    }
    let when = said.form.as_ref().and_then(|form| form.when.as_ref());
    if let (Some(condition), Some(when)) = (when, said.when)
        && let Some(always) = verdict(condition, &leaf)
    {
        let (is, help) = match always {
            true => ("always so", "remove it, or say for which arguments this form is"),
            false => ("never so: its wrapper would take no arguments at all", "say for which arguments this form is"),
        };
        errors.push(PolicyError::new(when.span(), format!("`{condition}` is {is}")).help(help));
    }
    let Some(own) = said.own else { return };
    for (text, is_condition) in texts(own, None) {
        if let (false, Ok((expr, _))) = (is_condition, Expr::parse(text.get_ref()))
            && range(&expr, &leaf).most < 0
        {
            errors.push(PolicyError::new(text.span(), format!("`{expr}` is always below 0: no length is")));
        }
    }
}

/// What a leaf can be, by its type and what is always passed for it.
fn values(expr: &Expr, domain: &BTreeMap<String, Signature>, params: &[ParamPlan], ret: Option<&RetPlan>) -> Range {
    let param = |name: &str| params.iter().find(|param| param.name == name);
    let shape = match expr {
        Expr::Name(name) => match param(name).and_then(|param| Some((param, param.decision.contract()?))) {
            Some((param, Contract::Fixed { value })) if param.shape.pointee().is_none() => {
                return Range::one(i128::from(*value));
            }
            _ => param(name).map(|param| &param.shape),
        },
        Expr::Deref(name) => param(name).and_then(|param| Some(param.shape.pointee()?.1)),
        Expr::Ret => ret.map(|ret| &ret.shape),
        Expr::Call(call) => domain.get(&call.function).and_then(|function| function.ret.as_ref()),
        Expr::Bound { .. } => return Range { least: 0, ..Range::of_bits(64, true) },
        Expr::Int(_) | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => None,
    };
    let of_type = |shape: Shape| Some(Range::of_bits(shape.number()?.bits, shape.is_signed()?));
    shape.map(Shape::compared).and_then(of_type).unwrap_or(Range::ANY)
}

/// Lengths that are kept in mind of objects, and that no function of the domain asks for.
pub(super) fn unused_binds(
    policy: &model::Policy,
    selected: &[Selected<'_>],
    signatures: &Signatures,
    errors: &mut Vec<PolicyError>,
) {
    let of = |signature: &Signature, name: &str| Some(signature.param(name)?.shape.pointee()?.1.clone());
    let mut asked: Vec<(&str, Shape, String)> = Vec::new();
    for one in selected {
        let signature = &signatures[&one.domain][&one.item.name];
        let Some(entry) = whole(policy.entry(&one.domain, &one.item.name), signature) else { continue };
        let of_forms = entry.form.values().flat_map(|form| texts(&form.over(&entry), form.when.as_ref()));
        let texts = texts(&entry, None).into_iter().chain(of_forms);
        let told = texts.flat_map(|(text, is_condition)| keepers::lengths(&text, is_condition));
        let told = told.filter_map(|(object, name, _)| Some((&*one.domain, of(signature, &object)?, name)));
        asked.extend(told);
    }
    for one in selected {
        let signature = &signatures[&one.domain][&one.item.name];
        // What ships is for whoever isolates more of the library.
        let Some(own) = policy.entry(&one.domain, &one.item.name).own else { continue };
        for (object, lengths) in &own.bind {
            let Some(shape) = of(signature, object.get_ref()) else { continue };
            let is_asked = |name: &str| {
                asked.iter().any(|(domain, of, asked)| *domain == one.domain && *of == shape && asked == name)
            };
            for name in lengths.keys().filter(|name| !is_asked(name.get_ref())) {
                let message = format!("no function of this domain asks for `{}` of such an object", name.get_ref());
                let help =
                    format!("remove it, or say where it is a length: `${}.{}`", object.get_ref(), name.get_ref());
                errors.push(PolicyError::new(name.span(), message).help(help));
            }
        }
    }
}
