//! Binds the results in the statement of the call: `let (count, entry) = call;`.

use super::{Call, Outcome, layout::tuple, result::Part};
use crate::wrap::sites::{
    argument,
    failure::is_call,
    locals, macros, obsolete,
    source::{Edit, Source, range},
};
use syn::{
    Block, Expr, ExprAssign, ExprBinary, ExprMethodCall, ExprRawAddr, ExprReference, Local, Macro, Pat, PatIdent, Stmt,
    visit::{self, Visit},
};

impl Call<'_> {
    /// The edits that make the statement of the call bind all results. They must go to locals of the same block that
    /// hold zero until then; the `let`s of these locals are removed.
    pub(super) fn binding(&self, parts: &[Part<'_>]) -> Option<Vec<Edit>> {
        let function = self.found.function.filter(|_| parts.iter().any(|part| matches!(part, Part::To { .. })))?;
        let call = range(self.found.call);
        let mut search = Statement { call: self.found.call, found: None };
        search.visit_block(function.body);
        let (block, index) = search.found?;
        let before = range(&block.stmts[index]).start..range(&*self.found.call.func).start;
        // An attribute may remove the statement by `cfg`, or apply to a block that would limit the scope of the names.
        if self.source.code(before).contains('#') {
            return None;
        }
        let mut edits = Vec::new();
        let mut names = Vec::new();
        let returned = match &block.stmts[index] {
            Stmt::Local(Local { pat: Pat::Ident(pat), attrs, .. }) if attrs.is_empty() => Some(pat),
            Stmt::Expr(..) => None,
            _ => return None,
        };
        for part in parts {
            let place = match part {
                Part::Returned => {
                    names.push(returned.map_or("_".to_owned(), |pat| self.source.of(pat).to_owned()));
                    continue;
                }
                Part::Count | Part::Ignored => return None,
                Part::To { place: Outcome::Assign(place), converts: false, in_some: false, .. } => *place,
                Part::To { .. } => return None,
            };
            let Expr::Path(path) = argument::without_parens(place) else { return None };
            let name = path.path.get_ident()?.to_string();
            let local = locals::zero_let(self.source, &function, &name, call.start)?;
            let is_beside =
                block.stmts[..index].iter().any(|one| matches!(one, Stmt::Local(one) if std::ptr::eq(one, local)));
            let once = argument::words(&self.source.code(call.clone()), &name).count() == 1;
            if self.handles.out_param(place).is_some() || !is_beside || !once || !local.attrs.is_empty() {
                return None;
            }
            let mut changes = Changes { source: self.source, name: &name, any: false, unclear: false };
            block.stmts[index + 1..].iter().for_each(|statement| changes.visit_stmt(statement));
            if changes.unclear {
                return None;
            }
            let removed = self.source.removal(range(local), None);
            // A `let` on a line of its own takes no comment with it.
            if !self.source.text[removed.clone()].ends_with('\n') {
                return None;
            }
            edits.extend(obsolete::safety_comment_above(self.source, removed.start));
            edits.push(Edit::delete(removed));
            names.push(format!("{}{name}", if changes.any { "mut " } else { "" }));
        }
        let pattern = tuple(&names);
        edits.push(match returned {
            Some(pat) => Edit::new(range(pat), pattern),
            None => Edit::insert(range(&block.stmts[index]).start, format!("let {pattern} = ")),
        });
        let mut lost = edits.clone();
        lost.retain(|edit| !obsolete::is_safety_comment(self.source, edit));
        (!edits.is_empty() && !self.source.loses_comment(&lost)).then_some(edits)
    }
}

/// Finds the statement that consists of a call, and its block.
struct Statement<'s> {
    call: &'s syn::ExprCall,
    found: Option<(&'s Block, usize)>,
}

impl<'s> Visit<'s> for Statement<'s> {
    fn visit_block(&mut self, block: &'s Block) {
        let is_it = |statement: &Stmt| match statement {
            Stmt::Local(local) => {
                local.init.as_ref().is_some_and(|init| init.diverge.is_none() && is_call(&init.expr, self.call))
            }
            Stmt::Expr(expr, Some(_)) => is_call(expr, self.call),
            _ => false,
        };
        match block.stmts.iter().position(is_it) {
            Some(index) => self.found = Some((block, index)),
            None => visit::visit_block(self, block),
        }
    }
}

/// Whether a local is mutated, judged by the text.
struct Changes<'n> {
    source: &'n Source,
    name: &'n str,
    any: bool,
    unclear: bool,
}

impl Changes<'_> {
    fn is_it(&self, expr: &Expr) -> bool {
        argument::root(expr).is_some_and(|root| root == self.name)
    }
}

impl<'ast> Visit<'ast> for Changes<'_> {
    fn visit_expr_assign(&mut self, assign: &'ast ExprAssign) {
        self.any |= self.is_it(&assign.left);
        // `(a, _) = …` assigns to several places.
        let is_place = argument::root(&assign.left).is_some();
        self.unclear |= !is_place && argument::has_word(&self.source.code(range(&*assign.left)), self.name);
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let text = self.source.of(&binary.op);
        let assigns = text.ends_with('=') && !["==", "!=", "<=", ">="].contains(&text);
        self.any |= assigns && self.is_it(&binary.left);
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_reference(&mut self, reference: &'ast ExprReference) {
        self.any |= reference.mutability.is_some() && self.is_it(&reference.expr);
        visit::visit_expr_reference(self, reference);
    }

    fn visit_expr_raw_addr(&mut self, raw: &'ast ExprRawAddr) {
        self.unclear |= self.is_it(&raw.expr);
        visit::visit_expr_raw_addr(self, raw);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        const READ: [&str; 8] = ["as_ptr", "clone", "is_empty", "iter", "len", "map", "to_owned", "to_vec"];
        self.unclear |= self.is_it(&call.receiver) && !READ.iter().any(|name| call.method == name);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        // What a `ref mut` pattern borrows from is not known here.
        self.unclear |= pat.by_ref.is_some() && pat.mutability.is_some();
        visit::visit_pat_ident(self, pat);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        match self.source.macros.get(&macros::key(mac)) {
            Some(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            None => self.unclear |= argument::has_word(&mac.tokens.to_string(), self.name),
        }
    }
}
