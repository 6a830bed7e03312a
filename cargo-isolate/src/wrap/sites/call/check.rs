//! Checks for what a rewrite would change silently: who else reads the memory that the call writes, and what a panic
//! would end.

use super::{
    super::{
        argument::{self, Pointer},
        failure::{self, Constants},
        fault::Takes,
        finder::{Function, is_drop},
        holds::Holds,
        locals,
        source::range,
    },
    Argument, Call, Outcome,
    result::Code,
};
use crate::{
    contract::{Contract, Dir, expr::Expr as Length},
    plan::{ParamPlan, Role},
};
use syn::Expr;

impl Call<'_> {
    /// Refuses a call in which a mutably borrowed place is also used in another argument.
    pub(super) fn check_borrows(&mut self) {
        let is_written = |param: &ParamPlan| {
            matches!(
                param.decision.contract(),
                Some(Contract::Buf { dir: Dir::Out | Dir::Inout, .. } | Contract::Obj { dir: Dir::Inout, .. })
            )
        };
        for (index, param) in self.params().iter().enumerate().filter(|(_, param)| is_written(param)) {
            let place = match self.argument(index).map(|argument| self.pointer(argument)) {
                Some(Pointer::Into { of, .. }) => of,
                Some(Pointer::To { place }) => place,
                _ => continue,
            };
            for (&other, argument) in &self.arguments {
                let Some(expr) = self.argument(other).filter(|_| other != index) else { continue };
                if !matches!(argument, Argument::Omitted) && argument::mentions(self.source, expr, place) {
                    let why = format!(
                        "`{}` is written to through `{}` and used in `{}` as well",
                        self.source.of(place),
                        param.name,
                        self.source.of(expr)
                    );
                    self.why.get_or_insert(why);
                    // Without this argument, the suggestion compiles.
                    self.arguments.remove(&other);
                    return;
                }
            }
        }
    }

    /// Refuses a call after which code may read what the function stored although it failed: the wrapper returns `Err`
    /// then, and stores nothing.
    pub(super) fn check_failure(&mut self, constants: Constants<'_>) {
        let (Some(failing), Some(function)) = (&self.wrapper.function.failing, self.found.function) else { return };
        let ret = self.wrapper.function.ret.as_ref();
        if failing.error.has_negative() && ret.is_none_or(|ret| ret.shape.is_signed() != Some(true)) {
            // In C the comparison is with a large unsigned number. How the code after the call writes that is not
            // analysed.
            self.refuse(format!("`{}` has a negative number where the function returns none", failing.error));
            return;
        }
        let regions = failure::regions(self.source, &function, self.found.call, &failing.error, constants);
        for (index, param) in self.params().iter().enumerate() {
            let Some(expr) = self.argument(index) else { continue };
            let of = match (param.decision.contract(), self.outcomes.get(&index), self.pointer(expr)) {
                (_, Some(Outcome::Assign(place) | Outcome::Write(place)), _) => place,
                (Some(Contract::Buf { dir: Dir::Out | Dir::Inout, written, .. }), _, pointer) => match pointer {
                    Pointer::Into { of, .. } => of,
                    Pointer::Null if self.code() == Some(Code::Count) && *written == Some(Length::Ret) => {
                        self.refuse(format!(
                            "`{}` is NULL here, so the returned number is not a count of its elements",
                            param.name
                        ));
                        return;
                    }
                    _ => continue,
                },
                (
                    Some(Contract::Obj { dir: Dir::Inout, .. }),
                    _,
                    Pointer::To { place: of } | Pointer::Named { name: of },
                ) => of,
                _ => continue,
            };
            let Some(root) = argument::root(of) else { continue };
            let outlives = !matches!(argument::without_parens(of), Expr::Path(_))
                || self.is_given(of)
                || matches!(self.holds(of), Holds::Slice { .. } | Holds::Reference);
            if regions.may_be_read_after_failure(self.source, &function, self.found.call, (&root, outlives)) {
                let (error, of) = (&failing.error, self.source.of(of));
                let why = format!("when `{error}`, the wrapper leaves `{of}` unchanged, but later code may read it");
                self.refuse(why);
                return;
            }
        }
    }

    /// Refuses a length whose removal would lose an error or a sentinel.
    pub(super) fn check_lengths(&mut self, takes: Takes, constants: Constants<'_>) {
        for (index, param) in self.params().iter().enumerate() {
            let Some(expr) = self.argument(index).filter(|_| matches!(param.role, Role::LengthOf(_))) else { continue };
            if takes == Takes::Nothing && argument::length_is_tried(expr) {
                let text = self.source.of(expr);
                self.refuse(format!("`{text}` is an error where the length is too large, which would become a panic"));
            }
            if let Some(Expr::Path(path)) = argument::length(expr)
                && let Some(last) = path.path.segments.last()
                && constants(&last.ident.to_string()).is_some_and(|value| value < 0)
            {
                self.refuse(format!("`{}` is no length", self.source.of(expr)));
            }
        }
    }

    /// Whether an expression is a local or a parameter that is declared as a reference.
    pub(super) fn is_reference(&self, of: &Expr) -> bool {
        let (Expr::Path(path), Some(function)) = (of, self.found.function) else { return false };
        let name = path.path.get_ident().map(ToString::to_string);
        name.is_some_and(|name| locals::is_reference(&function, &name, range(self.found.call).start))
    }

    /// Whether the root of a place is a parameter of the enclosing function.
    pub(super) fn is_given(&self, of: &Expr) -> bool {
        let (Some(root), Some(function)) = (argument::root(of), self.found.function) else { return false };
        root == "self" || locals::is_parameter(&function, &root, range(self.found.call).start)
    }

    /// Refuses a call where a fault would become a panic that can abort the process.
    pub(super) fn check_panic(&mut self, takes: Takes) {
        let may_panic = takes == Takes::Nothing && !self.ends_in_drop();
        if let Some(function) = self.found.function.filter(|_| may_panic && self.panic_may_end_all()) {
            let name = &function.signature.ident;
            self.refuse(format!(
                "a fault would panic in `{name}`, where a panic can abort the process: handle the fault there"
            ));
        }
    }

    /// Whether the call destroys an object in `drop`. A fault there is discarded, since it destroys the object as well.
    pub(super) fn ends_in_drop(&self) -> bool {
        self.handles.destroys(self.at()) == Some(true)
    }

    /// Whether the enclosing function must not panic: it has a foreign ABI or is `drop`.
    pub(super) fn panic_may_end_all(&self) -> bool {
        self.found.function.is_some_and(|Function { signature, .. }| signature.abi.is_some() || is_drop(signature))
    }
}
