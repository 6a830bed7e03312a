//! `[struct]` against the declarations of a small library.

use crate::{
    contract::Contract,
    fixture,
    plan::{Decision, plan},
};

const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
pub enum internal {}
#[repr(C)]
pub struct stream {
pub next_in: *mut u8,
pub avail_in: u32,
pub total: [u64; 2],
pub state: *mut internal,
pub hook: unsafe extern \"C\" fn(*mut u8),
}
unsafe extern \"C\" {
pub fn begin(strm: *mut stream, level: i32) -> i32;
pub fn work(strm: *mut stream, flush: i32) -> i32;
pub fn copy(from: *const stream, to: *mut stream) -> i32;
pub fn end(strm: *mut stream) -> i32;
pub fn version() -> i32;
}
";

/// The policy's `[struct]`, and what `plan` makes of it: contracts, or mistakes.
#[track_caller]
fn check(words: &str, expected: &[&str]) {
    check_in(LIBRARY, &format!("[struct.stream]\n{words}"), expected);
}

/// The same of another library, with all that is said.
#[track_caller]
fn check_in(library: &str, words: &str, expected: &[&str]) {
    let text = format!(
        "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"*\"]\n{words}\n"
    );
    let contract = |decision: &Decision| decision.contract().map_or_else(|| "refused".to_owned(), Contract::to_toml);
    let found: Vec<_> = match plan(&fixture::graph(library), &fixture::policy(&text)) {
        Ok(plan) => {
            let functions = plan.domains[0].functions.iter().map(|function| {
                let params: Vec<_> = function.params.iter().map(|param| contract(&param.decision)).collect();
                match &function.ret {
                    Some(ret) if params.is_empty() && ret.shape.pointee().is_some() => {
                        format!("{} -> {}", function.name, contract(&ret.decision))
                    }
                    _ => format!("{}: {}", function.name, params.join(", ")),
                }
            });
            functions.collect()
        }
        Err(errors) => fixture::mistakes(&text, &errors).lines().map(str::to_owned).collect(),
    };
    assert_eq!(found, expected);
}

const PRIVATE: &str = "private = [\"state\", \"hook\"]";

#[test]
fn a_life() {
    let cursor = "create = { begin = \"end\" }\nfield.next_in = { dir = \"in\", left = \"avail_in\", fn = [\"work\"] }";
    check(
        &format!("{cursor}\n{PRIVATE}"),
        &[
            "begin: filled here, ended by `end`, { kind = \"value\" }",
            "work: stays in the domain; moves `next_in`, { kind = \"value\" }",
            "copy: stays in the domain, stays in the domain",
            "end: ended here",
            "version: ",
        ],
    );
}

#[test]
fn what_is_not_there() {
    check(
        &format!(
            "create = {{ \"beginn*\" = \"end\", begin = \"ende\" }}\nfield.next = {{ dir = \"in\", left = \"avail\", fn = [\"work\"] }}\n{PRIVATE}"
        ),
        &[
            "7:9 [stream] nothing says what these fields of `stream` point to: `next_in`",
            "    `private` lists those that are NULL at the start and the library's own from then on, `read` strings that it sets; a `field` moves along a buffer",
            "8:12 [\"beginn*\"] no isolated function `beginn*` takes a `stream`",
            "8:39 [\"ende\"] no isolated function `ende` takes a `stream`",
            "    did you mean `end`?",
            "9:7 [next] `stream` has no field `next`",
            "    did you mean `next_in`?",
        ],
    );
}

#[test]
fn what_does_not_fit() {
    check(
        "create = { begin = \"end\" }\nprivate = [\"next_in\", \"state\", \"hook\"]\nread = [\"avail_in\", \"total\", \"state\", \"msg\"]",
        &[
            "10:21 [\"total\"] `total` is neither a number nor a string, nor an object of the library",
            "10:39 [\"msg\"] `stream` has no field `msg`",
        ],
    );
    check(
        &format!(
            "create = {{ begin = \"work\" }}\nfield.next_in = {{ dir = \"in\", left = \"total\", fn = [\"version\"] }}\n{PRIVATE}"
        ),
        &[
            "8:20 [\"work\"] `work` cannot end it when it is dropped",
            "    that takes a function of the same domain with no other parameter",
            "9:38 [\"total\"] `total` is not an integer",
        ],
    );
}

/// A struct that the library makes, one behind it, and one that is a slice.
const MADE: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
#[repr(C)]
pub struct stream {
    pub rows: *mut row,
    pub count: i32,
    pub text: *const i8,
    pub next: *mut stream,
    pub hook: unsafe extern \"C\" fn(*mut u8),
}
#[repr(C)]
pub struct row {
    pub data: *mut u8,
    pub size: usize,
    pub stride: f32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct val {
    pub size: usize,
    pub data: *mut std::ffi::c_void,
}
unsafe extern \"C\" {
    pub fn last() -> *const stream;
    pub fn show(stream: *const stream) -> i32;
    pub fn get(key: *mut val, data: *mut val) -> i32;
    pub fn put(key: *const val, data: val) -> i32;
}
";

/// Slices along which the library goes.
const ALONG: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
#[repr(C)]
#[derive(Clone, Copy)]
pub struct source {
    pub src: *const std::ffi::c_void,
    pub size: usize,
    pub pos: usize,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct room {
    pub dst: *mut u16,
    pub size: usize,
    pub position: usize,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct more {
    pub src: *const u8,
    pub size: usize,
    pub pos: f32,
    pub flags: u32,
}
unsafe extern \"C\" {
    pub fn work(room: *mut room, source: *mut source) -> i32;
    pub fn look(source: *const source, more: *mut more) -> i32;
    pub fn last() -> *mut room;
}
";

#[test]
fn what_the_library_makes() {
    let words = "[struct.stream]\nread = [\"count\", \"next\"]\nfield.rows = { len = \"count\" }\n[struct.row]\nfield.data = { len = \"size * 2\" }";
    check_in(
        MADE,
        words,
        &[
            "last -> { kind = \"handle\", null = \"ok\" }",
            "show: { kind = \"handle\" }",
            "get: refused, refused",
            "put: refused, refused",
        ],
    );
    check_in(
        MADE,
        "[struct.stream]\nread = [\"hook\", \"rows\", \"count\"]\nfield.rows = { len = \"n\" }\nfield.next = { len = \"1\", left = \"count\" }\n[struct.row]\nfield.data = { len = \"stride\" }\nprivate = [\"data\"]\n[struct.other]",
        &[
            "8:9 [\"hook\"] `hook` is neither a number nor a string, nor an object of the library",
            "8:17 [\"rows\"] `field.rows` says what the program sees of it",
            "    remove it here",
            "9:22 [\"n\"] `stream` has no field `n` that counts",
            "    its integers: `count`",
            "10:14 [{ len = \"1\", left = \"count\" }] `next` is a buffer of the library by its `len`, and a cursor by its other words",
            "    `len`: how many elements the program may read; or `dir`, `left` and `fn` of a cursor, which functions move",
            "12:22 [\"stride\"] `row` has no field `stride` that counts",
            "    its integers: `size`",
            "13:12 [\"data\"] nothing says which functions fill a `row`, and which end it",
            "    create = { \"deflateInit*\" = \"deflateEnd\" }, for one; of a struct that the library makes itself, `read` and `field` with `len` say what the program sees",
            "14:9 [other] no isolated function takes or returns a pointer to a struct `other`",
        ],
    );
}

#[test]
fn slices() {
    let slice = "[struct.val]\nfield.data = { len = \"size\" }";
    check_in(
        MADE,
        &format!("{slice}\n[fn.get]\narg.key = {{ kind = \"buf\", dir = \"inout\" }}"),
        &[
            "last -> refused",
            "show: refused",
            "get: { kind = \"buf\", dir = \"inout\" }, refused",
            "put: { kind = \"buf\", dir = \"in\" }, { kind = \"buf\", dir = \"in\" }",
        ],
    );
    check_in(
        MADE,
        &format!(
            "{slice}\n[fn.get]\narg.key = {{ kind = \"buf\", dir = \"inout\", null = \"ok\" }}\narg.data = {{ kind = \"buf\", len = \"8\" }}\n[fn.put]\narg.key = {{ kind = \"buf\", dir = \"out\" }}"
        ),
        &[
            "10:49 [\"ok\"] only a pointer to a slice that goes `in` may be NULL",
            "11:12 [{ kind = \"buf\", len = \"8\" }] nothing says which way the slice goes: `dir` is \"in\", \"out\" or \"inout\"",
            "11:34 [\"8\"] `len` means nothing for a slice in a struct, which `val` is",
            "    remove it: `[struct.val]` says how long it is",
            "13:33 [\"out\"] `key` is no `*mut`, so it can only be `in`",
        ],
    );
}

#[test]
fn slices_with_a_position() {
    let structs = "[struct.source]\nfield.src = { len = \"size\", position = \"pos\" }\n[struct.room]\nfield.dst = { len = \"size\", position = \"position\" }";
    check_in(
        ALONG,
        structs,
        &[
            "work: { kind = \"buf\", dir = \"out\" }, { kind = \"buf\", dir = \"in\" }",
            "look: refused, refused",
            "last -> { kind = \"handle\", null = \"ok\" }",
        ],
    );
    check_in(
        ALONG,
        &format!(
            "{structs}\n[struct.more]\nfield.src = {{ len = \"size\", position = \"pos\" }}\n[fn.work]\narg.room = {{ kind = \"buf\", dir = \"inout\" }}\narg.source = {{ kind = \"buf\", null = \"ok\" }}\n[fn.look]\narg.source = {{ kind = \"buf\" }}"
        ),
        &[
            "12:40 [\"pos\"] `more` is no struct of a pointer, a length and a position, each a field, and nothing else",
            "14:34 [\"inout\"] a slice with a position is read (`in`) or written (`out`)",
            "15:37 [\"ok\"] a slice with a position is always there",
            "17:23 [\"buf\"] `source` is no `*mut`: the library could not say how far it has got",
            "    it is declared `*const source`",
        ],
    );
    check_in(
        ALONG,
        "[struct.source]\nfield.src = { position = \"pos\" }\n[struct.room]\nfield.dst = { len = \"size\", position = \"size\" }\n[struct.more]\nfield.src = { len = \"size\", position = \"posi\" }",
        &[
            "8:13 [{ position = \"pos\" }] nothing says how much `src` points to",
            "    `len`: how many elements the program may read; or `dir`, `left` and `fn` of a cursor, which functions move",
            "10:40 [\"size\"] `room` is no struct of a pointer, a length and a position, each a field, and nothing else",
            "12:40 [\"posi\"] `more` has no field `posi`",
            "    did you mean `pos`?",
        ],
    );
}

/// Wrappers stand in another crate, and name what they set and read.
#[test]
fn what_wrappers_cannot_name() {
    let library = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
#[repr(C)] pub struct Val { data: *mut u8, pub r#type: usize, pub(crate) count: u32 }
#[repr(C)] pub struct Pair { pub a: u32 }
pub mod two {
    #[repr(C)] pub struct Pair { pub a: u64 }
    unsafe extern \"C\" { pub fn second(pair: *mut Pair); }
}
unsafe extern \"C\" { pub fn make() -> *mut Val; pub fn first(pair: *mut Pair); }
";
    check_in(
        library,
        "[struct.Val]\nread = [\"type\"]",
        &["second: refused", "make -> { kind = \"handle\", null = \"ok\" }", "first: refused"],
    );
    let help =
        "    declare the functions with a struct of your own, or make the field `pub`, where it is yours".to_owned();
    check_in(
        library,
        "[struct.Val]\nread = [\"count\"]\nfield.data = { len = \"type * count\" }\n[struct.Pair]\nread = [\"a\"]",
        &[
            "8:9 [\"count\"] `count` of `Val` is private, so no wrapper can name it",
            &help,
            "9:7 [data] `data` of `Val` is private, so no wrapper can name it",
            &help,
            "10:9 [Pair] `Pair` is a name of two structs that isolated functions know: `z_sys::two::Pair` and `z_sys::Pair`",
            "    one of them may be spoken of here: take the functions of the other out with `except`",
        ],
    );
}
