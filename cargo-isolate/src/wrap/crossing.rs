//! What the compiler is asked of structs that come out of a domain: the plan read their fields in source text, of which one
//! build may have another.

use super::{
    Target,
    function::{fresh, raw, snake},
    names::Names,
    wrapped,
};
use crate::{
    contract::shape::{Shape, TypePath},
    plan::{Crossing, DomainPlan, FunctionPlan, element},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// One struct, for the template.
#[derive(Debug, Serialize)]
pub(super) struct View {
    ty: String,
    /// Predicates under which some wrapper has it.
    cfgs: Vec<String>,
    /// `field: local`
    fields: Vec<String>,
    /// There may be fields that are not named here.
    open: bool,
    checks: Vec<String>,
}

pub(super) fn views(domain: &DomainPlan, target: &Target, names: &mut Names<'_>) -> Vec<View> {
    if target.has_stubs() {
        return Vec::new();
    }
    let users: Vec<_> = wrapped(domain, target).map(|function| (function, structs_of(domain, function))).collect();
    let view = |crossing: &Crossing| {
        let users = users.iter().filter(|(_, structs)| structs.contains(&crossing.path));
        let functions: Vec<_> = users.map(|(function, _)| *function).collect();
        (!functions.is_empty()).then(|| self::view(crossing, &functions, target, names))
    };
    domain.crossing.iter().filter(|crossing| target.paths.contains_key(&crossing.path)).filter_map(view).collect()
}

/// What comes out of a function, with what is in it.
fn structs_of<'p>(domain: &'p DomainPlan, function: &'p FunctionPlan) -> BTreeSet<&'p TypePath> {
    let mut left: Vec<_> = function.structs_out().collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = left.pop() {
        if seen.insert(path) {
            let within = domain.crossing.iter().filter(|of| of.path == *path);
            left.extend(within.flat_map(Crossing::inner));
        }
    }
    seen
}

fn view(crossing: &Crossing, functions: &[&FunctionPlan], target: &Target, names: &mut Names<'_>) -> View {
    names.enter_any(functions.iter().copied());
    let ask = names.runtime("assert_plain").to_owned();
    let ty = names.item(&crossing.path);
    let mut taken = BTreeSet::from([ask.clone()]);
    let mut view = View {
        ty,
        cfgs: names.around().iter().chain(&crossing.cfgs).cloned().collect(),
        fields: Vec::new(),
        open: crossing.open,
        checks: Vec::new(),
    };
    for (name, shape) in &crossing.fields {
        if target.hidden.contains(&(crossing.path.clone(), name.clone())) {
            view.open = true;
            continue;
        }
        // A field of a tuple is a number.
        let in_tuple = name.starts_with(|first: char| first.is_ascii_digit());
        let (name, local) = if in_tuple { (name.clone(), format!("field_{name}")) } else { (raw(name), snake(name)) };
        let local = fresh(&mut taken, &local);
        let check = match (element(shape), shape) {
            // Which is asked of its own fields.
            (Some(path), _) => {
                target.paths.contains_key(path).then(|| format!("let _: {} = {local};", nested(shape, names)))
            }
            (None, shape) if is_address(shape) => None,
            (None, _) => Some(format!("{ask}({local});")),
        };
        let local = if check.is_some() { local } else { "_".to_owned() };
        view.fields.push(if name == local { name } else { format!("{name}: {local}") });
        view.checks.extend(check);
    }
    view
}

/// Any address is one, as long as nobody calls it.
fn is_address(shape: &Shape) -> bool {
    match shape {
        Shape::Function(function) => function.nullable,
        Shape::Pointer { newtype, .. } => newtype.is_some(),
        Shape::Array { of, .. } => is_address(of),
        _ => false,
    }
}

/// That of a struct, or of an array of them.
fn nested(shape: &Shape, names: &mut Names<'_>) -> String {
    match shape {
        Shape::Array { of, .. } => format!("[{}; _]", nested(of, names)),
        shape => names.ty(shape),
    }
}
