//! What somebody does who chooses where the domain's code goes on.

use super::{OTHER, OVERWRITTEN, UNHARMED, child_ends, in_domain};
use crate::support::{End, isolation, role};
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

/// Where the program has `wrpkru` followed by these bytes.
fn sites(next: &[u8]) -> Vec<usize> {
    const WRPKRU: [u8; 3] = [0x0f, 0x01, 0xef];
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let this = std::env::current_exe().unwrap();
    let mut sites = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" r-xp ") && line.ends_with(this.to_str().unwrap())) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).unwrap());
        // SAFETY: mapped, and nobody writes code.
        let code = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(start), end - start) };
        let pattern = [&WRPKRU, next].concat();
        let found = code.windows(pattern.len()).enumerate().filter(|(_, bytes)| *bytes == pattern);
        sites.extend(found.map(|(at, _)| start + at));
    }
    sites
}

/// Each `wrpkru` of the gate looks at what it has written: on the ways in whether these are the rights of the call that is active
/// (`mov r11, gs:[…]` and so on), on the ways out whether those are the program's (`cmp eax, [rip + …]`): who came with others goes back a step
/// and leaves the domain as who was to come out there. What gives a thread its rights back wants it to be in no call.
#[test]
fn c1_jumps_into_the_gate() {
    const NAME: &str = "instructions::c1_jumps_into_the_gate";
    let control = naive_gate as *const () as usize;
    if let Some(role) = role() {
        // Code lies elsewhere in each process, and in one piece.
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
    let sites = |next| sites(next).into_iter().map(|site| site.wrapping_sub(control).cast_signed()).collect();
    let (ways_in, ways_out): (Vec<_>, Vec<_>) = (sites(&[0x65, 0x4c, 0x8b, 0x1c, 0x25]), sites(&[0x3b, 0x05]));
    assert_eq!((ways_in.len(), ways_out.len()), (2, 2), "`enter` and `call_back` have one of each");
    let in_root: Vec<_> = sites(&[0x65, 0x48, 0x83, 0x3c, 0x25]);
    assert_eq!(in_root.len(), 1, "`rights::write`");
    for distance in ways_in.into_iter().chain(in_root) {
        child_ends(NAME, &format!("{distance} 0"), End::Signal(libc::SIGILL));
        child_ends(NAME, &format!("{distance} {OTHERS_OPEN}"), End::Signal(libc::SIGILL));
    }
    for distance in ways_out {
        child_ends(NAME, &format!("{distance} 16"), End::Status(UNHARMED));
    }
    child_ends(NAME, "0 0", End::Status(OVERWRITTEN));
    child_ends(NAME, &format!("0 {OTHERS_OPEN}"), End::Status(OVERWRITTEN));
}
