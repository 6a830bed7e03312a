//! Structs of the library whose bytes are not enough, and what comes out as one.

use super::Pointer;
use crate::contract::{
    Contract, Dir,
    infer::{
        Inference, Library, Nature, Tier, found,
        library::{Life, is_counted, sounds_like_end, sounds_like_result},
        recognised, refused,
    },
    shape::{Shape, TypePath},
};

impl Pointer<'_> {
    /// A struct that can be given, and not be got back: options, mostly.
    pub(super) fn flat_struct(&self, path: &TypePath) -> Inference {
        let name = &path.name;
        if let Some(length) = self.own_length().or_else(|| self.next_length()) {
            return refused(format!("one `{name}`, or as many as `{}` says?", length.name), None);
        }
        let evidence = format!("`*const {name}`, a struct without pointers, which is read");
        found(Contract::Obj { dir: Dir::In, nullable: false }, Tier::Convention, evidence)
    }

    /// The library makes such structs, so that what its functions get is where it gave it out. One that could be copied as well is
    /// only taken for that where the library ends it, too.
    pub(super) fn is_the_librarys(&self, path: &TypePath, could_be_copied: bool) -> Option<String> {
        match self.known.library.life(path) {
            Some(Life::Made { end: None, .. }) if could_be_copied => None,
            _ => made(self.known.library, path),
        }
    }

    /// A struct whose bytes are not enough: whose is it?
    pub(super) fn deep_struct(&self, path: &TypePath, why: &str) -> Inference {
        let name = &path.name;
        let why = why.replacen("its field", "the field", 1);
        match self.known.library.life(path) {
            Some(Life::Kept { by }) => recognised(
                Nature::Object,
                format!(
                    "`{name}` is a struct that `{}` work on from call to call ({why}): `[struct.{name}]` says which functions fill and end it",
                    by.join("`, `")
                ),
            ),
            Some(Life::Filled { by, end }) => recognised(
                Nature::Object,
                format!(
                    "`{name}` is a struct in the caller's memory ({why}): `[struct.{name}]` with `create = {{ \"{by}\" = \"{end}\" }}` says that `{by}` fills one and `{end}` ends it"
                ),
            ),
            _ => refused(format!("`{name}` is a struct that cannot be copied as it is: {why}"), None),
        }
    }

    /// `destroy_info(&mut info)`: nothing comes out of what ends an object.
    pub(super) fn is_ended(&self, object: &Shape) -> Option<&str> {
        let name = &*self.signature.name;
        let is_object = matches!(object, Shape::Opaque(_) | Shape::Struct { hindrance: Some(_), .. });
        (is_object && self.signature.params.len() == 1 && sounds_like_end(name)).then_some(name)
    }

    /// An object of the library comes out through a pointer to a pointer.
    pub(super) fn comes_out(&self, to: &Shape, mutable: bool) -> Option<String> {
        match to {
            _ if is_counted(self.signature, self.index) => None,
            Shape::Struct { path, hindrance: Some(_), .. } => made(self.known.library, path).or_else(|| {
                let is_result = !mutable || self.is_result();
                is_result.then(|| format!("a pointer to a `{}` of the library comes out: a handle", path.name))
            }),
            Shape::Void if mutable => {
                let name = self.me().ty.trim().strip_prefix("*mut ")?;
                let maker = self.known.library.maker_of(name)?;
                Some(format!("`{name}` is a name for `void *`, and `{maker}` makes such objects: a handle comes out"))
            }
            _ => None,
        }
    }

    /// Whose the object is that comes out.
    pub(super) fn hint(&self, object: &Shape) -> String {
        self.known.library.hint(&self.signature.name, object)
    }

    /// By its place or its name, nothing but a result.
    pub(super) fn is_result(&self) -> bool {
        self.index == 0 || sounds_like_result(self.name())
    }
}

/// `type Document = c_void`, which some function returns a pointer to: what points to one is a handle.
pub(in crate::contract::infer) fn named(library: &Library, ty: &str) -> Option<String> {
    let (name, maker) = library.maker_behind(ty)?;
    Some(format!(
        "`{name}` is a name for something of which nothing is seen, and `{maker}` returns such objects: a handle"
    ))
}

/// The library makes such structs and ends them: what points to one is a handle.
pub(in crate::contract::infer) fn made(library: &Library, path: &TypePath) -> Option<String> {
    match library.life(path) {
        Some(Life::Made { by, end: Some(end) }) => {
            Some(format!("`{by}` makes a `{}`, and `{end}` ends it: a handle", path.name))
        }
        Some(Life::Given { end }) => {
            Some(format!("`{end}` ends a `{}`, as is said of what gives one away: a handle", path.name))
        }
        Some(Life::Made { by, end: None }) => Some(format!("`{by}` hands out a `{}`: a handle", path.name)),
        Some(Life::Ended { end }) => {
            Some(format!("`{end}` ends a `{}`, and no other function takes or fills one: a handle", path.name))
        }
        _ => None,
    }
}
