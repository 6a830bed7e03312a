//! Locals that hold pointers, and the functions that declare them.

use crate::wrap::sites::failure::leaves;
use syn::{
    Block, Expr, ExprIf, ImplItemFn, Item, ItemFn, Local, Pat, PatIdent, Signature, Stmt, Type,
    visit::{self, Visit},
};

/// The `let` of a local that holds the pointer.
#[derive(Clone, Copy)]
pub(super) struct Let<'s> {
    pub(super) local: &'s Local,
    pub(super) name: &'s syn::Ident,
    /// The type annotation.
    pub(super) ty: Option<&'s Type>,
    /// `if name.is_null() { … }` as the next statement, whose block leaves the function.
    pub(super) check: Option<&'s ExprIf>,
    /// The statements that follow it in its block.
    pub(super) rest: &'s [Stmt],
}

impl Let<'_> {
    pub(super) fn is_mut(&self) -> bool {
        let pat = match &self.local.pat {
            Pat::Type(typed) => &*typed.pat,
            pat => pat,
        };
        matches!(pat, Pat::Ident(pat) if pat.mutability.is_some())
    }
}

/// A function's signature and body.
pub(super) type Body<'s> = (&'s Signature, &'s Block);

/// The `let` of a name that is bound only once in a function.
pub(super) fn one_let<'s>(function: Body<'s>, name: &syn::Ident) -> Option<Let<'s>> {
    let mut lets = Lets { all: Vec::new() };
    lets.visit_block(function.1);
    lets.all.into_iter().find(|found| found.name == name && bindings(function, name) == 1)
}

/// How often a function binds a name, parameters included.
pub(super) fn bindings((signature, body): Body<'_>, name: &syn::Ident) -> usize {
    struct Named<'n> {
        name: &'n syn::Ident,
        count: usize,
    }
    impl<'ast> Visit<'ast> for Named<'_> {
        fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
            self.count += usize::from(pat.ident == *self.name);
            visit::visit_pat_ident(self, pat);
        }
    }
    let mut named = Named { name, count: 0 };
    named.visit_signature(signature);
    named.visit_block(body);
    named.count
}

pub(super) struct Functions<'s> {
    pub(super) all: Vec<Body<'s>>,
}

impl<'s> Visit<'s> for Functions<'s> {
    fn visit_item_fn(&mut self, item: &'s ItemFn) {
        self.all.push((&item.sig, &item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'s ImplItemFn) {
        self.all.push((&item.sig, &item.block));
        visit::visit_impl_item_fn(self, item);
    }
}

pub(super) struct Lets<'s> {
    pub(super) all: Vec<Let<'s>>,
}

impl<'s> Visit<'s> for Lets<'s> {
    fn visit_block(&mut self, block: &'s Block) {
        for (index, statement) in block.stmts.iter().enumerate() {
            let Stmt::Local(local) = statement else { continue };
            let (pat, ty) = match &local.pat {
                Pat::Type(typed) => (&*typed.pat, Some(&*typed.ty)),
                pat => (pat, None),
            };
            let Pat::Ident(PatIdent { ident: name, by_ref: None, subpat: None, .. }) = pat else { continue };
            let check = match block.stmts.get(index + 1) {
                Some(Stmt::Expr(Expr::If(check), _)) if is_check(check, name) => Some(check),
                _ => None,
            };
            self.all.push(Let { local, name, ty, check, rest: &block.stmts[index + 1..] });
        }
        visit::visit_block(self, block);
    }

    /// A nested function has locals of its own.
    fn visit_item(&mut self, _: &'s Item) {}
}

/// Whether an `if` is `if name.is_null() { … }` and its block leaves the function.
fn is_check(check: &ExprIf, name: &syn::Ident) -> bool {
    let is_null = matches!(&*check.cond, Expr::MethodCall(call)
        if call.method == "is_null" && matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(name)));
    is_null && check.attrs.is_empty() && check.else_branch.is_none() && leaves(&check.then_branch)
}
