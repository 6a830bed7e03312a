//! Structs of a pointer and a length, and maybe of a position there, which a wrapper fills in and reads itself.

use super::view::Step;
use super::words::{joined, optional, raw, room_pointer, when_some};
use super::{Dir, ParamPlan, Shape, Writer};
use crate::contract::object::Slice;

impl Writer<'_, '_> {
    pub(super) fn slice(&mut self, local: &str, dir: Dir, slice: &Slice, nullable: bool, param: &ParamPlan) {
        let ty = self.names.item(&slice.path);
        let elem = self.names.element(&slice.elements);
        if dir != Dir::Out {
            self.take_param(local, optional(format!("&[{elem}]"), nullable));
        }
        // What is read alone may stay the program's. What comes back must not lead there.
        let start = match dir {
            Dir::Inout => {
                let start = self.fresh(&joined(local, "start"));
                self.step(format!("let {start} = call.inout({local})?;"));
                format!("{start}.as_mut_ptr()")
            }
            Dir::In | Dir::Out => format!("call.input({local})?"),
        };
        let Slice { elements, .. } = slice;
        let (pointer, length) = (raw(&slice.pointer), raw(&slice.length));
        let constness = match (elements.pointee(), dir) {
            (Some((true, _)), Dir::In) => ".cast_mut()",
            (Some((false, _)), Dir::Inout) => ".cast_const()",
            _ => "",
        };
        let cast = if is_bytes(elements) { ".cast()" } else { "" };
        let filled = format!("{ty} {{ {pointer}: {start}{constness}{cast}, {length}: call.length({local}.len())? }}");
        if param.shape.pointee().is_none() {
            self.step(format!("let {local} = {filled};"));
            self.args.push(local.to_owned());
            self.doc(local, "read");
            return;
        }
        let room = self.fresh(&joined(local, "room"));
        let why = format!("`{ty}` is a pointer and a number, of which every bit pattern is a value.");
        let mut safety = Some(why.clone());
        let value = match dir {
            Dir::Out => format!("unsafe {{ call.output_any::<{ty}>(1) }}?"),
            Dir::In if nullable => {
                safety = None;
                let staged = format!(
                    "{{ let told = {filled};\n///~ SAFETY: {why}\nlet told = unsafe {{ call.inout_any(&[told]) }}?;\nSome(told) }}"
                );
                when_some(true, local, local, &|_| staged.clone(), "None")
            }
            Dir::In | Dir::Inout => {
                let told = self.fresh(&joined(local, "slice"));
                self.step(format!("let {told} = {filled};"));
                format!("unsafe {{ call.inout_any(&[{told}]) }}?")
            }
        };
        self.stage.push(Step { safety, statement: format!("let {room} = {value};") });
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(room_pointer(&room, nullable, is_const, ""));
        self.rooms.insert(local.to_owned(), (room, None));
        if dir != Dir::Out {
            self.doc(local, "read");
        }
    }

    /// A copy of the run that it leads to after the call: the struct is read once.
    pub(super) fn slice_back(&mut self, index: usize, local: &str, slice: &Slice) {
        let Some((room, _)) = self.rooms.get(local).cloned() else { return };
        let elem = self.names.element(&slice.elements);
        let told = self.fresh(&joined(local, "told"));
        self.after.read.push(format!("let {told} = call.read({room});"));
        let Slice { elements, .. } = slice;
        let (pointer, length) = (raw(&slice.pointer), raw(&slice.length));
        let casts = match elements.pointee() {
            Some((true, _)) => ".cast_const()",
            _ => "",
        };
        let cast = if is_bytes(elements) { ".cast::<u8>()" } else { "" };
        self.after.checked.push(format!(
            "///~ SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.\n\
             let {local} = unsafe {{ call.slice({told}.{pointer}{casts}{cast}, call.told({told}.{length})?) }}?;"
        ));
        self.result(index + 1, format!("Vec<{elem}>"), local, format!("a copy of `{local}`"));
    }

    /// A slice of the caller, at whose start the function begins.
    pub(super) fn progress(&mut self, local: &str, dir: Dir, slice: &Slice) {
        let Slice { path, elements, position: Some(position), .. } = slice else { return };
        let [pointer, length, position] = [&slice.pointer, &slice.length, position].map(|field| raw(field));
        let (ty, elem) = (self.names.item(path), self.names.element(elements));
        let cast = if is_bytes(elements) { ".cast()" } else { "" };
        let mutable = elements.is_mutable();
        let start = match dir {
            Dir::In => {
                self.take_param(local, format!("&[{elem}]"));
                format!("call.input({local})?{}", if mutable { ".cast_mut()" } else { "" })
            }
            Dir::Out | Dir::Inout => {
                self.take_param(local, format!("&mut [{elem}]"));
                let room = self.fresh(&joined(local, "room"));
                self.step(format!("let {room} = call.output::<{elem}>({local}.len())?;"));
                self.rooms.insert(local.to_owned(), (room.clone(), None));
                format!("{room}.as_mut_ptr(){}", if mutable { "" } else { ".cast_const()" })
            }
        };
        let told = self.fresh(&joined(local, "slice"));
        self.step(format!(
            "let {told} = {ty} {{ {pointer}: {start}{cast}, {length}: call.length({local}.len())?, {position}: 0 }};"
        ));
        let safety = format!("`{ty}` is a pointer and two numbers, of which every bit pattern is a value.");
        let statement = format!("let {told} = unsafe {{ call.inout_any(&[{told}]) }}?;");
        self.stage.push(Step { safety: Some(safety), statement });
        self.args.push(format!("{told}.as_mut_ptr()"));
        self.positioned.insert(local.to_owned(), told);
        self.doc(
            local,
            if dir == Dir::In { "read, as far as the result says" } else { "written, as far as the result says" },
        );
    }

    /// How far it has got there.
    pub(super) fn progress_back(&mut self, index: usize, local: &str, dir: Dir, slice: &Slice) {
        let (Some(told), Some(position)) = (self.positioned.get(local).cloned(), &slice.position) else { return };
        let done = self.fresh(&joined(local, if dir == Dir::In { "read" } else { "written" }));
        self.after.read.push(format!("let {done} = call.read({told}).{};", raw(position)));
        self.after.checked.push(format!("let {done} = call.within(call.count({done}), {local}.len())?;"));
        if let Some((room, _)) = self.rooms.get(local).cloned() {
            self.after.plain.push(format!("call.take({room}, {done}, {local});"));
        }
        let verb = if dir == Dir::In { "read" } else { "wrote" };
        self.result(index + 1, "usize".to_owned(), done, format!("how many elements of `{local}` it {verb}"));
    }
}

fn is_bytes(pointer: &Shape) -> bool {
    pointer.pointee().is_some_and(|(_, to)| to.is_raw())
}
