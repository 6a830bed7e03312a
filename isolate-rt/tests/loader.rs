//! The loader at the worst moments: a library that goes or comes just when the runtime has asked what is loaded, and a fork
//! while another thread is in the loader.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Hint};
use std::cell::Cell;
use std::ffi::{CString, c_int, c_void};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use support::{End, child_with, isolation, role};

/// Asking the loader for what is loaded, and something to do before the question of this number, or after each.
struct Questions {
    asked: AtomicUsize,
    before: OnceLock<(usize, fn())>,
    after: OnceLock<fn()>,
}

static QUESTIONS: Questions = Questions { asked: AtomicUsize::new(0), before: OnceLock::new(), after: OnceLock::new() };

thread_local! {
    /// How many questions this thread is at, one within the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

type Look = unsafe extern "C" fn(*mut libc::dl_phdr_info, usize, *mut c_void) -> c_int;

/// libc's, with something before and after it.
///
/// # Safety
///
/// As dl_iterate_phdr(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn dl_iterate_phdr(look: Option<Look>, data: *mut c_void) -> c_int {
    static REAL: OnceLock<usize> = OnceLock::new();
    // SAFETY: a name.
    let find = || unsafe { libc::dlsym(libc::RTLD_NEXT, c"dl_iterate_phdr".as_ptr()) }.expose_provenance();
    let real = *REAL.get_or_init(find);
    // SAFETY: libc's function, of this type.
    let real = unsafe { std::mem::transmute::<usize, unsafe extern "C" fn(Option<Look>, *mut c_void) -> c_int>(real) };
    let outermost = DEPTH.replace(DEPTH.get() + 1) == 0;
    if outermost {
        let asked = QUESTIONS.asked.fetch_add(1, Ordering::Relaxed);
        if let Some((_, act)) = QUESTIONS.before.get().filter(|(number, _)| *number == asked) {
            act();
        }
    }
    // SAFETY: by this function's contract.
    let result = unsafe { real(look, data) };
    if let Some(act) = QUESTIONS.after.get().filter(|_| outermost) {
        act();
    }
    DEPTH.set(DEPTH.get() - 1);
    result
}

/// A library of this C.
fn library(name: &str, source: &str) -> CString {
    library_with(name, source, &[])
}

/// With further arguments for the compiler.
fn library_with(name: &str, source: &str, more: &[&str]) -> CString {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (file, object) = (format!("{directory}/{name}.c"), format!("{directory}/{name}.so"));
    std::fs::write(&file, source).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-fno-builtin", "-Wl,-z,lazy", "-o", &object, &file]).args(more);
    let built = cc.status();
    assert!(built.expect("a C compiler").success());
    CString::new(object).unwrap()
}

fn open(path: &CString) -> *mut c_void {
    // SAFETY: a library without constructors.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!library.is_null());
    library
}

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

/// What a domain names in a library is copied before anybody can unload that.
#[test]
fn unloaded_when_it_was_found() {
    static READING: Domain = Domain::new("reading");
    static LIBRARY: AtomicUsize = AtomicUsize::new(0);
    const NAME: &str = "unloaded_when_it_was_found";
    if role().is_none() {
        if isolation() {
            let output = child_with(NAME, "alone with its loader", &[]);
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    let path = library("going", "const char text[70000] = \"as long as it lasts\";");
    for read_string in [true, false] {
        let library = open(&path);
        // SAFETY: a name.
        let text = unsafe { libc::dlsym(library, c"text".as_ptr()) }.cast::<u8>();
        let call = READING.call("text").unwrap();
        LIBRARY.store(library.expose_provenance(), Ordering::Relaxed);
        QUESTIONS.after.get_or_init(|| {
            || {
                let library = LIBRARY.swap(0, Ordering::Relaxed);
                if library != 0 {
                    // SAFETY: opened once for each time that it is closed.
                    unsafe { libc::dlclose(std::ptr::with_exposed_provenance_mut(library)) };
                }
            }
        });
        // SAFETY: with isolation nothing is owed.
        unsafe {
            if read_string {
                assert_eq!(call.string(text.cast()).unwrap().unwrap().to_bytes(), b"as long as it lasts");
            } else {
                assert!(call.values(text, 70_000).unwrap().unwrap().starts_with(b"as long as it lasts"));
            }
            assert_eq!(LIBRARY.load(Ordering::Relaxed), 0, "unloaded meanwhile");
            assert!(matches!(call.values(text, 1).unwrap_err().kind(), FaultKind::InvalidValue { .. }), "gone");
        }
    }
}

/// What was loaded since costs one call at most: it is bound before the next one.
#[test]
fn bound_lazily_and_loaded_later() {
    static BINDING: Domain = Domain::new("binding");
    type Parse = unsafe extern "C" fn(*const libc::c_char) -> c_int;
    if !isolation() {
        return;
    }
    assert_eq!(in_domain(&BINDING, || 1), Ok(1));
    let source = "#include <stdlib.h>\n#include <string.h>\nint parse(const char *s) { char *t = strdup(s); int n = atoi(t); free(t); return n; }";
    let path = library("lazily", source);
    // SAFETY: a library without constructors, whose function has this type.
    let parse = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY);
        assert!(!library.is_null());
        std::mem::transmute::<*mut c_void, Parse>(libc::dlsym(library, c"parse".as_ptr()))
    };
    // SAFETY: reads a C string.
    let call = || in_domain(&BINDING, || unsafe { parse(c"42".as_ptr()) });
    if let Err(fault) = call() {
        assert_eq!(fault.hint(), Some(Hint::Loader), "{fault}");
    } // Else another test has made a domain meanwhile.
    assert_eq!(call(), Ok(42));
}

/// To the version that is asked for, though another was loaded before, and to what overrides it for who was loaded with it.
#[test]
fn bound_as_the_loader_binds() {
    static DOMAIN: Domain = Domain::new("scopes");
    const NAME: &str = "bound_as_the_loader_binds";
    if role().is_none() {
        if isolation() {
            let output = child_with(NAME, "alone with its loader", &[]);
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    let directory = env!("CARGO_TARGET_TMPDIR");
    let versioned = |version: u32| {
        let script = format!("{directory}/version{version}.map");
        std::fs::write(&script, format!("V{version} {{ global: who; }};")).unwrap();
        let source = format!("int who(void) {{ return {version}; }}");
        library_with(&format!("libversion{version}"), &source, &[&format!("-Wl,--version-script={script}")])
    };
    let first = versioned(1);
    versioned(2);
    let near = [&format!("-L{directory}"), &format!("-Wl,-rpath,{directory}"), "-Wl,--no-as-needed"];
    let user = library_with(
        "versionuser",
        "int who(void); int ask(void) { return who(); }",
        &[&near[..], &["-lversion2"]].concat(),
    );
    library("liboverridden", "__attribute__((weak)) int hook(void) { return 10; } int plugin(void) { return hook(); }");
    let plugin = library_with("overriding", "int hook(void) { return 20; }", &[&near[..], &["-loverridden"]].concat());
    let load = |path: &CString, flags: c_int| {
        // SAFETY: a library without constructors.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | flags) };
        assert!(!library.is_null(), "{path:?}");
        library
    };
    load(&first, libc::RTLD_GLOBAL);
    let functions = [(load(&user, libc::RTLD_GLOBAL), c"ask"), (load(&plugin, libc::RTLD_LOCAL), c"plugin")];
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    let answers = functions.map(|(library, name)| {
        // SAFETY: a function of this type.
        unsafe {
            let function = libc::dlsym(library, name.as_ptr());
            std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> c_int>(function)()
        }
    });
    assert_eq!(answers, [2, 20]);
}

/// A library with thread-locals that is loaded at some moment of a domain's making is known to it in the end.
#[test]
fn loaded_while_thread_locals_are_learnt() {
    static LEARNING: Domain = Domain::new("learning");
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const NAME: &str = "loaded_while_thread_locals_are_learnt";
    let Some(role) = role() else {
        library("coming", "static __thread int count = 40; int next(void) { return ++count; }");
        for number in 0..if isolation() { 100 } else { 0 } {
            let number = number.to_string();
            let output = child_with(NAME, &number, &[]);
            let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert_eq!(End::from(&output), End::Status(0), "question {number}: {told}");
            if told.contains("not so many questions") {
                assert!(number.parse::<u32>().unwrap() > 3);
                return;
            }
        }
        return;
    };
    fn load() {
        let library = open(&CString::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/coming.so")).unwrap());
        // SAFETY: a name.
        NEXT.store(unsafe { libc::dlsym(library, c"next".as_ptr()) }.expose_provenance(), Ordering::Relaxed);
    }
    let asked = QUESTIONS.asked.load(Ordering::Relaxed);
    QUESTIONS.before.set((asked + role.parse::<usize>().unwrap(), load)).unwrap();
    assert_eq!(in_domain(&LEARNING, || 1), Ok(1));
    let next = NEXT.load(Ordering::Relaxed);
    if next == 0 {
        println!("not so many questions");
        return;
    }
    // SAFETY: of this type.
    let next = unsafe { std::mem::transmute::<usize, extern "C" fn() -> i32>(next) };
    let call = move || in_domain(&LEARNING, || next());
    // Where the thread's seat was made ready before, it is as if it had been loaded later.
    if let Err(refused) = call() {
        assert_eq!(refused.hint(), Some(Hint::Loader), "{refused}");
    }
    assert!(matches!(call(), Ok(41 | 42)), "{:?}", call());
    assert_eq!(std::thread::spawn(call).join().unwrap(), Ok(41));
}

/// In the child nobody gives the loader back. What can do without it does.
#[test]
fn fork_while_another_thread_is_in_the_loader() {
    static FORKED: Domain = Domain::new("forked");
    if !isolation() {
        return;
    }
    static INSIDE: AtomicBool = AtomicBool::new(false);
    static LEAVE: AtomicBool = AtomicBool::new(false);
    /// # Safety
    ///
    /// None owed.
    unsafe extern "C" fn stay(_: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
        INSIDE.store(true, Ordering::Release);
        while !LEAVE.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        1
    }
    assert_eq!(in_domain(&FORKED, || 1), Ok(1));
    std::thread::scope(|scope| {
        // SAFETY: looks at nothing.
        scope.spawn(|| unsafe { dl_iterate_phdr(Some(stay), std::ptr::null_mut()) });
        while !INSIDE.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: the child makes calls and ends; it is waited for.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::alarm(60);
                let fails = || in_domain(&FORKED, || std::arch::asm!("ud2")).unwrap_err();
                assert_eq!(in_domain(&FORKED, || 1), Ok(1));
                // After a fault the seat is made ready anew, and who asks for the backtrace asks for names.
                let told = format!("{:#}", fails());
                assert!(told.contains("illegal instruction"), "{told}");
                assert_eq!(in_domain(&FORKED, || 2), Ok(2));
                libc::_exit(0);
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            status
        };
        LEAVE.store(true, Ordering::Release);
        assert_eq!(status, 0, "what the child did");
    });
    // The parent goes on as before.
    assert_eq!(in_domain(&FORKED, || 3), Ok(3));
}
