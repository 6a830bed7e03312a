//! A fixture is one string with several files, each headed by `//- crate::module::path`. A crate root names its
//! dependencies, as in `(dependency, name=dependency)`. `also crate::module` loads a file as a further module.

mod blocks;

use super::*;
use crate::cfg::{CompilerCfg, Config};
use crate::scan;
use std::sync::Arc;

struct Fixture {
    krate: String,
    module: Vec<String>,
    externs: Vec<(String, String)>,
    /// Crate and module of each further mount.
    also: Vec<(String, Vec<String>)>,
    facts: FileFacts,
}

#[track_caller]
fn check(edition: Edition, text: &str, expected: &[&str]) {
    let found = with_crates(edition, text, |resolver| {
        let (crates, calls) = (resolver.crates(), resolver.foreign_calls().calls);
        let lines = calls.iter().map(|call| {
            let module =
                [crates[call.caller.krate].name.to_owned()].into_iter().chain(call.module.clone()).collect::<Vec<_>>();
            let function = call.call.scope.function.as_deref().unwrap_or("-");
            let arrow = if call.mention { "~>" } else { "->" };
            let callee = crates[call.callee.krate].name;
            format!("{}/{function} {} {arrow} {callee} {}", module.join("::"), call.call.path, call.item.name)
        });
        lines.collect::<Vec<_>>()
    });
    assert_eq!(found, expected);
}

/// Checks the calls of generated items, each with the crate whose build script generates it.
#[track_caller]
fn check_unseen(text: &str, expected: &[&str]) {
    let found = with_crates(Edition::E2021, text, |resolver| {
        let (crates, calls) = (resolver.crates(), resolver.unseen_calls());
        let lines = calls.iter().map(|call| {
            let function = call.call.scope.function.as_deref().unwrap_or("-");
            format!("{}/{function} {} -> {}", crates[call.caller.krate].name, call.call.path, crates[call.krate].name)
        });
        lines.collect::<Vec<_>>()
    });
    assert_eq!(found, expected);
}

fn with_crates<R>(edition: Edition, text: &str, run: impl FnOnce(&Resolver<'_>) -> R) -> R {
    let files: Vec<Fixture> = text.split("//- ").skip(1).map(|part| read(part, edition)).collect();
    let mut order: Vec<&str> = Vec::new();
    for file in &files {
        if !order.contains(&file.krate.as_str()) {
            order.push(&file.krate);
        }
    }
    let position = |name: &str| order.iter().position(|krate| *krate == name).expect("a crate of the fixture");
    let compiler = CompilerCfg::parse("target_env=\"gnu\"\ntarget_os=\"linux\"\ntarget_pointer_width=\"64\"\nunix");
    let config = Config { compiler: Some(Arc::new(compiler)), ..Config::default() };
    let configs = &Configs(vec![config]);
    let crates: Vec<Crate<'_>> = order
        .iter()
        .map(|name| {
            let of_crate = || files.iter().filter(|file| file.krate == *name);
            Crate {
                name,
                edition,
                proc_macro: false,
                externs: of_crate()
                    .flat_map(|file| &file.externs)
                    .map(|(name, krate)| (name.as_str(), position(krate)))
                    .collect(),
                files: of_crate()
                    .map(|Fixture { module, facts, also, .. }| {
                        let also = also.iter();
                        let also =
                            also.map(|(krate, module)| Mount { krate: position(krate), module, cfgs: &[], configs });
                        let also = also.collect();
                        File { module, facts, cfgs: &[], configs, also }
                    })
                    .collect(),
            }
        })
        .collect();
    run(&Resolver::new(crates))
}

fn read(part: &str, edition: Edition) -> Fixture {
    let (header, text) = part.split_once('\n').unwrap();
    let (header, also) = header.split_once(" also ").unwrap_or((header, ""));
    let (path, externs) = header.split_once(' ').unwrap_or((header, ""));
    let split = |path: &str| {
        let mut segments = path.split("::").map(str::to_owned);
        (segments.next().unwrap(), segments.collect::<Vec<_>>())
    };
    let also = also.split(", ").filter(|path| !path.is_empty()).map(split).collect();
    let (krate, module) = split(path);
    let externs = externs.trim_matches(['(', ')']).split(", ").filter(|name| !name.is_empty());
    let externs = externs
        .map(|name| name.split_once('=').unwrap_or((name, name)))
        .map(|(name, krate)| (name.to_owned(), krate.to_owned()));
    let mut facts = scan(text, edition);
    assert!(facts.errors.is_empty(), "{:?}", facts.errors);
    // Fixtures omit `unsafe` for brevity, except for those that write `unsafe extern`.
    if !text.contains("unsafe extern") {
        facts.foreign.iter_mut().for_each(|item| item.safe = true);
    }
    Fixture { krate, module, externs: externs.collect(), also, facts }
}

const ZLIB: &str = "
//- zlib
extern \"C\" {
    pub fn crc32(crc: u64) -> u64;
    pub fn adler32(adler: u64) -> u64;
    pub static version: u32;
}
";

#[track_caller]
fn check_2021(text: &str, expected: &[&str]) {
    check(Edition::E2021, &format!("{text}{ZLIB}"), expected);
}

#[test]
fn full_paths_and_imports() {
    check_2021(
        "//- app (zlib)
use zlib::adler32;
fn a() { zlib::crc32(0); }
fn b() { adler32(0); ::zlib::adler32(1); }
fn c() { crc32(0); }
",
        &["app/a zlib::crc32 -> zlib crc32", "app/b adler32 -> zlib adler32", "app/b ::zlib::adler32 -> zlib adler32"],
    );
}

#[test]
fn renames_of_crates_items_and_dependencies() {
    check_2021(
        "//- app (z=zlib)
use z as ffi;
use ffi::crc32 as checksum;
fn a() { ffi::crc32(0); checksum(1); z::crc32(2); }
",
        &["app/a ffi::crc32 -> zlib crc32", "app/a checksum -> zlib crc32", "app/a z::crc32 -> zlib crc32"],
    );
}

#[test]
fn globs_and_reexports_across_crates() {
    check_2021(
        "//- app (wrap)
use wrap::prelude::*;
fn a() { crc32(0); sum(1); hidden(2); }
//- wrap (zlib)
pub mod prelude { pub use zlib::*; pub use crate::inner::sum; use zlib::crc32 as hidden; }
mod inner { pub use zlib::adler32 as sum; }
",
        &["app/a crc32 -> zlib crc32", "app/a sum -> zlib adler32"],
    );
}

#[test]
fn own_functions_hide_globs() {
    check_2021(
        "//- app (zlib)
use zlib::*;
fn crc32(x: u64) -> u64 { zlib::crc32(x) }
fn a() { crc32(0); adler32(0); }
",
        &["app/crc32 zlib::crc32 -> zlib crc32", "app/a adler32 -> zlib adler32"],
    );
}

#[test]
fn modules_self_super_and_crate() {
    check_2021(
        "//- app
pub mod ffi;
mod user { use super::ffi; fn a() { ffi::getpid(); self::ffi::getpid(); super::ffi::getpid(); } }
//- app::ffi
extern \"C\" { pub fn getpid() -> i32; }
fn b() { getpid(); self::getpid(); crate::ffi::getpid(); }
mod deep { fn c() { super::super::ffi::getpid(); getpid(); } }
",
        &[
            "app::user/a ffi::getpid -> app getpid",
            "app::user/a self::ffi::getpid -> app getpid",
            "app::user/a super::ffi::getpid -> app getpid",
            "app::ffi/b getpid -> app getpid",
            "app::ffi/b self::getpid -> app getpid",
            "app::ffi/b crate::ffi::getpid -> app getpid",
            "app::ffi::deep/c super::super::ffi::getpid -> app getpid",
        ],
    );
}

/// A call outside `unsafe` cannot be of a foreign function, whatever its name: it would not compile.
#[test]
fn names_that_stand_before_foreign_ones() {
    check_2021(
        "//- app
unsafe extern \"C\" { pub fn getpid() -> i32; pub safe fn getppid() -> i32; }
fn local() { let getpid = || 3; getpid(); }
fn inner() { fn getpid() {} getpid(); }
fn param(getpid: impl Fn() -> i32) { if let Some(getpid) = Some(&getpid) { getpid(); } }
fn real() { unsafe { getpid() }; getppid(); }
unsafe fn whole() { getpid(); let f = || getpid(); }
struct S;
impl S { unsafe fn method() { getpid(); } fn plain() { getpid(); let f = getpid; } }
macro_rules! call { ($e:expr) => { unsafe { $e } }; }
fn through() { call!(getpid()); }
",
        &[
            "app/real getpid -> app getpid",
            "app/real getppid -> app getppid",
            "app/whole getpid -> app getpid",
            "app/whole getpid -> app getpid",
            "app/S::method getpid -> app getpid",
            "app/S::plain getpid ~> app getpid",
            "app/through getpid -> app getpid",
        ],
    );
}

#[test]
fn function_bodies_have_names_of_their_own() {
    check_2021(
        "//- app (zlib)
fn a() { use zlib::crc32; crc32(0); }
fn b() { crc32(0); }
fn c() { extern \"C\" { fn getpid() -> i32; } unsafe { getpid() }; }
fn d() { getpid(); }
",
        &["app/a crc32 -> zlib crc32", "app/c getpid -> app getpid"],
    );
}

#[test]
fn mentions_and_macros() {
    check_2021(
        "//- app (zlib)
use zlib::{crc32, version};
fn a() {
    let f = crc32;
    f(0);
    println!(\"{}\", unsafe { zlib::adler32(0) });
    unknown! { a => zlib::crc32(1), crc32 };
    table! { Methods { version: version, crc32: other } }
    with! { |version: u32, crc32: u32| version + crc32, fn adler32(adler32: u32) { adler32; } }
    version;
}
",
        &[
            "app/a crc32 ~> zlib crc32",
            "app/a zlib::adler32 -> zlib adler32",
            "app/a zlib::crc32 -> zlib crc32",
            "app/a crc32 ~> zlib crc32",
            "app/a version ~> zlib version",
            "app/a version ~> zlib version",
        ],
    );
}

#[test]
fn one_declaration_per_target_is_one_call() {
    check_2021(
        "//- app
#[cfg(windows)] extern \"system\" { fn open(); }
#[cfg(not(windows))] extern \"C\" { fn open(); }
fn a() { open(); }
",
        &["app/a open -> app open"],
    );
    check_2021(
        "//- app
mod ffi {
    #[cfg(windows)] extern \"system\" { pub fn open(); }
    #[cfg(not(windows))] extern \"C\" { pub fn open(); }
}
macro_rules! call { ($name:ident) => { unsafe { ffi::$name() } }; }
fn a() { call!(open); }
",
        &["app/a open -> app open"],
    );
}

#[test]
fn import_cycles_end() {
    check_2021(
        "//- app
mod a { pub use super::b::*; pub use super::b::x; }
mod b { pub use super::a::*; pub use super::a::x; extern \"C\" { pub fn crc32(); } }
fn f() { a::x(); a::crc32(); }
",
        &["app/f a::crc32 -> app crc32"],
    );
}

#[test]
fn a_binary_names_the_library_of_its_package() {
    check_2021(
        "//- app
pub mod ffi { extern \"C\" { pub fn getpid() -> i32; } }
//- app
fn main() { app::ffi::getpid(); }
",
        &["app/main app::ffi::getpid -> app getpid"],
    );
}

#[test]
fn edition_2015_starts_at_the_root() {
    check(
        Edition::E2015,
        &format!(
            "//- app (zlib)
extern crate zlib as z;
mod ffi {{ extern \"C\" {{ pub fn getpid() -> i32; }} }}
mod user {{
    use ffi::getpid;
    use z;
    fn a() {{ getpid(); ::ffi::getpid(); z::crc32(0); }}
}}
{ZLIB}"
        ),
        &[
            "app::user/a getpid -> app getpid",
            "app::user/a ::ffi::getpid -> app getpid",
            "app::user/a z::crc32 -> zlib crc32",
        ],
    );
}

/// Bindings as `-sys` crates contain them: in a module of their own, next to hand-written code.
const SYS: &str = "
//- sys
mod bindings { include!(concat!(env!(\"OUT_DIR\"), \"/bindgen.rs\")); }
pub use bindings::*;
pub use error::Error;
mod error;
pub fn by_hand() {}
#[cfg(windows)]
pub mod windows { include!(concat!(env!(\"OUT_DIR\"), \"/windows.rs\")); }
pub mod table { pub static TABLE: [u8; 2] = include!(concat!(env!(\"OUT_DIR\"), \"/table.rs\")); }
pub mod seen { include!(\"seen.rs\"); }
//- sys::error
pub struct Error;
impl Error { pub fn new() {} }
pub trait Reason { fn reason() {} }
";

#[test]
fn paths_and_imports_into_unseen_bindings() {
    check_unseen(
        &format!(
            "//- app (sys, wrap)
use sys as ffi;
use sys::open;
use wrap::raw;
fn a() {{ sys::close(); ffi::close(); ::sys::close(); open(); raw::close(); wrap::raw::step(); ffi::root::step(); }}
fn b() {{ ffi::by_hand(); ffi::Error::new(); ffi::Error::other(); ffi::windows::f(); ffi::table::f(); ffi::seen::f(); }}
//- wrap (sys)
pub use sys as raw;
{SYS}"
        ),
        &[
            "app/a sys::close -> sys",
            "app/a ffi::close -> sys",
            "app/a ::sys::close -> sys",
            "app/a open -> sys",
            "app/a raw::close -> sys",
            "app/a wrap::raw::step -> sys",
            "app/a ffi::root::step -> sys",
        ],
    );
}

#[test]
fn names_that_bindings_could_but_need_not_have() {
    check_unseen(
        &format!(
            "//- app (sys)
use std::mem::{{swap, take}};
use sys::*;
fn a(f: fn()) {{ f(); close(); swap(); Some(1); drop(2); std::mem::forget(3); core::mem::take(4); }}
fn b() {{ unsafe {{ close() }} take(); Sys::open(); sys::Sys::open(); self::close_all(); unknown::close(); }}
//- other
fn a() {{ sys::close(); }}
{SYS}"
        ),
        // Bare names may come from elsewhere, and the functions of the type `Sys` may be declared anywhere.
        &["app/b self::close_all -> sys"],
    );
}

#[test]
fn the_module_that_includes_its_bindings() {
    check_unseen(
        "//- app
use std::mem::swap;
include!(concat!(env!(\"OUT_DIR\"), \"/bindgen.rs\"));
fn own() {}
fn a(f: fn()) { f(); std::mem::forget(1); own(); }
fn b() { unsafe { open(); own(); swap(); drop(2); Some(3); asm!(in(\"rax\") 4); } }
unsafe fn c() { close(); }
mod inner { fn d() { super::open(); crate::own(); super::swap(); unsafe { open() } } }
",
        &["app/b open -> app", "app/c close -> app", "app/d super::open -> app"],
    );
}

const CALL: &str = "macro_rules! call { ($f:ident($($a:expr),*)) => { unsafe { zlib::$f($($a),*) } } }\n";

#[test]
fn a_macro_calls_what_it_is_passed() {
    check_2021(
        &format!(
            "//- app (zlib)
{CALL}fn adler32(x: u64) -> u64 {{ x }}
fn a(version: u64) {{ call!(crc32(adler32(version))); }}
fn b() {{ println!(\"{{}}\", call!(adler32(0))); }}
fn c() {{ call!(other(0)); crc32(0); }}
"
        ),
        &["app/a crc32 -> zlib crc32", "app/b adler32 -> zlib adler32"],
    );
}

#[test]
fn a_macro_names_what_it_is_passed() {
    check_2021(
        "//- app (zlib)
macro_rules! pointer { ($f:ident) => { zlib::$f as *const () } }
macro_rules! both { ($p:ident, $f:ident, $($a:expr),*) => { $p::$f($($a),*) } }
macro_rules! whole { ($p:path) => { $p(0) } }
macro_rules! fixed { ($p:ident) => { $p::crc32(0) } }
macro_rules! text { ($f:ident) => { stringify!($f) } }
fn a() { pointer!(crc32); both!(zlib, adler32, 1); whole!(zlib::crc32); fixed!(zlib); text!(crc32); }
",
        &[
            "app/a crc32 ~> zlib crc32",
            "app/a adler32 -> zlib adler32",
            "app/a zlib::crc32 ~> zlib crc32",
            "app/a zlib -> zlib crc32",
        ],
    );
}

#[test]
fn macros_of_other_crates_and_of_macros_call_what_they_are_passed() {
    check_2021(
        "//- app (wrap)
use wrap::call;
fn a() { call!(crc32(0)); wrap::outer!(adler32(1)); }
//- wrap (zlib)
pub mod ffi { pub use zlib::*; }
#[macro_export] macro_rules! call { ($f:ident($($a:expr),*)) => { unsafe { $crate::ffi::$f($($a),*) } } }
#[macro_export] macro_rules! outer { ($($t:tt)*) => { $crate::call!($($t)*) } }
",
        &["app/a crc32 -> zlib crc32", "app/a adler32 -> zlib adler32"],
    );
}

/// For macros that write one item for each of many names.
#[test]
fn a_long_list_of_names_is_no_secret() {
    let others: Vec<String> = (0..100).map(|number| format!("name{number}")).collect();
    check_2021(
        &format!(
            "//- app (zlib)
macro_rules! registry {{ ($($f:ident),*) => {{ $(unsafe {{ zlib::$f(0) }};)* }} }}
fn a() {{ registry!({}, crc32); }}
",
            others.join(", ")
        ),
        &["app/a crc32 -> zlib crc32"],
    );
}

#[test]
fn parameters_among_tokens_hide_what_they_are_named_after() {
    check_2021(
        "//- app (zlib)
use zlib::*;
f! { pub {const} fn a(crc32: u8, other: &mut u8) -> u8 { let version = crc32; other = adler32; version } }
fn b() { tokens! { x => &mut version, crc32 } }
",
        &["app/- adler32 ~> zlib adler32", "app/b version ~> zlib version", "app/b crc32 ~> zlib crc32"],
    );
}

#[test]
fn uses_of_macros_are_found_by_whatever_name() {
    let text = "//- app (zlib, wrap)
use wrap::outer as renamed;
fn a() { wrap::fixed!(); renamed!(); }
mod other { macro_rules! fixed { () => {} } }
//- wrap (zlib)
#[macro_export] macro_rules! fixed { () => { zlib::crc32(0) } }
#[macro_export] macro_rules! outer { () => { $crate::fixed!() } }
pub fn b() { fixed!(); }
";
    let found = with_crates(Edition::E2021, &format!("{text}{ZLIB}"), |resolver| {
        let crates = resolver.crates();
        let uses = |name| resolver.uses_of(&[(1, name)]);
        let lines = ["fixed", "outer"].into_iter().flat_map(uses).map(|(place, fact, (_, name))| {
            let within = fact.scope.function.as_deref().or(fact.scope.in_macro.as_deref()).unwrap_or("-");
            format!("{}/{within} {name}", crates[place.krate].name)
        });
        lines.collect::<Vec<_>>()
    });
    assert_eq!(found, ["app/a fixed", "wrap/outer fixed", "wrap/b fixed", "app/a outer"]);
}

/// Every path to a file leads to its declarations, and its contents are counted once.
#[test]
fn a_file_is_a_module_in_several_places() {
    let ffi = "extern \"C\" { pub fn getpid() -> i32; }
pub struct Process;
impl Process { pub fn id() { getpid(); } }
#[macro_export] macro_rules! id { ($f:ident) => { $crate::ffi::$f() } }
";
    check_2021(
        &format!(
            "//- app
fn a() {{ ffi::getpid(); again::getpid(); inner::ffi::getpid(); }}
//- app::ffi also app::again, tool::ffi
{ffi}
//- tool
fn b() {{ ffi::getpid(); again::getpid(); id!(getpid); }}
impl ffi::Process {{ fn tool() {{ ffi::getpid(); }} }}
"
        ),
        &[
            "app/a ffi::getpid -> app getpid",
            "app/a again::getpid -> app getpid",
            "app::ffi/Process::id getpid -> app getpid",
            "tool/b ffi::getpid -> app getpid",
            "tool/b getpid -> app getpid",
            "tool/ffi::Process::tool ffi::getpid -> app getpid",
        ],
    );
}

/// A file's paths are resolved in each module that it is loaded as, since a name may be a foreign function in only one.
#[test]
fn paths_of_a_file_start_wherever_it_is_a_module() {
    check_2021(
        "//- app
mod sys { pub fn start() {} }
//- app::user also tool::user
pub fn go() { super::sys::start(); }
//- tool
mod sys { extern \"C\" { pub fn start(); } }
",
        &["app::user/go super::sys::start -> tool start"],
    );
}

#[test]
fn callers_and_macro_uses_of_a_file_in_several_places_are_found_once() {
    let text = "//- app
fn a() { user::go(); }
//- app::user also app::again, tool::user
macro_rules! risky { () => { unsafe { core::hint::unreachable_unchecked() } } }
pub fn go() { inner(); risky!() }
fn inner() {}
//- tool
fn b() { user::go(); risky!() }
";
    let found = with_crates(Edition::E2021, text, |resolver| {
        let all = |krate: usize| resolver.crates()[krate].files.iter().flat_map(|file| &file.facts.functions);
        let functions: Vec<_> = all(0).filter(|item| item.name != "a").collect();
        let calls = resolver.calls_of(&functions);
        let calls = calls.iter().map(|call| (call.caller.krate, call.call.path.to_string()));
        let uses = resolver.macro_uses();
        let uses = uses.iter().map(|used| (used.user.krate, used.fact.path.to_string()));
        calls.chain(uses).collect::<Vec<_>>()
    });
    let expected = [(0, "user::go"), (0, "inner"), (1, "user::go"), (0, "risky"), (1, "risky")];
    assert_eq!(found, expected.map(|(krate, path)| (krate, path.to_owned())));
}

#[test]
fn foreign_functions_of_function_bodies_are_called_there() {
    check_2021(
        "//- app
struct S;
impl S { fn method() { extern \"C\" { fn getpid() -> i32; } let f = || unsafe { getpid() }; unsafe { getpid(); } } }
fn nested() { mod ffi { extern \"C\" { pub fn getppid() -> i32; } } unsafe { ffi::getppid() }; }
fn outer() { extern \"C\" { fn getuid() -> u32; } fn inner() { unsafe { getuid() }; } }
const ID: fn() = { extern \"C\" { fn getgid() -> u32; } || { unsafe { getgid() }; } };
fn blocks() { { extern \"C\" { fn geteuid() -> u32; } unsafe { geteuid(); } let x = geteuid; } geteuid(); self::getegid(); }
fn aliased() { extern \"C\" { #[link_name = \"getegid\"] fn id() -> u32; } use id as number; unsafe { id() }; }
fn attributed() { unsafe extern \"C\" { safe fn getsid() -> u32; } getsid(); }
",
        &[
            "app/S::method getpid -> app getpid",
            "app/S::method getpid -> app getpid",
            "app/nested ffi::getppid -> app getppid",
            "app/outer::inner getuid -> app getuid",
            "app/- getgid -> app getgid",
            "app/blocks geteuid -> app geteuid",
            "app/blocks geteuid ~> app geteuid",
            "app/aliased id -> app id",
            "app/attributed getsid -> app getsid",
        ],
    );
}
