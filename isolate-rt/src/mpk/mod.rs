//! The back end on memory protection keys.
//!
//! ```text
//!            root: key 0, the default of everything                      an instance: key K
//!   ┌──────────────────────────────────────────────────┐   ┌──────────────────────────────────────────┐
//!   │ stack, heap, globals, TLS of the program         │   │ guard │ stack │ guard │ TLS block │       │
//!   │ Thread (found by GS) ─► Activation ─► Activation │   │ heap ............ │ staged buffers ..... │
//!   │ alternate signal stack                           │   │ globals of the library (where it is linked)│
//!   └───────────────────────┬──────────────────────────┘   └────────────────────▲─────────────────────┘
//!                           │ gate: save, switch stack and FS, wrpkru, call      │
//!                           └─────────────────────────────────────────────────────┘
//! ```
//!
//! | file | level |
//! |---|---|
//! | `cpu` | FS and GS base |
//! | `pkey` | the three system calls and the PKRU register |
//! | `layout` | where in the address space instances lie |
//! | `gate` | the way in and the way out |
//! | `thread` | what a thread needs before it may enter |
//! | `tls` | the thread-local storage block of an instance |
//! | `image` | globals: tagged, kept, restored |
//! | `signal` | from a fault to a rewind |
//! | `deadline` | the timer that ends a call |
//! | `handlers` | the program's own signal handlers |
//! | `selftest` | proof, in a forked child, that this machine does all that |
//! | `seat` | what one thread has of an instance while it is inside |
//! | `instance` | all of it together |

mod cpu;
mod deadline;
mod gate;
pub(crate) mod handlers;
mod image;
mod instance;
mod layout;
mod pkey;
mod requirements;
mod seat;
mod selftest;
mod signal;
mod thread;
mod tls;

pub(crate) use gate::{Reason, leave};
pub(crate) use instance::{Entry, Instance};
pub(crate) use layout::in_arena;
pub(crate) use requirements::requirements;
pub(crate) use thread::on_signal_stack;

/// Size of a page, in bytes.
pub(crate) const PAGE: usize = 4096;

/// The error of the libc call that just failed.
fn system(call: &'static str) -> crate::Unsupported {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    crate::Unsupported::System { call, errno }
}
