//! What the program may read of a struct that lives in the domain: a struct of Rust that holds it, read at one moment.

use super::{
    Target,
    names::{Names, free_type},
    wrapped,
};
use crate::{
    contract::{
        Contract, object,
        shape::{Shape, TypePath},
    },
    plan::{DomainPlan, FunctionPlan, ObjectPlan},
};
use serde::Serialize;

/// What the template of such a struct sees.
#[derive(Debug, Serialize)]
pub(super) struct View {
    name: String,
    /// The struct of the library.
    object: String,
    /// Predicates under which it is there.
    cfgs: Vec<String>,
    /// Its name is not one that Rust would give.
    keeps_c_name: bool,
    derives: Vec<&'static str>,
    has_text: bool,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    ty: String,
    /// Text, which is copied.
    is_text: bool,
}

/// The structs of a domain of which something may be read, where some wrapper takes one.
pub(super) fn views(domain: &DomainPlan, target: &Target, names: &mut Names<'_>) -> Vec<View> {
    let taken = |object: &&ObjectPlan| wrapped(domain, target).any(|function| takes(function, &object.path));
    domain.objects.iter().filter(taken).map(|object| view(object, domain, target, names)).collect()
}

fn view(object: &ObjectPlan, domain: &DomainPlan, target: &Target, names: &mut Names<'_>) -> View {
    names.enter_any(wrapped(domain, target).filter(|function| takes(function, &object.path)));
    names.uses_offsets = true;
    names.runtime("Fault");
    names.runtime("Object");
    let fields: Vec<_> = object.read.iter().map(|field| self::field(field, names)).collect();
    let is_float = |field: &object::Field| matches!(field.shape, Shape::Float(_));
    let has_text = fields.iter().any(|field| field.is_text);
    let copy = (!has_text).then_some("Copy");
    let eq = (!object.read.iter().any(is_float)).then_some("Eq");
    let derives = [Some("Clone"), copy, Some("Debug"), Some("PartialEq"), eq];
    let name = free_type(&object.path.name);
    View {
        keeps_c_name: name.contains('_') || name.starts_with(char::is_lowercase),
        object: names.item(&object.path),
        cfgs: names.around().to_vec(),
        derives: derives.into_iter().flatten().collect(),
        has_text,
        fields,
        name,
    }
}

fn field(field: &object::Field, names: &mut Names<'_>) -> Field {
    let is_text = field.shape.pointee().is_some();
    let ty = if is_text { format!("Option<{}>", names.of_c("CString")) } else { names.ty(&field.shape) };
    Field { name: field.name.clone(), ty, is_text }
}

fn takes(function: &FunctionPlan, object: &TypePath) -> bool {
    function.params.iter().any(|param| {
        let is_it = matches!(param.shape.pointee(), Some((_, Shape::Struct { path, .. })) if path == object);
        is_it && matches!(param.decision.contract(), Some(Contract::Object { .. }))
    })
}
