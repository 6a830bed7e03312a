//! Writable globals of a shared library: the domain's while it runs, put back after a fault, closed to other domains.

mod support;

use isolate_rt::{Domain, FaultKind, Globals, Memory, Part};
use std::ffi::CString;
use std::process::Command;
use std::sync::OnceLock;
use support::isolation;

// SAFETY: the library below, which nothing else uses.
const COUNTER: &[Globals] = unsafe { &[Globals::shared("libisolate_counter.so")] };
// SAFETY: there is no such library.
const NOWHERE: &[Globals] = unsafe { &[Globals::shared("libnot_there.so")] };
static DOMAIN: Domain = Domain::new("counter").globals(COUNTER);
static OTHER: Domain = Domain::new("other");
static NOT_LOADED: Domain = Domain::new("not loaded").globals(NOWHERE);

const SOURCE: &str = "
    #include <stdlib.h>
    static int in_bss[3000];
    static int in_data = 40;
    static const char *const in_relro[] = { \"a\", \"b\" };
    static char *kept;
    int count(int wild) {
        in_data++; in_bss[2999]++;
        kept = realloc(kept, 1000);
        if (wild) *(volatile char *)8 = *in_relro[0];
        return in_data + in_bss[2999];
    }
    int *address(void) { return &in_data; }
";

#[derive(Clone, Copy)]
struct Library {
    count: unsafe extern "C" fn(i32) -> i32,
    address: unsafe extern "C" fn() -> *mut i32,
}

fn library() -> Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    *LIBRARY.get_or_init(|| load("counter").0)
}

/// The library under this name, and what closes it.
fn load(name: &str) -> (Library, *mut libc::c_void) {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (source, object) = (format!("{directory}/{name}.c"), format!("{directory}/libisolate_{name}.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-Wl,-z,now", "-o", &object, &source]).status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: a library without constructors, whose functions have these types.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null());
        let find = |name: &std::ffi::CStr| libc::dlsym(handle, name.as_ptr());
        let library = Library {
            count: std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(i32) -> i32>(find(c"count")),
            address: std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn() -> *mut i32>(find(c"address")),
        };
        (library, handle)
    }
}

fn count(domain: &'static Domain, wild: i32) -> Result<i32, isolate_rt::Fault> {
    let Library { count, .. } = library();
    // SAFETY: takes and returns numbers.
    unsafe { domain.call("count")?.run(|| count(wild)) }
}

#[test]
fn globals_belong_to_the_domain_and_are_restored() {
    if !isolation() {
        return;
    }
    let library = library();
    assert_eq!(count(&DOMAIN, 0).unwrap(), 42);
    assert_eq!(count(&DOMAIN, 0).unwrap(), 44);
    assert_eq!(count(&DOMAIN, 1).unwrap_err().address(), Some(8));
    // The counters are new, and so is `kept`: a stale block would be refused by `realloc`.
    assert_eq!(count(&DOMAIN, 0).unwrap(), 42);
    // The program reads them; another domain does not.
    // SAFETY: a live number.
    assert_eq!(unsafe { (library.address)().read_volatile() }, 41);
    let fault = count(&OTHER, 0).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Protection { key: 1.., .. }), "{fault}");
    // Which it is, by name.
    let Some(Memory::Domain { name: "counter", part: Part::Static { symbol: Some(symbol) } }) = fault.memory() else {
        panic!("{fault}");
    };
    assert!(["in_data", "in_bss"].contains(&&*symbol.name), "{fault}");
}

#[test]
fn a_library_that_is_not_loaded_is_an_error() {
    if isolation() {
        let error = count(&NOT_LOADED, 0).unwrap_err();
        assert!(error.to_string().contains("not loaded"), "{error}");
    }
}

/// Its globals are put back after a fault: into it, not into what has taken its place.
#[test]
fn a_library_that_is_closed_stays_loaded() {
    // SAFETY: a library that nothing else uses.
    const CLOSED: &[Globals] = unsafe { &[Globals::shared("libisolate_closed.so")] };
    static DOMAIN: Domain = Domain::new("closed").globals(CLOSED);
    if !isolation() {
        return;
    }
    let (Library { count, .. }, handle) = load("closed");
    // SAFETY: takes and returns numbers.
    let count = |wild: i32| unsafe { DOMAIN.call("count").unwrap().run(move || count(wild)) };
    assert_eq!(count(0), Ok(42));
    // SAFETY: opened above; what is used of it afterwards stays.
    assert_eq!(unsafe { libc::dlclose(handle) }, 0);
    assert!(std::fs::read_to_string("/proc/self/maps").unwrap().contains("libisolate_closed.so"));
    assert_eq!(count(1).unwrap_err().address(), Some(8));
    assert_eq!(count(0), Ok(42));
}
