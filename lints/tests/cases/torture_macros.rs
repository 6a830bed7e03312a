macro_rules! twice {
    ($p:expr) => {
        unsafe { *$p }
    };
}
fn uses(p: *const u8) {
    twice!(p);
    twice!(p);
    println!("{}", unsafe { *p });
    assert_eq!(unsafe { read(p) }, 0, "{}", unsafe { read(p) });
    let v = vec![unsafe { read(p) }; 2];
    dbg!(unsafe { read(p) });
    matches!(unsafe { read(p) }, Some(0 | 1));
}
thread_local! {
    static LOCAL: u8 = unsafe { make() };
}
lazy_static! {
    static ref LAZY: u8 = unsafe { make() };
}
bitflags! {
    struct Flags: u32 { const A = unsafe { make() }; }
}
#[derive(Clone)]
#[some_macro(unsafe { attribute() })]
struct Derived;
pub macro decl($x:expr) { unsafe { $x } }
include!("other.rs");
