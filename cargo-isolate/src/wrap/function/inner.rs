//! Pointers that come out and lead into an argument: offsets, for the program.

use super::failing::UnlessNull;
use super::words::bound;
use super::{Contract, ParamPlan, Shape, Writer, contract};
use crate::contract::expr::Expr;

impl Writer<'_, '_> {
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
