pub struct Stream(*mut u8);

impl Stream {
    fn read(&self) -> u8 {
        // SAFETY: the pointer came from `Box::into_raw`
        // and lives as long as `self`.
        let first = unsafe { *self.0 };
        let rest = unsafe {
            // SAFETY: inside
            core::slice::from_raw_parts(self.0, len::<u8>())
        };
        unsafe { self.0.add(1).read() }
    }
}

const ZERO: u32 = unsafe { core::mem::transmute(0_i32) };
