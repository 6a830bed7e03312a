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
//! | group | what it does |
//! |---|---|
//! | [`machine`](crate::machine) | CPU and kernel, and proof that they do what is relied on |
//! | `threads` | what threads of the process have to do with each other |
//! | `loaded` | what the loader knows of the program and its libraries |
//! | `areas` | memory of an instance |
//! | `crossing` | the way into a domain, and the ways out |
//! | `signals` | from a fault, or a deadline, to the way out |
//! | `instances` | instances, and calls into them |
//! | `endings` | how a call ends that did not return, and what is told of it |
//!
//! The first three rely only on those before them. The other four know each other: a thread's record leads to its call, that to the
//! instance and the seat, and a signal handler needs all of it.

pub(crate) mod areas;
pub(crate) mod crossing;
mod endings;
mod instances;
mod loaded;
pub(crate) mod signals;
mod threads;

pub(crate) use crate::heap::is_inside;
pub(crate) use areas::layout::{in_arena, reaches_arena};
pub(crate) use crossing::asks::{before_jump, close_room, map, note_refusal, open_heap, open_room};
pub(crate) use crossing::gate::call_back;
pub(crate) use crossing::leave::{Reason, leave, leave_with};
pub(crate) use crossing::thread::{on_signal_stack, own_signal_stack, remember_signal_stack};
pub(crate) use endings::evidence::Evidence;
pub(crate) use endings::message::Message;
pub(crate) use endings::panics::{end as end_panic, is_panicking, say as say_panic};
pub(crate) use instances::entry::Entry;
pub(crate) use instances::instance::{Begun, Instance};
pub(crate) use instances::started::{start_thread, thread_ends};
pub(crate) use instances::view::View;
pub(crate) use threads::making::begin_making;
pub(crate) use threads::waiting::{wait, wake};

pub(crate) use crate::machine::PAGE;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// What stands before a group in the table does not name it.
    #[test]
    fn lower_groups_know_none_above_them() {
        const GROUPS: [&str; 7] = ["threads", "loaded", "areas", "crossing", "signals", "instances", "endings"];
        const LOWER: usize = 3;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mpk");
        let mut arrows = Vec::new();
        for (index, group) in GROUPS[..LOWER].iter().enumerate() {
            let mut open = vec![root.join(group)];
            while let Some(path) = open.pop() {
                if path.is_dir() {
                    open.extend(fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()));
                    continue;
                }
                let text = fs::read_to_string(&path).expect("a source");
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let above = |line: &&str| GROUPS[index + 1..].iter().any(|it| line.contains(&format!("mpk::{it}")));
                arrows.extend(code.filter(above).map(|line| format!("{}: {line}", path.display())));
            }
        }
        assert_eq!(arrows, Vec::<String>::new());
    }
}
