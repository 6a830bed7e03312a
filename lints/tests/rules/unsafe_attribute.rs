#[no_mangle]
pub extern "C" fn exported() {}

#[unsafe(export_name = "other")]
pub extern "C" fn renamed() {}

#[cfg_attr(unix, unsafe(link_section = ".init_array"))]
static INIT: extern "C" fn() = exported;

#[unsafe(naked)]
pub extern "C" fn naked() {
    core::arch::naked_asm!("ret")
}

#[inline]
fn fine() {}
