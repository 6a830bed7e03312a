//! What a library keeps when the call is over: closures, and copies of slices and strings. Objects of the program own both.

use super::docs::extent;
use super::words::{joined, mut_cast, optional};
use super::{ParamPlan, Writer, contract};
use crate::contract::expr::Expr;

/// Something that an object is to keep.
pub(super) struct ToKeep {
    /// The local that holds it: an `Option` if there may be none.
    pub(super) local: String,
    pub(super) object: String,
    pub(super) slot: Option<String>,
    pub(super) nullable: bool,
    pub(super) is_closure: bool,
}

impl Writer<'_, '_> {
    /// A slice of which the function keeps the pointer.
    pub(super) fn buf_kept(&mut self, local: &str, len: &Expr, nullable: bool, param: &ParamPlan) {
        let Some((_, to)) = param.shape.pointee() else { return };
        let cast = if to.is_raw() { ".cast()" } else { "" };
        let elem = if cast.is_empty() { self.shown(param, to) } else { "u8".to_owned() };
        let slice = match len {
            Expr::Int(count) => format!("&[{elem}; {count}]"),
            _ => format!("&[{elem}]"),
        };
        self.take_param(local, optional(slice, nullable));
        let need = self.check_length(local, len, &param.name);
        let until = self.retained(local, local, nullable, param, cast);
        self.doc(local, &format!("a copy of it is read until {until}{}", extent(len, &need)));
    }

    /// A string of which the function keeps the pointer.
    pub(super) fn cstr_kept(&mut self, local: &str, nullable: bool, param: &ParamPlan) {
        let ty = self.names.of_c("CStr");
        self.take_param(local, optional(format!("&{ty}"), nullable));
        let until = self.retained(local, &format!("{local}.to_bytes_with_nul()"), nullable, param, ".cast()");
        self.doc(local, &format!("a string, of which a copy is read until {until}"));
    }

    /// Copies what the library keeps, for the object that it is kept for, and passes the copy. Gives how long it is there.
    fn retained(&mut self, local: &str, data: &str, nullable: bool, param: &ParamPlan, cast: &str) -> String {
        let Some((object, slot)) = contract(param).kept_for() else { return String::new() };
        let (kept, var) = (self.fresh(&joined(local, "kept")), self.fresh(&joined(local, "ptr")));
        self.before.push(format!("///~ Outlives the call: freeing it is a call of its own.\nlet {kept};"));
        let retain = format!("call.retain(&DOMAIN, {data})?");
        self.step(format!("let {var};"));
        self.step(match nullable {
            true => format!(
                "({kept}, {var}) = match {local} {{\nSome({local}) => {{\nlet (kept, pointer) = {retain};\n(Some(kept), pointer)\n}}\nNone => (None, std::ptr::null()),\n}};"
            ),
            false => format!("({kept}, {var}) = {retain};"),
        });
        self.starts.insert(param.name.clone(), var.clone());
        self.args.push(format!("{var}{}{cast}", mut_cast(&param.shape)));
        let until = self.end_of_keeping(object, slot);
        let (object, slot) = (object.to_owned(), slot.map(str::to_owned));
        self.kept.push(ToKeep { local: kept, object, slot, nullable, is_closure: false });
        until
    }

    /// For the documentation: how long something is kept for an object.
    pub(super) fn end_of_keeping(&self, object: &str, slot: Option<&str>) -> String {
        let of = if object == "ret" { "what is returned".to_owned() } else { format!("`{}`", self.local(object)) };
        format!("{of} has ended{}", if slot.is_some() { " or gets another one" } else { "" })
    }

    /// Objects keep what the library does.
    pub(super) fn keep(&mut self) {
        for kept in std::mem::take(&mut self.kept) {
            match kept.is_closure {
                true => self.keep_closure(kept),
                false => self.hold(kept),
            }
        }
    }

    /// The library has the pointer as soon as it was called, whether it has failed or not, and whatever else comes of the call: so an
    /// object that is there holds the copy before. The former one goes where nothing has failed.
    fn hold(&mut self, ToKeep { local, object, slot, .. }: ToKeep) {
        let given = self.given.get(&object).cloned();
        let owner = given.as_ref().map_or_else(|| self.local(&object), |_| "owned".to_owned());
        let hold = match &slot {
            None => format!("{owner}.hold({local});"),
            Some(slot) => format!("{owner}.hold_as(\"{slot}\", {local});"),
        };
        match (given, slot) {
            (Some(given), _) => self.after.kept.push(format!("if let Some(owned) = &{given} {{ {hold} }}")),
            (None, None) => self.step(hold),
            (None, Some(slot)) => {
                self.step(hold);
                let former = self.fresh(&joined(&local, "before"));
                self.before.push(format!("let _{former};"));
                self.after.plain.push(format!("_{former} = {owner}.superseded(\"{slot}\");"));
            }
        }
    }

    fn keep_closure(&mut self, ToKeep { local, object, slot, nullable, .. }: ToKeep) {
        let given = self.given.get(&object).cloned();
        let owner = given.as_ref().map_or_else(|| self.local(&object), |_| "owned".to_owned());
        let closure = if nullable && (given.is_some() || slot.is_none()) { "kept" } else { &*local };
        let keep = match &slot {
            None => format!("{owner}.keep({closure});"),
            Some(slot) => {
                // What it owns may make calls when it is dropped: when this one is over.
                let former = self.fresh(&joined(&local, "before"));
                self.before.push(format!("let _{former};"));
                format!("_{former} = {owner}.keep_as(\"{slot}\", {closure});")
            }
        };
        match (given, nullable, slot) {
            // There from the start, whatever the function says: it may be asked as the object ends.
            (Some(given), false, _) => {
                self.after.kept.push(format!("if let Some(owned) = &{given} {{ {keep} }}"));
            }
            (Some(given), true, _) => {
                let both = format!("if let (Some(owned), Some(kept)) = (&{given}, {local})");
                self.after.kept.push(format!("{both} {{ {keep} }}"));
            }
            // Where there is none any more, the library will not call the former.
            (None, false, _) | (None, true, Some(_)) => self.after.plain.push(keep),
            (None, true, None) => self.after.plain.push(format!("if let Some(kept) = {local} {{ {keep} }}")),
        }
    }
}
