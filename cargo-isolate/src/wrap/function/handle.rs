//! Objects that live in the domain and are never looked into.

use super::words::{joined, optional, when_some};
use super::{ParamPlan, Shape, Step, Writer, contract};
use crate::contract::{Contract, Ending, Hold};

impl Writer<'_, '_> {
    pub(super) fn handle(&mut self, local: &str, nullable: bool, hold: &Hold, param: &ParamPlan) {
        let var = self.fresh(&joined(local, "ptr"));
        if let Hold::Take { indirect } = hold {
            return self.ended(local, &var, *indirect, param);
        }
        let held = if self.is_parent(&param.name) { "Owned" } else { "Handle" };
        let ty = self.handle_type(held, &param.shape);
        self.take_param(local, optional(format!("&{ty}"), nullable));
        let call = |from: &str| format!("call.handle({from})?");
        let value = when_some(nullable, local, local, &call, "std::ptr::null_mut()");
        self.first_step(format!("let {var} = {value};"));
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(format!("{var}{}", if is_const { ".cast_const()" } else { "" }));
        self.pointers.insert(param.name.clone(), var);
        self.doc(local, "an object in the domain");
    }

    /// The function ends it: nothing may fail any more between here and the call.
    fn ended(&mut self, local: &str, var: &str, indirect: bool, param: &ParamPlan) {
        let pointer = match param.shape.pointee() {
            Some((_, to)) if indirect => to.clone(),
            _ => param.shape.clone(),
        };
        let ty = self.handle_type("Owned", &pointer);
        self.take_param(&format!("mut {local}"), ty);
        self.last.push(Step { safety: None, statement: format!("let {var} = call.ending(&mut {local})?;") });
        if indirect {
            let room = self.fresh(&joined(local, "room"));
            self.last.push(Step { safety: None, statement: format!("let {room} = call.inout(&[{var}])?;") });
            self.args.push(format!("{room}.as_mut_ptr()"));
        } else {
            let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
            self.args.push(format!("{var}{}", if is_const { ".cast_const()" } else { "" }));
        }
        self.doc(local, "an object in the domain, which ends");
    }

    pub(super) fn handle_out(&mut self, local: &str, param: &ParamPlan) {
        let Some((mutable, to)) = param.shape.pointee().and_then(|(_, pointer)| pointer.pointee()) else { return };
        let object = self.names.ty(to);
        let room = self.fresh(&joined(local, "room"));
        self.step(format!("let {room} = call.inout(&[std::ptr::null_mut::<{object}>()])?;"));
        self.args.push(format!("{room}.as_mut_ptr(){}", if mutable { "" } else { ".cast()" }));
        self.rooms.insert(local.to_owned(), (room, None));
    }

    pub(super) fn handle_back(&mut self, index: usize, local: &str, nullable: bool, hold: &Hold, param: &ParamPlan) {
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((room, _)) = self.rooms.get(local).cloned() else { return };
        let what = format!("`{local}`");
        match hold {
            Hold::Give { free, parent } => {
                let var = self.fresh(&joined(local, "ptr"));
                self.after.read.push(format!("let {var} = call.read({room});"));
                self.pointers.insert(format!("*{}", param.name), var.clone());
                let ty = self.own(local, &var, nullable, free, parent.as_deref(), pointer);
                self.result(index + 1, ty, local, what);
            }
            _ => {
                self.after.checked.push(format!("let {local} = call.adopt(call.read({room}))?;"));
                let ty = self.handle_type("Handle", pointer);
                self.result(index + 1, format!("Option<{ty}>"), local, what);
            }
        }
    }

    pub(super) fn handle_returned(&mut self, nullable: bool, hold: &Hold, shape: &Shape) {
        let cast = if matches!(shape, Shape::Pointer { mutable: false, .. }) { ".cast_mut()" } else { "" };
        let what = format!("what `{}` returned", self.function.name);
        match hold {
            Hold::Give { free, parent } => {
                let owned = self.fresh("owned");
                let ty = self.own(&owned, &format!("ret{cast}"), nullable, free, parent.as_deref(), shape);
                self.result(0, ty, owned, what);
            }
            _ => {
                self.after.checked.push(format!("let ret = call.adopt(ret{cast})?;"));
                let ty = self.handle_type("Handle", shape);
                let ty = self.require("ret", nullable, ty);
                self.result(0, ty, "ret", what);
            }
        }
    }

    /// Takes over an object at once, so that it ends whatever else goes wrong. Dropping it makes a call, which must not be
    /// inside this one: what holds it is there before the call is.
    fn own(
        &mut self,
        local: &str,
        pointer: &str,
        nullable: bool,
        free: &Ending,
        parent: Option<&str>,
        shape: &Shape,
    ) -> String {
        let given = if nullable { local.to_owned() } else { self.fresh(&joined(local, "given")) };
        self.before.push(format!("let {given};"));
        if !nullable {
            self.before.push(format!("let {local};"));
            self.after.checked.push(format!("{local} = call.required({given})?;"));
        }
        let object = shape.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        let end = self.end(local, &object, free);
        let child = parent.map(|parent| {
            let parent = self.local(parent);
            format!(".map(|owned| owned.child_of({parent}))")
        });
        self.after.taken.push(format!("{given} = call.own(&DOMAIN, {pointer}, {end})?{};", child.unwrap_or_default()));
        optional(self.handle_type("Owned", shape), nullable)
    }

    /// A closure that ends the object.
    fn end(&mut self, local: &str, object: &str, free: &Ending) -> String {
        let ends = self.names.runtime("End");
        let function = self.names.function_named(&free.function);
        let (first, before) = match free.indirect {
            true => ("&raw mut object", "let mut object = object; "),
            false => ("object", ""),
        };
        let nulls = ", std::ptr::null_mut()".repeat(free.nulls);
        let name = self.fresh(&joined(local, "end"));
        self.before.push(format!(
            "let {name}: {ends}<{object}> = |call, object| {{\n\
             ///~ SAFETY: it is what `{}` gave away; ended once, nothing uses it afterwards.\n\
             unsafe {{ call.run(move || {{ {before}{function}({first}{nulls}); }}) }}\n}};",
            self.function.name
        ));
        name
    }

    /// Something that comes out of the function must end before this parameter does.
    fn is_parent(&self, name: &str) -> bool {
        let params = self.function.params.iter().map(contract);
        let mut all = params.chain(self.function.ret.iter().filter_map(|ret| ret.decision.contract()));
        all.any(|contract| match contract {
            Contract::Handle { hold: Hold::Give { parent, .. }, .. } => parent.as_deref() == Some(name),
            _ => false,
        })
    }

    pub(super) fn handle_type(&mut self, held: &'static str, pointer: &Shape) -> String {
        let held = self.names.runtime(held);
        let object = pointer.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        format!("{held}<{object}>")
    }
}
