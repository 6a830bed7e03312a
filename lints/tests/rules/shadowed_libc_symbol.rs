#[no_mangle]
pub extern "C" fn read(fd: i32) -> isize {
    -1
}

#[unsafe(export_name = "sin")]
pub extern "C" fn sine(x: f64) -> f64 {
    x
}

#[cfg_attr(unix, no_mangle)]
pub static environ: usize = 0;

// The C library has none of these names, or the linker does not see them.
#[no_mangle]
pub extern "C" fn acme_read() {}

#[export_name = "acme_sin"]
pub extern "C" fn sin(x: f64) -> f64 {
    x
}

pub extern "C" fn write() {}

fn malloc() {}
