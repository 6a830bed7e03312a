//! Finds the calls of a file by position, each with its enclosing function and `unsafe` block.

use super::{
    macros,
    source::{Source, place},
};
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    Arm, Block, Expr, ExprAsync, ExprCall, ExprClosure, ExprMethodCall, ExprUnsafe, ImplItemFn, ItemFn, ItemImpl,
    ItemMod, Macro, Receiver, ReceiverKind, ReturnType, Signature, Stmt, TraitItemFn, Type,
    spanned::Spanned,
    visit::{self, Visit},
};

/// A function with a body.
#[derive(Clone, Copy)]
pub(super) struct Function<'s> {
    pub(super) signature: &'s Signature,
    pub(super) body: &'s Block,
}

/// `fn drop(&mut self)`
pub(super) fn is_drop(signature: &Signature) -> bool {
    let is_changed = |receiver: &Receiver| match &receiver.kind {
        ReceiverKind::Reference(_, _, mutable) => mutable.is_some(),
        kind => matches!(kind, ReceiverKind::Typed(..)),
    };
    signature.ident == "drop" && signature.inputs.len() == 1 && signature.receiver().is_some_and(is_changed)
}

/// An `unsafe` block.
#[derive(Clone, Copy)]
pub(super) struct Unsafe<'s> {
    pub(super) block: &'s ExprUnsafe,
    /// The block ends a statement or a match arm without a `;` or a comma. Removing the braces would require one.
    pub(super) closes: bool,
    /// The statement that consists of this block.
    pub(super) statement: Option<&'s Stmt>,
}

/// A call and its context.
#[derive(Clone)]
pub(super) struct Found<'s> {
    pub(super) call: &'s ExprCall,
    pub(super) function: Option<Function<'s>>,
    /// The self type of the enclosing `impl`.
    pub(super) of: Option<&'s Type>,
    /// The return type of the function that `?` would leave; `None` in a closure or an `async` block, whose return
    /// types are not written down.
    pub(super) returns: Option<&'s ReturnType>,
    /// The innermost enclosing `unsafe` block.
    pub(super) unsafe_block: Option<Unsafe<'s>>,
    /// The call is an operand of a larger expression, as in `call == 0` or `call as u8`. A block in its place could be
    /// parsed as a statement of its own.
    pub(super) operand: bool,
    /// The call is not inside an inline module.
    pub(super) outermost: bool,
}

/// Finds the calls that begin at `places`.
pub(super) fn find<'s>(source: &'s Source, places: &[(u32, u32)]) -> BTreeMap<(u32, u32), Found<'s>> {
    walked(source, places).found
}

/// Finds the `unsafe` blocks around the names of methods at `places`.
pub(super) fn around<'s>(source: &'s Source, places: &[(u32, u32)]) -> Vec<Unsafe<'s>> {
    walked(source, places).around
}

fn walked<'p, 's>(source: &'s Source, places: &'p [(u32, u32)]) -> Finder<'p, 's> {
    let mut finder = Finder {
        source,
        places,
        found: BTreeMap::new(),
        around: Vec::new(),
        function: None,
        of: None,
        returns: None,
        unsafe_block: None,
        modules: 0,
        closing: BTreeSet::new(),
        statements: BTreeMap::new(),
        operands: BTreeSet::new(),
    };
    finder.visit_file(&source.file);
    finder
}

struct Finder<'p, 's> {
    source: &'s Source,
    places: &'p [(u32, u32)],
    found: BTreeMap<(u32, u32), Found<'s>>,
    around: Vec<Unsafe<'s>>,
    function: Option<Function<'s>>,
    of: Option<&'s Type>,
    returns: Option<&'s ReturnType>,
    unsafe_block: Option<Unsafe<'s>>,
    /// The nesting depth of inline modules.
    modules: usize,
    /// Positions of blocks that end a statement or an arm without a `;` or a comma.
    closing: BTreeSet<(u32, u32)>,
    /// Blocks that are statements, by position.
    statements: BTreeMap<(u32, u32), &'s Stmt>,
    /// Positions of calls that are operands.
    operands: BTreeSet<(u32, u32)>,
}

impl<'s> Finder<'_, 's> {
    fn function(&mut self, signature: &'s Signature, body: &'s Block) {
        let around = (self.function, self.returns, self.unsafe_block);
        self.function = Some(Function { signature, body });
        self.returns = Some(&signature.output);
        self.unsafe_block = None;
        self.visit_block(body);
        (self.function, self.returns, self.unsafe_block) = around;
    }

    fn without_return(&mut self, body: impl FnOnce(&mut Self)) {
        let returns = self.returns.take();
        body(self);
        self.returns = returns;
    }
}

impl<'s> Visit<'s> for Finder<'_, 's> {
    fn visit_item_mod(&mut self, item: &'s ItemMod) {
        self.modules += 1;
        visit::visit_item_mod(self, item);
        self.modules -= 1;
    }

    fn visit_item_fn(&mut self, item: &'s ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_item_impl(&mut self, item: &'s ItemImpl) {
        let around = self.of.replace(&item.self_ty);
        visit::visit_item_impl(self, item);
        self.of = around;
    }

    fn visit_impl_item_fn(&mut self, item: &'s ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'s TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
    }

    fn visit_expr_closure(&mut self, closure: &'s ExprClosure) {
        self.without_return(|finder| visit::visit_expr_closure(finder, closure));
    }

    fn visit_expr_async(&mut self, block: &'s ExprAsync) {
        self.without_return(|finder| visit::visit_expr_async(finder, block));
    }

    fn visit_block(&mut self, block: &'s Block) {
        for statement in &block.stmts {
            if let Stmt::Expr(Expr::Unsafe(block), _) = statement {
                self.statements.insert(place(block.unsafe_token.span), statement);
            }
        }
        let statements = block.stmts.split_last().map_or(&[][..], |(_, before)| before);
        for statement in statements {
            if let Stmt::Expr(Expr::Unsafe(block), None) = statement {
                self.closing.insert(place(block.unsafe_token.span));
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_arm(&mut self, arm: &'s Arm) {
        if let (Expr::Unsafe(block), None) = (&*arm.body, &arm.comma) {
            self.closing.insert(place(block.unsafe_token.span));
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_unsafe(&mut self, block: &'s ExprUnsafe) {
        let closes = self.closing.contains(&place(block.unsafe_token.span));
        let statement = self.statements.get(&place(block.unsafe_token.span)).copied();
        let outer = self.unsafe_block.replace(Unsafe { block, closes, statement });
        visit::visit_expr_unsafe(self, block);
        self.unsafe_block = outer;
    }

    fn visit_expr(&mut self, expr: &'s Expr) {
        let operands = match expr {
            Expr::Binary(binary) => vec![&*binary.left, &*binary.right],
            Expr::Cast(cast) => vec![&*cast.expr],
            Expr::MethodCall(call) => vec![&*call.receiver],
            Expr::Field(field) => vec![&*field.base],
            Expr::Index(index) => vec![&*index.expr],
            Expr::Unary(unary) => vec![&*unary.expr],
            Expr::Try(tried) => vec![&*tried.expr],
            Expr::Range(range) => [&range.start, &range.end].into_iter().flatten().map(|end| &**end).collect(),
            _ => Vec::new(),
        };
        self.operands.extend(operands.into_iter().filter_map(sole_call));
        visit::visit_expr(self, expr);
    }

    fn visit_macro(&mut self, mac: &'s Macro) {
        let arguments = self.source.macros.get(&macros::key(mac));
        arguments.into_iter().flatten().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_method_call(&mut self, call: &'s ExprMethodCall) {
        if self.places.contains(&place(call.method.span())) {
            self.around.extend(self.unsafe_block);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'s ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let at = place(path.span());
            if self.places.contains(&at) {
                let found = Found {
                    call,
                    function: self.function,
                    of: self.of,
                    returns: self.returns,
                    unsafe_block: self.unsafe_block,
                    operand: self.operands.contains(&at),
                    outermost: self.modules == 0,
                };
                self.found.insert(at, found);
            }
        }
        visit::visit_expr_call(self, call);
    }
}

/// The position of a call that stands alone or is the only expression of an `unsafe` block.
fn sole_call(expr: &Expr) -> Option<(u32, u32)> {
    match expr {
        Expr::Call(call) => Some(place(call.func.span())),
        Expr::Unsafe(block) => match &block.block.stmts[..] {
            [Stmt::Expr(inner, None)] => sole_call(inner),
            _ => None,
        },
        _ => None,
    }
}
