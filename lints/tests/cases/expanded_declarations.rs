// Names, attributes and visibilities of an expansion come from definition and call, in any order.
macro_rules! declare {
    ($name:ident, $ty:ty, $vis:vis, [$($field:ident),*]) => {
        #[repr(C)]
        #[derive(Clone, Copy)]
        $vis struct $name {
            $($vis $field: $ty,)*
        }
        pub mod $name { pub const SIZE: usize = 4; }
        impl Clone for $name { fn clone(&self) -> Self { unsafe { hidden() } } }
    };
}
declare!(Pair, *const u8, pub(crate), [left, right]);

macro_rules! nested {
    ($($name:ident = $symbol:literal => ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)?;)+) => {
        extern "C" {
            $(
                #[link_name = $symbol]
                pub fn $name($($arg: $ty),*) $(-> $ret)?;
            )+
        }
    };
}
nested! {
    first = "lib_first" => (a: Option<unsafe extern "C" fn(*mut u8, usize) -> i32>, b: [u8; 4],) -> i32;
    second = "lib_second" => ();
}

macro_rules! recursive {
    () => {};
    ($name:ident; $($rest:tt)*) => { extern "C" { fn $name(); } recursive! { $($rest)* } };
}
recursive! { one; two; three; }

macro_rules! endless { ($($t:tt)*) => { endless! { $($t)* $($t)* } }; }
endless! { x }
