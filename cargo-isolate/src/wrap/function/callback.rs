//! Closures of the program: registered for the call, or kept by an object, and asked by the library through a pointer.

use super::kept::ToKeep;
use super::lengths::wide_with;
use super::words::{fresh, joined, optional, snake};
use super::{ParamPlan, Shape, Writer};
use crate::contract::{Told, expr::Expr, shape::Function};
use std::collections::{BTreeMap, BTreeSet};

/// The qualifiers of the pointers that the runtime gives for closures.
const POINTERS: &str = "unsafe extern \"C\"";

/// What becomes of the callback's arguments on their way to the closure, and of what it answers.
#[derive(Default)]
struct Passage {
    /// The closure's parameters, as the library passes them.
    params: Vec<String>,
    before: Vec<String>,
    /// What the program's closure gets, and the types of it.
    args: Vec<String>,
    types: Vec<String>,
    names: Vec<String>,
    after: Vec<String>,
}

impl Writer<'_, '_> {
    pub(super) fn callback(&mut self, local: &str, nullable: bool, told: &[Told], param: &ParamPlan) {
        let Shape::Function(function) = &param.shape else { return };
        let passage = self.passage(local, told, function);
        let looks = passage.looks();
        self.registers(looks);
        let ret = function.ret.as_ref().map(|ret| self.names.ty(ret));
        let closure = format!("FnMut({}){}", passage.types.join(", "), arrow(&ret));
        // To pass no `impl` at all one would have to name a type for it.
        match nullable {
            true => self.take_param(local, format!("Option<&mut dyn {closure}>")),
            false => self.take_param(&format!("mut {local}"), format!("impl {closure}")),
        }
        let params = passage.params.join(", ");
        let register = match looks {
            true => {
                let (ret, body) = (self.result_of(&ret), passage.body(local, ret.is_some()));
                format!("callbacks.add_checked(move |{params}| -> {ret} {{\n{body}\n}})")
            }
            false => format!("callbacks.add(move |{params}| {})", passage.asked(local)),
        };
        let var = self.fresh(&joined(local, "ptr"));
        self.step(match nullable {
            true => format!("let {var} = {local}.map(|{local}| {register});"),
            false => format!("let {var} = {register};"),
        });
        self.pass_closure(var, nullable, function);
        let until = format!(
            "until `{}` returns; a panic in it ends the call as a fault does, and goes on from here",
            self.function.name
        );
        self.doc(local, &format!("called{} {until}", passage.with()));
    }

    /// A closure that the library keeps, for as long as the object of another parameter, or the returned one, lives.
    pub(super) fn kept_callback(
        &mut self,
        local: &str,
        (object, slot): (&str, Option<&str>),
        nullable: bool,
        told: &[Told],
        param: &ParamPlan,
    ) {
        let Shape::Function(function) = &param.shape else { return };
        let passage = self.passage(local, told, function);
        let inside = self.names.runtime("Inside");
        let ret = function.ret.as_ref().map(|ret| self.names.ty(ret));
        let closure = format!("FnMut({}){}", passage.types.join(", "), arrow(&ret));
        match nullable {
            true => self.take_param(local, format!("Option<Box<dyn {closure} + Send>>")),
            false => self.take_param(&format!("mut {local}"), format!("impl {closure} + Send + 'static")),
        }
        let shown = if passage.looks() { "inside" } else { "_" };
        let params = [&[format!("{shown}: {inside}<'_>")], &passage.params[..]].concat().join(", ");
        let (ret, body) = (self.result_of(&ret), passage.body(local, ret.is_some()));
        let keep = format!("call.keep(move |{params}| -> {ret} {{\n{body}\n}})?");
        let (kept, var) = (self.fresh(&joined(local, "kept")), self.fresh(&joined(local, "ptr")));
        self.step(match nullable {
            true => format!(
                "let ({kept}, {var}) = match {local} {{\nSome(mut {local}) => {{\nlet (kept, pointer) = {keep};\n(Some(kept), Some(pointer))\n}}\nNone => (None, None),\n}};"
            ),
            false => format!("let ({kept}, {var}) = {keep};"),
        });
        self.pass_closure(var, nullable, function);
        let (object, slot) = (object.to_owned(), slot.map(str::to_owned));
        let until = format!("in any call until {}", self.end_of_keeping(&object, slot.as_deref()));
        self.kept.push(ToKeep { local: kept, object, slot, nullable, is_closure: true });
        self.doc(
            local,
            &format!(
                "called{} {until}; a panic in it ends that call as a fault does, and goes on from there",
                passage.with()
            ),
        );
    }

    /// `Result<R, Fault>` for what a closure answers.
    fn result_of(&mut self, ret: &Option<String>) -> String {
        format!("Result<{}, {}>", ret.as_deref().unwrap_or("()"), self.names.runtime("Fault"))
    }

    /// Passes the pointer that stands for a closure.
    fn pass_closure(&mut self, var: String, nullable: bool, function: &Function) {
        let pointer = if function.nullable && !nullable { format!("Some({var})") } else { var };
        let pointer = self.as_declared(pointer, function);
        self.args.push(pointer);
    }

    /// Where closures are registered, and what they look through.
    fn registers(&mut self, looks: bool) {
        if looks && !self.looks_inside {
            self.looks_inside = true;
            self.step("let inside = call.inside();".to_owned());
        }
        if !self.registers {
            self.registers = true;
            let callbacks = self.names.runtime("Callbacks");
            self.step(format!("let mut callbacks = {callbacks}::new();"));
        }
    }

    /// Another kind of pointer to the same function, as far as C is concerned.
    fn as_declared(&mut self, pointer: String, function: &Function) -> String {
        if function.qualifiers == POINTERS {
            return pointer;
        }
        let [from, to] = [POINTERS, &function.qualifiers]
            .map(|qualifiers| optional(self.names.function_pointer(function, qualifiers), function.nullable));
        format!("std::mem::transmute::<{from}, {to}>({pointer})")
    }

    /// Locals for what the function is given that tells how long something is: the callback may have the same names for its own.
    fn told_from_outside(&mut self, told: &[Told]) -> BTreeMap<String, String> {
        let mut outer = BTreeMap::new();
        for leaf in told.iter().flat_map(Told::lengths).flat_map(Expr::leaves) {
            let Expr::Outer(name) = leaf else { continue };
            if outer.contains_key(name) {
                continue;
            }
            let local = self.local(name);
            let value = match (self.fixed_number(name), self.length_told(name)) {
                (Some(value), _) => format!("{value}_i64"),
                (None, Some(length)) => length,
                (None, None) => local.clone(),
            };
            let told = self.fresh(&joined(&local, "told"));
            self.step(format!("let {told} = {value};"));
            outer.insert(name.clone(), told);
        }
        outer
    }

    fn passage(&mut self, local: &str, told: &[Told], function: &Function) -> Passage {
        let mut taken: BTreeSet<String> = ["call", "callbacks", "inside", "ret", local].map(str::to_owned).into();
        let outer = self.told_from_outside(told);
        taken.extend(outer.values().cloned());
        let locals: Vec<_> = function.params.iter().map(|(name, _)| fresh(&mut taken, &snake(name))).collect();
        let mut passage = Passage::default();
        for (one, ((param, shape), name)) in told.iter().zip(function.params.iter().zip(&locals)) {
            let ty = self.names.ty(shape);
            let shown = if *one == Told::User { "_" } else { name };
            passage.params.push(format!("{shown}: {ty}"));
            let count = |expr: &Expr| count(expr, function, &locals, &outer);
            match one {
                Told::User => continue,
                Told::Value if told.iter().any(|other| other.tells(param)) => continue,
                Told::Value => {
                    passage.args.push(name.clone());
                    passage.types.push(ty);
                }
                Told::Cstr { nullable } => {
                    let text = self.names.of_c("CStr");
                    passage.before.push(format!(
                        "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.\n                         let {name} = unsafe {{ inside.string({}) }}?;",
                        reading(name, shape, &Shape::Char)
                    ));
                    passage.copied(name, *nullable, "as_deref", format!("&{text}"));
                }
                Told::Strarr { len, nullable } => {
                    let text = self.names.of_c("CString");
                    let cast = format!("{name}{}", if shape.is_mutable() { ".cast_const().cast()" } else { ".cast()" });
                    passage.before.push(format!(
                        "///~ SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.\n                         let {name} = unsafe {{ inside.strings({cast}, {}) }}?;",
                        count(len)
                    ));
                    passage.copied(name, *nullable, "as_deref", format!("&[Option<{text}>]"));
                }
                Told::Buf { len, nullable } => {
                    let elem = self.names.element(shape);
                    passage.before.push(format!(
                        "///~ SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.\n                         let {name} = unsafe {{ inside.values({}, {}) }}?;",
                        reading(name, shape, &Shape::Int(Some(elem.clone()))),
                        count(len)
                    ));
                    passage.copied(name, *nullable, "as_deref", format!("&[{elem}]"));
                }
                Told::Room { cap, written } => {
                    let elem = self.names.element(shape);
                    let room = fresh(&mut taken, &joined(name, "room"));
                    let cast = if shape.pointee().is_some_and(|(_, to)| to.is_raw()) {
                        format!(".cast::<{elem}>()")
                    } else {
                        String::new()
                    };
                    let owes = "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted with its size.\n";
                    passage.before.push(format!(
                        "{owes}let mut {room} = unsafe {{ inside.room({name}{cast}, {}) }}?;",
                        count(cap)
                    ));
                    let written = match written {
                        Some(written) => format!("&{room}[..{}.min({room}.len())]", count(written)),
                        None => format!("&{room}"),
                    };
                    passage.after.push(format!("{owes}unsafe {{ inside.give({name}{cast}, {written}) }}?;"));
                    passage.args.push(format!("&mut {room}"));
                    passage.types.push(format!("&mut [{elem}]"));
                }
                Told::Handle { nullable } => {
                    let ty = self.handle_type("Handle", shape);
                    let cast = if shape.is_mutable() { "" } else { ".cast_mut()" };
                    let owes = "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.\n";
                    passage.before.push(format!("{owes}let {name} = unsafe {{ inside.adopt({name}{cast}) }}?;"));
                    passage.copied(name, *nullable, "as_ref", format!("&{ty}"));
                }
            }
            passage.names.push(name.clone());
        }
        passage
    }
}

fn arrow(ret: &Option<String>) -> String {
    ret.as_ref().map(|ret| format!(" -> {ret}")).unwrap_or_default()
}

impl Passage {
    /// Something of its arguments, or of what it answers, is looked at.
    fn looks(&self) -> bool {
        !(self.before.is_empty() && self.after.is_empty())
    }

    /// The call of the program's closure.
    fn asked(&self, local: &str) -> String {
        format!("{local}({})", self.args.join(", "))
    }

    /// What stands between the library and that closure.
    fn body(&self, local: &str, answers: bool) -> String {
        let asked = self.asked(local);
        let mut lines = self.before.clone();
        match (answers, self.after.is_empty()) {
            (true, true) => lines.push(format!("Ok({asked})")),
            (true, false) => {
                lines.push(format!("let ret = {asked};"));
                lines.extend(self.after.iter().cloned());
                lines.push("Ok(ret)".to_owned());
            }
            (false, _) => {
                lines.push(format!("{asked};"));
                lines.extend(self.after.iter().cloned());
                lines.push("Ok(())".to_owned());
            }
        }
        lines.join("\n")
    }

    /// What it is called with, for the documentation.
    fn with(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { String::new() } else { format!(" with {}", names.join(", ")) }
    }

    /// Lends what `name` holds by now, an `Option`.
    fn copied(&mut self, name: &str, nullable: bool, lend: &str, ty: String) {
        if nullable {
            self.args.push(format!("{name}.{lend}()"));
        } else {
            self.before.push(format!("let {name} = inside.required({name})?;"));
            self.args.push(format!("&{name}"));
        }
        self.types.push(optional(ty, nullable));
    }
}

/// The pointer as a `*const` to what is read through it.
fn reading(name: &str, shape: &Shape, wanted: &Shape) -> String {
    let Some((mutable, to)) = shape.pointee() else { return name.to_owned() };
    let const_cast = if mutable { ".cast_const()" } else { "" };
    let bytes = to.is_raw();
    let cast = match wanted {
        Shape::Char if *to == Shape::Char => "",
        Shape::Char => ".cast()",
        _ if bytes => ".cast::<u8>()",
        _ => "",
    };
    format!("{name}{const_cast}{cast}")
}

/// A length that the callback's own arguments, and what the closure answered, tell.
fn count(expr: &Expr, function: &Function, locals: &[String], outer: &BTreeMap<String, String>) -> String {
    let local = |name: &str| {
        let index = function.params.iter().position(|(param, _)| param == name);
        index.map_or_else(|| snake(name), |index| locals[index].clone())
    };
    match expr {
        Expr::Int(value) => value.to_string(),
        Expr::Name(name) => format!("inside.count({})", local(name)),
        Expr::Outer(name) => format!("inside.count({})", outer[name]),
        Expr::Ret => "inside.count(ret)".to_owned(),
        expr => {
            let mut leaf = |leaf: &Expr| match leaf {
                Expr::Int(value) => format!("{value}_i128"),
                Expr::Name(name) => format!("{} as i128", local(name)),
                Expr::Outer(name) => format!("{} as i128", outer[name]),
                _ => "ret as i128".to_owned(),
            };
            let quotient = &mut |left, right| format!("inside.quotient({left}, {right})?");
            format!("inside.count({})", wide_with(expr, &mut leaf, quotient))
        }
    }
}
