//! What threads and panics may do with the public types: decided for each, since it follows from what lies in the domain, and not
//! from how a type is made. No isolation is needed.

use isolate_rt::{
    Access, Backend, Backtrace, Call, Callbacks, Domain, DomainBox, DomainVec, Error, Failed, Fault, FaultKind, Frame,
    Globals, Handle, HeapKind, Hint, Inside, Kept, Lent, Machine, Memory, Null, Object, Owned, Part, Requirement,
    Staged, Symbol, Unsupported,
};
use std::cell::UnsafeCell;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// An opaque struct of C as `bindgen` may have it: nothing of what threads and panics may do follows from it.
#[derive(Debug)]
struct Book(#[allow(dead_code, reason = "has a size")] UnsafeCell<*mut u8>);

/// Whether types have traits, of which the words say which they have.
macro_rules! check {
    ($($ty:ty: $expected:literal;)*) => { $(
        let mut found = Vec::new();
        check!(@ found $ty, Send, Sync, UnwindSafe, RefUnwindSafe, Unpin, Debug);
        assert_eq!(found.join(" "), $expected, "{}", stringify!($ty));
    )* };
    (@ $found:ident $ty:ty, $($which:ident),*) => { $({
        struct Of<T>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "of types that do not")]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T> Otherwise for Of<T> {}
        #[allow(dead_code, reason = "of types that have it")]
        impl<T: $which> Of<T> {
            const HAS: bool = true;
        }
        if <Of<$ty>>::HAS {
            $found.push(stringify!($which));
        }
    })* };
}

#[test]
fn what_threads_and_panics_may_do() {
    check! {
        Domain: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        // Memory of a domain is never half of something: whatever is there, the library has left there, or anybody.
        DomainVec<*mut Book>: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        DomainBox<*mut Book>: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Object<Book>: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        // Two threads at once would be two calls of the library on one object.
        Handle<Book>: "Send UnwindSafe RefUnwindSafe Unpin Debug";
        Owned<Book>: "Send UnwindSafe RefUnwindSafe Unpin Debug";
        Kept: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        // Of one thread, and borrowed.
        Call<'_>: "Unpin Debug";
        Inside<'_>: "Unpin Debug";
        Callbacks<'_>: "Unpin Debug";
        Lent<'_, u8>: "RefUnwindSafe Unpin Debug";
        Staged<u8>: "UnwindSafe RefUnwindSafe Unpin Debug";
    }
}

/// What tells of a call goes wherever an error goes.
#[test]
fn what_is_told() {
    check! {
        Fault: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Error<i32>: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Failed<i32>: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Null: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        FaultKind: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Unsupported: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Hint: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Access: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Memory: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Part: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Symbol: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Backtrace: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Frame: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Machine: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Requirement: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        Backend: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        HeapKind: "Send Sync UnwindSafe RefUnwindSafe Unpin Debug";
        // Of a `static`.
        Globals: "Sync UnwindSafe RefUnwindSafe Unpin Debug";
    }
    // One `?` for whatever a wrapper fails with.
    fn told<C>(failed: Failed<C>) -> Result<(), Error<C>> {
        Err(failed)?
    }
    let _ = told::<i32>;
}
