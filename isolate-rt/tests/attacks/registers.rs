//! What goes in and comes out in registers, beside arguments and results.

use super::{DOMAIN, UNPROTECTED};
use crate::support::isolation;
use isolate_rt::{Call, Callbacks, Domain};
use std::arch::naked_asm;
use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

/// In every register of the program; and of what runs inside.
const MARK: u64 = 0x5ca1_ab1e_0ddb_a115;
const OTHER_MARK: u64 = 0x7e57_ab1e_0b57_ac1e;

/// As wide as any register: marks that are written in there.
#[repr(C, align(64))]
struct Wide([u64; 8]);

static MARKS: Wide = Wide([MARK; 8]);
static OTHER_MARKS: Wide = Wide([OTHER_MARK; 8]);

/// What registers held: `rax`, `rbx`, `rcx`, `rdx`, `rsi`, `rdi`, `rbp`, `rsp`, `r8` to `r15`, then the vectors as far as there are
/// any, then masks.
#[repr(C)]
#[derive(Clone, Copy)]
struct Found {
    general: [u64; 16],
    vectors: [[u64; 8]; 32],
    masks: [u64; 8],
}

/// 0 for SSE, 1 for AVX, 2 for AVX-512: as in the gate, but found by the test itself.
static VECTORS: AtomicU8 = AtomicU8::new(0);

fn learn_vectors() -> u8 {
    let has = u8::from(is_x86_feature_detected!("avx")) + u8::from(is_x86_feature_detected!("avx512vl"));
    VECTORS.store(has, Ordering::Relaxed);
    has
}

/// Loads every vector and mask register there is from `rax`.
macro_rules! fill_vectors {
    () => {
        "cmp byte ptr [rip + {vectors}], 1
        ja 22f
        je 21f
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups xmm\\n, [rax]
        .endr
        jmp 23f
        21:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups ymm\\n, [rax]
        .endr
        jmp 23f
        22:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vmovups zmm\\n, [rax]
        .endr
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovw k\\n, [rax]
        .endr
        23:"
    };
}

/// # Safety
///
/// As much may be written there. Callable from anywhere.
#[unsafe(naked)]
unsafe extern "C" fn dump(to: *mut Found) {
    naked_asm!(
        "mov [rdi], rax", "mov [rdi + 8], rbx", "mov [rdi + 16], rcx", "mov [rdi + 24], rdx",
        "mov [rdi + 32], rsi", "mov [rdi + 40], rdi", "mov [rdi + 48], rbp", "mov [rdi + 56], rsp",
        ".irp n, 8, 9, 10, 11, 12, 13, 14, 15
        mov [rdi + 8 * \\n], r\\n
        .endr",
        "cmp byte ptr [rip + {vectors}], 1
        ja 32f
        je 31f
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups [rdi + {wide} + 64 * \\n], xmm\\n
        .endr
        ret
        31:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups [rdi + {wide} + 64 * \\n], ymm\\n
        .endr
        ret
        32:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vmovups [rdi + {wide} + 64 * \\n], zmm\\n
        .endr
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovw [rdi + {masks} + 8 * \\n], k\\n
        .endr
        ret",
        vectors = sym VECTORS,
        wide = const offset_of!(Found, vectors),
        masks = const offset_of!(Found, masks),
    )
}

/// Calls `f(argument)` with marks in every other register, then [`dump`]s them.
///
/// # Safety
///
/// As `f` and `dump`.
#[unsafe(naked)]
unsafe extern "C" fn marked(f: unsafe extern "C" fn(*mut u8), argument: *mut u8, after: *mut Found) {
    naked_asm!(
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "push rdx", "push rdi", "sub rsp, 8",
        "mov rdi, rsi",
        "lea rax, [rip + {marks}]",
        fill_vectors!(),
        "mov rax, [rax]",
        ".irp name, rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        mov \\name, rax
        .endr",
        "call [rsp + 8]",
        "mov rdi, [rsp + 16]",
        "call {dump}",
        "add rsp, 24",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "ret",
        marks = sym MARKS,
        vectors = sym VECTORS,
        dump = sym dump,
    )
}

/// Leaves marks where a function may leave what it likes.
///
/// # Safety
///
/// None owed.
#[unsafe(naked)]
unsafe extern "C" fn leave_marks() {
    naked_asm!(
        "lea rax, [rip + {marks}]",
        fill_vectors!(),
        "mov rax, [rax]",
        ".irp name, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        mov \\name, rax
        .endr",
        "ret",
        marks = sym MARKS,
        vectors = sym VECTORS,
    )
}

/// Leaves other marks everywhere, `rbp` but for a fault excepted: callers find their locals by it.
macro_rules! wreck {
    ($($end:literal),*) => {
        naked_asm!(
            "lea rax, [rip + {marks}]",
            fill_vectors!(),
            "mov rax, [rax]",
            ".irp name, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
            mov \\name, rax
            .endr",
            $($end,)*
            marks = sym OTHER_MARKS,
            vectors = sym VECTORS,
        )
    };
}

/// # Safety
///
/// None; that is the attack.
#[unsafe(naked)]
unsafe extern "C" fn wreck_and_return(_: *mut u8) {
    wreck!("ret")
}

/// # Safety
///
/// As [`wreck_and_return`].
#[unsafe(naked)]
unsafe extern "C" fn wreck_and_fail(_: *mut u8) {
    wreck!("mov rbp, rax", "ud2")
}

/// Where `mark` is: in how many general registers, lower halves of vectors as SSE has them, the rest of them, masks.
fn count(found: &Found, mark: u64) -> [usize; 4] {
    let among = |words: &mut dyn Iterator<Item = u64>| words.filter(|word| *word == mark).count();
    [
        among(&mut found.general.iter().copied()),
        among(&mut found.vectors.iter().flat_map(|vector| vector[..2].iter().copied())),
        among(&mut found.vectors.iter().flat_map(|vector| vector[2..].iter().copied())),
        found.masks.iter().filter(|mask| **mask == mark & 0xffff).count(),
    ]
}

/// Room for what is found inside.
fn room(domain: &'static Domain) -> *mut Found {
    // SAFETY: allocates.
    unsafe { domain.call("room").unwrap().run(|| libc::calloc(1, size_of::<Found>()).cast()) }.unwrap()
}

/// What code inside finds at the beginning of a call that was made with marks in all registers.
fn on_entry(domain: &'static Domain) -> Found {
    struct Task(Call<'static>, *mut Found);
    /// # Safety
    ///
    /// It is a `Task`.
    unsafe extern "C" fn enter(task: *mut u8) {
        // SAFETY: given by `on_entry`; `dump` may write to the room that was made for it.
        unsafe {
            let Task(call, room) = &mut *task.cast();
            let room = *room;
            let _ = call.run(move || dump(room));
        }
    }
    let room = room(domain);
    // Begun before: on its way to the gate, libc's `memcpy` clears vectors, too.
    let mut task = Task(domain.call("dump").unwrap(), room);
    let mut after = EMPTY;
    // SAFETY: `enter` gets what it expects; what it wrote can be read, and any words are `Found`.
    unsafe {
        marked(enter, (&raw mut task).cast(), &mut after);
        room.read()
    }
}

/// What code inside finds when a closure of the program has answered.
fn after_a_callback(domain: &'static Domain) -> Found {
    let mut callbacks = Callbacks::new();
    // SAFETY: a function that changes what functions may change.
    let closure = callbacks.add(|| unsafe { leave_marks() });
    let room = room(domain);
    // SAFETY: as in `on_entry`.
    unsafe {
        let ask = move || {
            closure();
            dump(room);
        };
        domain.call("ask").unwrap().run_with(&mut callbacks, ask).unwrap();
        room.read()
    }
}

const EMPTY: Found = Found { general: [0; 16], vectors: [[0; 8]; 32], masks: [0; 8] };

/// Nothing of the program's but arguments is in a register when the domain's code begins, or goes on after a callback.
#[test]
fn b10_registers_on_entry() {
    if !isolation() {
        return;
    }
    let has = learn_vectors();
    for (look, name) in [(on_entry as fn(_) -> _, "entry"), (after_a_callback, "callback")] {
        let found = look(&DOMAIN);
        assert_eq!(count(&found, MARK), [0; 4], "{name}");
        assert_eq!(found.vectors, EMPTY.vectors);
        assert_eq!(found.masks, EMPTY.masks);
        // The control.
        let [general, low, high, masks] = count(&look(&UNPROTECTED), MARK);
        assert!(general > 0 && low > 16, "{name}: {general} {low}");
        assert!((high > 0, masks > 0) == (has >= 1, has == 2), "{name}: {high} {masks}");
    }
}

/// What the program keeps in registers it finds there again, whatever the domain's code has left in them.
#[test]
fn b10_registers_on_return() {
    // Of its own: a call that fails takes the instance, and the calls of tests beside this one with it.
    static WRECKED: Domain = Domain::new("wrecked");
    /// `rbx`, `rbp`, `r12` to `r15`.
    const KEPT: [usize; 6] = [1, 6, 12, 13, 14, 15];
    struct Task(unsafe extern "C" fn(*mut u8), Cell<bool>);
    /// # Safety
    ///
    /// It is a `Task`.
    unsafe extern "C" fn enter(task: *mut u8) {
        // SAFETY: given below; what the domain does to its registers must not matter.
        unsafe {
            let task = &*task.cast::<Task>();
            let wreck = task.0;
            task.1.set(WRECKED.call("wreck").unwrap().run(move || wreck(ptr::null_mut())).is_ok());
        }
    }
    if !isolation() {
        return;
    }
    learn_vectors();
    let mut after = EMPTY;
    for (wreck, returns) in [(wreck_and_return as unsafe extern "C" fn(*mut u8), true), (wreck_and_fail, false)] {
        let task = Task(wreck, Cell::new(!returns));
        // SAFETY: `enter` gets what it expects.
        unsafe { marked(enter, (&raw const task).cast_mut().cast(), &mut after) };
        assert_eq!(task.1.get(), returns);
        assert_eq!(KEPT.map(|register| after.general[register]), [MARK; 6]);
    }
    // The control: `marked` keeps for itself what its caller needs.
    // SAFETY: as above.
    unsafe { marked(wreck_and_return, ptr::null_mut(), &mut after) };
    assert_eq!(count(&after, OTHER_MARK)[0], 13, "all but where the room is, and what stack and frame pointers hold");
}
