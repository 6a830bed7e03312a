//! Structs that come out of a domain whole: any bits may be in them.

use super::FunctionPlan;
use crate::contract::{
    Contract, Dir,
    shape::{Shape, TypePath},
    types::Types,
};
use std::collections::BTreeMap;

/// A struct whose bytes wrappers take from a domain as they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crossing {
    pub(crate) path: TypePath,
    /// Those that wrappers can name.
    pub(crate) fields: Vec<(String, Shape)>,
    /// There are others.
    pub(crate) has_private: bool,
}

/// Those that come out of the functions of a domain, and those within them.
pub(super) fn crossing(types: &Types<'_>, functions: &[FunctionPlan]) -> Vec<Crossing> {
    let mut all = BTreeMap::new();
    let mut left: Vec<TypePath> = functions.iter().flat_map(FunctionPlan::structs_out).cloned().collect();
    while let Some(path) = left.pop() {
        if all.contains_key(&path) {
            continue;
        }
        let private = types.private_fields(&path);
        let fields = types.fields(&path).into_iter().filter(|(name, _)| !private.contains(name));
        let crossing = Crossing { path: path.clone(), fields: fields.collect(), has_private: !private.is_empty() };
        left.extend(crossing.inner().cloned());
        all.insert(path, crossing);
    }
    all.into_values().filter(|crossing| !crossing.fields.is_empty()).collect()
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
