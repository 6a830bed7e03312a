//! Structs that come out of a domain whole: any bits may be in them.

use super::FunctionPlan;
use crate::contract::{
    Contract, Dir,
    shape::{Shape, TypePath},
    types::{Declaration, Types},
};
use std::collections::BTreeMap;

/// A struct whose bytes wrappers take from a domain as they are, as one build has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crossing {
    pub(crate) path: TypePath,
    /// Predicates under which that is so.
    pub(crate) cfgs: Vec<String>,
    /// Those that wrappers can name.
    pub(crate) fields: Vec<(String, Shape)>,
    /// There may be others.
    pub(crate) open: bool,
}

/// Those that come out of the functions of a domain, and those within them.
pub(super) fn crossing(types: &Types<'_>, functions: &[FunctionPlan]) -> Vec<Crossing> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut left: Vec<TypePath> = functions.iter().flat_map(FunctionPlan::structs_out).cloned().collect();
    while let Some(path) = left.pop() {
        if all.contains_key(&path) || !types.is_in_sight(&path) {
            continue;
        }
        let crossing = types.declarations(&path).into_iter().map(|Declaration { cfgs, fields, open }| Crossing {
            path: path.clone(),
            cfgs,
            fields,
            open,
        });
        let crossing: Vec<_> = crossing.filter(|crossing| !crossing.fields.is_empty()).collect();
        left.extend(crossing.iter().flat_map(Crossing::inner).cloned());
        all.insert(path, crossing);
    }
    all.into_values().flatten().collect()
}

impl Crossing {
    /// The structs that its fields are, or are arrays of.
    pub(crate) fn inner(&self) -> impl Iterator<Item = &TypePath> {
        self.fields.iter().filter_map(|(_, shape)| element(shape))
    }
}

/// The struct that a value of this shape is, or is an array of.
pub(crate) fn element(shape: &Shape) -> Option<&TypePath> {
    match shape {
        Shape::Struct { path, .. } => Some(path),
        Shape::Array { of, .. } => element(of),
        _ => None,
    }
}

impl FunctionPlan {
    /// The structs that wrappers take from the domain as they are: returned, left behind a pointer, or passed to a closure.
    pub(crate) fn structs_out(&self) -> impl Iterator<Item = &TypePath> {
        let params = self.params.iter().flat_map(|param| match (&param.shape, param.decision.contract()) {
            (
                shape,
                Some(
                    Contract::Obj { dir: Dir::Out | Dir::Inout, .. }
                    | Contract::Buf { dir: Dir::Out | Dir::Inout, .. }
                    | Contract::Slice { dir: Dir::Out | Dir::Inout, .. }
                    | Contract::Progress { .. },
                ),
            ) => shape.pointee().and_then(|(_, to)| element(to)).into_iter().collect(),
            (Shape::Function(function), Some(Contract::Callback { .. })) => {
                function.params.iter().filter_map(|(_, shape)| element(shape)).collect()
            }
            _ => Vec::new(),
        });
        params.chain(self.ret.iter().filter_map(|ret| element(&ret.shape)))
    }
}
