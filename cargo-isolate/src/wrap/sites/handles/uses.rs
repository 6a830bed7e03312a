//! All uses of a pointer in a field or a local, throughout its file.

use super::{
    At,
    field::Field,
    local::{Body, Functions, Let, Lets, one_let},
    names::Names,
    shape::{is_null, sole},
    walk::{Tracked, Walk},
};
use crate::wrap::sites::{
    finder::is_drop,
    source::{Source, range},
};
use syn::{Block, Expr, ExprCall, visit::Visit};

/// One use of the pointer.
pub(super) enum Use<'s> {
    /// It is passed to a function. `ignored`: the result of that call is discarded.
    Argument { call: At, index: usize, expr: &'s Expr, place: &'s Expr, ignored: bool, in_drop: bool },
    /// Its address is passed as an out-parameter.
    OutParam { call: At, index: usize, place: &'s Expr },
    /// `p.is_null()`
    IsNull { call: &'s syn::ExprMethodCall },
    /// It is initialised with NULL.
    Null(&'s Expr),
    /// NULL is assigned to it. `after`: the call that the previous statement ends with.
    Cleared { null: &'s Expr, after: Option<At> },
    /// A call returns it, directly or inside `NonNull::new(…)`.
    Created { call: &'s ExprCall, non_null: Option<&'s ExprCall> },
    /// A local is moved into the field.
    Moved(&'s Expr),
}

impl Use<'_> {
    /// The byte where the use begins; `None` for the call that creates the object.
    pub(super) fn start(&self) -> Option<usize> {
        match self {
            Use::Argument { place, .. } | Use::OutParam { place, .. } => Some(range(*place).start),
            Use::IsNull { call } => Some(range(*call).start),
            Use::Null(expr) | Use::Cleared { null: expr, .. } | Use::Moved(expr) => Some(range(*expr).start),
            Use::Created { .. } => None,
        }
    }
}

/// A pointer and all of its uses.
pub(super) struct Uses<'s> {
    pub(super) field: Option<Field<'s>>,
    pub(super) lets: Vec<Let<'s>>,
    pub(super) all: Vec<Use<'s>>,
    /// The body of `drop` of the struct with the field.
    pub(super) drop: Option<&'s Block>,
}

impl<'s> Uses<'s> {
    /// All uses of a field and of the locals that are moved into it; `None` if one use is not understood.
    pub(super) fn of_field(source: &'s Source, names: &Names, field: Field<'s>) -> Option<Uses<'s>> {
        let mut walk = Walk::new(source, names, Tracked::Field(field));
        walk.visit_file(&source.file);
        let mut uses = Uses { field: Some(field), lets: Vec::new(), all: walk.all, drop: walk.drop };
        if walk.unsupported || !names.is_clear(&field.item.ident.to_string()) {
            return None;
        }
        for (name, function) in walk.moved_locals {
            let found = one_let(function, name)?;
            uses.add_local(source, names, found, function, Some(field))?;
        }
        Some(uses)
    }

    /// The same for each local that is not moved into a field.
    pub(super) fn of_locals(source: &'s Source, names: &Names) -> Vec<Uses<'s>> {
        let mut functions = Functions { all: Vec::new() };
        functions.visit_file(&source.file);
        let mut uses = Vec::new();
        for function in functions.all {
            let mut lets = Lets { all: Vec::new() };
            lets.visit_block(function.1);
            for found in lets.all {
                let mut of_one = Uses { field: None, lets: Vec::new(), all: Vec::new(), drop: None };
                let is_one = one_let(function, found.name).is_some();
                if is_one && of_one.add_local(source, names, found, function, None).is_some() {
                    uses.push(of_one);
                }
            }
        }
        uses
    }

    fn add_local(
        &mut self,
        source: &'s Source,
        names: &Names,
        found: Let<'s>,
        function: Body<'s>,
        into: Option<Field<'s>>,
    ) -> Option<()> {
        let init = found.local.init.as_ref().filter(|init| init.diverge.is_none())?;
        let mut walk = Walk::new(source, names, Tracked::Local { name: found.name, into });
        walk.function(function.0, function.1);
        let moves = walk.all.iter().filter(|one| matches!(one, Use::Moved(_))).count();
        if walk.unsupported || moves > 1 || !found.local.attrs.is_empty() || is_drop(function.0) {
            return None;
        }
        match sole(&init.expr) {
            Expr::Call(call) if !is_null(&init.expr) => self.all.push(Use::Created { call, non_null: None }),
            _ if is_null(&init.expr) => self.all.push(Use::Null(&init.expr)),
            _ => return None,
        }
        self.lets.push(found);
        self.all.append(&mut walk.all);
        Some(())
    }
}
