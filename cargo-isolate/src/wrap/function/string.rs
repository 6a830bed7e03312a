//! Strings, and runs of values, in memory of the caller and of the library.

use super::failing::UnlessNull;
use super::lengths::Claim;
use super::words::{bound, joined, mut_cast, optional, room_pointer, when_some};
use super::{Contract, Dir, ParamPlan, Phase, Shape, Writer, contract};
use crate::contract::{Hold, expr::Expr};

/// What the program gets of memory of the library.
struct Copy {
    /// An `Option` of it, below the reason why that is sound.
    value: String,
    /// The pointer to what is copied.
    from: String,
    ty: String,
}

impl Writer<'_, '_> {
    pub(super) fn cstr(&mut self, local: &str, dir: Dir, nullable: bool, param: &ParamPlan) {
        let ty = self.names.of_c("CStr");
        self.take_param(local, optional(format!("&{ty}"), nullable));
        if dir == Dir::Inout {
            let room = self.fresh(&joined(local, "room"));
            let call = |from: &str| {
                let staged = format!("call.inout({from}.to_bytes_with_nul())?");
                if nullable { format!("Some({staged})") } else { staged }
            };
            let value = when_some(nullable, local, local, &call, "None");
            self.step(format!("let {room} = {value};"));
            self.args.push(room_pointer(&room, nullable, false, ".cast()"));
            self.rooms.insert(local.to_owned(), (room, None));
            self.doc(local, "a string; the function may change its own copy of it");
            return;
        }
        let var = self.fresh(&joined(local, "ptr"));
        let call = |from: &str| format!("call.input_str({from})?");
        let value = when_some(nullable, local, local, &call, "std::ptr::null()");
        self.step(format!("let {var} = {value};"));
        self.starts.insert(param.name.clone(), var.clone());
        let is_char = matches!(param.shape.pointee(), Some((_, Shape::Char)));
        self.args.push(format!("{var}{}{}", mut_cast(&param.shape), if is_char { "" } else { ".cast()" }));
        self.doc(local, "a string, read");
    }

    /// Room for a pointer that comes out.
    pub(super) fn pointer_out(&mut self, local: &str, param: &ParamPlan) {
        let Some((mutable, to)) = param.shape.pointee().and_then(|(_, pointer)| pointer.pointee()) else { return };
        let ty = self.names.ty(to);
        let null = if mutable { "null_mut" } else { "null" };
        let room = self.fresh(&joined(local, "room"));
        self.step(format!("let {room} = call.inout(&[std::ptr::{null}::<{ty}>()])?;"));
        self.args.push(format!("{room}.as_mut_ptr()"));
        self.rooms.insert(local.to_owned(), (room, None));
    }

    /// What such a pointer leads to.
    pub(super) fn given_out(&mut self, index: usize, local: &str, param: &ParamPlan) {
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((room, _)) = self.rooms.get(local).cloned() else { return };
        let var = self.fresh(&joined(local, "ptr"));
        self.after.read.push(format!("let {var} = call.read({room});"));
        let (copy, nullable, free) = match contract(param) {
            Contract::Cstr { nullable, free, .. } => {
                (self.string(local, &var, free.as_deref(), pointer), *nullable, free)
            }
            Contract::Given { len, nullable, free, .. } => {
                (self.values(local, &var, len, free.as_deref(), pointer), *nullable, free)
            }
            _ => return,
        };
        let ty = self.copied(copy, local, pointer, free.as_deref());
        let ty = self.require(local, nullable, ty);
        self.result(index + 1, ty, local, format!("a copy of `{local}`"));
    }

    pub(super) fn string_returned(&mut self, nullable: bool, free: Option<&str>, pointer: &Shape) {
        let at_once = self.null_fails() && !(free.is_some() && self.gives_more());
        let local = self.returned_local(at_once, free);
        let copy = self.string(&local, "ret", free, pointer);
        self.returned_copy(copy, &local, at_once, nullable, free, pointer);
    }

    pub(super) fn values_returned(&mut self, len: &Expr, nullable: bool, free: Option<&str>, pointer: &Shape) {
        // Whoever is asked how many there are is asked of what is there.
        let asks = len.leaves().iter().any(|leaf| matches!(leaf, Expr::Call(_)));
        let at_once = self.null_fails() && !asks && !(free.is_some() && self.gives_more());
        let local = self.returned_local(at_once, free);
        let copy = self.values(&local, "ret", len, free, pointer);
        self.returned_copy(copy, &local, at_once, nullable, free, pointer);
    }

    /// What holds the copy. Where NULL is looked for `at_once`, the pointer keeps its name until it is freed.
    fn returned_local(&mut self, at_once: bool, free: Option<&str>) -> String {
        if at_once && free.is_some() { self.fresh("copy") } else { "ret".to_owned() }
    }

    fn returned_copy(
        &mut self,
        copy: Copy,
        local: &str,
        at_once: bool,
        nullable: bool,
        free: Option<&str>,
        pointer: &Shape,
    ) {
        let ty = if at_once {
            let freed = free.map(|free| self.freeing(free, &copy.from, pointer));
            self.unless_null = Some(UnlessNull { local: local.to_owned(), value: copy.value, then: freed });
            copy.ty
        } else {
            self.copied(copy, local, pointer, free)
        };
        let ty = self.require(local, nullable, ty);
        self.result(0, ty, local, format!("a copy of what `{}` returned", self.function.name));
    }

    /// A parameter brings something that must be taken over whatever was returned.
    fn gives_more(&self) -> bool {
        let gives = |param: &ParamPlan| match contract(param) {
            Contract::Handle { hold, .. } => matches!(hold, Hold::Give { .. }),
            Contract::Cstr { free, .. } | Contract::Given { free, .. } => free.is_some(),
            _ => false,
        };
        self.function.params.iter().any(gives)
    }

    /// A copy of a string of the library.
    fn string(&mut self, local: &str, pointer: &str, free: Option<&str>, shape: &Shape) -> Copy {
        let (from, cast) = self.start_of(local, pointer, free, shape, Shape::Char);
        let value = format!(
            "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.\n\
             unsafe {{ call.string({from}{cast}) }}?"
        );
        Copy { value, from, ty: self.names.of_c("CString") }
    }

    /// A copy of a run of values of the library.
    fn values(&mut self, local: &str, pointer: &str, len: &Expr, free: Option<&str>, shape: &Shape) -> Copy {
        let phase = if free.is_some() { Phase::Taken } else { Phase::Checked };
        let len = self.count(len, Claim::Count, phase);
        let (from, cast) = self.start_of(local, pointer, free, shape, Shape::Int(Some("u8".to_owned())));
        let elem = self.names.element(shape);
        let value = format!(
            "///~ SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.\n\
             unsafe {{ call.values({from}{cast}, {len}) }}?"
        );
        Copy { value, from, ty: format!("Vec<{elem}>") }
    }

    /// The pointer to copy from, which must still be known when it is freed, and what makes a `*const T` of it.
    fn start_of(
        &mut self,
        local: &str,
        pointer: &str,
        free: Option<&str>,
        shape: &Shape,
        wanted: Shape,
    ) -> (String, String) {
        let (mutable, to) = shape.pointee().map_or((false, &Shape::Void), |(mutable, to)| (mutable, to));
        let const_cast = if mutable { ".cast_const()" } else { "" };
        let cast = match to {
            Shape::Char if wanted == Shape::Char => "",
            Shape::Char | Shape::Void => ".cast()",
            _ if wanted == Shape::Char => ".cast()",
            _ => "",
        };
        let from = match free {
            Some(_) if pointer == local => {
                let kept = self.fresh(&joined(local, "ptr"));
                self.after.taken.push(format!("let {kept} = {pointer};"));
                kept
            }
            _ => pointer.to_owned(),
        };
        (from, format!("{const_cast}{cast}"))
    }

    /// Makes the copy, and frees what was given away. Gives its type.
    fn copied(&mut self, copy: Copy, local: &str, shape: &Shape, free: Option<&str>) -> String {
        let statement = bound(local, &copy.value);
        match free.map(|free| self.freeing(free, &copy.from, shape)) {
            None => self.after.checked.push(statement),
            Some(freed) => self.after.taken.extend([statement, format!("if {local}.is_some() {{\n{freed}\n}}")]),
        }
        copy.ty
    }
}
