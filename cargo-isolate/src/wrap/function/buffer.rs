//! Slices of the caller: read where they are, or staged and copied back; and the lengths that they tell.

use super::docs::{counted, extent};
use super::lengths::{Claim, longest};
use super::words::{mut_cast, room_pointer, when_some};
use super::{Contract, Dir, ParamPlan, Phase, Role, Shape, Writer, contract, joined, optional};
use crate::contract::expr::Expr;

impl Writer<'_, '_> {
    /// A length that slices know.
    pub(super) fn length(&mut self, local: &str, slices: &[String]) {
        let of = self.shared_length(slices);
        self.step(format!("let {local} = call.length({of})?;"));
        self.args.push(local.to_owned());
    }

    /// A pointer to a length that slices know.
    pub(super) fn cell(&mut self, local: &str, slices: &[String]) {
        let of = self.shared_length(slices);
        self.step(format!("let {local} = call.inout(&[call.length({of})?])?;"));
        self.args.push(format!("{local}.as_mut_ptr()"));
    }

    pub(super) fn buf(&mut self, local: &str, dir: Dir, len: &Expr, nullable: bool, param: &ParamPlan) {
        let Some((_, to)) = param.shape.pointee() else { return };
        let cast = if to.is_raw() { ".cast()" } else { "" };
        let elem = if cast.is_empty() { self.shown(param, to) } else { "u8".to_owned() };
        let plain = to.is_plain() || !cast.is_empty();
        let mutable = if dir == Dir::In { "" } else { "mut " };
        let slice = match len {
            Expr::Int(count) => format!("&{mutable}[{elem}; {count}]"),
            _ => format!("&{mutable}[{elem}]"),
        };
        self.take_param(&self.again(local, nullable && dir != Dir::In), optional(slice, nullable));
        let need = self.check_length(local, len, &param.name);

        let suffix = if dir == Dir::In && plain { "ptr" } else { "room" };
        let var = self.fresh(&joined(local, suffix));
        if dir == Dir::In && plain {
            let call = |from: &str| format!("call.input({from})?");
            let value = when_some(nullable, local, local, &call, "std::ptr::null()");
            self.step(format!("let {var} = {value};"));
            self.starts.insert(param.name.clone(), var.clone());
            self.args.push(format!("{var}{}{cast}", mut_cast(&param.shape)));
            self.doc(local, &format!("read{}", extent(len, &need)));
            return;
        }
        let call = |from: &str| {
            let staged = match (dir, plain) {
                (Dir::Out, true) => format!("call.output::<{elem}>({from}.len())?"),
                (Dir::Out, false) => format!("unsafe {{ call.output_any::<{elem}>({from}.len()) }}?"),
                (_, true) => format!("call.inout::<{elem}>({from})?"),
                (_, false) => format!("unsafe {{ call.inout_any::<{elem}>({from}) }}?"),
            };
            if nullable { format!("Some({staged})") } else { staged }
        };
        let borrow = if dir == Dir::In { local.to_owned() } else { format!("&{local}") };
        let value = when_some(nullable, &borrow, local, &call, "None");
        self.staged(&var, &value, (!plain).then_some(&elem));
        let is_const = matches!(param.shape, Shape::Pointer { mutable: false, .. });
        self.args.push(room_pointer(&var, nullable, is_const, cast));
        let what = match dir {
            Dir::In => "read",
            Dir::Out => "written",
            Dir::Inout => "read and written",
        };
        self.doc(local, &format!("{what}{}", extent(len, &need)));
        self.rooms.insert(local.to_owned(), (var, need));
    }

    /// Arguments that point into what others point to, or behind it.
    pub(super) fn point_into_others(&mut self) {
        for (index, argument) in std::mem::take(&mut self.inward) {
            let (param, local) = (&self.function.params[index], self.locals[index].clone());
            let pointer = match (&param.role, contract(param)) {
                (Role::EndOf(slice), _) => {
                    let length =
                        |room: Option<&str>| room.map_or_else(|| self.slice_len(slice), |room| format!("{room}.len()"));
                    let Some((end, suffix)) = self.address(slice, &length, param) else { continue };
                    self.step(format!("let {local} = {end};"));
                    Some(local + suffix)
                }
                (_, Contract::Inner { of, nullable, .. }) => self.inner_pointer(&local, of, *nullable, param),
                _ => None,
            };
            if let Some(pointer) = pointer {
                self.args[argument] = pointer;
            }
        }
    }

    /// Where an element of a slice is passed, and what makes a pointer there the `param` that it is. `offset` is its number, with
    /// the name of the room that the slice has, if any.
    pub(super) fn address(
        &self,
        slice: &str,
        offset: &dyn Fn(Option<&str>) -> String,
        param: &ParamPlan,
    ) -> Option<(String, &'static str)> {
        let of = self.param(slice)?;
        let (mutable, to) = param.shape.pointee()?;
        let casts = to.is_raw() || of.shape.pointee().is_none_or(|(_, other)| other != to);
        let suffix = |mut_here: bool| match (mut_here, mutable, casts) {
            (true, false, true) => ".cast_const().cast()",
            (true, false, false) => ".cast_const()",
            (false, true, true) => ".cast_mut().cast()",
            (false, true, false) => ".cast_mut()",
            (_, _, true) => ".cast()",
            (_, _, false) => "",
        };
        if let Some((room, _)) = self.rooms.get(&self.local(slice)) {
            let address = |room: &str| format!("{room}.as_mut_ptr().wrapping_add({})", offset(Some(room)));
            let address = match contract(of) {
                Contract::Buf { nullable: true, .. } | Contract::Cstr { nullable: true, .. } => {
                    format!("{room}.map_or(std::ptr::null_mut(), |room| {})", address("room"))
                }
                _ => address(room),
            };
            return Some((address, suffix(true)));
        }
        let start = self.starts.get(slice)?;
        Some((format!("{start}.wrapping_add({})", offset(None)), suffix(false)))
    }

    /// Lengths behind pointers: each is read once, and others are computed from it. What is `const` is what it was.
    pub(super) fn read_cells(&mut self) {
        for (param, local) in self.function.params.iter().zip(&self.locals) {
            if matches!(param.role, Role::CellOf(_)) && param.shape.is_mutable() {
                self.after.read.push(format!("let {local} = call.read({local});"));
            }
        }
    }

    /// A claim of the domain about a slice, which cannot be more than the slice has.
    pub(super) fn length_back(&mut self, index: usize, local: &str, slices: &[String]) {
        if self.function.params[index].shape.is_mutable() && !counted(self.function, &self.function.params[index].name)
        {
            let most = self.most(slices);
            let told = self.fresh(&joined(local, "told"));
            self.after.checked.push(format!("let {told} = call.within(call.count({local}), {most})?;"));
            self.result(index + 1, "usize".to_owned(), told, format!("`{local}`"));
        }
    }

    /// Copies a buffer out of the domain.
    pub(super) fn take_back(&mut self, index: usize, local: &str, param: &ParamPlan) {
        let Contract::Buf { dir, written, nullable, .. } = contract(param) else { return };
        let Some((room, need)) = self.rooms.get(local).cloned() else { return };
        let count = match (written, dir, need) {
            (Some(written), _, _) => self.count(written, Claim::Count, Phase::Checked),
            // What the function was not told of, it did not write.
            (None, Dir::Out, Some(need)) => format!("call.count({need})"),
            (None, _, _) if *nullable => "room.len()".to_owned(),
            (None, _, _) => format!("{room}.len()"),
        };
        let into = self.lent(local);
        let take = |count: &str| match nullable {
            true => {
                format!("if let (Some(room), Some(into)) = ({room}, {into}) {{ call.take(room, {count}, into); }}")
            }
            false => format!("call.take({room}, {count}, {local});"),
        };
        if written.is_none() {
            self.after.plain.push(take(&count));
            return;
        }
        let var = self.fresh(&joined(local, "written"));
        let checked = match nullable {
            true => format!("match {room} {{ Some(room) => call.within({count}, room.len())?, None => 0 }}"),
            false => format!("call.within({count}, {room}.len())?"),
        };
        self.after.checked.push(format!("let {var} = {checked};"));
        self.after.plain.push(take(&var));
        self.result(index + 1, "usize".to_owned(), var, format!("how many elements of `{local}` it wrote"));
    }

    /// Elements of a slice that a cell tells the length of, after the call, when a `&mut` one may have been moved.
    fn most(&self, slices: &[String]) -> String {
        let length = |slice: &String| match self.rooms.get(&self.local(slice)) {
            Some((room, _)) if self.is_optional(slice) => format!("{room}.map_or(0, |room| room.len())"),
            Some((room, _)) => format!("{room}.len()"),
            None => self.slice_len(slice),
        };
        let certain = slices.iter().find(|slice| !self.is_optional(slice)).map(length);
        certain.unwrap_or_else(|| longest(slices.iter().map(length)))
    }
}
