//! What a library keeps when the call is over, and the object that it keeps it for.

use super::{Checker, Dir, PolicyError, SCOPES, Spanned, UNTIL};
use crate::contract::{Lasting, shape::Shape};

/// What the object of the program has in its care.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    Closure,
    Copy,
}

impl Checker<'_> {
    /// How long a callback may be called.
    pub(super) fn scope(&mut self) -> Option<Lasting> {
        let Some(scope) = &self.words.scope else {
            self.error(self.at.clone(), "nothing says how long the library may call it")
                .help("add `scope = \"call\"`, if it does so only until the function returns, or `scope = \"free:OBJECT\"`, if it keeps it for an object: a call after that is a fault")
                .push(self.errors);
            return None;
        };
        let word = scope.get_ref();
        if word == "call" {
            return Some(Lasting::Call);
        }
        let Some(lasting) = lasting(word) else {
            let error = match &**word {
                "once" | "forever" => {
                    PolicyError::new(scope.span(), "no wrappers are generated for callbacks that no object keeps")
                }
                word => {
                    PolicyError::new(scope.span(), format!("there is no scope `{word}`")).did_you_mean(word, SCOPES)
                }
            };
            let help = "one of `call`, until the function returns; `free:OBJECT`, until the object of that parameter, or of `ret`, has ended; `slot:OBJECT.NAME`, until another takes that place";
            self.errors.push(error.help(help));
            return None;
        };
        self.keeper(scope, &lasting, Care::Closure)?;
        Some(lasting)
    }

    /// How long the library keeps the pointer to what goes in.
    pub(super) fn until(&mut self, dir: Dir) -> Option<Lasting> {
        let Some(until) = &self.words.until else { return Some(Lasting::Call) };
        let word = until.get_ref();
        if dir != Dir::In {
            let (message, help) = match dir {
                Dir::Out => {
                    ("what comes out of the library is copied at once, however long it would be there", "remove it")
                }
                _ => (
                    "a copy that the library keeps does not come back, so only what goes `in` can be kept",
                    "say `dir = \"in\"`, if the library does not write there",
                ),
            };
            self.errors.push(PolicyError::new(until.span(), message).help(help));
            return None;
        }
        let Some(lasting) = lasting(word) else {
            let error = match &**word {
                "call" => {
                    PolicyError::new(until.span(), "this has no effect: without `until` the library keeps nothing")
                }
                "static" | "forever" => {
                    PolicyError::new(until.span(), "no wrappers are generated for memory that no object keeps")
                }
                word => PolicyError::new(until.span(), format!("`until` is not `{word}`")).did_you_mean(word, UNTIL),
            };
            let help = "one of `free:OBJECT`, until the object of that parameter, or of `ret`, has ended; `slot:OBJECT.NAME`, until another takes that place";
            self.errors.push(error.help(help));
            return None;
        };
        self.keeper(until, &lasting, Care::Copy)?;
        Some(lasting)
    }

    /// What something is kept for must be an object that the program can own.
    fn keeper(&mut self, word: &Spanned<String>, lasting: &Lasting, care: Care) -> Option<()> {
        let Lasting::Object { object, .. } = lasting else { return Some(()) };
        let shape = match (&**object, self.signature.param(object)) {
            ("ret", _) => self.signature.ret.as_ref(),
            (_, param) => param.map(|param| &param.shape),
        };
        let Some(shape) = shape else {
            let message = match &**object {
                "ret" => format!("`{}` returns nothing", self.signature.name),
                _ => format!("`{}` has no parameter `{object}`", self.signature.name),
            };
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(word.span(), message).did_you_mean(object, params));
            return None;
        };
        let is_provided = self.scope.objects.is_provided(shape);
        let to = shape.pointee().map(|(_, to)| to.pointee().map_or(to, |(_, to)| to));
        if !to.is_some_and(Shape::may_be_held) || is_provided && care == Care::Closure {
            let what = if care == Care::Closure { "no closure" } else { "nothing" };
            let message = format!("`{object}` is not a handle, so {what} can be kept for it: `{shape}`");
            self.errors.push(PolicyError::new(word.span(), message));
            return None;
        }
        Some(())
    }
}

/// `free:OBJECT`, `slot:OBJECT.NAME`.
fn lasting(word: &str) -> Option<Lasting> {
    match word.split_once(':')? {
        ("free", object) => Some(Lasting::Object { object: object.to_owned(), slot: None }),
        ("slot", place) => {
            let (object, slot) = place.split_once('.')?;
            let is_name = slot.chars().all(|char| char.is_alphanumeric() || char == '_') && !slot.is_empty();
            is_name.then(|| Lasting::Object { object: object.to_owned(), slot: Some(slot.to_owned()) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::contracts;

    const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
use std::ffi::*;
pub enum Db {}
#[repr(C)]
pub struct Face { pub name: *const c_char }
#[repr(C)]
pub struct Stream { pub next: *const u8, pub left: usize }
unsafe extern \"C\" {
    pub fn open(data: *const u8, size: usize, out: *mut u8) -> *mut Db;
    pub fn face(library: *mut Db, base: *const u8, size: c_long, face: *mut *mut Face) -> c_int;
    pub fn attach(db: *mut Db, name: *const c_char, vfs: *const c_char, level: c_int) -> *const c_char;
    pub fn close(db: *mut Db);
    pub fn done(face: *mut Face) -> c_int;
    pub fn begin(stream: *mut Stream, dict: *const u8, size: usize) -> c_int;
    pub fn end(stream: *mut Stream) -> c_int;
}
";
    const OPEN: &str = "ret = { kind = \"handle\", own = \"give\", free = \"close\" }\narg.out = { kind = \"null\" }";
    const STREAM: &str = "[struct.Stream]\ncreate = { begin = \"end\" }\nprivate = [\"next\"]";

    /// One contract is kept as it is said.
    #[track_caller]
    fn check(entry: &str, kept: &str, rest: &str) {
        let found = contracts(LIBRARY, &format!("{entry} = {kept}\n{rest}"));
        assert!(found.lines().any(|line| line == kept), "{found}");
    }

    #[test]
    fn what_is_kept() {
        let slice = |of: &str| format!("{{ kind = \"buf\", dir = \"in\", len = \"size\", until = \"{of}\" }}");
        check("[fn.open]\narg.data", &slice("free:ret"), OPEN);
        let given = "arg.face = { kind = \"handle\", dir = \"out\", own = \"give\", free = \"done\" }";
        check("[fn.face]\narg.base", &slice("free:face"), given);
        check("[fn.begin]\narg.dict", &slice("slot:stream.dict"), STREAM);
        check("[fn.attach]\narg.name", "{ kind = \"cstr\", until = \"slot:db.name\", null = \"ok\" }", "");
    }

    /// Each of these is a mistake.
    #[test]
    fn what_cannot_be() {
        let slice = |of: &str| format!("{{ kind = \"buf\", len = \"size\", until = \"{of}\" }}");
        let open = |of: &str| format!("[fn.open]\narg.data = {}\n{OPEN}", slice(of));
        let attach = |more: &str| format!("[fn.attach]\narg.name = {{ kind = \"cstr\", {more} }}");
        let text = "kind = \"cstr\", until = \"slot:db.name\"";
        let entries = [
            open("call"),
            open("forever"),
            open("fre:ret"),
            open("slot:ret"),
            open("slot:ret.a\\\"b"),
            open("free:rett"),
            open("free:size"),
            format!("[fn.open]\narg.data = {}\narg.out = {{ kind = \"null\" }}", slice("free:ret")),
            "[fn.open]\narg.out = { kind = \"buf\", dir = \"out\", cap = \"size\", until = \"free:ret\" }".to_owned(),
            format!("{}\nret = {{ kind = \"cstr\", until = \"free:db\" }}", attach("until = \"free:db\"")),
            format!("{}\nret = {{ kind = \"obj\", inner_of = \"name\" }}", attach("until = \"free:db\"")),
            format!("[fn.attach]\narg.name = {{ {text} }}\narg.vfs = {{ {text} }}"),
            "[fn.attach]\narg.db = { kind = \"handle\", until = \"free:db\" }".to_owned(),
        ];
        let shown = entries.map(|words| format!("{words}\n{}", contracts(LIBRARY, &words)));
        insta::assert_snapshot!(shown.join("\n"));
    }
}
