//! Numbers and plain structs, by value and behind a pointer.

use super::words::{mut_cast, room_pointer, when_some};
use super::{Dir, ParamPlan, Shape, Writer, joined, optional};
use crate::contract::{
    Contract,
    number::Number,
    shape::{TypePath, Values},
};

impl Writer<'_, '_> {
    /// The same for every caller.
    pub(super) fn fixed(&mut self, value: i64, param: &ParamPlan) {
        let arg = match (value, &param.shape) {
            (0, Shape::Function(_)) => "None".to_owned(),
            // An address that no function has: the library knows it as a word, and never calls it.
            (0, shape @ Shape::Pointer { .. }) => self.null(shape),
            (_, shape @ (Shape::Function(_) | Shape::Pointer { newtype: Some(_), .. })) => {
                format!("std::mem::transmute::<isize, {}>({value})", self.names.ty(shape))
            }
            (_, Shape::Pointer { mutable: false, .. }) => format!("{value}_isize as *const _"),
            (_, Shape::Pointer { mutable: true, .. }) => format!("{value}_isize as *mut _"),
            _ => value.to_string(),
        };
        self.args.push(arg);
    }

    /// A string of the program, which the domain reads.
    pub(super) fn fixed_text(&mut self, value: &str, param: &ParamPlan) {
        let cast = if matches!(param.shape.pointee(), Some((_, Shape::Char))) { "" } else { ".cast()" };
        let mut_cast = mut_cast(&param.shape);
        self.args.push(match self.names.has_c_strings() {
            true => format!("c{value:?}.as_ptr(){mut_cast}{cast}"),
            false => format!("b\"{}\\0\".as_ptr(){mut_cast}.cast()", value.as_bytes().escape_ascii()),
        });
    }

    /// That of a struct of the library.
    pub(super) fn size(&mut self, of: &TypePath, param: &ParamPlan) {
        let (name, of, ty) = (&of.name, self.names.item(of), self.names.ty(&param.shape));
        let size = format!("std::mem::size_of::<{of}>()");
        let is_wide = match &param.shape {
            Shape::Int(Some(number)) => Number::named_on_linux(number).is_some_and(Number::holds_sizes),
            _ => false,
        };
        self.args.push(match is_wide {
            true => format!("{size} as {ty}"),
            false => format!(
                "{{ const SIZE: usize = {size}; const _: () = assert!(SIZE as {ty} as usize == SIZE, \
                 \"the size of `{name}` is no `{ty}`\"); SIZE as {ty} }}"
            ),
        });
    }

    /// What was returned as an integer, where that is a value of the declared type. Lengths that it tells are computed before, of
    /// the integer.
    pub(super) fn check_returned(&mut self) {
        let Some(ret) = self.function.ret.as_ref().filter(|_| !self.function.is_told_otherwise()) else { return };
        if ret.decision.contract() != Some(&Contract::Value) || ret.shape.bits().is_none() {
            return;
        }
        let arms = match &ret.shape {
            Shape::Enum { path, values: Some(Values { integer, variants }), .. } => {
                let ty = self.names.item(path);
                let arm = |variant: &String| {
                    format!("bits if bits == {ty}::{variant} as {integer} => Some({ty}::{variant}),\n")
                };
                variants.iter().map(arm).collect()
            }
            _ => "0 => Some(false),\n1 => Some(true),\n".to_owned(),
        };
        self.after.checked.push(format!("let ret = call.valid(match ret {{\n{arms}_ => None,\n}})?;"));
    }

    pub(super) fn value(&mut self, local: &str, param: &ParamPlan) {
        let ty = self.shown(param, &param.shape);
        self.take_param(local, ty);
        self.args.push(local.to_owned());
    }

    pub(super) fn obj(&mut self, local: &str, dir: Dir, nullable: bool, param: &ParamPlan) {
        let Some((_, to)) = param.shape.pointee() else { return };
        let ty = self.shown(param, to);
        let plain = to.is_plain();
        let room = self.fresh(&joined(local, "room"));
        match dir {
            Dir::In if plain => {
                self.take_param(local, optional(format!("&{ty}"), nullable));
                let call = |from: &str| format!("call.input(std::slice::from_ref({from}))?");
                let value = when_some(nullable, local, local, &call, "std::ptr::null()");
                self.step(format!("let {room} = {value};"));
                self.args.push(format!("{room}{}", mut_cast(&param.shape)));
                self.doc(local, "read");
            }
            // No value of it can be made of what is there afterwards: it stays where it is, and is read there.
            Dir::In if to.hindrance().is_some() => {
                self.take_param(local, optional(format!("&{ty}"), nullable));
                let call = |from: &str| format!("call.input_any({from})?");
                let value = when_some(nullable, local, local, &call, "std::ptr::null()");
                self.step(format!("let {room} = {value};"));
                self.args.push(room);
                self.doc(local, "read");
            }
            Dir::Out => {
                let value = match to {
                    Shape::Int(_) | Shape::Char => "call.inout(&[0])?".to_owned(),
                    Shape::Float(_) => "call.inout(&[0.0])?".to_owned(),
                    _ if plain => format!("call.output::<{ty}>(1)?"),
                    _ => format!("unsafe {{ call.output_any::<{ty}>(1) }}?"),
                };
                self.staged(&room, &value, (!plain).then_some(&ty));
                self.args.push(format!("{room}.as_mut_ptr()"));
                self.after.read.push(format!("let {local} = call.read({room});"));
            }
            Dir::In | Dir::Inout => {
                let mutable = if dir == Dir::In { "" } else { "mut " };
                let shown = self.again(local, nullable && dir != Dir::In);
                self.take_param(&shown, optional(format!("&{mutable}{ty}"), nullable));
                let call = |from: &str| {
                    let staged = format!("std::slice::from_ref({from})");
                    let staged = if plain {
                        format!("call.inout::<{ty}>({staged})?")
                    } else {
                        format!("unsafe {{ call.inout_any::<{ty}>({staged}) }}?")
                    };
                    if nullable { format!("Some({staged})") } else { staged }
                };
                let borrow = if dir == Dir::In { local.to_owned() } else { format!("&{local}") };
                let value = when_some(nullable, &borrow, local, &call, "None");
                self.staged(&room, &value, (!plain).then_some(&ty));
                let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
                self.args.push(room_pointer(&room, nullable, is_const, ""));
                if dir == Dir::Inout && matches!(to, Shape::Int(_) | Shape::Char) {
                    self.read_back(local, &room, nullable, param);
                }
                self.rooms.insert(local.to_owned(), (room, None));
                self.doc(local, if dir == Dir::In { "read" } else { "read and written" });
            }
        }
    }

    /// A number that lengths and conditions may speak of: what it is after the call, before the caller's own is overwritten.
    fn read_back(&mut self, local: &str, room: &str, nullable: bool, param: &ParamPlan) {
        let told = self.fresh(&joined(local, "told"));
        let read = match nullable {
            true => format!("{room}.map(|room| call.read(room))"),
            false => format!("call.read({room})"),
        };
        self.after.read.push(format!("let {told} = {read};"));
        self.told.insert(param.name.clone(), (told, nullable));
    }

    pub(super) fn obj_back(&mut self, index: usize, local: &str, dir: Dir, nullable: bool, param: &ParamPlan) {
        match (dir, self.rooms.get(local)) {
            (Dir::Out, _) if self.function.is_count(&param.name) => {}
            (Dir::Out, _) => {
                let Some((_, to)) = param.shape.pointee() else { return };
                let ty = self.shown(param, to);
                self.result(index + 1, ty, local, format!("`{local}`"));
            }
            (Dir::Inout, Some((room, _))) => {
                let into = self.lent(local);
                let statement = match (self.told.get(&param.name), nullable) {
                    (Some((told, _)), true) => {
                        format!("if let (Some(told), Some(into)) = ({told}, {into}) {{ *into = told; }}")
                    }
                    (Some((told, _)), false) => format!("*{local} = {told};"),
                    (None, true) => {
                        format!("if let (Some(room), Some(into)) = ({room}, {into}) {{ *into = call.read(room); }}")
                    }
                    (None, false) => format!("*{local} = call.read({room});"),
                };
                self.after.plain.push(statement);
            }
            _ => {}
        }
    }
}
