//! Pointers that lead into an argument: offsets, for the program.

use super::failing::UnlessNull;
use super::words::{bound, joined, optional};
use super::{Contract, ParamPlan, Shape, Writer, contract};
use crate::contract::expr::Expr;

impl Writer<'_, '_> {
    /// What the wrapper takes for a place in another argument.
    pub(super) fn inner_in(&mut self, index: usize, local: &str, of: &str, nullable: bool) {
        self.take_param(local, optional("usize".to_owned(), nullable));
        self.inward.push((index, self.args.len()));
        self.args.push(local.to_owned());
        self.doc(local, &format!("a place, {}, or right behind the last", self.counted_in(of)));
    }

    /// The pointer there, for a place that is checked.
    pub(super) fn inner_pointer(&mut self, local: &str, of: &str, nullable: bool, param: &ParamPlan) -> Option<String> {
        let (address, suffix) = self.address(of, &|_| local.to_owned(), param)?;
        let length = match contract(self.param(of)?) {
            Contract::Cstr { nullable: false, .. } => format!("{}.to_bytes().len()", self.local(of)),
            Contract::Cstr { .. } => format!("{}.map_or(0, |text| text.to_bytes().len())", self.local(of)),
            _ => self.slice_len(of),
        };
        self.holds_lengths = true;
        let pointer = self.fresh(&joined(local, "ptr"));
        let checked = format!("call.covers({local} as i128, {length})?;");
        let address = match nullable {
            false => {
                self.step(checked);
                address
            }
            true => {
                self.step(format!("if let Some({local}) = {local} {{ {checked} }}"));
                let null = if self.rooms.contains_key(&self.local(of)) { "null_mut" } else { "null" };
                format!("{local}.map_or(std::ptr::{null}(), |{local}| {address})")
            }
        };
        self.step(format!("let {pointer} = {address};"));
        Some(pointer + suffix)
    }

    /// What such a pointer in a parameter leads to.
    pub(super) fn inner_out(&mut self, index: usize, local: &str, of: &str, nullable: bool, param: &ParamPlan) {
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((room, _)) = self.rooms.get(local).cloned() else { return };
        let Some(offset) = self.offset(&format!("call.read({room})"), of, pointer) else { return };
        self.after.checked.push(bound(local, &offset));
        let ty = self.require(local, nullable, "usize".to_owned());
        let what = format!("where `{local}` points, {}", self.counted_in(of));
        self.result(index + 1, ty, local, what);
    }

    pub(super) fn inner_returned(&mut self, of: &str, nullable: bool, pointer: &Shape) {
        let Some(offset) = self.offset("ret", of, pointer) else { return };
        match self.null_fails() {
            true => self.unless_null = Some(UnlessNull { local: "ret".to_owned(), value: offset, then: None }),
            false => self.after.checked.push(bound("ret", &offset)),
        }
        let ty = self.require("ret", nullable, "usize".to_owned());
        let what = format!("where it points, {}", self.counted_in(of));
        self.result(0, ty, "ret", what);
    }

    fn counted_in(&self, of: &str) -> String {
        let is_text = self.param(of).is_some_and(|param| matches!(contract(param), Contract::Cstr { .. }));
        format!("in {} of `{}`", if is_text { "bytes" } else { "elements" }, self.local(of))
    }

    /// An `Option` of the place in the argument `of` that `pointer` leads to.
    fn offset(&self, pointer: &str, of: &str, shape: &Shape) -> Option<String> {
        let constness = if shape.pointee()?.0 { ".cast_const()" } else { "" };
        let param = self.param(of)?;
        let local = self.local(of);
        if let Some((room, _)) = self.rooms.get(&local) {
            let argument = match contract(param) {
                // Without the NUL.
                Contract::Cstr { nullable: false, .. } => format!("Some({room}.up_to({room}.len() - 1))"),
                Contract::Cstr { .. } => format!("{room}.map(|room| room.up_to(room.len() - 1))"),
                Contract::Buf { nullable: true, .. } => room.clone(),
                _ => format!("Some({room})"),
            };
            return Some(format!("call.offset_in_room({pointer}{constness}.cast(), {argument})?"));
        }
        let argument = match contract(param) {
            Contract::Cstr { nullable: false, .. } => format!("Some({local}.to_bytes())"),
            Contract::Cstr { .. } => format!("{local}.map(|text| text.to_bytes())"),
            Contract::Buf { nullable: true, len: Expr::Int(_), .. } => format!("{local}.map(|slice| &slice[..])"),
            Contract::Buf { nullable: true, .. } => local,
            Contract::Buf { .. } => format!("Some({local})"),
            _ => return None,
        };
        Some(format!("call.offset_in({pointer}{constness}.cast(), {argument})?"))
    }
}
