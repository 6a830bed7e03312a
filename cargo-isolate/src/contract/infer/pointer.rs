//! The rules about pointers, first match wins.

mod array;
mod buffer;
mod object;
mod single;
mod stub;

use super::{
    Inference, Known, Nature, Refusal, Tier, found,
    lengths::{is_bytes, is_path},
    nature::Part,
    recognised, refused,
    units::words,
};
use crate::contract::{
    Contract, Dir, Hold, Lasting,
    check::{Param, Signature},
    shape::Shape,
};
pub(super) use object::{made, named};
use single::is_named_several;

/// A pointer among the parameters of a function.
#[derive(Clone, Copy)]
pub(super) struct Pointer<'s> {
    pub(super) signature: &'s Signature,
    pub(super) index: usize,
    pub(super) known: &'s Known<'s>,
    pub(super) mutable: bool,
    pub(super) to: &'s Shape,
}

impl Pointer<'_> {
    pub(super) fn infer(&self) -> Inference {
        match self.by_rule() {
            Inference::Found {
                contract: contract @ (Contract::Obj { .. } | Contract::Buf { .. } | Contract::Cstr { .. }),
                tier: Tier::Likely,
                evidence,
            } => {
                let keeper = self.keeper().map_or_else(|| "the library".to_owned(), |keeper| keeper.name);
                found(contract, Tier::Likely, format!("{evidence}; assumes that {keeper} does not keep it"))
            }
            inference => inference,
        }
    }

    fn by_rule(&self) -> Inference {
        match (self.to, self.mutable) {
            (Shape::Opaque(_), _) if self.me().shape.is_newtype() => {
                handle(Tier::Likely, format!("`{}` is a pointer under a name of its own: a handle", self.me().shape))
            }
            (Shape::Opaque(path), _) => handle(Tier::Clear, format!("`{}` is opaque: a handle", path.name)),
            (to, _)
                if to.is_byte()
                    && let Some(part) = self.part_of_run() =>
            {
                self.of_run(&part)
            }
            (Shape::Char, false) if let Some(name) = self.own_name() => refused(
                format!(
                    "`{name}` is the library's own name for a `*const c_char`: text, or something that looks like it?"
                ),
                Some("{ kind = \"cstr\" }  # if any text that ends with NUL may be given"),
            ),
            (Shape::Char, false) if !self.has_length_nearby() && !is_bytes(self.name()) => self.unless_kept(
                Contract::Cstr { dir: Dir::In, nullable: false, free: None, until: Lasting::Call },
                "`*const c_char` in a function without a length for it: a string that ends with NUL".to_owned(),
            ),
            (Shape::Char, false) if is_path(self.name()) && self.own_length().is_none() => self.unless_kept(
                Contract::Cstr { dir: Dir::In, nullable: false, free: None, until: Lasting::Call },
                "`*const c_char` that names a file: a string that ends with NUL".to_owned(),
            ),
            (Shape::Void, true) if let Some(maker) = self.known.library.maker_of(&self.me().ty) => handle(
                Tier::Likely,
                format!("`{}` is a name for `void *`, and `{maker}` makes such objects: a handle", self.me().ty),
            ),
            (Shape::Void | Shape::Pointer { .. }, _)
                if let Some(evidence) = named(self.known.library, &self.me().ty) =>
            {
                handle(Tier::Likely, evidence)
            }
            (Shape::Void, _) if let Some(whose) = self.is_token() => {
                recognised(Nature::Token, format!("what {whose} called with, and nobody else looks at"))
            }
            (Shape::Void | Shape::Char, true) if self.is_freed() => recognised(
                Nature::Freed,
                "memory that the library gave away, freed here: where it comes from, say `own = \"give\"` and `free`",
            ),
            (to, false) if to.is_byte() || to.is_number() => self.input(),
            (to, true) if to.is_byte() => self.output(),
            (to, true) if to.is_number() => self.scalar(),
            (Shape::Pointer { to, .. }, true) if let Some(end) = self.is_ended(to) => Inference::Refused(Refusal {
                reason: format!("by its name `{end}` ends the object that `{}` leads to", self.name()),
                candidate: Some("{ kind = \"handle\", own = \"take\" }".to_owned()),
                is: None,
            }),
            (Shape::Pointer { to, .. }, true)
                if matches!(**to, Shape::Opaque(_) | Shape::Struct { .. })
                    && let Some(length) = self.count() =>
            {
                self.objects(length)
            }
            (Shape::Pointer { to, .. }, true) if matches!(**to, Shape::Opaque(_)) => found(
                Contract::Handle { dir: Dir::Out, nullable: false, hold: Hold::Keep },
                Tier::Likely,
                format!("pointer to a pointer to the opaque `{to}`: a handle comes out{}", self.hint(to)),
            ),
            (Shape::Pointer { to, mutable, .. }, true) if let Some(evidence) = self.comes_out(to, *mutable) => {
                let contract = Contract::Handle { dir: Dir::Out, nullable: false, hold: Hold::Keep };
                found(contract, Tier::Likely, evidence + &self.hint(to))
            }
            (Shape::Pointer { to, mutable, .. }, _) if let Some(array) = self.array(to, *mutable) => array,
            (Shape::Pointer { to, mutable: false, .. }, true) if to.is_byte() && self.is_cursor() => recognised(
                Nature::Cursor,
                format!("a pointer to a pointer that moves along an input: no contract says that of `{}`", self.name()),
            ),
            (Shape::Struct { path, hindrance, .. }, _)
                if let Some(evidence) = self.is_the_librarys(path, hindrance.is_none()) =>
            {
                handle(Tier::Likely, evidence)
            }
            (Shape::Struct { path, hindrance: None, .. }, mutable) => self.plain_struct(&path.name, mutable),
            (Shape::Struct { path, hindrance: Some(_), flat: true }, false) => self.flat_struct(path),
            (Shape::Struct { path, hindrance: Some(why), .. }, _) => self.deep_struct(path, why),
            (Shape::Unknown { ty, why }, _) => {
                refused(format!("`{ty}` is not known: {why}"), Some("{ kind = \"handle\" }"))
            }
            (Shape::Pointer { to, .. }, true) if let Some(of) = self.leads_into(to) => refused(
                format!("a place in `{of}`, by its name?"),
                Some(&format!("{{ kind = \"obj\", dir = \"out\", inner_of = \"{of}\" }}  # if it always leads there")),
            ),
            (Shape::Pointer { to, .. }, true) if to.pointee().is_some() => refused(
                format!(
                    "an array of pointers that comes out, by its type `{}`: no contract copies one",
                    self.me().shape
                ),
                None,
            ),
            (to, _) => refused(format!("nothing in the signature says what `{}{to}` points to", self.star()), None),
        }
    }

    /// How many objects there are, by its name, by standing before them, or behind a name for several: `(their_heads, len)`.
    fn count(&self) -> Option<&Param> {
        let behind = || self.next_length().filter(|_| is_named_several(self.name()));
        self.own_length().or_else(|| self.count_before()).or_else(behind)
    }

    /// `(text, endptr)`, `(sql, tail)`: the one argument to which what comes out may point.
    fn leads_into(&self, to: &Shape) -> Option<&str> {
        const PLACES: [&str; 6] = ["tail", "end", "endptr", "rest", "remaining", "next"];
        let is_place = words(self.name()).iter().any(|word| PLACES.contains(&&**word));
        let runs = self.signature.params.iter().filter(|param| {
            param.shape.pointee().is_some_and(|(mutable, other)| !mutable && other == to && to.is_byte())
        });
        let mut names = runs.map(|param| &*param.name);
        names.next().filter(|_| is_place && names.next().is_none())
    }

    /// `sqlite3_filename`, which only SQLite makes, and not `LPCSTR` or `png_const_charp`: those say themselves that they are text.
    fn own_name(&self) -> Option<&str> {
        const TEXT: [&str; 7] = ["str", "string", "text", "char", "chars", "charp", "strptr"];
        let ty = self.me().ty.trim();
        let name = ty.rsplit(':').next().unwrap_or(ty).trim();
        let is_name = ty.starts_with(|c: char| c.is_alphabetic() || c == '_') && !ty.contains(['<', '*', '&']);
        let says_text = TEXT.iter().any(|word| name.to_lowercase().ends_with(word));
        (is_name && !says_text).then_some(name)
    }

    /// A run of values is for the policy to confirm, and so is a place in it.
    fn of_run(&self, part: &Part<'_>) -> Inference {
        let (is, reason, candidate) = match part {
            Part::Start { end } => {
                let dir = if self.mutable { "inout" } else { "in" };
                let candidate = format!("{{ kind = \"buf\", dir = \"{dir}\", end = \"{end}\" }}");
                (Nature::Run, format!("values up to where `{end}` points, by its name"), Some(candidate))
            }
            Part::End { start } => (
                Nature::Place,
                format!(
                    "the end of `{start}`, or a place in it, by its name: where it is the end, say `end` of `{start}`"
                ),
                None,
            ),
            Part::Within { start } => {
                let candidate =
                    format!("{{ kind = \"obj\", dir = \"in\", inner_of = \"{start}\" }}  # if it always leads there");
                (Nature::Place, format!("a place in `{start}`, by its name?"), Some(candidate))
            }
        };
        Inference::Refused(Refusal { reason, candidate, is: Some(is) })
    }

    pub(super) fn name(&self) -> &str {
        &self.signature.params[self.index].name
    }

    fn star(&self) -> &'static str {
        if self.mutable { "*mut " } else { "*const " }
    }

    pub(super) fn me(&self) -> &Param {
        &self.signature.params[self.index]
    }
}

/// An object of the library, and where that is known from.
fn handle(tier: Tier, evidence: String) -> Inference {
    found(Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep }, tier, evidence)
}
