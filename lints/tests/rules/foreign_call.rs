#[link(name = "z")]
extern "C" {
    fn crc32(crc: u64) -> u64;
    #[link_name = "adler32_v2"]
    fn adler32(adler: u64) -> u64;
    static version: u32;
}

mod user {
    use super::crc32 as checksum;
    // SAFETY: nothing to hold.
    fn a() -> u64 {
        // SAFETY: takes no pointer.
        unsafe { checksum(0) }
    }
    fn b() -> unsafe extern "C" fn(u64) -> u64 {
        super::adler32
    }
    fn c() -> u32 {
        // SAFETY: never written.
        unsafe { super::version }
    }
    fn d() {
        // SAFETY: takes no pointer.
        println!("{}", unsafe { super::crc32(1) });
    }
}

mod isolated {
    mod zlib {
        fn crc32(crc: u64) -> u64 {
            // SAFETY: takes no pointer.
            unsafe { crate::crc32(crc) }
        }
    }
}

mod isolated_not {
    fn crc32(crc: u64) -> u64 {
        // SAFETY: takes no pointer.
        unsafe { crate::crc32(crc) }
    }
}
