//! Every kind of pointer that wrappers are generated for.
#![allow(non_snake_case, non_camel_case_types, dead_code)]

use std::ffi::{c_char, c_double, c_int, c_uint, c_void};

mod bindings;

pub use bindings::*;

pub enum Ctx {}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    pub x: c_int,
    pub y: c_double,
    pub tag: [c_char; 4],
}

#[repr(C)]
pub struct Stream {
    pub next: *const c_char,
    pub left: usize,
    pub out: *mut f64,
    pub room: c_int,
    pub total: u64,
    pub msg: *const c_char,
    pub state: *mut c_void,
    pub alloc: unsafe extern "C" fn(usize) -> *mut c_void,
}

#[repr(C)]
pub struct Picture {
    pub width: c_uint,
    pub height: c_uint,
    pub title: *const c_char,
    pub pixels: *mut c_void,
    pub scale: c_double,
    pub planes: *mut Plane,
    pub planeCount: c_int,
    pub owner: *mut Ctx,
    pub hook: Option<unsafe extern "C" fn(*mut Picture)>,
}

#[repr(C)]
pub struct Plane {
    pub samples: *const f32,
    pub sample_count: u16,
    pub gains: *const u8,
    pub N: c_int,
    pub n: c_int,
}

#[repr(C)]
pub struct Tally {
    pub done: u64,
    pub left: c_int,
    pub next: *mut Tally,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Val {
    pub size: usize,
    pub data: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Words {
    pub first: *const c_int,
    pub count: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Source {
    pub from: *const c_void,
    pub size: usize,
    pub pos: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Samples {
    pub done: c_int,
    pub first: *mut i16,
    pub count: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub enum Mode {
    Slow,
    Fast,
}

#[repr(i8)]
#[derive(Clone, Copy)]
pub enum Level {
    Low = -1,
    High = 1,
}

/// A pointer under a name of its own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Session(*mut c_void);

/// Read by the library, and never given back.
#[repr(C)]
pub struct Options {
    pub mode: Mode,
    pub strict: bool,
    pub level: c_int,
}

pub type Row = Option<
    unsafe extern "C" fn(user: *mut c_void, count: c_int, values: *mut *mut c_char, names: *mut *mut c_char) -> c_int,
>;

macro_rules! made_up {
    ($($t:tt)*) => { $($t)* };
}

type private_len = usize;

unsafe extern "C" {
    // buffers
    pub fn sum(values: *const c_int, values_len: usize) -> i64;
    pub fn fill(dest: *mut u8, dest_len: usize) -> c_int;
    pub fn scale(values: *mut f64, count: c_int, by: f64);
    pub fn encode(dest: *mut c_char, destLen: *mut private_len, src: *const c_void, srcLen: c_uint) -> c_int;
    pub fn grid(cells: *mut c_int, rows: c_uint, cols: c_uint) -> c_int;
    pub fn digest(out: *mut u8, data: *const u8, len: usize);
    pub fn compare(a: *const u8, b: *const u8, len: usize) -> c_int;
    pub fn crc(seed: u32, buf: *const u8, len: usize) -> u32;
    pub fn read_some(dest: *mut c_void, cap: usize) -> isize;
    pub fn points(points: *mut Point, n: usize);
    pub fn compact(buf: *mut u8, len: *mut usize) -> c_int;
    pub fn shuffle(in_: *const u8, in__len: usize, into: *mut u8, into_len: usize) -> c_int;
    pub fn tail(buf: *mut u8, len: *mut c_uint, skip: c_uint) -> c_int;

    // objects and scalars
    pub fn divide(a: c_int, b: c_int, quotient: *mut c_int, remainder: *mut c_double) -> c_int;
    pub fn translate(point: *mut Point, by: *const Point);
    pub fn find(ctx: *mut Ctx, found: *mut Point) -> c_int;
    pub fn midpoint(a: Point, b: Point) -> Point;
    pub fn stamp(at: made_up!(u64)) -> made_up!(u64);
    pub fn set_mode(mode: Mode, on: bool);
    pub fn maybe(dest: *mut u8, cap: usize, point: *mut Point, seed: *const c_uint) -> c_int;

    // handles and strings
    pub fn open(path: *const c_char, ctx: *mut *mut Ctx) -> c_int;
    pub fn open_default() -> *mut Ctx;
    pub fn close(ctx: *mut Ctx);
    pub fn name(ctx: *const Ctx) -> *const c_char;
    pub fn title(ctx: *const Ctx) -> *const c_char;
    pub fn parent(ctx: *const Ctx) -> *mut Ctx;
    pub fn each(ctx: *mut Ctx, back: Option<unsafe extern "C" fn(*mut c_void)>, user: *mut c_void);
    pub fn each_later(ctx: *mut Ctx, back: Option<unsafe extern "C" fn(*mut c_void)>);
    pub fn query(ctx: *mut Ctx, sql: *const c_char, row: Row, data: *mut c_void) -> c_int;
    pub fn walk(
        visit: unsafe extern "C" fn(*mut Blob, name: *const c_char, xs: *const c_double, points: c_uint) -> c_int,
        fill: Option<extern "C" fn(*mut c_void, into: *mut c_void, room: usize) -> isize>,
        user: *mut c_void,
        done: Option<unsafe extern "C-unwind" fn(ret: c_int)>,
    );
    pub fn set_title(ctx: *mut Ctx, title: *const c_char, r#type: c_int);
    pub fn attach(ctx: *mut Ctx, blob: *const Blob);
    pub fn split(text: *mut c_char, at: *mut c_char) -> c_int;

    // errors, and what changes hands
    pub fn pack(dest: *mut u8, cap: usize, src: *const u8, src_len: usize) -> usize;
    pub fn pack_failed(code: usize) -> c_uint;
    pub fn pack_why(code: usize) -> *const c_char;
    pub fn login(path: *const c_char, ctx: *mut *mut Ctx) -> c_int;
    pub fn logout(ctx: *mut Ctx) -> c_int;
    pub fn login_error(ctx: *mut Ctx) -> *const c_char;
    pub fn blob_of(ctx: *mut Ctx, id: c_int) -> *mut Blob;
    pub fn blobs_of(ctx: *mut Ctx, first: *mut *mut Blob, second: *mut *mut Blob, third: *mut *mut Blob) -> c_int;
    pub fn drop_blob(blob: *mut *mut Blob, all: *mut *mut Blob);
    pub fn blob_bytes(blob: *mut Blob, index: c_int) -> *const c_void;
    pub fn blob_size(blob: *mut Blob, index: c_int) -> c_int;
    pub fn render(ctx: *mut Ctx, width: *mut c_int, height: *mut c_int) -> *mut u8;
    pub fn render_to(ctx: *mut Ctx, out: *mut *mut u8) -> usize;
    pub fn explain(ctx: *mut Ctx, text: *mut *mut c_char, back: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    pub fn shrink(data: *const u8, data_len: usize, dest: *mut u8, room: usize, written: *mut usize) -> c_int;
    pub fn gather(dest: *mut u8, room: usize, used: *mut usize) -> c_int;
    pub fn rows(bits: *const u8, width: c_uint, depth: c_uint, dest: *mut u8, size: usize, each: usize, left: *mut usize);
    pub fn unpack(dest: *mut u8, room: usize, written: *mut usize) -> c_int;
    pub fn unpack_some(dest: *mut u8, room: usize, left: *mut c_uint) -> c_int;
    pub fn window(ctx: *mut Ctx, len: *mut c_int) -> *const u8;
    pub fn measured(data: *const u8, data_len: usize) -> usize;
    pub fn marked(data: *const u8, data_len: usize, marks: *mut u64) -> c_uint;
    pub fn release(memory: *mut c_void);

    // pointers under names of their own
    pub fn session_begin(session: &mut Session, options: *const Options) -> c_int;
    pub fn session_fork(session: Session, log: Session) -> Session;
    pub fn session_end(session: Session);

    // objects that stay in the domain
    pub fn stream_begin(stream: *mut Stream, level: c_int) -> c_int;
    pub fn stream_work(stream: *mut Stream, next: c_int) -> c_int;
    pub fn stream_reset(stream: *mut Stream);
    pub fn stream_total(stream: *const Stream) -> u64;
    pub fn stream_end(stream: *mut Stream) -> c_int;

    // structs that the library makes
    pub fn picture_of(ctx: *mut Ctx, index: c_int) -> *const Picture;
    pub fn picture_turn(picture: *mut Picture);
    pub fn tally(ctx: *mut Ctx, tally: *mut *mut Tally) -> c_int;

    // slices in structs
    pub fn get(ctx: *mut Ctx, key: *mut Val, data: *mut Val) -> c_int;
    pub fn put(ctx: *mut Ctx, key: *const Val, data: *mut Val) -> c_int;
    pub fn seek(ctx: *mut Ctx, key: *mut Val, words: *mut Words) -> c_int;
    pub fn total(words: Words) -> i64;
    pub fn convert(ctx: *mut Ctx, samples: *mut Samples, source: *mut Source) -> c_int;
    pub fn mix(ctx: *mut Ctx, samples: *mut Samples) -> usize;

    // arrays of pointers
    pub fn bind_all(ctx: *mut Ctx, n: c_int, values: *const *const c_char, lengths: *const c_int) -> c_int;
    pub fn scatter(ctx: *mut Ctx, parts: *const *mut i16, sizes: *mut usize, count: usize) -> c_int;
    pub fn ranks(count: *const usize, values: *const *const c_int, each: *const usize, ranks: *mut c_int) -> c_int;
    pub fn look_up(ctx: *mut Ctx, keys: *mut *const c_void, key_lens: *const u32, count: usize) -> c_int;
    pub fn command(argc: c_int, argv: *mut *mut c_char, env: *const *const c_char) -> c_int;
    pub fn insert(ctx: *mut Ctx, names: *const *const c_char, values: *const *const c_char, count: c_uint) -> c_int;
    pub fn merge(ctx: *mut Ctx, blobs: *mut *const Blob, blob_count: usize, into: *const *mut Blob) -> c_int;
    pub fn prepare(ctx: *mut Ctx, frames: *mut usize) -> c_int;
    pub fn read_channels(ctx: *mut Ctx, channels: *mut *mut f32);
    pub fn write_rows(rows: *const *const c_void, row_count: c_uint, row_len: usize, under: *mut *mut u16) -> c_int;
    pub fn hull(points: *const *const Point, count: usize, seeds: *mut *mut u64) -> c_double;
    pub fn sign_all(keys: *mut *mut u8, key_count: usize, signatures: *mut *mut c_void);

    // places in arguments
    pub fn skip(text: *const c_char, tail: *mut *mut c_char) -> *const c_char;
    pub fn seek_byte(data: *const c_void, len: usize, byte: c_int) -> *mut c_void;
    pub fn trim(line: *mut u16, len: usize, last: *mut *const u16) -> *mut u16;
    pub fn strip(text: *mut c_char, end: *mut *mut c_char) -> *mut c_char;
    pub fn key_at(key: *const u8, of: *mut u16, len: usize) -> *const u8;
    pub fn last_of(of: *mut u16, len: usize) -> *mut u16;
    pub fn search(text: *const u8, text_end: *const u8, from: *const u8, until: *const c_void, hint: *mut c_char) -> c_int;
    pub fn search_in(line: *mut u16, len: usize, from: *mut u16, back: *const u16) -> *mut u16;
    pub fn mix_into(slice: *const u8, other: *const u8, into: *mut u8, count: usize);
    pub fn spread(low: *const u8, high: *mut u8, lens: *mut usize) -> c_int;
    pub fn find_next(text: *const c_char, from: *const c_char) -> *const c_char;
    pub fn exec(count: c_int, types: *const c_uint, values: *const u64, out: *mut u8) -> c_int;
    pub fn probe(count: usize, first: *const u8, second: *const u16, third: *mut u32) -> c_int;
    pub fn sample(dest: *mut u8, room: usize, state: *mut c_int) -> isize;

    // callbacks for elements as long as the function says
    pub fn sort(
        base: *mut c_void,
        nmemb: usize,
        size: usize,
        compare: Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>,
    );
    pub fn bisect(
        key: *const u16,
        key_len: u32,
        base: *const u16,
        nmemb: usize,
        compare: unsafe extern "C" fn(size: *const u16, *const u16) -> c_int,
    ) -> *mut u16;

    // values of types of which not all bits are one
    pub fn is_open(ctx: *const Ctx, mode: Mode) -> bool;
    pub fn mode_of(ctx: &mut Ctx, at: &Point) -> Mode;
    pub fn switch(ctx: *mut Ctx, state: Level) -> Level;
    pub fn reopen(path: *const c_char, ctx: *mut *mut Ctx) -> bool;
    pub fn climb(steps: *mut u8, cap: usize) -> Level;

    // what the library keeps
    pub fn lend(ctx: *mut Ctx, words: *mut u16, count: c_int, points: *const Point, n: usize) -> c_int;
    pub fn lend_names(ctx: *mut Ctx, name: *const c_char, key: *const u8, in_: *const c_void, in__len: usize);
    pub fn ctx_of(image: *const c_void, image_end: *const c_void, ctx: *mut *mut Ctx) -> c_int;
    pub fn stream_prime(stream: *mut Stream, pointer: *const u8, kept: usize) -> c_int;

    // declared with references
    pub fn turn(ctx: &mut Ctx, of: &Ctx, by: &Point, into: &mut Point, size: &mut c_int, next: &mut *mut Blob) -> c_int;

    // what C takes for what it expects there
    pub fn tune(ctx: *mut Ctx, op: c_int, ...) -> c_int;
}
