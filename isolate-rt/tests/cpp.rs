//! C++ inside a domain: what its runtime needs, and what becomes of exceptions.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Globals};
use std::ffi::CString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;
use support::isolation;

const SOURCE: &str = r#"
    // `pthread_cleanup_push` as C has it, which comes back by longjmp; not that of C++, an object.
    #pragma push_macro("__EXCEPTIONS")
    #undef __EXCEPTIONS
    #include <pthread.h>
    #pragma pop_macro("__EXCEPTIONS")
    #include <cstring>
    #include <map>
    #include <stdexcept>
    #include <string>
    #include <thread>
    #include <vector>
    struct Constructed { int value; Constructed() : value(41) {} };
    static Constructed constructed;
    static std::string grown(100, 'x');
    static int depth(int n) { if (n == 0) throw std::runtime_error("deep down"); return depth(n - 1) + 1; }
    struct Named { std::string name; Named() : name(100, 'n') {} ~Named() { name.clear(); } };
    static Named &only() { static Named named; return named; }
    static thread_local Named own;
    static int noted;
    static void note(void *which) { noted = noted * 10 + (int)(long)which; }
    struct Noting { long which; ~Noting() { note((void *)which); } };
    __attribute__((noinline)) static void leaf() { Noting innermost{3}; pthread_exit((void *)7L); }
    __attribute__((noinline)) static void middle() { pthread_cleanup_push(note, (void *)2L); leaf(); pthread_cleanup_pop(0); }
    static void *exits(void *) { Noting outermost{1}; middle(); return nullptr; }
    extern "C" {
        int exited(int) {
            noted = 0;
            pthread_t thread;
            void *value;
            if (pthread_create(&thread, nullptr, exits, nullptr) || pthread_join(thread, &value)) return -1;
            return noted * 10 + (int)(long)value;
        }
        int containers(int n) {
            std::map<std::string, std::vector<int>> all;
            for (int i = 0; i < n; i++) all["number " + std::to_string(i % 7)].push_back(i);
            int sum = 0;
            for (auto &one : all) sum += one.second.size() + one.first.size();
            return sum;
        }
        int caught(int n) {
            try { return depth(n); } catch (const std::exception &e) { return e.what()[0]; }
        }
        int out_of_range(int n) {
            std::vector<int> few(3);
            try { return few.at(n); } catch (const std::out_of_range &e) {
                return std::strcmp(e.what(), "vector::_M_range_check: __n (which is 7) >= this->size() (which is 3)");
            }
        }
        int grow_local(int n) { only().name.append(n, 'y'); return only().name.size(); }
        int grow_thread_local(int n) { own.name.append(n, 'y'); return own.name.size(); }
        int rethrown(int) {
            try { try { throw 5; } catch (int) { throw; } } catch (int five) { return five; }
        }
        int uncaught(int n) { return depth(n); }
        int uncaught_number(int n) { throw n; }
        int uncaught_own(int) { struct Mine : std::out_of_range { Mine() : std::out_of_range("mine") {} }; throw Mine(); }
        int through_noexcept(int n) noexcept { return depth(n); }
        int constructed_before(int n) { return constructed.value += n; }
        int threaded(int n) {
            std::vector<long> sums(2);
            std::vector<std::thread> threads;
            for (int t = 0; t < 2; t++) threads.emplace_back([&, t] { for (int i = t; i < n; i += 2) sums[t] += i; });
            for (auto &thread : threads) thread.join();
            return sums[0] + sums[1];
        }
        int grow(int n) { grown.append(n, 'y'); return grown.size(); }
    }
"#;

type Function = unsafe extern "C" fn(i32) -> i32;

// SAFETY: the library below, which nothing else uses.
const GLOBALS: &[Globals] = unsafe { &[Globals::shared("libisolate_cpp.so")] };
static DOMAIN: Domain = Domain::new("cpp").globals(GLOBALS).threads_inside(2);

/// The library, loaded before the domain is made; `None`, and a word about it, where there is no C++ compiler.
fn library() -> Option<*mut libc::c_void> {
    static LIBRARY: OnceLock<Option<usize>> = OnceLock::new();
    let handle = LIBRARY.get_or_init(|| {
        let directory = env!("CARGO_TARGET_TMPDIR");
        let (source, object) = (format!("{directory}/cpp.cc"), format!("{directory}/libisolate_cpp.so"));
        // An emulated machine finds it built: its compiler would take minutes.
        if std::fs::read_to_string(&source).ok().as_deref() != Some(SOURCE) || !Path::new(&object).exists() {
            let built = format!("{object}.{}", std::process::id());
            let unit = format!("{source}.{}.cc", std::process::id());
            std::fs::write(&unit, SOURCE).unwrap();
            match Command::new("c++").args(["-shared", "-fPIC", "-O1", "-o", &built, &unit]).status() {
                Ok(status) => assert!(status.success()),
                Err(error) => {
                    eprintln!("skipped: no C++ compiler: {error}");
                    return None;
                }
            }
            std::fs::rename(&built, &object).unwrap();
            std::fs::rename(&unit, &source).unwrap();
        }
        let path = CString::new(object).unwrap();
        // SAFETY: its constructors touch its own data. Neither it nor libstdc++ is bound.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_GLOBAL) };
        assert!(!handle.is_null());
        Some(handle.expose_provenance())
    });
    handle.map(std::ptr::with_exposed_provenance_mut)
}

/// `function(argument)` of the library, inside; `None` where that cannot be.
fn run(function: &str, argument: i32) -> Option<Result<i32, Fault>> {
    let library = library()?;
    if !isolation() {
        return None;
    }
    let name = CString::new(function).unwrap();
    // SAFETY: all functions of the library have this type.
    let function = unsafe { std::mem::transmute::<*mut libc::c_void, Function>(libc::dlsym(library, name.as_ptr())) };
    loop {
        // SAFETY: whatever it does is what the domain is for.
        match unsafe { DOMAIN.call("cpp").unwrap().run(move || function(argument)) } {
            // A test beside this one ended the instance.
            Err(fault) if fault.kind() == &FaultKind::DomainLost => {}
            result => return Some(result),
        }
    }
}

#[track_caller]
fn check(function: &str, argument: i32, expected: fn(&Result<i32, Fault>) -> bool) {
    if let Some(result) = run(function, argument) {
        assert!(expected(&result), "{function}: {result:#?}");
        assert_eq!(run("containers", 700), Some(Ok(756)), "afterwards");
    }
}

#[test]
fn containers_and_strings() {
    check("containers", 7000, |result| matches!(result, Ok(7056)));
}

#[test]
fn exceptions_caught_inside() {
    check("caught", 0, |result| matches!(result, Ok(100)));
    check("caught", 50, |result| matches!(result, Ok(100)));
}

/// The standard library asks for a translation of what the exception says.
#[test]
fn an_exception_with_a_formatted_message() {
    check("out_of_range", 7, |result| matches!(result, Ok(0)));
}

/// Their destructors are promised to run at the end of the program, or of the thread.
#[test]
fn objects_that_are_made_when_they_are_first_used() {
    for function in ["grow_local", "grow_thread_local"] {
        // What it was before depends on whether a test beside this one has ended the instance.
        check(function, 5, |result| matches!(result, Ok(length) if *length >= 105 && length % 5 == 0));
    }
}

#[test]
fn threads_of_its_own() {
    check("threaded", 10_000, |result| matches!(result, Ok(49_995_000)));
}

/// By pthread_exit(3): what C and C++ have asked for is done on the way, innermost first.
#[test]
fn a_thread_of_its_own_exits() {
    check("exited", 0, |result| matches!(result, Ok(3217)));
}

#[test]
fn exceptions_thrown_again() {
    check("rethrown", 0, |result| matches!(result, Ok(5)));
}

/// What nobody inside catches gets as far as the gate, and tells what it is.
#[test]
fn an_exception_that_leaves_the_domain() {
    fn said(result: &Result<i32, Fault>) -> &str {
        match result.as_ref().map_err(Fault::kind) {
            Err(FaultKind::Exception { message }) => message,
            _ => "not an exception",
        }
    }
    check("uncaught", 20, |result| said(result) == "std::runtime_error: deep down");
    check("uncaught_number", 20, |result| said(result) == "int");
    check("uncaught_own", 0, |result| said(result).ends_with("Mine: mine"));
    // The stack is as it was at the throw.
    if let Some(Err(fault)) = run("uncaught", 3) {
        let frames = fault.backtrace().frames();
        let names: Vec<_> = frames.iter().filter_map(|frame| Some(&frame.symbol()?.name)).collect();
        assert!(names.iter().any(|name| name.contains("uncaught")), "{fault:#}");
    }
}

/// Ends the call in what C++ does with it: `std::terminate` writes to the program, or aborts.
#[test]
fn an_exception_that_a_function_has_ruled_out() {
    check("through_noexcept", 20, |result| {
        let Err(fault) = result else { return false };
        matches!(fault.kind(), FaultKind::Protection { key: 0, write: true, .. } | FaultKind::Abort)
    });
}

/// Constructors have run when the library was loaded, in the program.
#[test]
fn constructors_of_globals() {
    check("constructed_before", 1, |result| matches!(result, Ok(42)));
    // What they have allocated is the program's.
    check(
        "grow",
        1000,
        |result| matches!(result, Err(fault) if matches!(fault.kind(), FaultKind::ForeignFree { .. } | FaultKind::Protection { .. })),
    );
}

/// The type of what was thrown is asked of the loader, which another thread may have, and need this very instance before it is through.
#[test]
fn an_exception_while_another_thread_has_the_loader() {
    let Some(library) = library().filter(|_| isolation()) else { return };
    // SAFETY: this function has that type.
    let throw = unsafe {
        std::mem::transmute::<*mut libc::c_void, Function>(libc::dlsym(library, c"uncaught_number".as_ptr()))
    };
    let kinds = loop {
        let kinds = throw_and_abort(throw);
        // A test beside this one ended the instance.
        if !kinds.contains(&FaultKind::DomainLost) {
            break kinds;
        }
    };
    assert_eq!(kinds, [FaultKind::Exception { message: "int".into() }, FaultKind::Abort]);
}

/// What ends a call that throws, and that of another thread, which has the loader and discards the instance.
fn throw_and_abort(throw: Function) -> [FaultKind; 2] {
    const PATIENCE: Duration = Duration::from_secs(30);
    static IS_INSIDE: AtomicBool = AtomicBool::new(false);
    static IS_TO_THROW: AtomicBool = AtomicBool::new(false);
    /// # Safety
    ///
    /// `kind` leads to one.
    unsafe extern "C" fn abort_inside(_: *mut libc::dl_phdr_info, _: usize, kind: *mut libc::c_void) -> libc::c_int {
        IS_TO_THROW.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
        // SAFETY: ends the call.
        let ended = DOMAIN.call("abort").and_then(|mut call| unsafe { call.run(|| -> () { libc::abort() }) });
        if let Err(fault) = ended {
            // SAFETY: by this function's contract.
            unsafe { *kind.cast::<FaultKind>() = fault.kind().clone() };
        }
        1
    }
    IS_INSIDE.store(false, Ordering::Relaxed);
    IS_TO_THROW.store(false, Ordering::Relaxed);
    let (sender, thrown) = mpsc::channel();
    std::thread::spawn(move || {
        let mut call = DOMAIN.call("throw").unwrap();
        IS_INSIDE.store(true, Ordering::Relaxed);
        let inside = move || {
            while !IS_TO_THROW.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            // SAFETY: whatever it does is what the domain is for.
            unsafe { throw(5) }
        };
        // SAFETY: as above.
        sender.send(unsafe { call.run(inside) }.unwrap_err().kind().clone()).unwrap();
    });
    let (sender, aborted) = mpsc::channel();
    std::thread::spawn(move || {
        while !IS_INSIDE.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let mut kind = FaultKind::Trap;
        // SAFETY: the function, and what it leads to.
        unsafe { libc::dl_iterate_phdr(Some(abort_inside), (&raw mut kind).cast()) };
        sender.send(kind).unwrap();
    });
    [thrown, aborted].map(|kind| {
        kind.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            // A panic would ask the loader for its backtrace.
            eprintln!("one waits for the other");
            std::process::abort()
        })
    })
}
