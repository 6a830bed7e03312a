//! Arrays of pointers: what each leads to is passed as it would be alone, and the array is a copy in the domain, which a
//! function may reorder.

use super::words::{joined, optional, room_pointer, when_some};
use super::{Contract, Dir, Element, ParamPlan, Shape, Writer, contract};
use crate::contract::expr::Expr;

impl Writer<'_, '_> {
    pub(super) fn array(&mut self, local: &str, param: &ParamPlan) {
        let Contract::Array { len, ended, elem, nullable } = contract(param) else { return };
        let Some((_, pointer)) = param.shape.pointee() else { return };
        let Some((_, to)) = pointer.pointee() else { return };
        let one = self.element_type(elem, pointer, to);
        let mutable = if is_written(elem) { "mut " } else { "" };
        let array = match len {
            Some(Expr::Int(count)) => format!("&{mutable}[{one}; {count}]"),
            _ => format!("&{mutable}[{one}]"),
        };
        self.take_param(local, optional(array, *nullable));
        let need = len.as_ref().and_then(|len| self.check_length(local, len, &param.name));
        let all = elements(local, *nullable);
        let pointers = match elem {
            Element::Cstr { nullable } => {
                let each = when_some(*nullable, "text", "text", &|text| format!("call.input_str({text})"), NO_INPUT);
                let pointers = format!("{all}.map(|text| {each})");
                self.collected(local, "ptrs", pointers, ended.then_some(NO_INPUT), Writer::step)
            }
            Element::Obj => {
                let pointers = format!("{all}.map(|value| call.input_any(*value))");
                self.collected(local, "ptrs", pointers, ended.then_some(NO_INPUT), Writer::step)
            }
            Element::Handle { nullable } => {
                let each = when_some(*nullable, "object", "object", &|one| format!("call.handle({one})"), NO_OBJECT);
                let pointers = format!("{all}.map(|object| {each})");
                self.collected(local, "ptrs", pointers, ended.then_some(NO_OBJECT), Writer::first_step)
            }
            Element::Buf { dir, len, nullable } => {
                let there = if *nullable { format!("{all}.flatten()") } else { all.clone() };
                self.check_each(local, &there, len);
                match dir {
                    Dir::In => {
                        let input = |_: &str| format!("call.input({})", whole(len));
                        let each = when_some(*nullable, "slice", "slice", &input, NO_INPUT);
                        let pointers = format!("{all}.map(|slice| {each})");
                        self.collected(local, "ptrs", pointers, ended.then_some(NO_INPUT), Writer::step)
                    }
                    Dir::Out | Dir::Inout => self.rooms_for_each(local, *dir, len, pointer, *ended),
                }
            }
        };
        let cast = if is_declared(elem, pointer, to) { "" } else { ".cast()" };
        self.pass_copy(local, &pointers, (local, *nullable), param, cast);
        let number = match (len, need) {
            (Some(len), Some(_)) => format!(", {} of them", number_of(len)),
            (Some(Expr::Name(name) | Expr::Deref(name)), None) => format!("; their number goes as `{name}`"),
            _ => String::new(),
        };
        let end = if *ended { "; NULL goes behind the last" } else { "" };
        self.doc(local, &format!("{}{number}{end}", what(elem)));
    }

    /// What the wrapper takes for each.
    fn element_type(&mut self, elem: &Element, pointer: &Shape, to: &Shape) -> String {
        match elem {
            Element::Cstr { nullable } => optional(format!("&{}", self.names.of_c("CStr")), *nullable),
            Element::Obj => format!("&{}", self.names.ty(to)),
            Element::Handle { nullable } => optional(format!("&{}", self.handle_type("Handle", pointer)), *nullable),
            Element::Buf { len, nullable, .. } => {
                let (ty, mutable) = (self.names.element(pointer), if is_written(elem) { "mut " } else { "" });
                let slice = match len {
                    Expr::Int(count) => format!("&{mutable}[{ty}; {count}]"),
                    _ => format!("&{mutable}[{ty}]"),
                };
                optional(slice, *nullable)
            }
        }
    }

    /// How long each buffer of an array is, in an array of its own.
    pub(super) fn lengths_of_each(&mut self, local: &str, array: &str, param: &ParamPlan) {
        let (Some(Contract::Array { elem, nullable, .. }), Some((_, to))) =
            (self.param(array).map(contract), param.shape.pointee())
        else {
            return;
        };
        let of = self.local(array);
        let all = elements(&of, *nullable);
        let gaps = matches!(elem, Element::Buf { nullable: true, .. });
        let length = format!("call.length::<{}>(slice.len())", self.names.ty(to));
        let each = when_some(gaps, "slice", "slice", &|_| length.clone(), "Ok(0)");
        let lengths = self.collected(local, "each", format!("{all}.map(|slice| {each})"), None, Writer::step);
        self.pass_copy(local, &lengths, (&of, *nullable), param, "");
    }

    /// Passes a copy of what is made of the array `of`, or NULL where there is none.
    fn pass_copy(&mut self, local: &str, values: &str, (of, nullable): (&str, bool), param: &ParamPlan, cast: &str) {
        let room = self.fresh(&joined(local, "room"));
        let stage = |_: &str| {
            let staged = format!("call.inout(&{values})?");
            if nullable { format!("Some({staged})") } else { staged }
        };
        self.step(format!("let {room} = {};", when_some(nullable, of, "_", &stage, "None")));
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(room_pointer(&room, nullable, is_const, cast));
    }

    /// Every slice must be as long as the function is told.
    fn check_each(&mut self, local: &str, all: &str, len: &Expr) {
        if matches!(len, Expr::Int(_) | Expr::Each(_)) {
            return;
        }
        self.holds_lengths = true;
        let wide = self.before(len);
        let need = self.fresh(&joined(local, "each"));
        self.step(format!("let {need} = {wide};"));
        self.step(format!("for slice in {all} {{\ncall.covers({need}, slice.len())?;\n}}"));
        self.needs.insert(local.to_owned(), need);
    }

    /// Room in the domain for what the function writes, slice by slice. Gives the name of the pointers there.
    fn rooms_for_each(&mut self, local: &str, dir: Dir, len: &Expr, pointer: &Shape, ended: bool) -> String {
        let ty = self.names.element(pointer);
        let room = match dir {
            Dir::Inout => format!("call.inout::<{ty}>({})", whole(len)),
            Dir::In | Dir::Out => format!("call.output::<{ty}>(slice.len())"),
        };
        let rooms = format!("{local}.iter().map(|slice| {room})");
        let rooms = self.collected(local, "rooms", rooms, None, Writer::step);
        let pointers = self.fresh(&joined(local, "ptrs"));
        let end = if ended { ".chain([std::ptr::null_mut()])" } else { "" };
        self.step(format!("let {pointers}: Vec<_> = {rooms}.iter().map(|room| room.as_mut_ptr()){end}.collect();"));
        self.rooms.insert(local.to_owned(), (rooms, None));
        pointers
    }

    /// A `Vec` of what comes of every element, unless one fails; its name.
    fn collected(
        &mut self,
        local: &str,
        suffix: &str,
        results: String,
        end: Option<&str>,
        step: fn(&mut Self, String),
    ) -> String {
        let name = self.fresh(&joined(local, suffix));
        let end = end.map(|end| format!(".chain([{end}])")).unwrap_or_default();
        step(self, format!("let {name} = {results}{end}.collect::<Result<Vec<_>, _>>()?;"));
        name
    }

    /// Copies what the function wrote out of the domain, slice by slice.
    pub(super) fn each_back(&mut self, local: &str) {
        let Some((rooms, _)) = self.rooms.get(local).cloned() else { return };
        let count = match self.needs.get(local) {
            Some(need) => format!("call.count({need})"),
            None => "room.len()".to_owned(),
        };
        self.after.plain.push(format!(
            "for (room, slice) in {rooms}.iter().zip({local}.iter_mut()) {{\ncall.take(*room, {count}, {});\n}}",
            if self.needs.contains_key(local) { "slice" } else { "&mut slice[..]" }
        ));
    }
}

const NO_INPUT: &str = "Ok(std::ptr::null())";
const NO_OBJECT: &str = "Ok(std::ptr::null_mut())";

/// An iterator over an array, which may be an `Option`.
fn elements(local: &str, nullable: bool) -> String {
    if nullable { format!("{local}.into_iter().flatten()") } else { format!("{local}.iter()") }
}

fn is_written(elem: &Element) -> bool {
    matches!(elem, Element::Buf { dir: Dir::Out | Dir::Inout, .. })
}

/// An element that is a slice, or an array of a length that is always the same.
fn whole(len: &Expr) -> &'static str {
    if matches!(len, Expr::Int(_)) { "&slice[..]" } else { "slice" }
}

/// The parameter is declared as an array of such pointers as wrappers make.
fn is_declared(elem: &Element, pointer: &Shape, to: &Shape) -> bool {
    let mutable = matches!(pointer, Shape::Pointer { mutable: true, newtype: None, .. });
    match elem {
        Element::Cstr { .. } => !mutable && *to == Shape::Char,
        Element::Obj => !mutable && !pointer.is_newtype(),
        Element::Buf { .. } => mutable == is_written(elem) && !to.is_raw(),
        Element::Handle { .. } => mutable,
    }
}

/// For the documentation.
fn what(elem: &Element) -> String {
    let (dir, len) = match elem {
        Element::Cstr { .. } => return "strings, read".to_owned(),
        Element::Obj => return "values, read".to_owned(),
        Element::Handle { .. } => return "objects in the domain".to_owned(),
        Element::Buf { dir, len, .. } => (dir, len),
    };
    let done = match dir {
        Dir::In => "read",
        Dir::Out => "written",
        Dir::Inout => "read and written",
    };
    match len {
        Expr::Int(_) => format!("arrays, {done}"),
        Expr::Each(lengths) => format!("slices, {done}; how long each is goes as `{lengths}`"),
        len => format!("slices, {} elements of each {done}", number_of(len)),
    }
}

fn number_of(len: &Expr) -> String {
    if len.rounds() { format!("`{len}` (rounded down)") } else { format!("`{len}`") }
}
