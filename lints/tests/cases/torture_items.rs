pub unsafe fn free() {}
pub const unsafe extern "C" fn qualified() -> u8 {
    0
}
struct S;
impl S {
    pub unsafe fn method(&self) {}
    async unsafe fn asynchronous() {}
}
pub trait T {
    unsafe fn declared(&self);
    unsafe fn provided(&self) {}
}
impl T for S {
    unsafe fn declared(&self) {}
}
unsafe impl Send for S {}
unsafe impl<X: ?Sized> Sync for Wrapper<X> where X: Copy {}
impl !Unpin for S {}
pub unsafe trait Marker {}
unsafe auto trait Auto {}

mod inner {
    pub(super) unsafe fn hidden() {
        fn nested() {
            unsafe { deepest() }
        }
    }
}

type Callback = unsafe extern "C" fn(*mut u8) -> i32;
struct Table {
    call: Option<unsafe fn()>,
}
fn takes(f: unsafe fn(u8), g: for<'a> unsafe extern "C" fn(&'a u8)) {}

#[unsafe(no_mangle)]
pub extern "C" fn exported() {}
#[unsafe(export_name = "other")]
pub fn renamed() {}
#[unsafe(link_section = ".mine")]
pub static PLACED: u8 = 0;
#[cfg_attr(unix, unsafe(no_mangle))]
pub static CONDITIONAL: u8 = 0;
#[cfg_attr(all(), cfg_attr(unix, unsafe(no_mangle), inline))]
pub fn twice_conditional() {}
#[unsafe(naked)]
pub extern "C" fn naked() {
    core::arch::naked_asm!("ret")
}
core::arch::global_asm!("nop");
