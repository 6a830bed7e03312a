//! Parameters that point to a struct of the policy: it lives in the domain, and its cursors are set before each call.

use super::{Writer, joined, raw, snake};
use crate::contract::{
    Dir,
    object::{Cursor, Life},
};

impl Writer<'_, '_> {
    pub(super) fn object(&mut self, index: usize, local: &str, life: &Life, cursors: &[Cursor]) {
        let param = &self.function.params[index];
        let Some((mutable, to)) = param.shape.pointee() else { return };
        let object = self.names.ty(to);
        let ty = format!("{}<{object}>", self.names.runtime("Object"));
        let pointer = self.fresh(&joined(local, "ptr"));
        let reference = match life {
            Life::Made { .. } | Life::Ended => format!("&{local}"),
            Life::Used => local.to_owned(),
        };
        match life {
            Life::Made { end } => {
                let (function, end) = (&self.function.name, self.names.item(end));
                let ends = self.names.runtime("End");
                self.before.push(format!(
                    "let end: {ends}<{object}> = |call, object| {{\n\
                     ///~ SAFETY: it is what `{function}` filled; ended once, nothing uses it afterwards.\n\
                     unsafe {{ call.run(move || {{ {end}(object); }}) }}\n}};"
                ));
                self.before.push(format!("let {local} = DOMAIN.object(\"{function}\", end)?;"));
                self.result(index + 1, ty, local, format!("`{local}`"));
            }
            Life::Used => {
                self.take_param(local, format!("&mut {ty}"));
                self.doc(local, "an object in the domain");
            }
            Life::Ended => {
                self.take_param(&format!("mut {local}"), ty);
                self.doc(local, "an object in the domain, which ends");
            }
        }
        self.first_step(format!("let {pointer} = call.object({reference})?;"));
        self.args.push(format!("{pointer}{}", if mutable { "" } else { ".cast_const()" }));
        self.pointers.insert(param.name.clone(), pointer);
        if *life == Life::Ended {
            self.ended.push(local.to_owned());
        }
        for cursor in cursors {
            match cursor.moves {
                true => self.cursor(index, local, &object, cursor),
                false => self.still(local, &object, cursor),
            }
        }
    }

    /// Points a cursor to the caller's slice, or to room for it.
    fn cursor(&mut self, index: usize, object: &str, ty: &str, cursor: &Cursor) {
        let Cursor { field, dir, left, pointer, counter, .. } = cursor;
        let elem = self.names.element(pointer);
        let local = self.fresh(&snake(field));
        let counter = self.names.ty(counter);
        let offset = |field: &str| format!("offset_of!({ty}, {})", raw(field));
        self.imports_offset_of();
        let start = match dir {
            Dir::In => {
                self.take_param(&local, format!("&[{elem}]"));
                let start = self.fresh(&joined(&local, "ptr"));
                self.step(format!("let {start} = call.input({local})?;"));
                start
            }
            _ => {
                self.take_param(&local, format!("&mut [{elem}]"));
                let room = self.fresh(&joined(&local, "room"));
                self.step(format!("let {room} = call.output::<{elem}>({local}.len())?;"));
                self.rooms.insert(local.clone(), (room.clone(), None));
                format!("{room}.as_mut_ptr()")
            }
        };
        let of_slice = "the library gets the slice that the field is for, which outlives the call.";
        self.owing_step(of_slice, format!("unsafe {{ call.set({object}, {}, {start}) }}?;", offset(field)));
        let length = self.fresh(&joined(&local, "left"));
        self.step(format!("let {length} = call.length::<{counter}>({local}.len())?;"));
        self.owing_step("as above.", format!("unsafe {{ call.set({object}, {}, {length}) }}?;", offset(left)));
        // What the library says is left, it may lie about: it cannot be more than there was.
        self.after.checked.push(format!("let {length} = call.get::<_, {counter}>({object}, {})?;", offset(left)));
        let moved = format!("{local}.len() - call.within(call.count({length}), {local}.len())?");
        let what = if *dir == Dir::In { "read" } else { "written" };
        let count = self.fresh(&joined(&local, what));
        self.after.checked.push(format!("let {count} = {moved};"));
        if let Some((room, _)) = self.rooms.get(&local) {
            self.after.plain.push(format!("call.take({room}, {count}, {local});"));
        }
        self.doc(&local, &format!("{what}, as far as `{}` moves `{field}`", self.function.name));
        let verb = if *dir == Dir::In { "read" } else { "wrote" };
        self.result(index + 1, "usize".to_owned(), count, format!("how many elements of `{local}` it {verb}"));
    }

    /// A cursor that this function does not move points nowhere: the buffer of an earlier call is gone.
    fn still(&mut self, object: &str, ty: &str, cursor: &Cursor) {
        let counter = self.names.ty(&cursor.counter);
        self.imports_offset_of();
        let nowhere = format!(
            "unsafe {{ call.set({object}, offset_of!({ty}, {}), std::ptr::null_mut::<u8>()) }}?;",
            raw(&cursor.field)
        );
        self.owing_step("it points nowhere, and no elements are left there.", nowhere);
        let none =
            format!("unsafe {{ call.set::<_, {counter}>({object}, offset_of!({ty}, {}), 0) }}?;", raw(&cursor.left));
        self.owing_step("as above.", none);
    }

    fn imports_offset_of(&mut self) {
        self.names.uses_offsets = true;
    }
}
