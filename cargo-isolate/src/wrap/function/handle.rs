//! Objects that live in the domain and are never looked into.

use super::failing::UnlessNull;
use super::lengths::Claim;
use super::words::{bound, joined, optional, when_some};
use super::{ParamPlan, Phase, Shape, Writer, contract};
use crate::{
    contract::{Contract, Ending, EndingArg, Hold, expr::Expr},
    plan::Bind,
};

/// An object of which the contract says that it is there: it comes out as an `Option`.
pub(super) struct Wanted {
    local: String,
    returned: bool,
}

impl Wanted {
    pub(super) fn is_returned(&self) -> bool {
        self.returned
    }
}

impl Writer<'_, '_> {
    pub(super) fn handle(&mut self, local: &str, nullable: bool, hold: &Hold, param: &ParamPlan) {
        let var = self.fresh(&joined(local, "ptr"));
        if let Hold::Take { indirect } = hold {
            return self.ended(local, &var, *indirect, param);
        }
        let held = if self.is_owner(&param.name) { "Owned" } else { "Handle" };
        let ty = self.handle_type(held, &param.shape);
        self.take_param(local, optional(format!("&{ty}"), nullable));
        let call = |from: &str| format!("call.handle({from})?");
        let value = when_some(nullable, local, local, &call, "std::ptr::null_mut()");
        self.first_step(format!("let {var} = {value};"));
        let arg = self.pass(&var, &param.shape);
        self.args.push(arg);
        self.pointers.insert(param.name.clone(), var);
        self.doc(local, "an object in the domain");
    }

    /// The function ends it, unless the call is refused before it begins: then its owner does.
    fn ended(&mut self, local: &str, var: &str, indirect: bool, param: &ParamPlan) {
        let pointer = match param.shape.pointee() {
            Some((_, to)) if indirect => to.clone(),
            _ => param.shape.clone(),
        };
        let ty = self.handle_type("Owned", &pointer);
        self.take_param(&format!("mut {local}"), ty);
        self.first_step(format!("let {var} = call.ending(&mut {local})?;"));
        self.ended.push(local.to_owned());
        if indirect {
            let room = self.fresh(&joined(local, "room"));
            self.step(format!("let {room} = call.inout(&[{var}])?;"));
            self.args.push(format!("{room}.as_mut_ptr(){}", if pointer.is_newtype() { ".cast()" } else { "" }));
        } else {
            let arg = self.pass(var, &param.shape);
            self.args.push(arg);
        }
        self.doc(local, "an object in the domain, which ends");
    }

    pub(super) fn handle_out(&mut self, local: &str, param: &ParamPlan) {
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((mutable, to)) = pointer.pointee() else { return };
        let object = self.names.ty(to);
        let is_room_for_it = mutable && !pointer.is_newtype();
        let room = self.fresh(&joined(local, "room"));
        self.step(format!("let {room} = call.inout(&[std::ptr::null_mut::<{object}>()])?;"));
        self.args.push(format!("{room}.as_mut_ptr(){}", if is_room_for_it { "" } else { ".cast()" }));
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
                let ty = self.own((&param.name, local), &var, nullable, free, parent.as_deref(), pointer);
                self.result(index + 1, ty, local, what);
            }
            _ => {
                let owed = self.owed();
                self.after.checked.push(format!("{owed}let {local} = unsafe {{ call.adopt(call.read({room})) }}?;"));
                let ty = self.handle_type("Handle", pointer);
                self.result(index + 1, format!("Option<{ty}>"), local, what);
            }
        }
    }

    pub(super) fn handle_returned(&mut self, nullable: bool, hold: &Hold, shape: &Shape) {
        let pointer = match shape {
            Shape::Pointer { newtype: Some(path), .. } => {
                let (ty, void) = (self.names.item(path), self.names.of_c("c_void"));
                self.after.read.push(format!(
                    "///~ SAFETY: it is such a pointer, and holds nothing else.\n\
                     let ret = unsafe {{ std::mem::transmute::<{ty}, *mut {void}>(ret) }};"
                ));
                "ret.cast()"
            }
            Shape::Pointer { mutable: false, .. } => "ret.cast_mut()",
            _ => "ret",
        };
        let what = format!("what `{}` returned", self.function.name);
        match hold {
            Hold::Give { free, parent } => {
                let owned = self.fresh("owned");
                let ty = self.own(("ret", &owned), pointer, nullable, free, parent.as_deref(), shape);
                self.result(0, ty, owned, what);
            }
            _ => {
                let adopted = format!("{}unsafe {{ call.adopt({pointer}) }}?", self.owed());
                match self.null_fails() {
                    true => {
                        self.unless_null = Some(UnlessNull { local: "ret".to_owned(), value: adopted, then: None });
                    }
                    false => self.after.checked.push(bound("ret", &adopted)),
                }
                let ty = self.handle_type("Handle", shape);
                let ty = self.require("ret", nullable, ty);
                self.result(0, ty, "ret", what);
            }
        }
    }

    /// Why an object that the function hands out may become a handle.
    fn owed(&self) -> String {
        let name = &self.function.name;
        format!("///~ SAFETY: it is checked to lie in the domain; without isolation `{name}` is trusted with it.\n")
    }

    /// Takes over an object at once, so that it ends whatever else goes wrong. Dropping it makes a call, which must not be
    /// inside this one: what holds it is there before the call is.
    fn own(
        &mut self,
        (keeper, local): (&str, &str),
        pointer: &str,
        nullable: bool,
        free: &Ending,
        parent: Option<&str>,
        shape: &Shape,
    ) -> String {
        self.before.push(format!("///~ Outlives the call: what ends the object is a call of its own.\nlet {local};"));
        if !nullable {
            self.wanted.push(Wanted { local: local.to_owned(), returned: keeper == "ret" });
        }
        let object = shape.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        let parent_object = parent.and_then(|parent| {
            let param = self.param(parent)?;
            Some(self.names.ty(param.shape.pointee()?.1))
        });
        let end = self.end(local, &object, parent_object.as_deref(), free);
        let taken = match parent {
            Some(parent) => {
                format!("call.own_child(&DOMAIN, {pointer}, {}, {end})", self.local(parent))
            }
            None => format!("call.own(&DOMAIN, {pointer}, {end})"),
        };
        self.after.taken.push(format!(
            "///~ SAFETY: as above, and the library gives it away, for `{}` to end.\n{local} = unsafe {{ {taken} }}?;",
            free.function
        ));
        self.given.insert(keeper.to_owned(), local.to_owned());
        optional(self.handle_type("Owned", shape), nullable)
    }

    /// Makes objects of the `Option`s: where something may fail after that, in places that outlive the call, too.
    pub(super) fn require_owned(&mut self) {
        let fails_later = self.after.plain.iter().any(|statement| statement.contains('?'));
        let wanted = std::mem::take(&mut self.wanted);
        let count = wanted.len();
        for (index, Wanted { local, returned }) in wanted.into_iter().enumerate() {
            let report = self.null_report.take_if(|_| returned);
            let is_last = index + 1 == count && !fails_later;
            let statement = match (report, is_last) {
                (Some(report), true) => format!("let Some({local}) = {local} else {{\n{report}\n}};"),
                (None, true) => format!("let {local} = call.required({local})?;"),
                (report, false) => {
                    let there = self.fresh(&joined(&local, "there"));
                    self.before.push(format!("let {there};"));
                    self.results.iter_mut().filter(|result| result.value == local).for_each(|result| {
                        result.value.clone_from(&there);
                    });
                    match report {
                        Some(report) => {
                            format!("{there} = match {local} {{ Some(object) => object, None => {{ {report} }} }};")
                        }
                        None => format!("{there} = call.required({local})?;"),
                    }
                }
            };
            self.after.owned.push(statement);
        }
    }

    /// A closure that ends the object.
    fn end(&mut self, local: &str, object: &str, parent: Option<&str>, free: &Ending) -> String {
        let function = self.names.function_named(&free.function);
        let wanted = self.names.params_of(&free.function);
        let args: Vec<_> = free.args.iter().zip(&wanted).map(|(arg, wanted)| self.ending_arg(*arg, wanted)).collect();
        let indirect = free.args.contains(&EndingArg::Object { indirect: true });
        let before = if indirect { "let mut object = object; " } else { "" };
        let (ty, params) = match parent {
            Some(parent) => {
                let needed = free.args.contains(&EndingArg::Parent);
                let params = if needed { "call, object, parent" } else { "call, object, _" };
                (format!("{}<{object}, {parent}>", self.names.runtime("EndOfChild")), params)
            }
            None => (format!("{}<{object}>", self.names.runtime("End")), "call, object"),
        };
        let name = self.fresh(&joined(local, "end"));
        self.before.push(format!(
            "let {name}: {ty} = |{params}| {{\n\
             ///~ SAFETY: it is what `{}` gave away; ended once, nothing uses it afterwards.\n\
             unsafe {{ call.run(move || {{ {before}{function}({}); }}) }}\n}};",
            self.function.name,
            args.join(", ")
        ));
        name
    }

    /// Something depends on how long the object of this parameter lives: what is made of it, a closure or a length that it keeps.
    fn is_owner(&self, name: &str) -> bool {
        let params = self.function.params.iter().map(contract);
        let mut all = params.chain(self.function.ret.iter().filter_map(|ret| ret.decision.contract()));
        let is_told =
            |expr: &Expr| expr.leaves().iter().any(|leaf| matches!(leaf, Expr::Bound { object, .. } if object == name));
        let owns = all.any(|contract| match contract {
            Contract::Handle { hold: Hold::Give { parent, .. }, .. } => parent.as_deref() == Some(name),
            contract if contract.kept_for().is_some_and(|(object, _)| object == name) => true,
            contract => contract.lengths().chain(contract.counted_by()).any(is_told),
        });
        owns || self.function.binds.iter().any(|bind| bind.object == name)
    }

    /// Keeps lengths in mind that are known of objects now.
    pub(super) fn bind(&mut self) {
        for Bind { object, name, length } in &self.function.binds {
            let told = self.count(length, Claim::Length, Phase::Checked);
            let owner = self.local(object);
            let length = self.fresh(&joined(&owner, name));
            self.after.checked.push(format!("let {length} = {told};"));
            self.after.plain.push(format!("{owner}.bind(\"{name}\", {length});"));
        }
    }

    pub(super) fn handle_type(&mut self, held: &'static str, pointer: &Shape) -> String {
        let held = self.names.runtime(held);
        let object = pointer.pointee().map_or_else(|| "_".to_owned(), |(_, to)| self.names.ty(to));
        format!("{held}<{object}>")
    }

    /// A `*mut` to an object as the function declares it.
    fn pass(&mut self, pointer: &str, declared: &Shape) -> String {
        match declared {
            Shape::Pointer { newtype: Some(path), .. } => {
                let (ty, void) = (self.names.item(path), self.names.of_c("c_void"));
                format!("std::mem::transmute::<*mut {void}, {ty}>({pointer}.cast())")
            }
            Shape::Pointer { mutable: false, .. } => format!("{pointer}.cast_const()"),
            _ => pointer.to_owned(),
        }
    }

    /// What is passed for one parameter of a function that ends an object.
    fn ending_arg(&mut self, arg: EndingArg, wanted: &Shape) -> String {
        let name = match arg {
            EndingArg::Object { indirect: true } => {
                let is_newtype = wanted.pointee().is_some_and(|(_, to)| to.is_newtype());
                return if is_newtype { "(&raw mut object).cast()" } else { "&raw mut object" }.to_owned();
            }
            EndingArg::Object { .. } => "object",
            EndingArg::Parent => "parent",
            EndingArg::Null => return self.null(wanted),
        };
        match wanted {
            Shape::Pointer { reference: true, mutable: true, .. } => format!("&mut *{name}"),
            Shape::Pointer { reference: true, .. } => format!("&*{name}"),
            _ => self.pass(name, wanted),
        }
    }

    /// NULL, for such a pointer.
    pub(super) fn null(&mut self, pointer: &Shape) -> String {
        match pointer {
            Shape::Pointer { newtype: Some(path), .. } => {
                let (ty, void) = (self.names.item(path), self.names.of_c("c_void"));
                format!("std::mem::transmute::<*mut {void}, {ty}>(std::ptr::null_mut())")
            }
            Shape::Pointer { mutable: false, .. } => "std::ptr::null()".to_owned(),
            _ => "std::ptr::null_mut()".to_owned(),
        }
    }
}
