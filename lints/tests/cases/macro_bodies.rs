use core::arch::{asm, global_asm as g};
use std::include as paste;

macro_rules! items {
    ($vis:vis $name:ident: $ty:ty = $value:expr, $abi:literal, $(#[$meta:meta])* $($field:ident),*) => {
        $vis static mut $name: $ty = $value;
        core::arch::global_asm!("nop", options($name));
        #[no_mangle]
        $vis extern "C" fn $name(cpuset: &mut u8) { let other = cpuset; take(cpuset, other, getpid) }
        #[cfg_attr(unix, export_name = "x")]
        #[unsafe(link_section = ".x")]
        $vis static $name: $ty = $value;
        $(#[$meta])*
        extern $abi { $($vis fn $field();)* }
        unsafe extern $abi { $vis static mut $name: $ty; }
        $vis union $name { $($field: $ty),* }
        $($vis static mut $field: $ty = { static mut INSIDE: u8 = 0; $value };)*
    };
    (@statements $($x:expr),*) => {{
        let x = [$($x),*];
        match x { _ => { static mut HIDDEN: u8 = 0; } }
        other! { a => { static mut DEEPER: u8 = 0; } ; }
        include!("statement.rs");
    }};
    (matcher static mut extern "C" { } #[no_mangle]) => {};
}

macro_rules! parts {
    ($storage:tt $mutable:tt $meta:meta $keyword:tt) => {
        #[$meta]
        pub $storage $mutable PARTS: u8 = 0;
        $keyword "C" { fn parts(); }
    };
}
parts!(static mut export_name = "parts" extern);
items!(pub X: u8 = 0, "C", #[link(name = "c")] a, b);

unknown! { a => static mut ARGUMENT: u8 = 0; #[no_mangle] fn argument() {} }
g!("nop");
paste!("pasted.rs");

fn uses() {
    unknown! { b => extern "C" { fn argument(); } }
    unsafe { asm!("nop") }
    quote! { static mut QUOTED: u8 = 0; include!("quoted.rs"); }
}
pub macro decl($x:ident) { static mut $x: u8 = 0; }
