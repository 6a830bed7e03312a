use std::ffi::{CStr, c_char, c_int, c_void};

unsafe extern "C" {
    fn read_some(into: *mut u8) -> isize;
    fn message() -> *const c_char;
    fn fill(length: *mut usize) -> *const u8;
    fn info(info: *mut Info);
    fn sort(data: *mut c_void, compare: Option<unsafe extern "C" fn(*const c_void) -> c_int>);
}

#[repr(C)]
struct Info {
    length: u32,
    name: *const c_char,
}

fn lengths(buffer: *mut u8, given: usize, capacity: usize) {
    let n = unsafe { read_some(buffer) };
    let _ = unsafe { std::slice::from_raw_parts(buffer, n as usize) };
    let mut length = 0;
    let data = unsafe { fill(&mut length) };
    let _ = unsafe { std::slice::from_raw_parts(data, length) };
    let _ = unsafe { std::slice::from_raw_parts(data, given * 4) };
    let mut details = std::mem::MaybeUninit::uninit();
    unsafe { info(details.as_mut_ptr()) };
    let details = unsafe { details.assume_init() };
    let _ = unsafe { std::slice::from_raw_parts(buffer, details.length as usize) };
    let m = unsafe { read_some(buffer) };
    if m < 0 {
        return;
    }
    let _ = unsafe { std::slice::from_raw_parts(buffer, m as usize) };
    let k = unsafe { read_some(buffer) } as usize;
    if k > capacity {
        return;
    }
    let _ = unsafe { std::slice::from_raw_parts(buffer, k) };
    let q = usize::try_from(unsafe { read_some(buffer) }).unwrap().min(capacity);
    let _ = unsafe { std::slice::from_raw_parts(buffer, q) };
}

unsafe fn promised(given: *const c_char) {
    let _ = unsafe { CStr::from_ptr(given) };
}

fn strings(given: *const c_char, info: &Info) {
    let _ = unsafe { CStr::from_ptr(message()) };
    let text = unsafe { message() };
    let _ = unsafe { CStr::from_ptr(text) };
    let checked = unsafe { message() };
    if !checked.is_null() {
        let _ = unsafe { CStr::from_ptr(checked) };
    }
    let _ = unsafe { std::ffi::CStr::from_ptr(given) };
    let _ = unsafe { CStr::from_ptr(info.name.cast()) };
    let _ = unsafe { CStr::from_ptr(c"text".as_ptr()) };
}

fn transmutes(given: u32) -> f32 {
    let a: f32 = unsafe { std::mem::transmute(given) };
    let b = unsafe { std::mem::transmute::<_, f32>(1u32) };
    let c = unsafe { std::mem::transmute::<u32, f32>(given) };
    helper(unsafe { std::mem::transmute(given as u32) });
    unsafe { std::mem::transmute(a.to_bits()) }
}

unsafe extern "C" fn compare(_: *const c_void) -> c_int {
    Option::<c_int>::None.unwrap()
}

extern "C" fn guarded<F: FnMut()>(mut handler: F) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| handler()));
}

struct Sorter;

impl Sorter {
    extern "C" fn visit<F: FnMut(usize)>(f: *mut F, items: &[usize], at: usize) {
        assert!(at < 10);
        unsafe { (*f)(items[at]) };
        fn inner() {
            panic!();
        }
    }

    fn run(&self, data: *mut c_void, local: extern "C" fn(*const c_void) -> c_int) {
        unsafe {
            sort(data, Some(compare));
            sort(data, Self::other);
            sort(data, compare as _);
            sort(data, local);
        }
    }
}

#[unsafe(no_mangle)]
pub static VERSION: c_int = 3;

#[unsafe(export_name = "plain_version")]
pub fn version() -> c_int {
    VERSION
}
