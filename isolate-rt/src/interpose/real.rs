//! The definitions that ours stand in front of: libc's.
//!
//! They are looked up when the program starts, while there is one thread. Later may be too late: the child of a fork, where
//! the dynamic loader's lock may be held by a thread that does not exist there, calls some of these before it executes.

use libc::{
    FILE, c_char, c_double, c_int, c_long, c_uint, c_ushort, c_void, epoll_event, fd_set, locale_t, nfds_t, off_t,
    pollfd, pthread_attr_t, pthread_key_t, pthread_t, sigaction, sigset_t, size_t, ssize_t, stack_t, time_t, timespec,
    tm,
};
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

macro_rules! name {
    ($name:ident) => {
        const {
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => unreachable!(),
            }
        }
    };
}

macro_rules! reals {
    ({ $($name:ident: $ty:ty;)* } { $($newer:ident: $newer_ty:ty;)* }) => {
        /// One function each: it gives libc's function of that name.
        #[allow(non_snake_case, reason = "names of libc")]
        pub(super) mod real {
            use super::*;

            $(
                pub(in super::super) fn $name() -> $ty {
                    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
                    let function = find(&FOUND, name!($name));
                    assert!(!function.is_null(), "libc defines {}", stringify!($name));
                    // SAFETY: libc defines a function of this name with this type, by its manual page.
                    unsafe { std::mem::transmute::<*mut c_void, $ty>(function) }
                }
            )*
            $(
                pub(in super::super) fn $newer() -> Option<$newer_ty> {
                    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
                    // SAFETY: as above, or NULL.
                    unsafe { std::mem::transmute::<*mut c_void, Option<$newer_ty>>(find(&FOUND, name!($newer))) }
                }
            )*

            /// Run by the loader, before `main`.
            extern "C" fn find_all() {
                $( $name(); )*
                $( $newer(); )*
            }

            #[used]
            #[unsafe(link_section = ".init_array")]
            static FIND_ALL: extern "C" fn() = find_all;
        }
    };
}

reals! {
    {
        abort: unsafe extern "C" fn() -> !;
        __assert_fail: unsafe extern "C" fn(*const c_char, *const c_char, c_uint, *const c_char) -> !;
        __stack_chk_fail: unsafe extern "C" fn() -> !;
        exit: unsafe extern "C" fn(c_int) -> !;
        _exit: unsafe extern "C" fn(c_int) -> !;
        _Exit: unsafe extern "C" fn(c_int) -> !;
        quick_exit: unsafe extern "C" fn(c_int) -> !;
        write: unsafe extern "C" fn(c_int, *const c_void, size_t) -> ssize_t;
        printf: unsafe extern "C" fn();
        fprintf: unsafe extern "C" fn();
        __printf_chk: unsafe extern "C" fn();
        __fprintf_chk: unsafe extern "C" fn();
        vprintf: unsafe extern "C" fn(*const c_char, *mut c_void) -> c_int;
        vfprintf: unsafe extern "C" fn(*mut FILE, *const c_char, *mut c_void) -> c_int;
        __vprintf_chk: unsafe extern "C" fn(c_int, *const c_char, *mut c_void) -> c_int;
        __vfprintf_chk: unsafe extern "C" fn(*mut FILE, c_int, *const c_char, *mut c_void) -> c_int;
        putchar: unsafe extern "C" fn(c_int) -> c_int;
        putchar_unlocked: unsafe extern "C" fn(c_int) -> c_int;
        fputc: unsafe extern "C" fn(c_int, *mut FILE) -> c_int;
        fputc_unlocked: unsafe extern "C" fn(c_int, *mut FILE) -> c_int;
        putc: unsafe extern "C" fn(c_int, *mut FILE) -> c_int;
        putc_unlocked: unsafe extern "C" fn(c_int, *mut FILE) -> c_int;
        puts: unsafe extern "C" fn(*const c_char) -> c_int;
        fputs: unsafe extern "C" fn(*const c_char, *mut FILE) -> c_int;
        fputs_unlocked: unsafe extern "C" fn(*const c_char, *mut FILE) -> c_int;
        fwrite: unsafe extern "C" fn(*const c_void, size_t, size_t, *mut FILE) -> size_t;
        fwrite_unlocked: unsafe extern "C" fn(*const c_void, size_t, size_t, *mut FILE) -> size_t;
        fflush: unsafe extern "C" fn(*mut FILE) -> c_int;
        perror: unsafe extern "C" fn(*const c_char);
        strerror: unsafe extern "C" fn(c_int) -> *mut c_char;
        strerror_l: unsafe extern "C" fn(c_int, locale_t) -> *mut c_char;
        strerror_r: unsafe extern "C" fn(c_int, *mut c_char, size_t) -> *mut c_char;
        __xpg_strerror_r: unsafe extern "C" fn(c_int, *mut c_char, size_t) -> c_int;
        strsignal: unsafe extern "C" fn(c_int) -> *mut c_char;
        gai_strerror: unsafe extern "C" fn(c_int) -> *const c_char;
        gettext: unsafe extern "C" fn(*const c_char) -> *mut c_char;
        dgettext: unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char;
        dcgettext: unsafe extern "C" fn(*const c_char, *const c_char, c_int) -> *mut c_char;
        __cxa_atexit: unsafe extern "C" fn(unsafe extern "C" fn(*mut c_void), *mut c_void, *mut c_void) -> c_int;
        __cxa_thread_atexit_impl: unsafe extern "C" fn(
            unsafe extern "C" fn(*mut c_void),
            *mut c_void,
            *mut c_void,
        ) -> c_int;
        mmap: unsafe extern "C" fn(*mut c_void, size_t, c_int, c_int, c_int, off_t) -> *mut c_void;
        munmap: unsafe extern "C" fn(*mut c_void, size_t) -> c_int;
        mremap: unsafe extern "C" fn(*mut c_void, size_t, size_t, c_int, *mut c_void) -> *mut c_void;
        mprotect: unsafe extern "C" fn(*mut c_void, size_t, c_int) -> c_int;
        madvise: unsafe extern "C" fn(*mut c_void, size_t, c_int) -> c_int;
        malloc_usable_size: unsafe extern "C" fn(*mut c_void) -> size_t;
        gmtime_r: unsafe extern "C" fn(*const time_t, *mut tm) -> *mut tm;
        localtime_r: unsafe extern "C" fn(*const time_t, *mut tm) -> *mut tm;
        gmtime: unsafe extern "C" fn(*const time_t) -> *mut tm;
        localtime: unsafe extern "C" fn(*const time_t) -> *mut tm;
        timegm: unsafe extern "C" fn(*mut tm) -> time_t;
        mktime: unsafe extern "C" fn(*mut tm) -> time_t;
        timelocal: unsafe extern "C" fn(*mut tm) -> time_t;
        asctime: unsafe extern "C" fn(*const tm) -> *mut c_char;
        ctime: unsafe extern "C" fn(*const time_t) -> *mut c_char;
        ctime_r: unsafe extern "C" fn(*const time_t, *mut c_char) -> *mut c_char;
        tzset: unsafe extern "C" fn();
        rand: unsafe extern "C" fn() -> c_int;
        srand: unsafe extern "C" fn(c_uint);
        random: unsafe extern "C" fn() -> c_long;
        srandom: unsafe extern "C" fn(c_uint);
        srand48: unsafe extern "C" fn(c_long);
        drand48: unsafe extern "C" fn() -> c_double;
        erand48: unsafe extern "C" fn(*mut c_ushort) -> c_double;
        lrand48: unsafe extern "C" fn() -> c_long;
        nrand48: unsafe extern "C" fn(*mut c_ushort) -> c_long;
        mrand48: unsafe extern "C" fn() -> c_long;
        jrand48: unsafe extern "C" fn(*mut c_ushort) -> c_long;
        strtok: unsafe extern "C" fn(*mut c_char, *const c_char) -> *mut c_char;
        pthread_create: unsafe extern "C" fn(
            *mut pthread_t,
            *const pthread_attr_t,
            extern "C" fn(*mut c_void) -> *mut c_void,
            *mut c_void,
        ) -> c_int;
        pthread_join: unsafe extern "C" fn(pthread_t, *mut *mut c_void) -> c_int;
        pthread_detach: unsafe extern "C" fn(pthread_t) -> c_int;
        pthread_key_create: unsafe extern "C" fn(*mut pthread_key_t, Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
        pthread_key_delete: unsafe extern "C" fn(pthread_key_t) -> c_int;
        pthread_getspecific: unsafe extern "C" fn(pthread_key_t) -> *mut c_void;
        pthread_setspecific: unsafe extern "C" fn(pthread_key_t, *mut c_void) -> c_int;
        tss_create: unsafe extern "C" fn(*mut pthread_key_t, Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
        tss_delete: unsafe extern "C" fn(pthread_key_t);
        tss_get: unsafe extern "C" fn(pthread_key_t) -> *mut c_void;
        tss_set: unsafe extern "C" fn(pthread_key_t, *mut c_void) -> c_int;
        pthread_self: unsafe extern "C" fn() -> pthread_t;
        longjmp: unsafe extern "C" fn(*mut c_void, c_int) -> !;
        _longjmp: unsafe extern "C" fn(*mut c_void, c_int) -> !;
        siglongjmp: unsafe extern "C" fn(*mut c_void, c_int) -> !;
        __longjmp_chk: unsafe extern "C" fn(*mut c_void, c_int) -> !;
        fork: unsafe extern "C" fn() -> libc::pid_t;
        vfork: unsafe extern "C" fn() -> libc::pid_t;
        clone: unsafe extern "C" fn();
        pthread_exit: unsafe extern "C" fn(*mut c_void) -> !;
        sigaction: unsafe extern "C" fn(c_int, *const sigaction, *mut sigaction) -> c_int;
        sigprocmask: unsafe extern "C" fn(c_int, *const sigset_t, *mut sigset_t) -> c_int;
        pthread_sigmask: unsafe extern "C" fn(c_int, *const sigset_t, *mut sigset_t) -> c_int;
        sigsuspend: unsafe extern "C" fn(*const sigset_t) -> c_int;
        ppoll: unsafe extern "C" fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t) -> c_int;
        __ppoll_chk: unsafe extern "C" fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t, size_t) -> c_int;
        pselect: unsafe extern "C" fn(
            c_int,
            *mut fd_set,
            *mut fd_set,
            *mut fd_set,
            *const timespec,
            *const sigset_t,
        ) -> c_int;
        epoll_pwait: unsafe extern "C" fn(c_int, *mut epoll_event, c_int, c_int, *const sigset_t) -> c_int;
        pthread_kill: unsafe extern "C" fn(pthread_t, c_int) -> c_int;
        sigaltstack: unsafe extern "C" fn(*const stack_t, *mut stack_t) -> c_int;
    }
    // Versions of glibc that are in use have no such function, and nobody calls it there.
    {
        // Since glibc 2.32.
        strerrordesc_np: unsafe extern "C" fn(c_int) -> *const c_char;
        sigdescr_np: unsafe extern "C" fn(c_int) -> *const c_char;
        // Since glibc 2.34.
        _Fork: unsafe extern "C" fn() -> libc::pid_t;
        // Since glibc 2.35.
        epoll_pwait2: unsafe extern "C" fn(c_int, *mut epoll_event, c_int, *const timespec, *const sigset_t) -> c_int;
    }
}

fn find(found: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    let known = found.load(Ordering::Relaxed);
    if !known.is_null() {
        return known;
    }
    // SAFETY: `dlsym` takes any C string.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    found.store(function, Ordering::Relaxed);
    function
}
