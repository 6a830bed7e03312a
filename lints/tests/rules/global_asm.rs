use std::arch::{asm, global_asm};

global_asm!("nop");
core::arch::global_asm!(
    ".globl start",
    "start: jmp main"
);

fn pause() {
    // SAFETY: changes nothing.
    unsafe { asm!("pause") }
}
