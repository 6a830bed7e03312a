#[link(name = "z")]
extern "C" {
    fn crc32(crc: u64) -> u64;
}

unsafe extern "system" {
    safe fn GetTickCount() -> u32;
}

// A function pointer and a definition declare nothing foreign.
type Callback = extern "C" fn(i32);
extern "C" fn callback(_: i32) {}
