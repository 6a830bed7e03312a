static mut COUNTER: u32 = 0;
static FINE: u32 = 0;
pub(crate) static mut TABLE: [u8; 4] = [0; 4];

extern "C" {
    static mut errno: i32;
    static environ: *const u8;
}
