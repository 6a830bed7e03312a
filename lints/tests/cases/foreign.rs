#[link(name = "z", kind = "static")]
unsafe extern "C" {
    pub fn crc32(crc: c_ulong, buf: *const u8, len: c_uint) -> c_ulong;
    pub safe fn zlibVersion() -> *const c_char;
    unsafe fn printf(format: *const c_char, ...);
    #[link_name = "\u{1}_errno"]
    static mut errno: c_int;
    pub(crate) fn callback(
        f: Option<unsafe extern "C" fn(*mut c_void, /* size */ usize) -> c_int>,
        _: *mut c_void,
    );
    type FILE;
}
