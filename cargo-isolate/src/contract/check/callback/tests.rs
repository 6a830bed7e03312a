//! Callbacks, as policies say them.

use super::super::tests::contracts;

const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
use std::ffi::*;
pub enum Db {}
pub type Row = Option<unsafe extern \"C\" fn(user: *mut c_void, n: c_int, text: *mut *mut c_char, out: *mut u8) -> c_int>;
unsafe extern \"C\" {
    pub fn each(row: Row, data: *mut c_void, count: c_int);
    pub fn bare(back: unsafe extern \"C\" fn(c_int, f64), data: *mut c_void);
    pub fn odd(back: Option<unsafe extern \"system\" fn(c_int)>);
    pub fn long(back: Option<unsafe extern \"C\" fn(u8, u8, u8, u8, u8, u8, u8)>);
    pub fn sure(back: Option<unsafe extern \"C\" fn(c_int) -> bool>);
    pub fn many(back: Option<unsafe extern \"C\" fn(*const c_char, ...)>);
    pub fn told(back: Option<unsafe extern \"C\" fn(bool)>);
    pub fn made() -> Row;
    pub fn open(back: unsafe extern \"C\" fn(c_int)) -> *mut Db;
    pub fn keep(db: *mut Db, back: unsafe extern \"C\" fn(c_int));
    pub fn close(db: *mut Db);
    pub fn size(db: *const Db) -> usize;
    pub fn settle(db: *mut Db, level: c_int);
    pub fn fill(db: *mut Db, row: *mut u8, level: c_int);
}
";

#[track_caller]
fn check(words: &str, expected: &str) {
    assert_eq!(contracts(LIBRARY, words), expected);
}

#[test]
fn what_is_said() {
    check(
        r#"[fn.each]
arg.row = { kind = "cb", scope = "call", user = "data", null = "ok", params = [
  { kind = "user" }, { kind = "value" }, { kind = "strarr", len = "n * 2", null = "ok" },
  { kind = "buf", dir = "out", cap = "n", written = "max(ret, 0)" } ] }"#,
        r#"{ kind = "cb", scope = "call", user = "data", null = "ok", params = [{ kind = "user" }, { kind = "value" }, { kind = "strarr", len = "n * 2", null = "ok" }, { kind = "buf", dir = "out", cap = "n", written = "max(ret, 0)" }] }
{ kind = "null" }
{ kind = "value" }"#,
    );
    check(
        "[fn.bare]\narg.back = { kind = \"cb\", scope = \"call\" }\narg.data = { kind = \"fixed\", value = 1 }",
        "{ kind = \"cb\", scope = \"call\", params = [{ kind = \"value\" }, { kind = \"value\" }] }\n{ kind = \"fixed\", value = 1 }",
    );
}

/// What the function was given may be how long it is.
#[test]
fn what_the_function_was_given() {
    let each = |out: &str| {
        format!(
            "[fn.each]\narg.row = {{ kind = \"cb\", scope = \"call\", user = \"data\", params = [{{ kind = \"user\" }}, {{ kind = \"value\" }}, {{ kind = \"strarr\", len = \"fn.count\" }}, {{ kind = \"buf\", dir = \"out\", {out} }}] }}"
        )
    };
    check(
        &each("cap = \"fn.count * n\", written = \"min(ret, fn.count)\""),
        "{ kind = \"cb\", scope = \"call\", user = \"data\", params = [{ kind = \"user\" }, { kind = \"value\" }, { kind = \"strarr\", len = \"fn.count\" }, { kind = \"buf\", dir = \"out\", cap = \"fn.count * n\", written = \"min(ret, fn.count)\" }] }\n{ kind = \"null\" }\n{ kind = \"value\" }",
    );
    let entries = [
        each("cap = \"fn.cnt\""),
        each("cap = \"fn.data\""),
        each("cap = \"fn.n\""),
        "[fn.fill]\narg.row = { kind = \"buf\", dir = \"out\", cap = \"fn.level\" }".to_owned(),
    ];
    let shown = entries.map(|words| format!("{words}\n{}", contracts(LIBRARY, &words)));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_is_kept() {
    let kept = "{ kind = \"cb\", scope = \"free:ret\", params = [{ kind = \"value\" }] }";
    check(
        &format!("[fn.open]\narg.back = {kept}\nret = {{ kind = \"handle\", own = \"give\", free = \"close\" }}"),
        kept,
    );
    let kept = "{ kind = \"cb\", scope = \"slot:db.io\", params = [{ kind = \"value\" }] }";
    check(&format!("[fn.keep]\narg.back = {kept}"), &format!("{{ kind = \"handle\" }}\n{kept}"));
}

const SETTLE: &str = "[fn.settle]\nbind.db = { size = \"size(db)\" }";

#[test]
fn what_is_told_of_an_object() {
    check(
        &format!("[fn.fill]\narg.row = {{ kind = \"buf\", dir = \"out\", cap = \"$db.size * 2\" }}\n{SETTLE}"),
        "{ kind = \"handle\" }\n{ kind = \"buf\", dir = \"out\", cap = \"$db.size * 2\" }\n{ kind = \"value\" }",
    );
}

/// Each of these is a mistake.
#[test]
fn what_cannot_be_kept_or_told() {
    let fill = |cap: &str| format!("[fn.fill]\narg.row = {{ kind = \"buf\", dir = \"out\", cap = \"{cap}\" }}");
    let entries = [
        "[fn.open]\narg.back = { kind = \"cb\", scope = \"free:ret\" }".to_owned(),
        "[fn.keep]\narg.back = { kind = \"cb\", scope = \"free:ret\" }".to_owned(),
        "[fn.keep]\narg.back = { kind = \"cb\", scope = \"free:bd\" }".to_owned(),
        "[fn.keep]\narg.db = { kind = \"handle\", null = \"ok\" }\narg.back = { kind = \"cb\", scope = \"free:db\" }"
            .to_owned(),
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"free:count\", user = \"data\" }".to_owned(),
        "[fn.keep]\narg.back = { kind = \"cb\", scope = \"forever\" }".to_owned(),
        format!("{}\n{SETTLE}", fill("$db.sise")),
        fill("$db.size"),
        format!("{}\n{SETTLE}", fill("$level.size")),
        format!("{}\n{SETTLE}", fill("$bd.size")),
        format!("{}\n{SETTLE}", fill("$db")),
        "[fn.settle]\nbind.level = { size = \"size(db)\" }\nbind.bd = { size = \"size(db)\" }".to_owned(),
        "[fn.settle]\nbind.db = { size = \"size(level)\", length = \"ret\" }".to_owned(),
    ];
    let shown = entries.map(|words| format!("{words}\n{}", contracts(LIBRARY, &words)));
    insta::assert_snapshot!(shown.join("\n"));
}

/// Each of these is a mistake.
#[test]
fn what_cannot_be() {
    let entries = [
        "[fn.each]\narg.row = { kind = \"cb\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"slot:data\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"cal\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", user = \"dat\", len = \"count\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", user = \"count\" }",
        "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", params = [{ kind = \"user\" }] }",
        "[fn.each]\narg.data = { kind = \"cb\", scope = \"call\" }\narg.row = { kind = \"user\" }",
        r#"[fn.each]
arg.row = { kind = "cb", scope = "call", params = [
  { kind = "cstr" }, { kind = "user" }, { kind = "buf", len = "n" }, { kind = "buf", dir = "inout", cap = "n" } ] }"#,
        r#"[fn.each]
arg.row = { kind = "cb", scope = "call", params = [
  { kind = "users" }, {}, { kind = "strarr", len = "count" }, { kind = "buf", dir = "out", cap = "ret" } ] }"#,
        "[fn.bare]\narg.back = { kind = \"cb\", scope = \"call\", null = \"ok\" }",
        "[fn.odd]\narg.back = { kind = \"cb\", scope = \"call\" }",
        "[fn.long]\narg.back = { kind = \"cb\", scope = \"call\" }",
        "[fn.sure]\narg.back = { kind = \"cb\", scope = \"call\" }",
        "[fn.many]\narg.back = { kind = \"cb\", scope = \"call\" }",
        "[fn.told]\narg.back = { kind = \"cb\", scope = \"call\" }",
        "[fn.made]\nret = { kind = \"cb\", scope = \"call\" }",
        "[fn.bare]\nretry = 1\narg.back = { kind = \"cb\", scope = \"call\" }\narg.data = { kind = \"null\" }",
    ];
    let shown = entries.map(|words| format!("{words}\n{}", contracts(LIBRARY, words)));
    insta::assert_snapshot!(shown.join("\n"));
}
