//! The walk through a file that finds what is done with one pointer.

use super::{
    At,
    field::Field,
    local::{Body, bindings},
    names::Names,
    shape::{ignored, in_non_null, is_drop_impl, is_null, name_of, sole},
    uses::Use,
    way,
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

/// Whose uses are looked for.
#[derive(Clone, Copy)]
pub(super) enum Sought<'s> {
    Field(Field<'s>),
    /// It may be moved into a field.
    Local {
        name: &'s syn::Ident,
        into: Option<Field<'s>>,
    },
}

pub(super) struct Walk<'s, 'n> {
    source: &'s Source,
    names: &'n Names,
    sought: Sought<'s>,
    pub(super) all: Vec<Use<'s>>,
    /// Locals that are moved into the field, each with its function.
    pub(super) fed: Vec<(&'s syn::Ident, Body<'s>)>,
    /// Something is done with it that is not understood.
    pub(super) strange: bool,
    /// The type of the `impl` around, by its last name.
    of: Option<String>,
    function: Option<Body<'s>>,
    ignored: BTreeSet<At>,
    /// `drop` of the struct that has the field.
    pub(super) drop: Option<&'s Block>,
    /// In an `impl Drop`.
    in_drop_impl: bool,
    /// In a function that cannot take a handle, or where a panic would end more than it.
    is_frail: bool,
    /// In a closure, which may run later, more than once, or never.
    in_closure: bool,
    /// The call that the statement before ends with.
    before: Option<At>,
}

/// What an expression has to do with the pointer.
enum Is {
    No,
    It,
    /// It may be another's field of the same name.
    Unclear,
}

impl<'s, 'n> Walk<'s, 'n> {
    pub(super) fn new(source: &'s Source, names: &'n Names, sought: Sought<'s>) -> Self {
        Walk {
            source,
            names,
            sought,
            all: Vec::new(),
            fed: Vec::new(),
            strange: false,
            of: None,
            function: None,
            ignored: BTreeSet::new(),
            drop: None,
            in_drop_impl: false,
            is_frail: false,
            in_closure: false,
            before: None,
        }
    }

    pub(super) fn function(&mut self, signature: &'s Signature, body: &'s Block) {
        let around = (self.function.replace((signature, body)), self.is_frail, self.in_closure);
        self.is_frail = signature.constness.is_some()
            || !self.in_drop() && self.names.is_called_in_drop(&signature.ident.to_string());
        self.in_closure = false;
        ignored(body, matches!(signature.output, syn::ReturnType::Default), &mut self.ignored);
        self.visit_signature(signature);
        self.visit_block(body);
        (self.function, self.is_frail, self.in_closure) = around;
    }

    fn later(&mut self, body: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.in_closure, true);
        body(self);
        self.in_closure = around;
    }

    fn add(&mut self, one: Use<'s>) {
        self.strange |= self.is_frail || self.in_closure;
        self.all.push(one);
    }

    /// The expression is the place that holds the pointer.
    fn is_place(&self, expr: &Expr) -> Is {
        match (self.sought, expr) {
            (Sought::Local { name, .. }, Expr::Path(path)) if path.path.is_ident(name) => Is::It,
            (Sought::Field(field), Expr::Field(access)) if field.is(&access.member) => {
                match self.type_of(without_parens(&access.base)) {
                    Some(of) if field.item.ident == of => Is::It,
                    Some(of) if self.names.has(&of, &field.text()) => Is::No,
                    _ => Is::Unclear,
                }
            }
            _ => Is::No,
        }
    }

    /// The name of an expression's type, where that is `self` or a parameter.
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

    /// The pointer itself, as functions are given it, and the place that holds it.
    fn pointer<'e>(&mut self, expr: &'e Expr) -> Option<&'e Expr> {
        let mut inner = without_parens(expr);
        while let Expr::MethodCall(call) = inner
            && (call.method == "cast_mut" || call.method == "cast_const")
        {
            inner = without_parens(&call.receiver);
        }
        if let Sought::Field(Field { non_null: true, .. }) = self.sought {
            match inner {
                Expr::MethodCall(call) if call.method == "as_ptr" => inner = without_parens(&call.receiver),
                _ => return None,
            }
        }
        match self.is_place(inner) {
            Is::It => Some(inner),
            Is::No => None,
            Is::Unclear => {
                self.strange = true;
                None
            }
        }
    }

    /// What is put into the field.
    fn value(&mut self, value: &'s Expr) {
        let inner = sole(value);
        let Sought::Field(field) = self.sought else { return self.visit_expr(value) };
        if field.non_null {
            return match in_non_null(value) {
                Some((new, call)) => {
                    self.add(Use::Made { call, non_null: Some(new) });
                    call.args.iter().for_each(|argument| self.visit_expr(argument));
                }
                None => self.strange = true,
            };
        }
        match inner {
            _ if is_null(value) => self.add(Use::Null(value)),
            Expr::Call(call) => {
                self.add(Use::Made { call, non_null: None });
                call.args.iter().for_each(|argument| self.visit_expr(argument));
            }
            Expr::Path(path) => match (path.path.get_ident(), self.function) {
                (Some(name), Some(function)) => {
                    self.strange |= self.is_frail || self.in_closure;
                    self.fed.push((name, function));
                }
                _ => self.strange = true,
            },
            _ => self.strange = true,
        }
    }

    /// The struct that a path leads to is the field's.
    fn is_struct(&self, path: &Path) -> Option<Field<'s>> {
        let field = match self.sought {
            Sought::Field(field) | Sought::Local { into: Some(field), .. } => field,
            Sought::Local { into: None, .. } => return None,
        };
        let last = path.segments.last()?;
        let is_self = last.ident == "Self" && self.of.as_ref().is_none_or(|of| field.item.ident == *of);
        (is_self || last.ident == field.item.ident).then_some(field)
    }

    /// A value in a literal of the struct, where it goes into the field.
    fn literal(&mut self, value: &'s Expr) {
        match self.sought {
            Sought::Field(_) => self.value(value),
            Sought::Local { name, .. } if matches!(value, Expr::Path(path) if path.path.is_ident(name)) => {
                self.add(Use::Fed(value));
            }
            Sought::Local { .. } => self.visit_expr(value),
        }
    }

    /// Somebody else with a member of this name, as far as the path of a pattern or a literal tells.
    fn may_be_struct(&self, path: &Path, member: &Member) -> bool {
        let Sought::Field(field) = self.sought else { return false };
        let name = match path.get_ident() {
            Some(name) if name == "Self" => self.of.clone(),
            name => name.map(ToString::to_string),
        };
        let Some(of) = field.member().filter(|_| field.is(member)) else { return false };
        !name.is_some_and(|name| self.names.has(&name, &of))
    }

    /// What else the function is given leaves the place alone.
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

/// Nothing decides whether it is compiled.
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
            matches!(self.sought, Sought::Field(field) if self.of.as_ref().is_some_and(|of| field.item.ident == of));
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
        let around = self.before.take();
        for statement in &block.stmts {
            self.visit_stmt(statement);
            self.before = way::last_call(statement).map(|call| place(call.func.span()));
        }
        self.before = around;
    }

    fn visit_item_fn(&mut self, item: &'s ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'s ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_pat_struct(&mut self, pat: &'s PatStruct) {
        let takes = |field: Field<'_>| pat.fields.iter().any(|one| field.is(&one.member));
        self.strange |= self.is_struct(&pat.path).is_some_and(takes)
            || pat.fields.iter().any(|one| self.may_be_struct(&pat.path, &one.member));
        visit::visit_pat_struct(self, pat);
    }

    fn visit_pat_tuple_struct(&mut self, pat: &'s PatTupleStruct) {
        self.strange |= self.is_struct(&pat.path).is_some();
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
                // One of another module may be another.
                self.strange |=
                    literal.is_some() && matches!(&*call.func, Expr::Path(path) if path.path.segments.len() > 1);
                for (index, argument) in call.args.iter().enumerate() {
                    let at = place(call.func.span());
                    if literal.is_some_and(|field| field.index == index) {
                        self.literal(argument);
                    } else if let Some(place) = self.pointer(argument) {
                        self.strange |= !self.leaves_alone(call, index, place);
                        let (ignored, in_drop) = (self.is_ignored(call), self.in_drop());
                        self.add(Use::Argument { call: at, index, expr: argument, place, ignored, in_drop });
                    } else if let Pointer::To { place } = argument::pointer(argument)
                        && matches!(self.sought, Sought::Local { .. })
                        && matches!(self.is_place(without_parens(place)), Is::It)
                    {
                        self.strange |= !self.leaves_alone(call, index, place);
                        self.add(Use::Room { call: at, index, place });
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
                    Is::It => self.add(Use::IsNull { call }),
                    _ => visit::visit_expr(self, expr),
                }
            }
            Expr::Assign(assign) if is_null(&assign.right) => match self.is_place(without_parens(&assign.left)) {
                Is::It => self.add(Use::Cleared { null: &assign.right, after: self.before }),
                _ => visit::visit_expr(self, expr),
            },
            Expr::Struct(literal) => {
                let field = self.is_struct(&literal.path);
                // What the rest of another is, nobody reads here.
                self.strange |= field.is_some() && literal.rest.is_some();
                for value in &literal.fields {
                    self.strange |= self.may_be_struct(&literal.path, &value.member);
                    match field.is_some_and(|field| field.is(&value.member)) {
                        true => self.literal(&value.expr),
                        false => self.visit_expr(&value.expr),
                    }
                }
            }
            // `.map(Self)`
            Expr::Path(path)
                if matches!(self.sought, Sought::Field(_))
                    && self
                        .is_struct(&path.path)
                        .is_some_and(|field| matches!(field.item.fields, Fields::Unnamed(_))) =>
            {
                self.strange = true;
            }
            // A field of a pointer that is no place of it is looked at like any other expression.
            _ if !matches!(self.is_place(expr), Is::No) => self.strange = true,
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_macro(&mut self, mac: &'s Macro) {
        match self.source.macros.get(&macros::key(mac)) {
            Some(arguments) => {
                arguments.iter().for_each(|argument| self.visit_expr(argument));
                // `{name}` in a format string.
                let text = arguments.iter().any(|argument| matches!(argument, Expr::Lit(lit) if matches!(&lit.lit, Lit::Str(_))
                    && matches!(self.sought, Sought::Local { name, .. } if has_word(self.source.of(lit), &name.to_string()))));
                self.strange |= text;
            }
            None => {
                let tokens: String = mac.tokens.to_string();
                let last = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                self.strange |= match self.sought {
                    Sought::Local { name, .. } => has_word(&tokens, &name.to_string()),
                    Sought::Field(field) => {
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
