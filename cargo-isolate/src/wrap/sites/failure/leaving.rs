//! Code that leaves the enclosing function.

use syn::{Block, Expr, Stmt};

/// Whether the end of a block leaves the enclosing function. `break` and `continue` do not.
pub(in crate::wrap::sites) fn leaves(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(expr, _)) => never_comes_back(expr),
        Some(Stmt::Macro(statement)) => is_end(&statement.mac),
        _ => false,
    }
}

/// Whether an expression leaves the enclosing function.
pub(super) fn never_comes_back(expr: &Expr) -> bool {
    match expr {
        Expr::Return(_) => true,
        Expr::Block(block) => leaves(&block.block),
        Expr::Macro(mac) => is_end(&mac.mac),
        Expr::If(choice) => {
            leaves(&choice.then_branch) && choice.else_branch.as_ref().is_some_and(|(_, other)| never_comes_back(other))
        }
        Expr::Call(call) => matches!(&*call.func, Expr::Path(path)
            if path.path.segments.last().is_some_and(|last| last.ident == "exit" || last.ident == "abort")
                && path.path.segments.iter().any(|segment| segment.ident == "process")),
        _ => false,
    }
}

fn is_end(mac: &syn::Macro) -> bool {
    let ends = ["panic", "unreachable", "todo", "unimplemented", "bail"];
    mac.path.segments.last().is_some_and(|last| ends.iter().any(|end| last.ident == end))
}
