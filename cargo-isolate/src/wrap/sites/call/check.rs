//! What an edit would change without a word: who else looks at what is written, and what a panic ends.

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
    /// What is borrowed for writing is used nowhere else in the call.
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
                if !matches!(argument, Argument::Gone) && argument::mentions(self.source, expr, place) {
                    let why = format!(
                        "`{}` is written to through `{}` and used in `{}` as well",
                        self.source.of(place),
                        param.name,
                        self.source.of(expr)
                    );
                    self.why.get_or_insert(why);
                    // What compiles without it.
                    self.arguments.remove(&other);
                    return;
                }
            }
        }
    }

    /// Where the function fails, nothing that it stored is looked at: the wrapper gives an `Err`, and stores nothing.
    pub(super) fn check_failure(&mut self, constants: Constants<'_>) {
        let (Some(failing), Some(function)) = (&self.wrapper.function.failing, self.found.function) else { return };
        let ret = self.wrapper.function.ret.as_ref();
        if failing.error.has_negative() && ret.is_none_or(|ret| ret.shape.is_signed() != Some(true)) {
            // In C it is a large one. How the code around says that, nobody reads here.
            self.refuse(format!("`{}` has a negative number where the function returns none", failing.error));
            return;
        }
        let told = failure::told(self.source, &function, self.found.call, &failing.error, constants);
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
            if told.looked_at(self.source, &function, self.found.call, (&root, outlives)) {
                let (error, of) = (&failing.error, self.source.of(of));
                let why = format!("when `{error}`, the wrapper leaves `{of}` unchanged, but later code may read it");
                self.refuse(why);
                return;
            }
        }
    }

    /// What a length that goes would have said of itself.
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

    /// It is a local or a parameter that is said to be a reference.
    pub(super) fn is_reference(&self, of: &Expr) -> bool {
        let (Expr::Path(path), Some(function)) = (of, self.found.function) else { return false };
        let name = path.path.get_ident().map(ToString::to_string);
        name.is_some_and(|name| locals::is_reference(&function, &name, range(self.found.call).start))
    }

    /// It is a parameter of the function around the call.
    pub(super) fn is_given(&self, of: &Expr) -> bool {
        let (Some(root), Some(function)) = (argument::root(of), self.found.function) else { return false };
        root == "self" || locals::is_parameter(&function, &root, range(self.found.call).start)
    }

    /// A fault that becomes a panic can be survived.
    pub(super) fn check_panic(&mut self, takes: Takes) {
        let may_panic = takes == Takes::Nothing && !self.ends_in_drop();
        if let Some(function) = self.found.function.filter(|_| may_panic && self.panic_may_end_all()) {
            let name = &function.signature.ident;
            self.refuse(format!(
                "a fault would panic in `{name}`, where a panic can abort the process: handle the fault there"
            ));
        }
    }

    /// It ends an object in `drop`, where a fault is nothing more: the object is gone with it.
    pub(super) fn ends_in_drop(&self) -> bool {
        self.held.ends(self.at()) == Some(true)
    }

    /// It is in a function out of which no panic should come.
    pub(super) fn panic_may_end_all(&self) -> bool {
        self.found.function.is_some_and(|Function { signature, .. }| signature.abi.is_some() || is_drop(signature))
    }
}
