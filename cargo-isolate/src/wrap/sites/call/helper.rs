//! Functions of the program's own that give the address of a slice: `fn ptr_void(src: &[u8]) -> *const c_void { src.as_ptr().cast() }`.

use super::Call;
use crate::wrap::sites::argument::{self, Pointer};
use syn::{Expr, FnArg, Item, ItemFn, Pat, Stmt, Type};

impl Call<'_> {
    /// The slice whose address a pointer argument gets from such a function, which stands beside the call's.
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

/// All that it does with a slice of bytes, its one argument, is to give the address.
fn gives_address(function: &ItemFn) -> bool {
    let [Stmt::Expr(body, None)] = &function.block.stmts[..] else { return false };
    let (Some(FnArg::Typed(param)), 1) = (function.sig.inputs.first(), function.sig.inputs.len()) else { return false };
    let (Pat::Ident(name), Type::Reference(reference)) = (&*param.pat, &*param.ty) else { return false };
    let is_bytes = matches!(&*reference.elem, Type::Slice(slice)
        if matches!(&*slice.elem, Type::Path(path) if path.path.is_ident("u8")));
    let is_param = |expr: &Expr| matches!(expr, Expr::Path(path) if path.path.is_ident(&name.ident));
    is_bytes && matches!(argument::pointer(body), Pointer::Into { of, start: None, .. } if is_param(of))
}
