//! Entries of a policy against the declarations of a small library.

use crate::{
    fixture,
    plan::{FunctionPlan, plan},
};

const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
use std::ffi::*;
pub enum Db {}
pub type Row = Option<unsafe extern \"C\" fn(n: c_int, text: *const c_char) -> c_int>;
unsafe extern \"C\" {
    pub fn open(level: c_int) -> *mut Db;
    pub fn find(db: *mut Db, level: c_int) -> *mut Db;
    pub fn close(db: *mut Db);
    pub fn errno(db: *mut Db) -> c_int;
    pub fn why(code: c_int) -> *const c_char;
    pub fn name(db: *mut Db) -> *mut c_char;
    pub fn release(memory: *mut c_char);
    pub fn each(db: *mut Db, row: Row, user: *mut c_void);
    pub fn print(format: *const c_char, ...) -> *mut c_char;
    pub fn tune(db: *mut Db, op: c_int, ...) -> c_int;
    pub fn count(db: *mut Db, level: u8) -> usize;
    pub fn tail(db: *mut Db, text: *const c_char, at: c_int, rest: *mut *const c_char) -> *mut c_char;
    pub fn version() -> &'static c_char;
    pub fn both(a: *const u8, b: *const u8, end: *const u8);
    pub fn scan(text: *const c_char, text_end: *const c_char, out: *mut u8, out_end: *mut u8, n: c_int) -> c_int;
    pub fn pack(into: *mut u8, room: *mut usize, from: *const u8, length: usize) -> c_int;
    pub fn names(all: *const *const c_char, out: *mut *mut c_char) -> *mut Size;
    pub fn join(texts: *mut *const c_char, count: c_int, from: *const *mut Db, rows: *const *const u8, width: usize) -> usize;
    pub fn fill(rows: *mut *mut u16, row_count: usize, sizes: *mut *mut Size, room: *mut usize, of: &*const u8) -> *mut *mut u8;
}
#[repr(C)] #[derive(Clone, Copy)]
pub struct Size { pub width: c_int }
";

/// What is planned for the function that `words` begin with, or the mistakes.
fn found(words: &str) -> String {
    planned(LIBRARY, words, shown)
}

/// What is `shown` of the plan for the function that `words` begin with, in each of its forms; or the mistakes.
pub(super) fn planned(library: &str, words: &str, shown: impl Fn(&FunctionPlan) -> String) -> String {
    let text = format!(
        "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"*\"]\n{words}\n"
    );
    let name = words.split(['[', '.', ']']).nth(2).unwrap_or_default();
    match plan(&fixture::graph(library), &fixture::policy(&text)) {
        Ok(plan) => {
            let functions = plan.domains[0].functions.iter().filter(|function| function.name == name);
            functions.map(shown).collect::<Vec<_>>().join("\n")
        }
        Err(errors) => fixture::mistakes(&text, &errors),
    }
}

/// The contracts of the parameters of the function that `words` begin with, or the mistakes.
pub(super) fn contracts(library: &str, words: &str) -> String {
    planned(library, words, |function| {
        let params = function.params.iter().map(|param| contract(&param.decision));
        params.collect::<Vec<_>>().join("\n")
    })
}

fn contract(decision: &crate::plan::Decision) -> String {
    decision.contract().map_or_else(|| "refused".to_owned(), super::Contract::to_toml)
}

fn shown(function: &FunctionPlan) -> String {
    let params = function.params.iter().map(|param| (&*param.name, &param.decision));
    let all = params.chain(function.ret.iter().map(|ret| ("ret", &ret.decision)));
    let form = function.form.as_ref().map(|form| match &form.when {
        Some(when) => format!("as {}, where {when}", form.name),
        None => format!("as {}", form.name),
    });
    let mut lines: Vec<_> = form.into_iter().collect();
    lines.extend(function.refused.clone());
    lines.extend(all.map(|(name, decision)| format!("{name}: {}", contract(decision))));
    lines.extend(function.failing.as_ref().map(super::Failing::to_toml));
    lines.join("\n")
}

/// Each entry, with what comes of it.
fn all(entries: &[&str]) -> String {
    entries.iter().map(|words| format!("{words}\n=> {}\n", found(words).replace('\n', "\n   "))).collect()
}

#[test]
fn null_as_an_error() {
    let entries = [
        "[fn.open]\nret = { kind = \"handle\", own = \"give\", free = \"close\" }\nerror = \"ret == NULL\"",
        "[fn.name]\nret = { kind = \"cstr\", own = \"give\", free = \"release\" }\nerror = \"ret == NULL || errno(db) != 0\"\nmessage = \"name(db)\"",
        "[fn.find]\nerror = \"ret == NULL && errno(db) != 0\"",
        // A rule finds that it may be NULL: here it may not.
        "[fn.why]\nerror = \"ret == NULL\"",
        "[fn.why]\nret = { kind = \"cstr\", null = \"ok\" }\nerror = \"ret == NULL\"",
        "[fn.why]\nerror = \"ret != 0\"",
        "[fn.why]\nerror = \"ret == NUL\"",
        "[fn.errno]\nerror = \"ret != 0\"\nmessage = \"why(cod)\"",
        "[fn.errno]\nerror = \"ret == NULL\"",
        "[fn.close]\nerror = \"ret == NULL\"",
        "[fn.errno]\nerror = false",
        "[fn.pack]\narg.into = { kind = \"buf\", dir = \"out\", cap = \"NULL\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn numbers_that_no_value_is() {
    let entries = [
        "[fn.count]\nerror = \"ret == -1\"",
        "[fn.count]\nerror = \"-2 <= ret\"",
        "[fn.count]\nerror = \"ret < 0\"",
        "[fn.count]\nerror = \"0 > ret || level == -1\"",
        "[fn.count]\nerror = \"ret == 0 && level == 300\"",
        "[fn.errno]\nerror = \"ret == -1\"",
        "[fn.errno]\nerror = \"ret == 4294967295\"",
        "[fn.pack]\nerror = \"ret != 0 || *room == -1\"",
    ];
    insta::assert_snapshot!(all(&entries));
}

/// A wrapper can only compute with what it has.
#[test]
fn numbers_that_a_wrapper_has_not() {
    let pack = |words: &str| format!("[fn.pack]\narg.from = {{ kind = \"buf\", len = \"length\" }}\n{words}");
    let entries = [
        &*pack("arg.into = { kind = \"buf\", dir = \"out\", cap = \"*from\" }"),
        &pack("error = \"ret == 0 && *from == 3\""),
        &pack("arg.into = { kind = \"null\" }\narg.room = { kind = \"null\" }\nerror = \"*room == 0\""),
        &pack("form.one = { when = \"*room == 1\", arg.room = { kind = \"obj\", dir = \"out\" } }"),
        &pack("form.one = { when = \"*room == 1\", arg.room = { kind = \"obj\", null = \"ok\" } }"),
        "[fn.both]\narg.a = { kind = \"buf\", end = \"end\" }\nform.one = { when = \"*end == 1\" }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"room[]\" } }\nform.one = { when = \"*room > 3\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn what_lies_behind_two_pointers() {
    let entries = [
        "[fn.names]\narg.all = { kind = \"cstr\" }",
        "[fn.names]\narg.out = { kind = \"cstr\", dir = \"in\" }",
        "[fn.names]\nret = { kind = \"obj\" }",
        "[fn.name]\nret = { kind = \"obj\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn arrays_of_pointers() {
    let entries = [
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\", end = \"NULL\", elem = { kind = \"cstr\" } }\n\
         arg.from = { kind = \"array\", len = \"count\", null = \"ok\", elem = { kind = \"handle\", null = \"ok\" } }\n\
         arg.rows = { kind = \"array\", len = \"2\", elem = { kind = \"buf\", len = \"width * 4\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"*room\", elem = { kind = \"buf\", dir = \"out\", cap = \"row_count\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", dir = \"out\", cap = \"room[]\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"sizes[]\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"4\", null = \"ok\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"2 * room[]\" } }",
        "[fn.fill]\nerror = \"*room == 0\"\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"room[]\" } }",
        "[fn.join]\narg.rows = { kind = \"array\", end = \"NULL\", elem = { kind = \"buf\", len = \"4\", null = \"ok\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"room[]\", elem = { kind = \"buf\", len = \"4\" } }",
        "[fn.fill]\narg.sizes = { kind = \"array\", len = \"row_count\", elem = { kind = \"obj\" } }",
        "[fn.join]\narg.from = { kind = \"array\", len = \"count\", elem = { kind = \"obj\" } }",
        "[fn.fill]\narg.sizes = { kind = \"array\", len = \"row_count\", elem = { kind = \"obj\", null = \"ok\" } }",
        // How many?
        "[fn.join]\narg.texts = { kind = \"array\", elem = { kind = \"cstr\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", end = \"count\", elem = { kind = \"cstr\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"ret\", elem = { kind = \"cstr\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"counts\", elem = { kind = \"cstr\" } }",
        // Of what?
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\" }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\", elem = { null = \"ok\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\", elem = { kind = \"handel\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\", elem = { kind = \"value\" } }",
        "[fn.join]\narg.from = { kind = \"array\", len = \"count\", elem = { kind = \"cstr\" } }",
        "[fn.fill]\narg.sizes = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"1\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", len = \"count\", elem = { kind = \"cstr\", len = \"3\" } }",
        // How long is each?
        "[fn.join]\narg.rows = { kind = \"array\", len = \"count\", elem = { kind = \"buf\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", dir = \"out\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", dir = \"out\", len = \"3\" } }",
        "[fn.join]\narg.rows = { kind = \"array\", len = \"count\", elem = { kind = \"buf\", dir = \"out\", cap = \"width\" } }",
        // Not by these words.
        "[fn.join]\narg.texts = { kind = \"array\", dir = \"in\", len = \"count\", elem = { kind = \"cstr\" } }",
        "[fn.join]\narg.texts = { kind = \"strarr\", len = \"count\" }",
        "[fn.join]\narg.texts = { kind = \"cstr\", elem = { kind = \"cstr\" } }",
        "[fn.join]\narg.texts = { kind = \"array\", end = \"NULL\", elem = { kind = \"cstr\", null = \"ok\" } }",
        "[fn.fill]\narg.rows = { kind = \"array\", len = \"row_count\", null = \"ok\", elem = { kind = \"buf\", len = \"3\" } }",
        "[fn.join]\narg.count = { kind = \"array\", len = \"count\", elem = { kind = \"cstr\" } }",
        "[fn.fill]\narg.of = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"3\" } }",
        "[fn.fill]\nret = { kind = \"array\", len = \"row_count\", elem = { kind = \"buf\", len = \"3\" } }",
        "[fn.names]\narg.out = { kind = \"array\", dir = \"out\", len = \"3\", elem = { kind = \"cstr\" } }",
        "[fn.join]\nretry = 1\narg.from = { kind = \"array\", len = \"count\", elem = { kind = \"handle\" } }",
        "[fn.join]\narg.count = { kind = \"fixed\", value = 1 }\narg.texts = { kind = \"array\", len = \"count\", elem = { kind = \"cstr\" } }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn places_in_arguments() {
    let tail = |words: &str| format!("[fn.tail]\narg.rest = {{ kind = \"obj\", {words} }}");
    let entries = [
        &*tail("dir = \"out\", inner_of = \"text\""),
        &tail("inner_of = \"text\", null = \"ok\""),
        "[fn.tail]\nret = { kind = \"obj\", inner_of = \"text\" }",
        "[fn.tail]\nret = { kind = \"obj\", inner_of = \"text\" }\nerror = \"ret == NULL\"",
        // Of nothing, or of something else.
        &tail("inner_of = \"txt\""),
        &tail("inner_of = \"rest\""),
        &tail("inner_of = \"at\""),
        &tail("inner_of = \"db\""),
        &(tail("inner_of = \"text\"") + "\narg.text = { kind = \"obj\" }"),
        &(tail("inner_of = \"text\"") + "\narg.text = { kind = \"cstr\", null = \"ok\" }"),
        // Not by these words.
        &tail("inner_of = \"text\", dir = \"in\""),
        &tail("inner_of = \"text\", len = \"at\""),
        "[fn.pack]\narg.from = { kind = \"obj\", inner_of = \"into\" }",
        "[fn.pack]\narg.from = { kind = \"obj\", dir = \"out\", inner_of = \"into\" }",
        "[fn.pack]\narg.length = { kind = \"obj\", inner_of = \"into\" }",
        "[fn.version]\nret = { kind = \"cstr\" }",
        "[fn.tail]\narg.text = { kind = \"obj\", inner_of = \"rest\" }",
        "[fn.tail]\narg.text = { kind = \"cstr\", inner_of = \"rest\" }",
        "[fn.tail]\nret = { kind = \"obj\", dir = \"out\", inner_of = \"text\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn fingerprints() {
    let entries = [
        "[fn.pack]\nsignature = \"fn(into: *mut u8, room: *mut usize, from: *const u8, length: usize) -> c_int\"\narg.into = { kind = \"buf\", dir = \"out\", cap = \"*room\", written = \"*room\" }",
        // A parameter that has become wider, as in libsolv's bindings.
        "[fn.pack]\nsignature = \"fn(into: *mut u8, room: *mut u32, from: *const u8, length: usize) -> c_int\"",
        "[fn.each]\nsignature = \"fn(db: *mut Db, row: fn(n: c_int, text: *const c_char), user: *mut c_void)\"",
        "[fn.pack]\nsignature = \"\"",
        "[fn.pack]\nsignature = \"int pack(void)\"",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn forms() {
    let form = |words: &str| format!("[fn.tune]\nform.tune_flag = {{ {words} }}");
    let entries = [
        "[fn.print]",
        "[fn.print]\nret = { kind = \"cstr\", own = \"give\", free = \"release\" }\n[fn.print.form.quoted]\nextra = [\"text: *const c_char\"]\narg.format = { kind = \"fixed\", value = \"%Q\" }\n[fn.print.form.counted]\nextra = [\"count: c_int\", \"size: f64\"]\narg.format = { kind = \"fixed\", value = \"%d: %f\" }\nerror = \"ret == NULL\"",
        "[fn.tune]\nerror = \"ret != 0\"\n[fn.tune.form.tune_flag]\nwhen = \"op > 1000 && op != 1003\"\nextra = [\"on: c_int\", \"now: *mut c_int\"]\narg.now = { kind = \"obj\", dir = \"out\" }\n[fn.tune.form.tune_name]\nwhen = \"op == 1000\"\nextra = [\"name: *const c_char\"]\nerror = false",
        &form("when = \"on > 1\", extra = [\"text\", \"on: c_char\", \"op: c_int\", \"of: [\"]"),
        &form("when = \"ret != 0\", arg = { on = { kind = \"value\" } }"),
        "[fn.errno]\nform.why = { extra = [\"on: c_int\"] }",
        "[fn.tune]\nform.\"tune flag\" = {}",
        "[fn.print]\nform.text = { arg.format = { kind = \"fixed\", value = \"a\\u0000b\" } }",
        "[fn.errno]\narg.db = { kind = \"fixed\", value = \"text\" }",
        "[fn.tune]\narg.op = { kind = \"fixed\", value = \"sizeof(Nobody)\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn sizes_that_are_asked_for() {
    let into = |words: &str| format!("[fn.pack]\narg.into = {{ kind = \"buf\", null = \"size_query\", {words} }}");
    let from = "\narg.from = { kind = \"buf\", len = \"length\" }";
    let entries = [
        &*(into("dir = \"out\", cap = \"*room\", written = \"*room\"") + from),
        &(into("dir = \"out\", cap = \"64\", written = \"ret\"") + from),
        &into("dir = \"out\", cap = \"length * 2\""),
        &into("dir = \"inout\", len = \"*room\""),
        "[fn.why]\nret = { kind = \"cstr\", null = \"size_query\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn ends() {
    let text = |words: &str| format!("[fn.scan]\narg.text = {{ kind = \"buf\", {words} }}");
    let both = text("end = \"text_end\"")
        + "\narg.out = { kind = \"buf\", dir = \"out\", end = \"out_end\", written = \"ret\" }";
    let entries = [
        "[fn.scan]",
        &*both,
        &text("end = \"text_end\", null = \"ok\""),
        &text("end = \"txt_end\""),
        &text("end = \"text\""),
        &text("end = \"out\""),
        &text("end = \"n\""),
        &text("end = \"text_end\", len = \"n\""),
        &(text("end = \"text_end\"") + "\narg.text_end = { kind = \"cstr\" }"),
        "[fn.scan]\narg.out = { kind = \"buf\", end = \"out_end\" }\narg.text = { kind = \"cstr\", end = \"text_end\" }",
        "[fn.why]\nret = { kind = \"buf\", end = \"code\" }",
        "[fn.both]\narg.a = { kind = \"buf\", end = \"end\" }\narg.b = { kind = \"buf\", end = \"end\" }",
    ];
    insta::assert_snapshot!(all(&entries));
}

#[test]
fn versions_of_the_library() {
    let checked = |version: &str| {
        let text = format!(
            "version = 1\n[domain.z]\nlibrary = \"z-sys\"\nversion = \"{version}\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"errno\"]\n"
        );
        let planned = plan(&fixture::graph(LIBRARY), &fixture::policy(&text));
        planned.err().map(|errors| fixture::mistakes(&text, &errors)).unwrap_or_default()
    };
    assert_eq!(checked(">=1, <2"), "");
    assert_eq!(
        checked("^1.1"),
        "4:11 [\"^1.1\"] `z-sys` is 1.0.0 here: not what these contracts were written for\n    read what changed in its header and manual, mend the contracts, then widen this\n"
    );
}
