//! Finds the slice when its address is taken before the call, in a local, or by a helper function of the program: `fn
//! ptr_void(src: &[u8]) -> *const c_void { src.as_ptr().cast() }`.

use super::Call;
use crate::wrap::sites::{
    argument::{self, Pointer},
    locals,
    source::{Edit, range},
};
use syn::{Expr, FnArg, Item, ItemFn, Local, Pat, Stmt, Type};

impl<'c> Call<'c> {
    /// How a pointer is obtained, looking through a local that exists for the call alone.
    pub(super) fn pointer(&self, expr: &'c Expr) -> Pointer<'c> {
        match self.local_of(expr).map(|(pointer, ..)| pointer) {
            Some(Pointer::Into { of, start, cast }) => {
                Pointer::Into { of, start, cast: cast || argument::without_casts(expr).1 }
            }
            _ => argument::pointer(expr),
        }
    }

    /// The edit of that local: it is removed, unless its initialiser contains an index, which may panic.
    pub(super) fn local_edit(&self, expr: &'c Expr) -> Option<Edit> {
        let (_, local, name) = self.local_of(expr)?;
        let init = local.init.as_ref()?;
        if self.source.code(range(&init.expr)).contains('[') {
            let Pat::Ident(pat) = plain(&local.pat) else { return None };
            return Some(Edit::new(range(&pat.ident), format!("_{name}")));
        }
        Some(Edit::delete(self.source.removal(range(local), None)))
    }

    /// Finds `let p = data.as_ptr();` if nothing uses `data` between it and the call.
    fn local_of(&self, expr: &'c Expr) -> Option<(Pointer<'c>, &'c Local, String)> {
        let (Expr::Path(path), Some(function)) = (argument::without_casts(expr).0, self.found.function) else {
            return None;
        };
        let name = path.path.get_ident()?.to_string();
        let call = range(self.found.call);
        let local = locals::used_once(self.source, &function, &name, call.start)?;
        if !matches!(plain(&local.pat), Pat::Ident(pat) if pat.mutability.is_none()) {
            return None;
        }
        let init = &local.init.as_ref().filter(|init| init.diverge.is_none())?.expr;
        let pointer = argument::pointer(init);
        let Pointer::Into { .. } = pointer else { return None };
        let (of, between) = (self.source.code(range(init)), self.source.code(range(local).end..call.start));
        let words = of.split(|c: char| !c.is_alphanumeric() && c != '_');
        let mut named = words.filter(|word| !word.is_empty() && !["as", "const", "mut"].contains(word));
        // The expression of the start index must not be used in between either.
        let is_same = named.all(|word| !argument::has_word(&between, word));
        is_same.then_some((pointer, local, name))
    }

    /// The slice whose address a helper function returns, if that function is in the same module as the call.
    pub(super) fn behind_helper<'e>(&self, expr: &'e Expr) -> Option<&'e Expr> {
        let Expr::Call(call) = argument::without_parens(expr) else { return None };
        let (Expr::Path(path), Some(slice), 1) = (&*call.func, call.args.first(), call.args.len()) else { return None };
        let name = path.path.get_ident().filter(|_| self.found.outermost)?;
        let mut functions = self.source.file.items.iter().filter_map(|item| match item {
            Item::Fn(function) if function.sig.ident == *name => Some(function),
            _ => None,
        });
        (gives_address(functions.next()?) && argument::is_pure(slice)).then(|| argument::without_parens(slice))
    }
}

/// Whether a function takes one slice of bytes and does nothing but return its address.
fn gives_address(function: &ItemFn) -> bool {
    let [Stmt::Expr(body, None)] = &function.block.stmts[..] else { return false };
    let (Some(FnArg::Typed(param)), 1) = (function.sig.inputs.first(), function.sig.inputs.len()) else { return false };
    let (Pat::Ident(name), Type::Reference(reference)) = (&*param.pat, &*param.ty) else { return false };
    let is_bytes = matches!(&*reference.elem, Type::Slice(slice)
        if matches!(&*slice.elem, Type::Path(path) if path.path.is_ident("u8")));
    let is_param = |expr: &Expr| matches!(expr, Expr::Path(path) if path.path.is_ident(&name.ident));
    is_bytes && matches!(argument::pointer(body), Pointer::Into { of, start: None, .. } if is_param(of))
}

/// A pattern without its type annotation.
fn plain(pat: &Pat) -> &Pat {
    match pat {
        Pat::Type(typed) => &typed.pat,
        pat => pat,
    }
}
