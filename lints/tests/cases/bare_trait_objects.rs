// edition: 2018
// Before 2021 a trait object needs no `dyn`; the rest of the file must not be lost to it.
type Action = Fn(&siginfo_t) + Send + Sync;
fn after(p: *const u8) -> u8 {
    unsafe { *p }
}
