//! The functions that a domain calls: a pool of them for each signature, all of which [`ask`].

use super::kept::{self, FnMutInside};
use super::{Checked, DIRECT, FnMutTuple, Keepable, Message, POOL, Signature, is_over, signature};
use crate::call::{Inside, Plain};
use crate::fault::Fault;
use crate::mpk;
use std::mem::MaybeUninit;

/// What became of a question in a call without isolation.
enum Direct {
    Given,
    /// A closure has found its arguments wrong.
    Over,
    Refused,
}

/// Answers a question in a call without isolation.
fn answer_direct(number: usize, message: (*const u8, *mut u8)) -> Direct {
    // A closure has ended the call, which is not over before the function returns: no other is asked.
    if is_over() {
        return Direct::Over;
    }
    let answered = if kept::is_kept(number) {
        // SAFETY: without isolation the message is on the stack of whoever asks.
        unsafe { kept::answer(number, message, None, |_, _| true) }
    } else {
        // Nobody's while one of its closures runs: a call that the closure makes has its own, as it would inside.
        let lent = DIRECT.replace(std::ptr::null_mut());
        // SAFETY: the call that put them there waits for us, and lent them mutably; nobody else has found them since.
        let callbacks = unsafe { lent.as_mut() };
        // SAFETY: without isolation the message is on the stack of whoever asks.
        let answered = callbacks.and_then(|callbacks| unsafe { callbacks.answer(number, message, |_, _| true) });
        DIRECT.set(lent);
        answered
    };
    match answered {
        Some(()) => Direct::Given,
        None if is_over() => Direct::Over,
        None => Direct::Refused,
    }
}

/// What every trampoline does.
#[inline(never)]
fn ask<A: 'static, R: Plain>(number: usize, arguments: A) -> R {
    let message = Message { signature: signature::<A, R>(), arguments };
    let mut result = MaybeUninit::<R>::uninit();
    let (from, to) = ((&raw const message).cast::<u8>(), result.as_mut_ptr().cast::<u8>());
    if mpk::is_inside() {
        // SAFETY: a message and room for its result, on this stack. Comes back when it was answered.
        unsafe { mpk::call_back(number, from, to) };
    } else {
        match answer_direct(number, (from, to)) {
            Direct::Given => {}
            // The call goes on to its end, and returns the fault then.
            Direct::Over => result = MaybeUninit::zeroed(),
            // Unwinding would go through foreign frames: this ends the process, as `extern "C"` has it.
            Direct::Refused => {
                panic!("a callback that is not registered, or that panicked, in a call without isolation")
            }
        }
    }
    // SAFETY: written by the answer, or zero, which is a value of every `Plain` type.
    unsafe { result.assume_init() }
}

macro_rules! signatures {
    ($($trampoline:ident($($argument:ident: $ty:ident),*);)*) => { $(
        impl<F: FnMut($($ty),*) -> R, R, $($ty: Plain),*> FnMutTuple<($($ty,)*), R> for F {
            fn answer(&mut self, ($($argument,)*): ($($ty,)*)) -> R {
                self($($argument),*)
            }
        }

        impl<F: FnMut($($ty),*) -> R, R: Plain, $($ty: Plain),*> Signature<($($ty,)*), R> for F {
            type Pointer = unsafe extern "C" fn($($ty),*) -> R;

            fn pointer(number: usize) -> Self::Pointer {
                numbered!($trampoline, number, R, $($ty),*)
            }
        }

        impl<F: FnMut($($ty),*) -> Result<R, Fault>, R: Plain, $($ty: Plain),*> Checked<($($ty,)*), R> for F {
            type Pointer = unsafe extern "C" fn($($ty),*) -> R;

            fn pointer(number: usize) -> Self::Pointer {
                numbered!($trampoline, number, R, $($ty),*)
            }
        }

        impl<F, R: Plain, $($ty: Plain),*> Keepable<($($ty,)*), R> for F
        where
            F: FnMut(Inside<'_>, $($ty),*) -> Result<R, Fault> + Send + 'static,
        {
            type Pointer = unsafe extern "C" fn($($ty),*) -> R;

            fn pointer(number: usize) -> Self::Pointer {
                kept_numbered!($trampoline, number, R, $($ty),*)
            }
        }

        impl<F, R, $($ty: Plain),*> FnMutInside<($($ty,)*), R> for F
        where
            F: FnMut(Inside<'_>, $($ty),*) -> Result<R, Fault>,
        {
            fn answer(&mut self, inside: Inside<'_>, ($($argument,)*): ($($ty,)*)) -> Result<R, Fault> {
                self(inside, $($argument),*)
            }
        }

        unsafe extern "C" fn $trampoline<const NUMBER: usize, R: Plain, $($ty: Plain),*>($($argument: $ty),*) -> R {
            ask(NUMBER, ($($argument,)*))
        }
    )* };
}

macro_rules! numbered {
    ($trampoline:ident, $number:ident, $r:ident, $($ty:ident),*) => {
        numbered!(@ $trampoline, $number, [$r, $($ty),*],
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
    (@ $trampoline:ident, $number:ident, $types:tt, $($n:literal)*) => {
        match $number {
            $($n => numbered!(# $trampoline, $n, $types),)*
            _ => unreachable!("numbers are below POOL"),
        }
    };
    (# $trampoline:ident, $n:literal, [$($ty:ident),* $(,)?]) => { $trampoline::<$n, $($ty),*> };
}

/// As `numbered`, for [`kept::KEPT`] numbers from [`POOL`] on.
macro_rules! kept_numbered {
    ($trampoline:ident, $number:ident, $r:ident, $($ty:ident),*) => {
        kept_numbered!(@ $trampoline, ($number - POOL), [$r, $($ty),*], 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $trampoline:ident, $number:tt, $types:tt, $($row:literal)*) => {
        match $number / 16 {
            $($row => kept_numbered!(# $trampoline, $number, $row, $types, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),)*
            _ => unreachable!("numbers are below POOL + KEPT"),
        }
    };
    (# $trampoline:ident, $number:tt, $row:literal, $types:tt, $($column:literal)*) => {
        match $number % 16 {
            $($column => kept_numbered!(! $trampoline, $row, $column, $types),)*
            _ => unreachable!("a remainder of 16"),
        }
    };
    (! $trampoline:ident, $row:literal, $column:literal, [$($ty:ident),* $(,)?]) => {
        $trampoline::<{ POOL + 16 * $row + $column }, $($ty),*>
    };
}

signatures! {
    trampoline_0();
    trampoline_1(a: A);
    trampoline_2(a: A, b: B);
    trampoline_3(a: A, b: B, c: C);
    trampoline_4(a: A, b: B, c: C, d: D);
    trampoline_5(a: A, b: B, c: C, d: D, e: E);
    trampoline_6(a: A, b: B, c: C, d: D, e: E, g: G);
}
