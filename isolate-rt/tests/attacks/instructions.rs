//! What somebody does who chooses where the domain's code goes on.

use super::{OTHER, OVERWRITTEN, UNHARMED, child_ends, in_domain};
use crate::support::{End, isolation, role};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, Symbol, SymbolKind};
use std::arch::{asm, naked_asm};
use std::fs;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What is written to: of the program, or of another domain.
static VICTIM: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// PKRU that closes the program to writing, and no domain.
const OTHERS_OPEN: u32 = 0b10;

/// Runs with whatever rights were won.
extern "C" fn loot() -> ! {
    // SAFETY: none; that is the attack. Then it ends the process, past everything.
    unsafe {
        VICTIM.load(Ordering::Relaxed).write_volatile(1);
        asm!("syscall", in("rax") libc::SYS_exit_group, in("rdi") OVERWRITTEN, options(noreturn))
    }
}

/// What a gate would be that does not look at what it has written.
///
/// # Safety
///
/// Not to be called: jumped to.
#[unsafe(naked)]
unsafe extern "C" fn naive_gate() {
    naked_asm!("wrpkru", "xor ebp, ebp", "call r10", "ud2")
}

/// Goes on at `site` with these rights to come, `loot` where the ways in find what they call or return to.
fn go_on_at(site: usize, rights: u32) {
    let loot = loot as *const () as usize;
    // SAFETY: none; that is the attack. On the stack lie control words as the way back in expects them, and its return address.
    unsafe {
        asm!(
            "push r10", "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]",
            "mov r11, rsp", "jmp r8",
            in("r8") site, in("r10") loot, in("eax") rights, in("ecx") 0, in("edx") 0,
            options(noreturn)
        )
    }
}

/// Where this program has an instruction that loads PKRU.
struct Site {
    /// From [`naive_gate`]: code lies elsewhere in each process, and in one piece.
    distance: isize,
    function: String,
    /// What follows, by [`GUARDS`].
    guard: Option<&'static str>,
}

/// What can follow, and how that begins in machine code.
const GUARDS: [(&str, &[u8]); 3] = [
    // mov r11, gs:[…], to the call that is active, whose rights are compared with what was written.
    (OF_CALL, &[0x65, 0x4c, 0x8b, 0x1c, 0x25]),
    // cmp eax, [rip + …]
    (OF_PROGRAM, &[0x3b, 0x05]),
    // cmp qword ptr gs:[…], 0
    (IN_NO_CALL, &[0x65, 0x48, 0x83, 0x3c, 0x25]),
];
const OF_CALL: &str = "are these the rights of the active call";
const OF_PROGRAM: &str = "are these the program's rights";
const IN_NO_CALL: &str = "is no call active";

/// Those in functions of the runtime: each place where the bytes stand, also across what was meant as instructions.
fn sites() -> Vec<Site> {
    const WRPKRU: [u8; 3] = [0x0f, 0x01, 0xef];
    /// Of the byte behind `0f ae` the middle three bits say which instruction it is, and the first two that it has memory.
    fn is_xrstor(code: &[u8]) -> bool {
        code[..2] == [0x0f, 0xae] && code[2] >> 3 & 7 == 5 && code[2] >> 6 != 3
    }
    let program = fs::read(std::env::current_exe().unwrap()).unwrap();
    let program = object::File::parse(&*program).unwrap();
    let functions = || program.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    let name = |symbol: &Symbol<'_, '_>| format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap()));
    let control = functions().find(|symbol| name(symbol).ends_with("instructions::naive_gate")).unwrap().address();
    let mut sites = Vec::new();
    for section in program.sections().filter(|section| section.kind() == SectionKind::Text) {
        let code = section.data().unwrap();
        let found = code.windows(3).enumerate().filter(|(_, bytes)| *bytes == WRPKRU || is_xrstor(bytes));
        for (at, bytes) in found {
            let address = section.address() + at as u64;
            let has = |symbol: &Symbol<'_, '_>| (symbol.address()..symbol.address() + symbol.size()).contains(&address);
            let Some(function) = functions().find(has).map(|symbol| name(&symbol)) else { continue };
            // A closure of the program may be compiled into what calls it, an attack of these tests, too.
            let is_of_program = function.contains("isolate_rt::callback::Typed<");
            if !function.contains("isolate_rt::") || is_of_program {
                continue;
            }
            let guard = GUARDS.iter().find(|(_, guard)| bytes == WRPKRU && code[at + 3..].starts_with(guard));
            let distance = address.wrapping_sub(control).cast_signed() as isize;
            sites.push(Site { distance, function, guard: guard.map(|(name, _)| *name) });
        }
    }
    sites
}

/// No more than these, and each looks at what it has written.
#[test]
fn c1_all_writes_of_rights_are_guarded() {
    let mut found: Vec<_> = sites().into_iter().map(|site| (site.function, site.guard)).collect();
    found.sort();
    let expected = [
        ("isolate_rt::machine::selftest::closed", IN_NO_CALL),
        ("isolate_rt::machine::selftest::closed", IN_NO_CALL),
        ("isolate_rt::mpk::crossing::gate::call_back", OF_PROGRAM),
        ("isolate_rt::mpk::crossing::gate::call_back", OF_CALL),
        ("isolate_rt::mpk::crossing::gate::enter", OF_PROGRAM),
        ("isolate_rt::mpk::crossing::gate::enter", OF_CALL),
        ("isolate_rt::mpk::crossing::rights::write", IN_NO_CALL),
        ("isolate_rt::mpk::signals::handlers::enter", OF_PROGRAM),
        ("isolate_rt::mpk::signals::signal::enter", OF_PROGRAM),
    ];
    assert_eq!(found, expected.map(|(function, guard)| (function.to_owned(), Some(guard))));
}

/// Each `wrpkru` of the gate looks at what it has written: on the ways in whether these are the rights of the call that is active
/// (`mov r11, gs:[…]` and so on), on the ways out whether those are the program's (`cmp eax, [rip + …]`): who came with others goes back a step
/// and leaves the domain as who was to come out there. What gives a thread its rights back, and the self-test, want it to be in no call.
#[test]
fn c1_jumps_into_the_gate() {
    const NAME: &str = "instructions::c1_jumps_into_the_gate";
    let control = naive_gate as *const () as usize;
    if let Some(role) = role() {
        let (distance, rights) = role.split_once(' ').unwrap();
        let (site, rights) = (control.wrapping_add_signed(distance.parse().unwrap()), rights.parse().unwrap());
        // SAFETY: allocates.
        let others = || unsafe { OTHER.call("own").unwrap().run(|| libc::malloc(64).cast::<u8>()) }.unwrap();
        VICTIM.store(if rights == OTHERS_OPEN { others() } else { Box::leak(Box::new(0)) }, Ordering::Relaxed);
        let _ = in_domain(NAME, move || go_on_at(site, rights));
        std::process::exit(UNHARMED);
    }
    if !isolation() {
        return;
    }
    let (mut ways_in, mut ways_out) = (Vec::new(), Vec::new());
    for site in sites() {
        match site.guard {
            Some(OF_CALL | IN_NO_CALL) => ways_in.push(site.distance),
            Some(OF_PROGRAM) if site.function.contains("::gate::") => ways_out.push(site.distance),
            // What a signal handler goes on with is the kernel's words: whatever they are here, nobody comes out.
            _ => {}
        }
    }
    assert_eq!((ways_in.len(), ways_out.len()), (5, 2));
    for distance in ways_in {
        child_ends(NAME, &format!("{distance} 0"), End::Signal(libc::SIGILL));
        child_ends(NAME, &format!("{distance} {OTHERS_OPEN}"), End::Signal(libc::SIGILL));
    }
    for distance in ways_out {
        child_ends(NAME, &format!("{distance} 16"), End::Status(UNHARMED));
    }
    child_ends(NAME, "0 0", End::Status(OVERWRITTEN));
    child_ends(NAME, &format!("0 {OTHERS_OPEN}"), End::Status(OVERWRITTEN));
}
