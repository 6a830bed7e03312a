use std::slice;

extern "C" {
    fn read_some(into: *mut u8) -> isize;
    fn fill(length: *mut usize) -> *const u8;
}

fn local() -> usize {
    8
}

unsafe fn trusted(buffer: *mut u8) {
    let n = read_some(buffer);
    if n < 0 {
        return;
    }
    // A hit: the sign says nothing about the size.
    let a = slice::from_raw_parts(buffer, n as usize);
    let mut length = 0;
    let data = fill(&mut length);
    // A hit: written by C.
    let b = slice::from_raw_parts(data, length * 4);
    // A hit: at once.
    let c = slice::from_raw_parts_mut(buffer, read_some(buffer) as usize);
}

unsafe fn checked(buffer: *mut u8, room: usize) {
    let n = read_some(buffer) as usize;
    assert!(n <= room);
    let a = slice::from_raw_parts(buffer, n);
    let m = read_some(buffer) as usize;
    let b = slice::from_raw_parts(buffer, m.min(room));
    let k = read_some(buffer) as usize;
    if k > room {
        return;
    }
    let c = slice::from_raw_parts(buffer, k);
}

unsafe fn own(buffer: *mut u8, length: usize) {
    let a = slice::from_raw_parts(buffer, length);
    let b = slice::from_raw_parts(buffer, local());
    let c = slice::from_raw_parts(buffer, 16);
}
