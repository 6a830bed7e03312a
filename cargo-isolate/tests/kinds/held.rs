
// Pointers that the program keeps.

pub struct Session {
    ctx: *mut kinds_sys::Ctx,
}

impl Session {
    pub fn new() -> Option<Session> {
        // SAFETY: no conditions.
        let ctx = unsafe { kinds_sys::open_default() };
        if ctx.is_null() {
            return None; // no memory
        }
        Some(Session { ctx })
    }

    pub fn retitle(&mut self) {
        // SAFETY: it is there.
        unsafe { kinds_sys::set_title(self.ctx, c"new".as_ptr(), 3) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: it is there, once more.
        unsafe { kinds_sys::close(self.ctx) }
    }
}

pub struct Login {
    ctx: *mut kinds_sys::Ctx,
}

impl Login {
    pub fn new(path: &std::ffi::CStr) -> Login {
        let mut ctx = std::ptr::null_mut();
        // SAFETY: it is stored there.
        let code = unsafe { kinds_sys::login(path.as_ptr(), &mut ctx) };
        if code != 0 && code != -100 {
            panic!("no login: {code}");
        }
        Login { ctx }
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        // SAFETY: it is there, once more.
        unsafe { kinds_sys::logout(self.ctx) };
    }
}

pub struct Handed(std::ptr::NonNull<kinds_sys::Ctx>);

impl Handed {
    pub fn new() -> Option<Self> {
        // SAFETY: no conditions.
        Some(Handed(std::ptr::NonNull::new(unsafe { kinds_sys::open_default() })?))
    }

    pub fn end(self) {
        // SAFETY: it is there.
        unsafe { kinds_sys::close(self.0.as_ptr()) }
    }
}

pub fn once(path: &std::ffi::CStr) -> Result<(), isolate_rt::Fault> {
    let ctx: *mut kinds_sys::Ctx = unsafe { kinds_sys::open_default() };
    unsafe { kinds_sys::set_title(ctx, std::ptr::null(), 1) };
    unsafe { kinds_sys::close(ctx) };
    let mut own = std::ptr::null_mut();
    let code = unsafe { kinds_sys::login(path.as_ptr(), &mut own) };
    if code != 0 {
        panic!("no login: {code}");
    }
    unsafe { kinds_sys::logout(own) };
    Ok(())
}
