//! Pointers that come out and lead into an argument: offsets, for the program.

use super::failing::UnlessNull;
use super::words::bound;
use super::{Contract, ParamPlan, Shape, Writer, contract};

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
        let param = self.function.params.iter().find(|param| param.name == of);
        let is_text = param.is_some_and(|param| matches!(contract(param), Contract::Cstr { .. }));
        format!("in {} of `{}`", if is_text { "bytes" } else { "elements" }, self.local(of))
    }

    /// An `Option` of the place in the argument `of` that `pointer` leads to.
    fn offset(&self, pointer: &str, of: &str, shape: &Shape) -> Option<String> {
        let constness = if shape.pointee()?.0 { ".cast_const()" } else { "" };
        let param = self.function.params.iter().find(|param| param.name == of)?;
        let local = self.local(of);
        if let Some((room, _)) = self.rooms.get(&local) {
            let (nullable, whole) = match contract(param) {
                // Without the NUL.
                Contract::Cstr { nullable, .. } => (*nullable, "room.up_to(room.len() - 1)"),
                Contract::Buf { nullable, .. } => (*nullable, "room"),
                _ => return None,
            };
            return Some(match nullable {
                true => format!(
                    "{room}.map_or(Ok(None), |room| call.offset_in_room({pointer}{constness}.cast(), {whole}))?"
                ),
                false => {
                    let whole = whole.replace("room", room);
                    format!("call.offset_in_room({pointer}{constness}.cast(), {whole})?")
                }
            });
        }
        let values = match contract(param) {
            Contract::Cstr { nullable: false, .. } => format!("{local}.to_bytes()"),
            Contract::Cstr { .. } => format!("{local}.map_or(&[][..], |text| text.to_bytes())"),
            Contract::Buf { nullable: true, .. } => format!("{local}.map_or(&[][..], |slice| &slice[..])"),
            Contract::Buf { .. } => local,
            _ => return None,
        };
        Some(format!("call.offset_in({pointer}{constness}.cast(), {values})?"))
    }
}
