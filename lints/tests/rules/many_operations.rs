extern "C" {
    fn first(p: *const u8);
}

/// # Safety
/// `p` must be valid.
unsafe fn local(p: *const u8) {}

fn many(p: *const u8, v: &mut Vec<u8>) {
    // SAFETY: said once for two.
    unsafe {
        first(p);
        local(p);
    }
    // SAFETY: on one line.
    let _ = unsafe { *p + *v.get_unchecked(0) };
    // SAFETY: nested blocks count for themselves.
    unsafe {
        first(p);
        // SAFETY: inside.
        unsafe { local(p) };
    }
}

fn one(p: *const u8, v: &mut Vec<u8>) {
    // SAFETY: safe calls around do not count.
    unsafe { v.set_len(v.capacity().min(usize::from(true))) };
    // SAFETY: a closure's own block.
    let f = || unsafe { local(p.wrapping_add(v.len())) };
    f();
}

static mut COUNT: u32 = 0;

fn statics() {
    // SAFETY: two reads of one static.
    let _ = unsafe { COUNT + COUNT };
    // SAFETY: a local of that name in another function is none.
    let _ = unsafe { COUNT };
}
