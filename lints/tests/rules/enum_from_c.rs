use std::ffi::c_int;

#[repr(C)]
#[derive(Clone, Copy)]
pub enum Mode {
    Read,
    Write,
}

pub enum Opaque {}

#[repr(C)]
pub struct State {
    count: c_int,
    mode: Mode,
}

#[repr(transparent)]
pub struct Code(c_int);

type Alias = Mode;

extern "C" {
    // Hits:
    fn mode() -> Mode;
    fn aliased() -> Alias;
    fn ready() -> bool;
    fn state() -> State;
    fn get_mode(into: *mut Mode) -> c_int;
    fn get_flag(into: &mut bool);
    static current: Mode;

    // C is told, not asked:
    fn set_mode(mode: Mode);
    fn set_flag(flag: bool, from: *const bool);
    fn open() -> *mut Opaque;
    fn code() -> Code;
    #[cfg(windows)]
    fn elsewhere() -> bool;
}

extern "C" fn on_change(mode: Mode) {}

#[no_mangle]
pub extern "C" fn acme_enable(on: bool) {}

extern "C" fn on_number(number: c_int) -> bool {
    number > 0
}

fn rust(mode: Mode, on: bool) -> bool {
    on
}
