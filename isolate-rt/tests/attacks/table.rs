//! The attack matrix: every row, what tests it, and `docs/attacks.md`, which is made of this and compared with it.

use super::{Control, DONE};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A row of the matrix.
struct Row {
    id: &'static str,
    what: &'static str,
    /// Tests that are not in [`DONE`]: file, name, what comes of it, and without the defence (or why it cannot be off).
    tests: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

const ROWS: &[Row] = &[
    Row {
        id: "A1",
        what: "overflows and wild writes out of the domain",
        tests: &[("attacks/accidents.rs", "a1_unopened_heap", "`Unmapped`", "— (what lies 30 MiB further is chance)")],
    },
    Row {
        id: "A2",
        what: "use after free, double free",
        tests: &[
            (
                "program.rs",
                "a2_ten_thousand_faults_leave_nothing_behind",
                "memory, mappings and descriptors stay flat",
                "— (the first fault ends the process)",
            ),
            (
                "attacks/accidents.rs",
                "a2_double_free",
                "stays inside: `Err` or nothing, and the next call works",
                "killed by `SIGABRT`",
            ),
        ],
    },
    Row {
        id: "A3",
        what: "stack canary overwritten",
        tests: &[
            (
                "attacks/accidents.rs",
                "a3_smashed_with_a_canary",
                "`StackSmashed`, compiled with `-fstack-protector-all`",
                "killed by `SIGABRT`",
            ),
            (
                "attacks/accidents.rs",
                "a3_smashed_without_a_canary",
                "`NonCanonical`: where the function returns to",
                "killed by `SIGSEGV`",
            ),
        ],
    },
    Row {
        id: "A4",
        what: "endless recursion",
        tests: &[
            ("attacks/accidents.rs", "a4_recursion_on_another_thread", "`StackOverflow`", "killed by `SIGABRT`"),
            (
                "threads.rs",
                "a_stack_overflow_when_a_thread_ends",
                "`StackOverflow`, also when a thread-local is dropped",
                "as above",
            ),
        ],
    },
    Row {
        id: "A5",
        what: "endless loops and waits",
        tests: &[
            ("deadline.rs", "a5_endless_loop", "`Timeout`", "still running after a second"),
            ("deadline.rs", "a5_sleeping", "`Timeout`", "still running after a second"),
            ("deadline.rs", "a5_waiting_on_a_futex", "`Timeout`", "still running after a second"),
            ("deadline.rs", "a5_reading_an_empty_pipe", "`Timeout`", "still running after a second"),
            (
                "deadline.rs",
                "a_wait_after_a_timeout_is_not_interrupted",
                "what the program waits for next sees no `EINTR`",
                "— (there is no deadline)",
            ),
            ("callbacks.rs", "deadlines_of_calls_around_outlive_those_inside", "`Timeout`", "as above"),
        ],
    },
    Row {
        id: "A6",
        what: "other synchronous signals",
        tests: &[("faults.rs", "a6_a_system_call_that_a_filter_refuses", "`ForbiddenSyscall`", "killed by `SIGSYS`")],
    },
    Row {
        id: "A7",
        what: "abort, assert, exit",
        tests: &[(
            "attacks/accidents.rs",
            "a7_kill_is_not_held",
            "**not held**: `SIGKILL` ends the process",
            "the same",
        )],
    },
    Row {
        id: "A8",
        what: "longjmp out of the domain",
        tests: &[
            (
                "attacks/jumps.rs",
                "a8_longjmp_into_an_outer_call",
                "`JumpedOut`, also without libc's `longjmp`; the call around it is `DomainLost`",
                "the closure between the two calls is cut off, and does not end",
            ),
            (
                "attacks/jumps.rs",
                "a8_longjmp_to_the_program",
                "by way of libc `JumpedOut`; else the first write of the frame faults",
                "the closure's frames are cut off",
            ),
        ],
    },
    Row {
        id: "A9",
        what: "a panic or exception that leaves the domain",
        tests: &[
            (
                "attacks/accidents.rs",
                "a9_panic_inside",
                "`Panicked`, and the process goes on",
                "passes through the call into the program",
            ),
            (
                "cpp.rs",
                "an_exception_that_leaves_the_domain",
                "`Exception`, with its type and what it says",
                "— (there is nobody to catch it: the process ends)",
            ),
        ],
    },
    Row {
        id: "A10",
        what: "signal handlers, mask or stack changed",
        tests: &[
            ("attacks/leftovers.rs", "a10_handlers_changed", "refused by way of libc", "changed"),
            (
                "attacks/leftovers.rs",
                "a10_handlers_changed_by_other_names",
                "refused: `__sysv_signal` (what `signal` is with `-std=c11`), `sigset`, `sigvec` and others",
                "changed",
            ),
            (
                "attacks/leftovers.rs",
                "a10_a_handler_past_libc",
                "by a raw system call: killed by `SIGSEGV` where it uses the domain's stack; else, and with `SA_ONSTACK`, **not held**",
                "overwritten",
            ),
            (
                "signals.rs",
                "a_domain_cannot_change_handlers_or_the_signal_stack",
                "refused by way of libc; raw system calls are **not held**",
                "as above",
            ),
            (
                "signals.rs",
                "a_fault_puts_mask_and_signal_stack_right",
                "by raw system calls, and then a fault: what the runtime needs is put right",
                "changed, and the next fault is killed by `SIGILL`",
            ),
            (
                "signals.rs",
                "signals_blocked_past_libc",
                "**stay** blocked after the call; what faults while they are is killed by `SIGSEGV`",
                "— (by a raw system call; without it, a fault of the call)",
            ),
            (
                "handlers.rs",
                "masks_by_every_name",
                "unchanged inside; outside, the signals of faults are left out: `sigblock`, `sigset` and others",
                "blocked (libc's own)",
            ),
        ],
    },
    Row {
        id: "A11",
        what: "a handler of the program without SA_ONSTACK, inside",
        tests: &[
            (
                "signals.rs",
                "a11_handler_started_on_the_stack_of_the_domain",
                "runs as the program's, and the call goes on",
                "killed by `SIGSEGV` (a handler installed past libc, after the first domain)",
            ),
            (
                "signals.rs",
                "a11_alarms_profiles_and_children",
                "`SIGALRM`, `SIGPROF` and `SIGCHLD`: as above",
                "— (the same handlers, on the stack that there is)",
            ),
            (
                "handlers.rs",
                "handlers_by_every_name_of_signal",
                "runs as the program's, whichever function installed it",
                "as above",
            ),
            (
                "signals.rs",
                "a_handler_installed_before_the_first_domain_with_every_signal_blocked",
                "a call that it makes ends by its own fault",
                "— (the fault ends the process)",
            ),
        ],
    },
    Row {
        id: "A12",
        what: "preemption with rseq registered",
        tests: &[
            ("program.rs", "two_seconds_inside_beside_a_busy_competitor", "survives", "as below"),
            ("attacks/accidents.rs", "a12_rseq", "survives", "killed by `SIGSEGV`"),
        ],
    },
    Row {
        id: "A13",
        what: "ended while it holds an allocator's lock",
        tests: &[(
            "attacks/accidents.rs",
            "a13_deadlines_inside_malloc",
            "the next call works",
            "the next `malloc` waits forever",
        )],
    },
    Row {
        id: "A14",
        what: "descriptors and other kernel state left behind",
        tests: &[("attacks/accidents.rs", "a14_descriptors_stay_open", "**not undone**", "the same")],
    },
    Row {
        id: "A15",
        what: "threads started or ended",
        tests: &[
            (
                "started.rs",
                "a_thread_cannot_write_the_program",
                "where threads are allowed: `DomainLost`, nothing written",
                "overwritten",
            ),
            (
                "started.rs",
                "no_more_than_allowed",
                "… `EAGAIN`; a fault of the call ends them, computing or waiting",
                "— (nobody counts them, and the fault ends the process)",
            ),
            (
                "attacks/leftovers.rs",
                "a15_a_raw_thread_is_not_held",
                "**not held**: a thread of a raw system call outlives a fault, with the domain's rights, and cannot write the program",
                "— (the fault ends the process)",
            ),
        ],
    },
    Row {
        id: "A16",
        what: "processes started",
        tests: &[
            (
                "attacks/accidents.rs",
                "a16_raw_clone_is_not_held",
                "**not held**: a child of a raw system call goes on with the domain's rights, and cannot write the program",
                "the same, and writes its copy of it",
            ),
            (
                "signals.rs",
                "a_fault_of_a_child_of_a_raw_system_call",
                "such a child is killed by `SIGSEGV`, and gets no rights",
                "— (as the row above: what it may do, it does)",
            ),
        ],
    },
    Row {
        id: "A17",
        what: "lazily bound library",
        tests: &[(
            "attacks/accidents.rs",
            "a17_lazy_binding",
            "bound before it is entered; `Protection` for what nobody defines",
            "ends the process with status 127",
        )],
    },
    Row {
        id: "A18",
        what: "malloc here, free there",
        tests: &[(
            "attacks/accidents.rs",
            "a18_domain_block_freed_by_the_program",
            "ends the process with a message",
            "— (there is one heap)",
        )],
    },
    Row {
        id: "A19",
        what: "pointers into an instance that is gone",
        tests: &[
            ("attacks/leftovers.rs", "a19_stale_pointer", "`StaleHandle`", "a bare pointer finds another object"),
            ("memory.rs", "a_fault_takes_it", "`StaleHandle`", "— (the fault ends the process)"),
            ("memory.rs", "copying_while_another_thread_fails", "whole, or refused", "— (the fault ends the process)"),
            ("program.rs", "handles_outlive_calls_but_not_faults", "`StaleHandle`", "— (the fault ends the process)"),
        ],
    },
    Row {
        id: "A20",
        what: "a fault in a signal handler",
        tests: &[("attacks/accidents.rs", "a20_fault_in_a_handler", "ends the process by `SIGSEGV`, once", "the same")],
    },
    Row {
        id: "A21",
        what: "a fault of the program itself",
        tests: &[
            ("program.rs", "a21_faults_outside_a_domain_are_untouched", "as without the runtime", "the same"),
            (
                "signals.rs",
                "a21_the_programs_own_fault_handler_still_works",
                "goes to the program's handler",
                "the same",
            ),
            ("signals.rs", "flags_of_the_programs_fault_handler", "called as its `SA_` flags and mask say", "the same"),
        ],
    },
    Row {
        id: "A22",
        what: "destructors between a call and a fault",
        tests: &[
            (
                "attacks/leftovers.rs",
                "a22_panic_in_a_callback",
                "a closure's locals are dropped, and the panic goes on",
                "killed by `SIGABRT`",
            ),
            ("callbacks.rs", "a_panic_goes_on_where_the_call_was_made", "a closure's locals are dropped", "as above"),
            (
                "callbacks.rs",
                "a_fault_ends_the_calls_around_it_in_the_same_domain_only",
                "the closure gets an `Err` and goes on",
                "— (the fault ends the process)",
            ),
        ],
    },
    Row {
        id: "A23",
        what: "more domains than keys",
        tests: &[("program.rs", "a23_a_sixteenth_domain_has_no_key", "`Unsupported`", "the seventeenth works")],
    },
    Row {
        id: "B1",
        what: "pointers and lengths that lie",
        tests: &[
            ("program.rs", "strings_must_lie_in_the_domain_or_in_constants", "`InvalidValue`", "as below"),
            ("attacks/corruption.rs", "b1_string_that_is_none", "`InvalidValue`", "killed by `SIGSEGV`"),
            (
                "attacks/corruption.rs",
                "b1_pointers_and_lengths_at_random",
                "refused, or memory of the domain or a constant",
                "— (as above, sooner or later)",
            ),
            ("program.rs", "sizes", "`InvalidValue` or `TooLarge`", "— (`take` clamps in every call)"),
            (
                "memory.rs",
                "lengths_that_are_made_up",
                "`InvalidValue` or `TooLarge`, and no more copied than the domain can have",
                "— (nothing bounds them)",
            ),
            (
                "mappings.rs",
                "a_file_that_ends_before_its_mapping",
                "what the program reads behind the end of the file is 0",
                "killed by `SIGBUS`",
            ),
        ],
    },
    Row {
        id: "B2",
        what: "a value changed between check and use",
        tests: &[
            (
                "attacks/corruption.rs",
                "b2_length_flipped_by_a_sibling",
                "one of its values, and refused if it lies",
                "what was checked is not what is used",
            ),
            (
                "attacks/corruption.rs",
                "b2_copies_of_what_was_taken",
                "what was taken stays as it was",
                "— (the compiler's choice, in builds with optimisation)",
            ),
            ("mappings.rs", "unmapped_while_the_program_looks", "0, or refused", "— (nobody looks before the access)"),
        ],
    },
    Row {
        id: "B3",
        what: "bit patterns that are no value",
        tests: &[(
            "attacks/corruption.rs",
            "b3_any_bits",
            "numbers and bytes, whatever they are; text is no `str` before it was looked at. Types with other values do not compile \
             (`Plain`)",
            "— (the compiler's refusal)",
        )],
    },
    Row {
        id: "B4",
        what: "the way back overwritten",
        tests: &[
            (
                "attacks/corruption.rs",
                "b4_overwrite_own_stack",
                "`Unmapped` at the end of the stack",
                "killed by `SIGSEGV`",
            ),
            (
                "attacks/corruption.rs",
                "b4_overwritten_by_a_sibling",
                "`NonCanonical`, and the caller's state is intact",
                "killed by `SIGSEGV`",
            ),
        ],
    },
    Row {
        id: "B5",
        what: "allocator's data overwritten",
        tests: &[
            ("memory.rs", "an_allocator_that_lies", "memory of the domain, or `InvalidValue`", "as below"),
            (
                "attacks/corruption.rs",
                "b5_every_word_of_the_heap",
                "`Err` or nothing, and the next call works",
                "killed by `SIGABRT`",
            ),
        ],
    },
    Row {
        id: "B6",
        what: "the kernel asked to write for the domain",
        tests: &[
            (
                "attacks/corruption.rs",
                "b6_read_into_the_program",
                "by `read`, `recv`, `readv`, `pread` and `getrandom`: `EFAULT`, nothing written",
                "overwritten",
            ),
            (
                "output.rs",
                "formats_and_pointers_that_lie",
                "libc, by `%n` of a format and a `FILE` made up: `Protection`",
                "— (libc does what it is asked)",
            ),
        ],
    },
    Row {
        id: "B8",
        what: "memory of others unmapped, replaced, protected",
        tests: &[
            (
                "mappings.rs",
                "b8_memory_of_others",
                "by way of libc an error, and unchanged; raw system calls are **not held**",
                "overwritten, or killed by `SIGSEGV`",
            ),
            ("mappings.rs", "nothing_to_execute", "`EACCES`", "— (a right that a program has)"),
        ],
    },
    Row {
        id: "B9",
        what: "keys and their pages",
        tests: &[
            (
                "attacks/corruption.rs",
                "b9_pages_keep_their_key",
                "after faults, every page has the key it had",
                "a page mapped anew has none",
            ),
            (
                "attacks/corruption.rs",
                "b9_keys_of_others",
                "what the thread may do with keys that are not the runtime's is as before",
                "a page that was closed can be read",
            ),
        ],
    },
    Row {
        id: "B10",
        what: "registers, flags, floating-point state",
        tests: &[
            ("program.rs", "registers_of_the_caller_survive", "as before the call", "as the code has left them"),
            ("signals.rs", "alignment_checks_stay_in_the_domain", "handlers run without", "handlers run with them"),
            (
                "attacks/registers.rs",
                "b10_registers_on_entry",
                "hold arguments and nothing else of the program's, also after a callback; the x87 stack **may**",
                "as the program has left them",
            ),
            (
                "attacks/registers.rs",
                "b10_registers_on_return",
                "those that functions keep are as before, also after a fault; the others hold what the domain left, and are not looked at",
                "as the code has left them",
            ),
        ],
    },
    Row {
        id: "B11",
        what: "what the last run left in memory",
        tests: &[(
            "attacks/corruption.rs",
            "b11_stale_bytes",
            "gone from the heap but for its first 64 KiB; **remains** there, on the stack and in staging",
            "all there before the fault",
        )],
    },
    Row {
        id: "B13",
        what: "other mappings of the same memory",
        tests: &[
            ("attacks/leftovers.rs", "b13_second_mapping", "there is none", "made by the program: overwritten"),
            (
                "mappings.rs",
                "another_domain_sees_nothing_of_it",
                "of a file that a domain has mapped: `Protection`",
                "— (there is one set of rights)",
            ),
            (
                "mappings.rs",
                "faults_leave_nothing_behind",
                "after a fault: no file is mapped any more",
                "— (the fault ends the process)",
            ),
        ],
    },
    Row {
        id: "B15",
        what: "faults that lead the handler astray",
        tests: &[
            (
                "signals.rs",
                "a_signal_at_a_stack_pointer_of_the_program",
                "the program's handler runs, and nothing is written there",
                "overwritten (a handler installed past the runtime)",
            ),
            (
                "attacks/leftovers.rs",
                "b15_stack_pointer_into_the_signal_stack",
                "an `Err`; near its lower end **not held**: killed by `SIGSEGV`",
                "— (there is no handler that needs the room)",
            ),
        ],
    },
    Row {
        id: "C1",
        what: "jumps to the gate's own `wrpkru`",
        tests: &[
            (
                "attacks/instructions.rs",
                "c1_jumps_into_the_gate",
                "on a way in, and in the self-test, ends the process by `SIGILL`, on a way out leaves the domain; other such instructions (`pkey_set` of libc) are **not held**",
                "overwritten",
            ),
            (
                "attacks/instructions.rs",
                "c1_all_writes_of_rights_are_guarded",
                "the runtime's code has nine `wrpkru`, each followed by a look at what it has written, and no `xrstor`",
                "— (a list of the program's code)",
            ),
        ],
    },
    Row {
        id: "C23",
        what: "callbacks that are stale, of another call, or of another signature",
        tests: &[
            (
                "callbacks.rs",
                "c23_pointers_of_other_calls_and_other_signatures_are_refused",
                "`CallbackRefused`",
                "— (such a pointer ends the process)",
            ),
            (
                "memory.rs",
                "a_closure_is_not_entered_while_it_runs",
                "`CallbackRefused`",
                "refused too, which ends the process",
            ),
        ],
    },
];

fn render() -> String {
    let open = ROWS.iter().flat_map(|row| row.tests).filter(|(.., result, _)| result.contains("**"));
    let open: Vec<_> = open.map(|(_, name, ..)| format!("`{name}`")).collect();
    let mut text = format!(
        "# Attacks\n\n\
         What is tried against a domain, and what comes of it. Made from `isolate-rt/tests/attacks/`, which\n\
         fails when this page is stale; every line is a test. *Without the defence*: the same attack in a\n\
         call that is not isolated, asserted by the same test; where that is not possible, why.\n\n\
         Results are from the emulated CPU of `.ci/pku-vm` (QEMU TCG, Linux 6.12): no machine with\n\
         protection keys was available. Reports from real hardware are welcome.\n\n\
         A is an accident, B an attacker who has corrupted the library's data. Of what an attacker can do\n\
         who chooses the instructions (C), next to nothing is held: see [threat-model.md](threat-model.md).\n\
         Rows that are missing are not held either, and have no test: the kernel asked to change memory for\n\
         the domain in other ways than B6 and B8 (B7), denial of service beyond heap and deadline (B12), side\n\
         channels (B14).\n\n\
         In bold below is what is not held, not undone or left behind:\n\n- {}\n\n\
         | row | attack | test | result | without the defence |\n|---|---|---|---|---|\n",
        open.join("\n- ")
    );
    for Row { id, what, tests } in ROWS {
        let mut first = format!("{id} | {what}");
        let mut line = |test: &str, result: &str, control: &str| {
            let _ = writeln!(
                text,
                "| {} | {test} | {result} | {control} |",
                std::mem::replace(&mut first, " | ".to_string())
            );
        };
        let own = DONE.iter().filter(|(row, ..)| row.eq_ignore_ascii_case(id));
        for (row, name, kind, control) in own {
            let control = match control {
                Control::Overwritten() => "overwritten".to_string(),
                Control::Unnoticed() => "unnoticed".to_string(),
                Control::Exit(status) => format!("the process exits with {status}"),
                Control::Killed(signal) => format!("killed by `{}`", signal_name(*signal)),
            };
            line(&format!("`{row}::{name}`"), &format!("`{kind}`"), &control);
        }
        for (_, name, result, control) in *tests {
            line(&format!("`{name}`"), result, control);
        }
    }
    text
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGTRAP => "SIGTRAP",
        _ => "another signal",
    }
}

#[test]
fn the_page_is_fresh() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/attacks.md");
    if std::env::var_os("ISOLATE_UPDATE").is_some() {
        fs::write(&page, render()).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap_or_default(), render(), "stale: run `cargo xtask generate`");
}

/// Whether the source has a test of that name that runs: a line `fn NAME() {` under attributes that make it one, and none that
/// keeps it from running.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| *line == format!("fn {name}() {{")) else { return false };
    let attributes: Vec<_> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).collect();
    attributes.iter().any(|line| **line == "#[test]") && attributes.iter().all(|line| !line.starts_with("#[ignore"))
}

#[test]
fn every_row_has_its_tests() {
    for Row { id, tests, .. } in ROWS {
        let own = DONE.iter().any(|(row, ..)| row.eq_ignore_ascii_case(id));
        assert!(own || !tests.is_empty(), "{id} has no test");
        assert!(tests.iter().all(|(.., control)| !control.is_empty()), "{id} says nothing about the defence off");
        for (file, name, ..) in *tests {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
            assert!(is_test(&fs::read_to_string(&path).unwrap(), name), "{id}: no test `{name}` in {file}");
        }
        let row = format!("{}_", id.to_lowercase());
        assert!(own || tests.iter().any(|(_, name, ..)| name.starts_with(&row)), "{id}: no test bears its name");
    }
    for (row, name, ..) in DONE {
        assert!(
            ROWS.iter().any(|known| known.id.eq_ignore_ascii_case(row)),
            "`{name}` is of a row `{row}` that is not there"
        );
    }
}
