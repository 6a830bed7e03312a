//! What the program may read of a struct that lives in the domain: a struct of Rust that holds it, read at one moment.

use super::{
    Target,
    function::{fresh, raw, snake, wide_with},
    names::{Names, free_type},
    wrapped,
};
use crate::{
    contract::{
        expr::Expr,
        object::{self, Holds, Place},
        shape::Shape,
    },
    plan::{DomainPlan, ObjectPlan},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the template of such a struct sees.
#[derive(Debug, Serialize)]
pub(super) struct View {
    name: String,
    /// The type of what it reads.
    object: String,
    /// The method of a call that looks it up.
    enter: &'static str,
    /// Predicates under which it is there.
    cfgs: Vec<String>,
    /// Names are not those that Rust would give.
    keeps_c_name: bool,
    keeps_c_fields: bool,
    derives: Vec<&'static str>,
    /// Something is read that a pointer leads to.
    has_pointers: bool,
    /// Reading it is `unsafe`, for what it is without isolation.
    is_trusted: bool,
    /// Statements that read its fields, each once.
    read: Vec<String>,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    ty: String,
    /// For the documentation.
    what: String,
    value: String,
}

/// The structs of a domain of which something may be read, where some wrapper comes to one.
pub(super) fn views(domain: &DomainPlan, target: &Target, names: &mut Names<'_>) -> Vec<View> {
    let is_known = |object: &&ObjectPlan| object.known_by(&domain.objects, wrapped(domain, target)).next().is_some();
    domain.objects.iter().filter(is_known).map(|object| view(object, domain, target, names)).collect()
}

fn view(object: &ObjectPlan, domain: &DomainPlan, target: &Target, names: &mut Names<'_>) -> View {
    names.enter_any(object.known_by(&domain.objects, wrapped(domain, target)));
    names.uses_offsets = true;
    names.runtime("Fault");
    let of_caller = object.place == Place::Caller;
    let held = names.runtime(if of_caller { "Object" } else { "Handle" });
    let ty = names.item(&object.path);
    let get = |field: &str| match of_caller {
        true => format!("call.get(object, offset_of!({ty}, {}))?", raw(field)),
        false => format!("call.field(object, offset_of!({ty}, {}))?", raw(field)),
    };
    let counts = object.counts.iter().map(|(name, shape)| (name, shape));
    let all: Vec<_> = counts.chain(object.read.iter().map(|field| (&field.name, &field.shape))).collect();
    let locals = Locals::new(all.iter().map(|(name, _)| &***name));
    let read = all.iter().map(|(name, shape)| format!("let {}: {} = {};", locals.of(name), names.ty(shape), get(name)));
    let read = read.collect();
    let fields = object.read.iter().map(|field| self::field(field, &locals, names)).collect();
    let holds = |is: fn(&Holds) -> bool| object.read.iter().any(|field| is(&field.holds));
    let has_objects = holds(|holds| matches!(holds, Holds::Object | Holds::Objects { .. }));
    let is_copied = holds(|holds| matches!(holds, Holds::Text | Holds::Values { .. }));
    let of_floats = |field: &object::Field| {
        let of = field.shape.pointee().map_or(&field.shape, |(_, to)| to);
        matches!(of, Shape::Float(_))
    };
    let derives = [
        (!has_objects).then_some("Clone"),
        (!has_objects && !is_copied).then_some("Copy"),
        Some("Debug"),
        (!has_objects).then_some("PartialEq"),
        (!has_objects && !object.read.iter().any(of_floats)).then_some("Eq"),
    ];
    let name = free_type(&object.path.name);
    View {
        keeps_c_name: name.contains('_') || name.starts_with(char::is_lowercase),
        keeps_c_fields: object.read.iter().any(|field| snake(&field.name) != field.name),
        object: format!("{held}<{ty}>"),
        enter: if of_caller { "object" } else { "handle" },
        cfgs: names.around().to_vec(),
        derives: derives.into_iter().flatten().collect(),
        has_pointers: has_objects || is_copied,
        is_trusted: !of_caller || is_copied || has_objects,
        read,
        fields,
        name,
    }
}

fn field(field: &object::Field, locals: &Locals, names: &mut Names<'_>) -> Field {
    let (name, local) = (&field.name, locals.of(&field.name).to_owned());
    let (mutable, to) = field.shape.pointee().map_or((false, &field.shape), |(mutable, to)| (mutable, to));
    let (as_const, as_mut) = if mutable { (".cast_const()", "") } else { ("", ".cast_mut()") };
    let (ty, what, value) = match &field.holds {
        Holds::Number => (names.ty(&field.shape), format!("`{name}`, as the library has left it."), local),
        Holds::Text => {
            let ty = format!("Option<{}>", names.of_c("CString"));
            (ty, format!("`{name}`, as the library has left it."), format!("call.string({local}{as_const})?"))
        }
        Holds::Values { len } => {
            let (elem, cast) = (names.element(&field.shape), if to.is_raw() { ".cast::<u8>()" } else { "" });
            let value = format!("call.slice({local}{as_const}{cast}, {})?", length(len, locals));
            let noun = if elem == "u8" { "bytes" } else { "elements" };
            (format!("Vec<{elem}>"), format!("A copy of what `{name}` points to: {} {noun}.", counted(len)), value)
        }
        Holds::Object => {
            let ty = format!("Option<{}<{}>>", names.runtime("Handle"), names.ty(to));
            (ty, format!("What `{name}` points to."), format!("call.adopt({local}{as_mut})?"))
        }
        Holds::Objects { len } => {
            let ty = format!("Vec<{}<{}>>", names.runtime("Handle"), names.ty(to));
            let value = format!("call.adopt_all({local}{as_mut}, {})?", length(len, locals));
            (ty, format!("What `{name}` points to: {} of them.", counted(len)), value)
        }
    };
    Field { name: raw(name), ty, what, value }
}

/// A length of fields, as a `usize`.
fn length(len: &Expr, locals: &Locals) -> String {
    match len {
        Expr::Int(number) => number.to_string(),
        Expr::Name(name) => format!("call.told({})?", locals.of(name)),
        len => {
            let leaf = &mut |leaf: &Expr| match leaf {
                Expr::Int(number) => format!("{number}_i128"),
                leaf => format!("{} as i128", locals.of(&leaf.to_string())),
            };
            let quotient = &mut |_, _| unreachable!("a length of fields divides by numbers only");
            format!("call.told({})?", wide_with(len, leaf, quotient))
        }
    }
}

fn counted(len: &Expr) -> String {
    if matches!(len, Expr::Int(_)) { len.to_string() } else { format!("`{len}`") }
}

/// Locals that hold fields, beside those that are there: `x` and `X` are two.
struct Locals(BTreeMap<String, String>);

impl Locals {
    fn new<'f>(fields: impl Iterator<Item = &'f str>) -> Locals {
        let mut taken = BTreeSet::from(["call", "object"].map(str::to_owned));
        Locals(fields.map(|field| (field.to_owned(), fresh(&mut taken, &snake(field)))).collect())
    }

    fn of(&self, field: &str) -> &str {
        &self.0[field]
    }
}
