//! What a wrapper's body says of its parameters.

use std::collections::BTreeSet;
use syn::{Expr, ExprLit, Lit, visit::Visit};

/// Lengths that the wrapper wants to be told of objects before: the parameter, and the name.
pub(super) fn bound(block: &syn::Block) -> Vec<(String, String)> {
    struct Bound(Vec<(String, String)>);
    impl<'b> Visit<'b> for Bound {
        fn visit_expr_method_call(&mut self, call: &'b syn::ExprMethodCall) {
            if call.method == "bound"
                && let [Expr::Path(owner), Expr::Lit(ExprLit { lit: Lit::Str(name), .. })] =
                    &*call.args.iter().collect::<Vec<_>>()
                && let Some(owner) = owner.path.get_ident()
            {
                self.0.push((owner.to_string(), name.value()));
            }
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut bound = Bound(Vec::new());
    bound.visit_block(block);
    bound.0
}

/// The parameters that lengths are divided by.
pub(super) fn divisors(block: &syn::Block) -> BTreeSet<String> {
    struct Divisors(BTreeSet<String>);
    impl<'b> Visit<'b> for Divisors {
        fn visit_expr_method_call(&mut self, call: &'b syn::ExprMethodCall) {
            if call.method == "quotient"
                && let Some(Expr::Cast(divisor)) = call.args.last()
                && let Expr::Path(parameter) = &*divisor.expr
            {
                self.0.extend(parameter.path.get_ident().map(ToString::to_string));
            }
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut divisors = Divisors(BTreeSet::new());
    divisors.visit_block(block);
    divisors.0
}
