//! Pointers to pointers that are arrays, by a count or by being read: stubs to start from. Which way they go, and how long each
//! buffer is, no signature says.

use super::{Pointer, single::is_named_several, stub::asked_of};
use crate::contract::{
    check::Param,
    infer::{
        Inference, Nature, Refusal,
        lengths::{plain, sounds_like_length},
        refused,
    },
    shape::Shape,
};

impl<'s> Pointer<'s> {
    /// As many objects as `length` says.
    pub(super) fn objects(&self, length: &Param) -> Inference {
        let count = &length.name;
        let (question, comment) = if self.mutable { (": do they go in?", "  # if they go in") } else { ("", "") };
        Inference::Refused(Refusal {
            reason: format!("as many objects as `{count}` says, by its name{question}"),
            candidate: Some(format!(
                "{{ kind = \"array\", len = \"{count}\", elem = {{ kind = \"handle\" }} }}{comment}"
            )),
            is: Some(Nature::Handles),
        })
    }

    /// An array of lengths beside this one: `(keys, key_sizes)`, `(string, length)`, `(paramValues, paramLengths)`.
    fn lengths_of_each(&self) -> Option<usize> {
        const SEVERAL: [&str; 6] = ["list", "values", "data", "buffers", "bufs", "strings"];
        let name = plain(self.name());
        let stem = SEVERAL.iter().find_map(|word| name.strip_suffix(word)).filter(|stem| !stem.is_empty());
        let one = stem.or_else(|| name.strip_suffix('s')).unwrap_or(&name);
        self.signature.params.iter().position(|param| {
            let is_read = param.shape.pointee().is_some_and(|(mutable, to)| !mutable && to.is_int())
                && !param.shape.is_reference();
            let other = plain(&param.name);
            let is_theirs = other.starts_with(one) || ["length", "lengths", "lens", "sizes"].contains(&&*other);
            is_read && is_theirs && (sounds_like_length(&param.name) || sounds_like_length(other.trim_end_matches('s')))
        })
    }

    /// The array of buffers whose lengths this one holds.
    fn tells_lengths_of(&self) -> Option<&'s str> {
        let params = self.signature.params.iter().enumerate();
        let others = params.filter_map(|(index, param)| {
            let (mutable, to) = param.shape.pointee()?;
            to.pointee().filter(|(_, to)| to.is_byte() || to.is_number())?;
            Some(Pointer { index, mutable, to, ..*self })
        });
        let mut theirs = others.filter(|other| other.lengths_of_each() == Some(self.index));
        theirs.next().map(|other| &*self.signature.params[other.index].name)
    }

    /// What parameters beside it say that it is, other than one value or one run of them.
    pub(super) fn by_others(&self) -> Option<Inference> {
        if let Some(of) = self.tells_lengths_of() {
            return Some(refused(format!("how long each of `{of}` is, by its name"), None));
        }
        self.stride().map(|stride| self.strided(stride))
    }

    /// Strings, buffers, objects or values behind the pointers that this one leads to, each of them `to`; `None` where it may as well be
    /// one that comes out.
    pub(super) fn array(&self, to: &Shape, mutable: bool) -> Option<Inference> {
        let name = self.name();
        let own = self.own_length().filter(|_| !self.mutable || is_named_several(name));
        let own = own.or_else(|| self.lengths().find(|length| name == "argv" && length.name == "argc"));
        // An array of lengths is one array's.
        let each = self.lengths_of_each().filter(|&index| Pointer { index, ..*self }.tells_lengths_of() == Some(name));
        if self.mutable && own.is_none() && each.is_none() {
            return None;
        }
        let dir = if mutable { "inout" } else { "in" };
        let (what, elem) = match to {
            Shape::Char => ("strings", "{ kind = \"cstr\" }".to_owned()),
            to if to.is_byte() || to.is_number() => {
                ("buffers", format!("{{ kind = \"buf\", dir = \"{dir}\", len = \"LENGTH\" }}"))
            }
            Shape::Opaque(_) => ("objects", "{ kind = \"handle\" }".to_owned()),
            to if to.is_flat() && !mutable => ("values", "{ kind = \"obj\" }".to_owned()),
            _ => return None,
        };
        if let Some(length) = own.filter(|_| what == "objects") {
            return Some(self.objects(length));
        }
        let (what, elem) = match each {
            Some(each) => {
                let lengths = &self.signature.params[each].name;
                let elem = format!("{{ kind = \"buf\", dir = \"{dir}\", len = \"{lengths}[]\" }}");
                (format!("buffers, each as long as `{lengths}` says"), elem)
            }
            None => (what.to_owned(), elem),
        };
        let mut open: Vec<_> = self.open_lengths().collect();
        open.retain(|length| own.is_none_or(|own| own.name != length.name));
        let behind = each.and_then(|each| {
            self.signature.params.get(each + 1).filter(|next| next.shape.is_int() && sounds_like_length(&next.name))
        });
        let own = own.or_else(|| self.next_length()).or(behind).or_else(|| self.count_before());
        let (count, how_many) = match own {
            Some(length) => (format!("len = \"{}\"", length.name), format!("as many as `{}` says", length.name)),
            None if what == "strings" && open.is_empty() => {
                ("end = \"NULL\"".to_owned(), "with nothing that says how many: up to a NULL?".to_owned())
            }
            None => ("len = \"LENGTH\"".to_owned(), "without a length that is surely theirs".to_owned()),
        };
        let candidate = format!("{{ kind = \"array\", {count}, elem = {elem} }}");
        let candidate = if candidate.contains("LENGTH") { asked_of(&candidate, &open) } else { candidate };
        Some(refused(format!("pointers to {what}, {how_many}"), Some(&candidate)))
    }
}
