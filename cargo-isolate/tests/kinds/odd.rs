//! Declarations as nobody writes them, or only once: each is wrapped, or refused with the reason.
#![allow(unused_parens, private_interfaces, non_snake_case, non_camel_case_types, dead_code, improper_ctypes)]
use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
pub enum Ctx {}
pub type u1 = self::one::A;
pub mod one {
    pub type A = super::two::B;
    pub const M: usize = 3;
}
pub mod two {
    pub type B = kinds_other::exported_far;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Plain {
    pub x: c_int,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Gen<T> {
    pub x: T,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GenArr<const N: usize> {
    pub x: [u8; N],
}
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Wrapped(pub c_int);
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct WrappedPriv(c_int);
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct Packed {
    pub a: u8,
    pub b: u64,
}
#[repr(C, align(16))]
#[derive(Clone, Copy)]
pub struct Aligned {
    pub a: u8,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub union Either {
    pub a: u32,
    pub b: f32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Zero {}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ZeroPub {
    pub x: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct r#type {
    pub r#in: c_int,
    pub r#fn: u8,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Chars {
    pub name: [c_char; 16],
    pub r#type: [[u8; 4]; 2],
}
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Mode {
    A,
    B,
}
pub const N: usize = 7;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Named {
    pub x: [u8; N],
    pub y: [u8; one::M],
}
pub type Cmp = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;
pub type Maker = Option<unsafe extern "C" fn(c_int) -> Cmp>;
pub type Slot = MaybeUninit<c_int>;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub data: *const u8,
    pub r#type: usize,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice2 {
    pub r#fn: *mut c_int,
    pub r#in: usize,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice3 {
    pub r#fn: *mut c_int,
    pub r#in: usize,
    pub r#as: usize,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Priv {
    data: *const u8,
    pub len: usize,
}
#[repr(C)]
pub struct Read {
    pub r#type: c_int,
    pub r#match: *const u8,
    pub r#loop: usize,
    pub name: *const c_char,
    pub r#async: *mut Ctx,
}
#[repr(C)]
pub struct ReadPriv {
    pub a: c_int,
    b: *const u8,
    c: usize,
}
#[repr(C)]
pub struct Stream {
    pub r#in: *const u8,
    pub r#box: usize,
    pub r#type: *mut c_void,
    pub total: u64,
}
unsafe extern "C" {

    pub fn e4(src: *const u8, op: c_int) -> c_int;
    pub fn e5(dest: *mut u8, cap: usize, op: c_int) -> c_int;
    pub fn e13(op: c_int, n: *const c_int) -> c_int;
    pub fn e15(a: *const u8, n: usize, out: *mut *mut u8) -> c_int;
    pub fn e17(a: u8, b: *mut u8) -> c_int;
    pub fn e18(a: *mut u8, n: usize, b: f64) -> c_int;
    pub fn e19(a: *mut u8, n: i128) -> c_int;
    pub fn e23(a: *mut u8, n: *mut u8, cap: u8) -> u8;
    pub fn e24(a: *mut c_int, len: *mut c_int) -> c_int;
    pub fn e25(ctx: *mut Ctx, len: *mut c_int, d: *mut u8, c: usize) -> c_int;
    pub fn e26(a: *const u128, n: usize, b: *mut i128) -> u128;

    pub fn a1(a: *mut [u8; N], b: *const [c_int; one::M]) -> c_int;
    pub fn a2(a: *const [u8; N], n: usize) -> c_int;
    pub fn a4(a: Option<unsafe extern "C" fn(*const [u8; N]) -> c_int>) -> c_int;
    pub fn a5(a: *mut [u8; 4], b: &mut [u8; N]) -> c_int;
    pub fn a6(a: *mut [[c_char; 4]; 2]) -> c_int;

    pub fn s1(s: Slice, t: *const Slice) -> c_int;
    pub fn s2(s: *mut Slice2) -> c_int;
    pub fn s3(s: *mut Slice3) -> c_int;
    pub fn s5() -> *mut Read;
    pub fn s6() -> *mut ReadPriv;
    pub fn s7(s: *mut Stream) -> c_int;
    pub fn s8(s: *mut Stream) -> c_int;
    pub fn s9(s: *mut Stream) -> c_int;

    pub fn c1(
        a: Option<unsafe extern "C" fn(r#type: *const u8, r#in: usize, ret: c_int, call: c_int) -> c_int>,
    ) -> c_int;
    pub fn c2(a: extern "C" fn(u8), b: Option<extern "C-unwind" fn() -> f64>) -> c_int;
    pub fn c3(a: Option<unsafe extern "C" fn(*const *const c_char, c_int, i128) -> u8>) -> c_int;
    pub fn c4(a: unsafe extern "C" fn(inside: *const c_char, callbacks: *mut c_int, n: c_char)) -> c_int;
    pub fn c5(a: Option<unsafe extern "C" fn(a: *mut u8, b: usize) -> usize>, r#fn: *mut c_void) -> c_int;
    pub fn c6(
        ctx: *mut Ctx,
        a: Option<unsafe extern "C" fn(a: *mut u8, b: usize) -> usize>,
        r#fn: *mut c_void,
    ) -> c_int;

    pub fn t1(a: *const i8, b: *mut u8) -> *const u8;
    pub fn t2(a: *const c_void) -> *mut c_void;

    pub fn f1(a: u8, b: i128, c: f64, d: bool, e: c_char, f: *const c_void, g: *mut c_char, h: &c_int) -> c_int;

    pub fn o1(a: *mut f64, b: *const bool, c: *mut c_char, d: *mut *mut c_void) -> c_int;
    pub fn o2(a: *const c_char, b: *mut *mut c_char) -> *mut c_char;
    pub fn o3(a: *mut c_void) -> f32;
    pub fn free_it(a: *mut c_void);
    pub fn free_u8(a: *mut u8);
    pub fn size_of_it(a: *const Ctx, k: c_int) -> c_int;
    // names
    pub fn domain(a: c_int) -> c_int;
    pub fn self_(a: c_int) -> c_int;
    pub fn r#fn(r#in: c_int, r#type: *const u8, type_len: usize) -> c_int;
    pub fn Same(a: c_int);
    pub fn same(a: c_int);
    pub fn SAME(a: c_int);
    pub fn cases(a: c_int, A: c_int, r#type: c_int, type_: c_int, Type: c_int) -> c_int;
    pub fn locals(
        domain: c_int,
        ret: c_int,
        result: c_int,
        call: c_int,
        Error: c_int,
        Ok: c_int,
        Some: c_int,
        Result: c_int,
    ) -> c_int;
    pub fn prim(usize: *const u8, usize_len: usize, u8: *mut u8, i128: usize) -> c_int;
    pub fn names2(
        std: *const u8,
        std_len: usize,
        call: *mut u8,
        call_cap: usize,
        room: *mut c_int,
        told: *mut c_int,
        quotient: usize,
        longest: *mut Ctx,
    ) -> c_int;
    pub fn names3(self_: *mut Ctx, crate_: *const c_char, super_: *mut *mut Ctx) -> c_int;
    pub fn underscores(_: c_int, __: *const u8, ___: usize) -> c_int;
    pub fn unnamed(_: c_int, _: *const u8, _: usize) -> c_int;
    // types
    pub fn gen1(g: Gen<c_int>) -> c_int;
    pub fn gen2(g: *mut Gen<c_int>) -> c_int;
    pub fn gen3(g: *mut GenArr<3>) -> c_int;
    pub fn wrapped(a: Wrapped, b: *mut Wrapped) -> Wrapped;
    pub fn wrapped_priv(a: WrappedPriv, b: *mut WrappedPriv) -> WrappedPriv;
    pub fn packed(a: Packed, b: *mut Packed) -> Packed;
    pub fn packed_in(b: *const Packed) -> c_int;
    pub fn aligned(a: Aligned, b: *mut Aligned) -> Aligned;
    pub fn aligned_many(b: *mut Aligned, b_len: usize) -> c_int;
    pub fn either(a: Either, b: *mut Either) -> Either;
    pub fn zero(a: Zero, b: *mut Zero) -> c_int;
    pub fn zero_pub(a: *mut ZeroPub) -> c_int;
    pub fn keyword(t: *mut r#type, u: r#type) -> r#type;
    pub fn keyword_in(t: *const r#type) -> c_int;
    pub fn chars(t: *mut Chars) -> Chars;
    pub fn lens(t: *mut Named) -> c_int;
    pub fn lens_in(t: *const Named) -> c_int;
    pub fn maybe(a: MaybeUninit<c_int>) -> c_int;
    pub fn maybe_p(a: *mut MaybeUninit<c_int>) -> c_int;
    pub fn slot(a: *mut Slot) -> c_int;
    pub fn nonnull(a: NonNull<c_int>) -> c_int;
    pub fn nonnull_opt(a: Option<NonNull<Ctx>>) -> Option<NonNull<Ctx>>;
    pub fn opt_ref(a: Option<&Ctx>, b: Option<&mut c_int>) -> c_int;
    pub fn opt_box(a: Option<Box<c_int>>) -> c_int;
    pub fn a_box(a: Box<c_int>) -> Box<c_int>;
    pub fn a_ref(a: &mut c_int) -> &'static c_int;
    pub fn ret_ref() -> &'static Ctx;
    pub fn lifetimes<'a>(a: &'a Ctx, b: &'a mut Plain) -> &'a Ctx;
    pub fn a_slice(a: &[u8]) -> c_int;
    pub fn a_str(a: &str) -> c_int;
    pub fn array_param(a: [u8; 4]) -> c_int;
    pub fn array_ptr(a: *mut [u8; 4], b: *const [c_int; N]) -> c_int;
    pub fn array_ref(a: &mut [u8; 4]) -> c_int;
    pub fn arrays(a: *const [f32; 3], a_len: usize, b: *mut [f32; 3]) -> c_int;
    pub fn aliased(a: u1, b: *mut u1, c: kinds_other::deep::er::far) -> u1;
    pub fn crossed(a: *mut kinds_other::deep::er::Pair, b: kinds_other::deep::er::Pair) -> c_int;
    pub fn never(a: c_int) -> !;
    pub fn big(a: i128, b: *mut u128) -> i128;
    pub fn ch(a: char) -> char;
    pub fn boolean(a: bool, b: *mut bool, c: *const bool) -> bool;
    pub fn enums(a: Mode, b: *mut Mode, c: *const Mode) -> Mode;
    pub fn tuple(a: (c_int, c_int)) -> c_int;
    pub fn unit(a: ()) -> ();
    pub fn pp(a: *const *const c_char, b: *const *const c_int, c: *mut *mut *mut c_int) -> c_int;
    pub fn fn_ret(a: c_int) -> Cmp;
    pub fn fn_in(a: Cmp) -> c_int;
    pub fn fn_fn(a: Maker) -> c_int;
    pub fn fn_bare(a: extern "C" fn(c_int)) -> c_int;
    pub fn fn_rust(a: fn(c_int)) -> c_int;
    pub fn dynp(a: *mut dyn Fn()) -> c_int;
    pub fn implf(a: *const [u8]) -> c_int;
    pub fn many(
        a: c_int,
        b: c_int,
        c: c_int,
        d: c_int,
        e: c_int,
        f: c_int,
        g: c_int,
        h: c_int,
        i: c_int,
        j: c_int,
        k: c_int,
        l: c_int,
        m: c_int,
        n: c_int,
        o: f64,
        p: *const u8,
        p_len: usize,
    ) -> c_int;
    pub fn big_struct(a: Chars, b: Named) -> Chars;
    pub static version: c_int;
    pub static mut counter: c_int;
    #[link_name = "renamed_symbol"]
    pub fn renamed(a: c_int) -> c_int;
    pub fn volatile(a: *mut std::cell::UnsafeCell<c_int>) -> c_int;
    pub fn atomic(a: *mut std::sync::atomic::AtomicI32, b: &std::sync::atomic::AtomicU32) -> c_int;
    pub fn pinned(a: std::pin::Pin<&mut Plain>) -> c_int;
    pub fn nonzero(a: std::num::NonZeroU32) -> Option<std::num::NonZeroU32>;
    pub fn wrapping(a: std::num::Wrapping<u32>) -> c_int;
    pub fn cstr(a: &std::ffi::CStr) -> c_int;
    pub safe fn safe_one(a: c_int) -> c_int;
    fn private_one(a: c_int) -> c_int;
    pub(crate) fn crate_one(a: c_int) -> c_int;
    pub fn va(a: c_int, args: ...) -> c_int;
    pub fn asks_e25(ctx: *mut Ctx, x: *mut u8, y: *mut u16, z: *mut u32) -> c_int;
    pub fn va_all(a: *mut Ctx, ...) -> c_int;
    pub fn parens(a: (c_int), b: *mut (Ctx)) -> (c_int);
    pub fn qualified(a: <Plain as Q>::T) -> c_int;
}
pub trait Q {
    type T;
}
impl Q for Plain {
    type T = c_int;
}
unsafe extern "system" {
    pub fn sys(a: c_int) -> c_int;
}
unsafe extern "C-unwind" {
    pub fn unwinding(a: c_int) -> c_int;
}
unsafe extern "sysv64" {
    pub fn sysv(a: c_int) -> c_int;
}
mod private {
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Hidden {
        pub a: i32,
    }
    unsafe extern "C" {
        pub fn in_private(a: i32) -> i32;
        pub fn of_hidden(a: *mut Hidden, b: Hidden) -> i32;
    }
}
pub use private::of_hidden;
pub mod second {
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Plain {
        pub y: f64,
        pub z: f64,
    }
    unsafe extern "C" {
        pub fn of_second(a: *mut Plain, b: super::Plain) -> i32;
        pub fn of_second2(a: *mut Plain, b: super::Plain) -> i32;
    }
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WithPriv {
    a: c_int,
    pub b: c_int,
}
#[repr(C)]
#[derive(Clone, Copy)]
struct PrivStruct {
    a: c_int,
    pub b: c_int,
}
pub enum PrivEnumLike {}
struct PrivOpaque;
unsafe extern "C" {
    pub fn with_priv(a: WithPriv, b: *mut WithPriv) -> WithPriv;
    pub fn priv_struct(a: *mut PrivStruct) -> c_int;
    pub fn priv_opaque(a: *mut PrivOpaque) -> c_int;
    pub fn chars_sig(a: c_char, b: *mut c_char) -> c_char;
}
