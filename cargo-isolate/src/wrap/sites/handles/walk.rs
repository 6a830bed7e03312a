//! The AST visitor that collects the uses of one pointer in a file.

use super::{
    At,
    field::Field,
    local::{Body, bindings},
    must_end,
    names::Names,
    shape::{ignored, in_non_null, is_drop_impl, is_null, name_of, sole},
    uses::Use,
};
use crate::wrap::sites::{
    argument::{self, Pointer, has_word, is_pure, without_parens},
    finder::is_drop,
    macros,
    source::{Source, place, range},
};
use std::collections::BTreeSet;
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprCall, ExprClosure, Fields, FnArg, ImplItem, ImplItemFn, ItemFn, ItemImpl,
    Lit, Macro, Member, Pat, PatStruct, PatTupleStruct, Path, Signature,
    spanned::Spanned,
    visit::{self, Visit},
};

/// The field or local whose uses are collected.
#[derive(Clone, Copy)]
pub(super) enum Tracked<'s> {
    Field(Field<'s>),
    /// A local, and the field that it may be moved into.
    Local {
        name: &'s syn::Ident,
        into: Option<Field<'s>>,
    },
}

pub(super) struct Walk<'s, 'n> {
    source: &'s Source,
    names: &'n Names,
    tracked: Tracked<'s>,
    pub(super) all: Vec<Use<'s>>,
    /// Locals that are moved into the field, each with its function.
    pub(super) moved_locals: Vec<(&'s syn::Ident, Body<'s>)>,
    /// Some use of the pointer is not understood, so it must stay a pointer.
    pub(super) unsupported: bool,
    /// The last segment of the self type of the enclosing `impl`.
    of: Option<String>,
    function: Option<Body<'s>>,
    ignored: BTreeSet<At>,
    /// The body of `drop` of the struct that has the field.
    pub(super) drop: Option<&'s Block>,
    /// Inside an `impl Drop`.
    in_drop_impl: bool,
    /// Inside a function where a use cannot be converted: a `const fn`, or one that `drop` may call, where a panic
    /// could abort the process.
    is_unsuitable: bool,
    /// Inside a closure or an `async` block, which may run later, more than once, or never.
    in_closure: bool,
    /// The call that the previous statement ends with.
    previous_call: Option<At>,
}

/// Whether an expression is the place that holds the pointer.
enum IsPlace {
    No,
    Yes,
    /// It is a field of the same name, possibly of another type.
    Unclear,
}

impl<'s, 'n> Walk<'s, 'n> {
    pub(super) fn new(source: &'s Source, names: &'n Names, tracked: Tracked<'s>) -> Self {
        Walk {
            source,
            names,
            tracked,
            all: Vec::new(),
            moved_locals: Vec::new(),
            unsupported: false,
            of: None,
            function: None,
            ignored: BTreeSet::new(),
            drop: None,
            in_drop_impl: false,
            is_unsuitable: false,
            in_closure: false,
            previous_call: None,
        }
    }

    pub(super) fn function(&mut self, signature: &'s Signature, body: &'s Block) {
        let around = (self.function.replace((signature, body)), self.is_unsuitable, self.in_closure);
        self.is_unsuitable = signature.constness.is_some()
            || !self.in_drop() && self.names.is_called_in_drop(&signature.ident.to_string());
        self.in_closure = false;
        ignored(body, matches!(signature.output, syn::ReturnType::Default), &mut self.ignored);
        self.visit_signature(signature);
        self.visit_block(body);
        (self.function, self.is_unsuitable, self.in_closure) = around;
    }

    fn later(&mut self, body: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.in_closure, true);
        body(self);
        self.in_closure = around;
    }

    fn add(&mut self, one: Use<'s>) {
        self.unsupported |= self.is_unsuitable || self.in_closure;
        self.all.push(one);
    }

    /// Whether an expression is the place that holds the pointer.
    fn is_place(&self, expr: &Expr) -> IsPlace {
        match (self.tracked, expr) {
            (Tracked::Local { name, .. }, Expr::Path(path)) if path.path.is_ident(name) => IsPlace::Yes,
            (Tracked::Field(field), Expr::Field(access)) if field.is(&access.member) => {
                match self.type_of(without_parens(&access.base)) {
                    Some(of) if field.item.ident == of => IsPlace::Yes,
                    Some(of) if self.names.has(&of, &field.text()) => IsPlace::No,
                    _ => IsPlace::Unclear,
                }
            }
            _ => IsPlace::No,
        }
    }

    /// The type name of an expression that is `self` or a parameter.
    fn type_of(&self, base: &Expr) -> Option<String> {
        let Expr::Path(path) = base else { return None };
        let name = path.path.get_ident()?;
        if name == "self" {
            return self.of.clone();
        }
        let (function, of) = (self.function?, self.of.as_deref());
        let mut inputs = function.0.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) if matches!(&*input.pat, Pat::Ident(pat) if pat.ident == *name) => Some(&*input.ty),
            _ => None,
        });
        let ty = inputs.next()?;
        if bindings(function, name) > 1 { None } else { name_of(ty, of) }
    }

    /// The place that holds the pointer, if the expression is that pointer as functions take it.
    fn pointer<'e>(&mut self, expr: &'e Expr) -> Option<&'e Expr> {
        let mut inner = without_parens(expr);
        while let Expr::MethodCall(call) = inner
            && (call.method == "cast_mut" || call.method == "cast_const")
        {
            inner = without_parens(&call.receiver);
        }
        if let Tracked::Field(Field { non_null: true, .. }) = self.tracked {
            match inner {
                Expr::MethodCall(call) if call.method == "as_ptr" => inner = without_parens(&call.receiver),
                _ => return None,
            }
        }
        match self.is_place(inner) {
            IsPlace::Yes => Some(inner),
            IsPlace::No => None,
            IsPlace::Unclear => {
                self.unsupported = true;
                None
            }
        }
    }

    /// Records a value that is stored in the field.
    fn value(&mut self, value: &'s Expr) {
        let inner = sole(value);
        let Tracked::Field(field) = self.tracked else { return self.visit_expr(value) };
        if field.non_null {
            return match in_non_null(value) {
                Some((new, call)) => {
                    self.add(Use::Created { call, non_null: Some(new) });
                    call.args.iter().for_each(|argument| self.visit_expr(argument));
                }
                None => self.unsupported = true,
            };
        }
        match inner {
            _ if is_null(value) => self.add(Use::Null(value)),
            Expr::Call(call) => {
                self.add(Use::Created { call, non_null: None });
                call.args.iter().for_each(|argument| self.visit_expr(argument));
            }
            Expr::Path(path) => match (path.path.get_ident(), self.function) {
                (Some(name), Some(function)) => {
                    self.unsupported |= self.is_unsuitable || self.in_closure;
                    self.moved_locals.push((name, function));
                }
                _ => self.unsupported = true,
            },
            _ => self.unsupported = true,
        }
    }

    /// The field, if a path names its struct.
    fn is_struct(&self, path: &Path) -> Option<Field<'s>> {
        let field = match self.tracked {
            Tracked::Field(field) | Tracked::Local { into: Some(field), .. } => field,
            Tracked::Local { into: None, .. } => return None,
        };
        let last = path.segments.last()?;
        let is_self = last.ident == "Self" && self.of.as_ref().is_none_or(|of| field.item.ident == *of);
        (is_self || last.ident == field.item.ident).then_some(field)
    }

    /// Records the value for the field in a literal of the struct.
    fn literal(&mut self, value: &'s Expr) {
        match self.tracked {
            Tracked::Field(_) => self.value(value),
            Tracked::Local { name, .. } if matches!(value, Expr::Path(path) if path.path.is_ident(name)) => {
                self.add(Use::Moved(value));
            }
            Tracked::Local { .. } => self.visit_expr(value),
        }
    }

    /// Whether a pattern or a literal has a field of this name, but its path is no known struct with such a field. It
    /// may be the field's struct under another name.
    fn may_be_struct(&self, path: &Path, member: &Member) -> bool {
        let Tracked::Field(field) = self.tracked else { return false };
        let name = match path.get_ident() {
            Some(name) if name == "Self" => self.of.clone(),
            name => name.map(ToString::to_string),
        };
        let Some(of) = field.member().filter(|_| field.is(member)) else { return false };
        !name.is_some_and(|name| self.names.has(&name, &of))
    }

    /// Whether the other arguments of a call leave the place alone.
    fn leaves_alone(&self, call: &ExprCall, index: usize, place: &Expr) -> bool {
        let (place, root) = (self.source.of(place), argument::root(place).unwrap_or_default());
        let mut others = call.args.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
        others.all(|other| {
            let text = self.source.code(range(other));
            !has_word(&text, place) && (is_pure(other) || !has_word(&text, &root))
        })
    }

    fn is_ignored(&self, call: &ExprCall) -> bool {
        self.ignored.contains(&place(call.func.span()))
    }

    fn in_drop(&self) -> bool {
        self.in_drop_impl && self.function.is_some_and(|(signature, _)| is_drop(signature))
    }
}

/// Whether an item is compiled unconditionally: no attribute could remove it.
fn is_always(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .all(|attribute| ["doc", "inline", "allow", "expect"].iter().any(|name| attribute.path().is_ident(name)))
}

impl<'s> Visit<'s> for Walk<'s, '_> {
    fn visit_item_impl(&mut self, item: &'s ItemImpl) {
        let around = (self.of.take(), self.in_drop_impl, self.function.take());
        (self.of, self.in_drop_impl) = (name_of(&item.self_ty, None), is_drop_impl(item));
        let is_its =
            matches!(self.tracked, Tracked::Field(field) if self.of.as_ref().is_some_and(|of| field.item.ident == of));
        for function in &item.items {
            if let ImplItem::Fn(function) = function
                && self.in_drop_impl
                && is_its
                && is_always(&item.attrs)
                && is_always(&function.attrs)
            {
                self.drop = Some(&function.block);
            }
        }
        visit::visit_item_impl(self, item);
        (self.of, self.in_drop_impl, self.function) = around;
    }

    fn visit_expr_closure(&mut self, closure: &'s ExprClosure) {
        self.later(|walk| visit::visit_expr_closure(walk, closure));
    }

    fn visit_expr_async(&mut self, block: &'s ExprAsync) {
        self.later(|walk| visit::visit_expr_async(walk, block));
    }

    fn visit_block(&mut self, block: &'s Block) {
        let around = self.previous_call.take();
        for statement in &block.stmts {
            self.visit_stmt(statement);
            self.previous_call = must_end::last_call(statement).map(|call| place(call.func.span()));
        }
        self.previous_call = around;
    }

    fn visit_item_fn(&mut self, item: &'s ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'s ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_pat_struct(&mut self, pat: &'s PatStruct) {
        let takes = |field: Field<'_>| pat.fields.iter().any(|one| field.is(&one.member));
        self.unsupported |= self.is_struct(&pat.path).is_some_and(takes)
            || pat.fields.iter().any(|one| self.may_be_struct(&pat.path, &one.member));
        visit::visit_pat_struct(self, pat);
    }

    fn visit_pat_tuple_struct(&mut self, pat: &'s PatTupleStruct) {
        self.unsupported |= self.is_struct(&pat.path).is_some();
        visit::visit_pat_tuple_struct(self, pat);
    }

    fn visit_expr(&mut self, expr: &'s Expr) {
        match expr {
            Expr::Call(call) => {
                let literal = match &*call.func {
                    Expr::Path(path) => {
                        self.is_struct(&path.path).filter(|field| matches!(field.item.fields, Fields::Unnamed(_)))
                    }
                    _ => None,
                };
                // A longer path may name a struct of another module.
                self.unsupported |=
                    literal.is_some() && matches!(&*call.func, Expr::Path(path) if path.path.segments.len() > 1);
                for (index, argument) in call.args.iter().enumerate() {
                    let at = place(call.func.span());
                    if literal.is_some_and(|field| field.index == index) {
                        self.literal(argument);
                    } else if let Some(place) = self.pointer(argument) {
                        self.unsupported |= !self.leaves_alone(call, index, place);
                        let (ignored, in_drop) = (self.is_ignored(call), self.in_drop());
                        self.add(Use::Argument { call: at, index, expr: argument, place, ignored, in_drop });
                    } else if let Pointer::To { place } = argument::pointer(argument)
                        && matches!(self.tracked, Tracked::Local { .. })
                        && matches!(self.is_place(without_parens(place)), IsPlace::Yes)
                    {
                        self.unsupported |= !self.leaves_alone(call, index, place);
                        self.add(Use::OutParam { call: at, index, place });
                    } else {
                        self.visit_expr(argument);
                    }
                }
                if literal.is_none() {
                    self.visit_expr(&call.func);
                }
            }
            Expr::MethodCall(call) if call.method == "is_null" && call.args.is_empty() => {
                match self.is_place(without_parens(&call.receiver)) {
                    IsPlace::Yes => self.add(Use::IsNull { call }),
                    _ => visit::visit_expr(self, expr),
                }
            }
            Expr::Assign(assign) if is_null(&assign.right) => match self.is_place(without_parens(&assign.left)) {
                IsPlace::Yes => self.add(Use::Cleared { null: &assign.right, after: self.previous_call }),
                _ => visit::visit_expr(self, expr),
            },
            Expr::Struct(literal) => {
                let field = self.is_struct(&literal.path);
                // `..base` would move the pointer out of another value, which is not followed.
                self.unsupported |= field.is_some() && literal.rest.is_some();
                for value in &literal.fields {
                    self.unsupported |= self.may_be_struct(&literal.path, &value.member);
                    match field.is_some_and(|field| field.is(&value.member)) {
                        true => self.literal(&value.expr),
                        false => self.visit_expr(&value.expr),
                    }
                }
            }
            // The constructor as a function: `.map(Self)`.
            Expr::Path(path)
                if matches!(self.tracked, Tracked::Field(_))
                    && self
                        .is_struct(&path.path)
                        .is_some_and(|field| matches!(field.item.fields, Fields::Unnamed(_))) =>
            {
                self.unsupported = true;
            }
            // Any other use of the place is not understood.
            _ if !matches!(self.is_place(expr), IsPlace::No) => self.unsupported = true,
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_macro(&mut self, mac: &'s Macro) {
        match self.source.macros.get(&macros::key(mac)) {
            Some(arguments) => {
                arguments.iter().for_each(|argument| self.visit_expr(argument));
                // `{name}` in a format string is a use as well.
                let is_used = arguments.iter().any(|argument| matches!(argument, Expr::Lit(lit) if matches!(&lit.lit, Lit::Str(_))
                    && matches!(self.tracked, Tracked::Local { name, .. } if has_word(self.source.of(lit), &name.to_string()))));
                self.unsupported |= is_used;
            }
            None => {
                let tokens: String = mac.tokens.to_string();
                let last = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                self.unsupported |= match self.tracked {
                    Tracked::Local { name, .. } => has_word(&tokens, &name.to_string()),
                    Tracked::Field(field) => {
                        let plain: String = tokens.split_whitespace().collect();
                        let member = match field.member() {
                            Some(member) => has_word(&tokens, &member),
                            None => plain.contains(&format!(".{}", field.index)),
                        };
                        let is_defined = mac.path.is_ident("macro_rules") || macros::is_of_values(&last);
                        member
                            || has_word(&tokens, "self")
                            || has_word(&tokens, &field.item.ident.to_string())
                            || !is_defined && plain.contains(|c: char| c.is_alphabetic())
                    }
                };
            }
        }
    }
}
