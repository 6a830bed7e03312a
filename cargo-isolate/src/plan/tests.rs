use super::clang::Use;
use crate::{
    fixture::{graph, mistakes, policy},
    policy::Texts,
};

/// The plan as text, or the mistakes of the policy.
fn planned(files: &str, policy_text: &str) -> String {
    match super::plan(&graph(files), &policy(policy_text)) {
        Ok(plan) => {
            let mut out = Vec::new();
            let texts = Texts::new("policy.toml".into(), policy_text.to_owned());
            super::print(&mut out, &plan, &texts, None).expect("a Vec takes everything");
            String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).expect("UTF-8")
        }
        Err(errors) => mistakes(policy_text, &errors),
    }
}

/// What rules say of functions declared like this, without any policy about them.
fn inferred(declarations: &str) -> String {
    let files = format!(
        "//- app/src/main.rs\nfn main() {{}}\n//- x-sys/src/lib.rs\nuse std::ffi::*;\n{TYPES}\n\
         extern \"C\" {{ {} }}\n",
        declarations.replace("fn ", "pub fn ")
    );
    planned(&files, "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n")
}

/// What was a suggestion once, and stands in the policy behind `#`, is not suggested again.
#[test]
fn tables_that_are_comments() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\nextern \"C\" { pub fn put(p: *const u8); pub fn get(p: *const u8); }\n";
    let policy = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n#[fn.put]\n# arg.p = { kind = \"handle\" }\n";
    let planned = planned(files, policy);
    let (_, proposed) = planned.split_once("Policy to start from").expect("proposals");
    insta::assert_snapshot!(proposed);
}

/// What is declared under a name that a build script may set is not in the plan, and that is said.
#[test]
fn what_a_build_script_decides() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\n\
        extern \"C\" { pub fn plain(n: i32); pub fn taken(n: i32); #[cfg(has_avx2)] pub fn wide(n: i32); #[cfg(has_avx2)] pub fn wider(n: i32); \
        #[cfg(has_avx2)] fn taken_out(n: i32); #[cfg(not(slow))] fn both(n: i32); #[cfg(slow)] fn both(n: i64); }\n";
    let text =
        "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\nexcept = [\"taken*\"]\n";
    let (graph, policy) = (graph(files), policy(text));
    let plan = super::plan(&graph, &policy).unwrap_or_else(|errors| panic!("{}", mistakes(text, &errors)));
    let said: Vec<_> = super::unsettled(&graph, &policy, &plan).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "`wide`, `wider` of [domain.x] are there if a build script sets `has_avx2`, which was not asked, and calls of them would run \
             in the program: `expand = true` in the policy, above its tables, or `--expand` asks it"
        ]
    );
}

const TYPES: &str = "
pub enum Opaque {} #[allow(non_camel_case_types)] pub type snd_uframes_t = c_ulong;
#[repr(C)] #[derive(Clone, Copy)] pub struct Point { pub x: c_int, pub y: [f32; 2] }
#[repr(C)] pub struct NotCopy { pub x: c_int }
#[repr(C)] #[derive(Clone, Copy)] pub struct Stream { pub next: *mut Stream, pub prev: *mut Stream }
#[repr(C)] #[derive(Clone, Copy)] pub enum Mode { A, B }
#[repr(C)] #[derive(Clone, Copy)] pub struct Outer { pub inner: Inner }
#[repr(C)] #[derive(Clone, Copy)] pub struct Inner { pub mode: Mode }
pub type Visit = unsafe extern \"C\" fn(*mut c_void, *const c_char, usize) -> c_int; #[repr(C)] pub struct Flexible { pub len: c_int, pub data: [u8; 0] } #[repr(C)] pub enum Value { None, Text(*const c_char) } #[repr(C)] pub struct WithText { pub value: Value } pub type Each = unsafe extern \"C\" fn(Session, c_int); pub type Handle = *mut Opaque; #[repr(C)] #[derive(Clone, Copy)] pub struct Session(*mut c_void); #[repr(C)] #[derive(Clone, Copy)] pub struct Text(*const c_char); #[repr(transparent)] #[derive(Clone, Copy)] pub struct Named(pub *mut Opaque); #[repr(transparent)] #[derive(Clone, Copy)] pub struct PointPtr(pub *mut Point);
pub type Library = *mut c_void; pub type Document = c_void; pub type Codec = *mut c_void;
#[repr(C)] pub struct Filled([u8; 64]); #[repr(C)] #[derive(Clone, Copy)] pub struct Matrix { pub of: [c_long; 4] } pub type lib_filename = *const c_char; pub type const_charp = *const c_char; pub type lib_char = c_char;
pub const crypto_box_NONCEBYTES: u32 = 24;
pub const crypto_box_PUBLICKEYBYTES: usize = 0x20usize;
pub const crypto_box_MACBYTES: c_uint = 16 as c_uint;
pub const crypto_sign_PUBLICKEYBYTES: u32 = 32;
pub const crypto_hash_BYTES: u32 = 64;
pub const crypto_hash_BYTES_MAX: u32 = 128;
pub const NONCEBYTES: u32 = 8; pub const X_KEM_CIPHERTEXTBYTES: usize = 768; pub const X_KEM_BYTES: usize = 32;
// libz-sys spells its types like this, and keeps them private.
#[cfg(not(zng))] macro_rules! if_zng { ($_zng:tt, $not_zng:tt) => { $not_zng }; }
#[cfg(zng)] macro_rules! if_zng { ($zng:tt, $_not_zng:tt) => { $zng }; }
type sum_t = if_zng!(u32, c_ulong);
type bytes_t = *const Byte;
type Byte = u8;
#[cfg(windows)] type len_t = *mut c_void;
#[cfg(not(windows))] type len_t = size_t;
type circle_t = back_t;
type back_t = circle_t;
#[cfg(feature = \"wide\")] type either_t = u64;
#[cfg(not(feature = \"wide\"))] type either_t = u32;
pub type Callback = Option<unsafe extern \"C\" fn(*mut c_void) -> c_int>; \
pub use self::Mode as SPACE; pub use self::paint::Type as PAINT; pub mod paint { pub type Type = u8; } pub mod other { pub type Type = u64; } \
use self::ROUND as TURN; use TURN as ROUND; pub mod narrow { pub type Len = u32; pub use self::Len as SIZE; } \
pub mod wide { pub type Len = u64; pub use self::Len as SIZE; } \
pub use std::num::NonZeroU32; pub mod legacy { pub type NonZeroU32 = u32; } \
#[repr(C)] #[derive(Clone, Copy)] pub struct Id { pub id: NonZeroU32 }
";

/// A policy about `x-sys`, whose functions are those of [`SYS`].
fn stated(contracts: &str) -> String {
    let policy = format!(
        "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"put\", \"get\"]\n{contracts}\n"
    );
    planned(SYS, &policy)
}

const SYS: &str = "
//- app/src/main.rs
fn main() {}
//- x-sys/src/lib.rs
use std::ffi::*;
#[repr(C)] pub struct Deep { pub p: *mut u8 }
extern \"C\" {
    pub fn put(dest: *mut u8, destLen: *mut c_uint, source: *const u8, n: c_int, deep: *mut Deep, lost: Lost) -> c_int;
    pub fn get(out: *mut c_int) -> *mut c_char;
    pub fn other();
    pub static version: c_int;
}
";

/// The plan of a workspace that is built without any feature.
fn without_features(files: &str, policy_text: &str) -> String {
    let mut graph = graph(files);
    for file in graph.packages.iter_mut().flat_map(|package| &mut package.files) {
        let mut configs = (*file.configs).clone();
        configs.0.iter_mut().for_each(|config| config.features = Some(Default::default()));
        file.configs = configs.into();
    }
    match super::plan(&graph, &policy(policy_text)) {
        Ok(plan) => {
            let all = plan.domains.iter().flat_map(|domain| &domain.functions);
            let shown = all.map(|one| {
                let refused = one.refused.iter().map(|reason| format!("\n    {reason}")).collect::<String>();
                format!("{} {:?} {}{refused}\n", one.name, one.declared.cfgs, one.declared.dormant)
            });
            let live = plan.live().domains.iter().map(|domain| domain.functions.len()).sum::<usize>();
            shown.collect::<String>() + &format!("{live} live")
        }
        Err(errors) => mistakes(policy_text, &errors),
    }
}

const WITH_FEATURES: &str = "
//- app/src/main.rs
extern \"C\" {
    pub fn plain(n: i32);
    #[cfg(feature = \"a\")] pub fn rare(n: i32);
    #[cfg(feature = \"a\")] pub fn same(n: i32);
    #[cfg(all(feature = \"b\", unix))] pub fn same(n: i32);
    #[cfg(windows)] pub fn elsewhere(n: i32);
    static __isolate_app_bss_end: u8;
}
fn main() { unsafe { plain(1) } }
//- x-sys/src/lib.rs
extern \"C\" { pub fn x_plain(); #[cfg(feature = \"more\")] pub fn x_more(); }
";

#[track_caller]
fn check_features(library: &str, externs: &str, expected: &str) {
    let policy = format!(
        "[domain.d]\nlibrary = \"{library}\"\narchives = [\"libd.a\"]\n[[isolate]]\ndomain = \"d\"\nextern = [{externs}]\n"
    );
    assert_eq!(without_features(WITH_FEATURES, &policy).trim_end(), expected);
}

#[test]
fn what_features_leave_out_is_planned_under_its_cfg() {
    check_features(
        "app",
        "\"*\"",
        "plain [] false\nrare [\"feature = \\\"a\\\"\"] true\nsame [\"any(feature = \\\"a\\\", all(feature = \\\"b\\\", unix))\"] true\n1 live",
    );
}

/// The names that its contract names are there wherever a wrapper is.
#[track_caller]
fn check_standing(contract: &str, expected: &str) {
    let files = "
//- app/src/main.rs
pub enum Book {}
extern \"C\" {
    #[cfg(unix)] pub fn book_free(book: *mut Book);
    #[cfg(feature = \"text\")] pub fn text_free(book: *mut Book);
    #[cfg(feature = \"text\")] pub fn text(code: i32) -> *const u8;
    #[cfg(feature = \"text\")] pub fn text_open(code: i32) -> *mut Book;
    pub fn open(code: i32) -> *mut Book;
    pub fn code() -> i32;
}
fn main() { unsafe { open(1) } }
";
    let policy = format!(
        "[domain.d]\nlibrary = \"app\"\narchives = [\"libd.a\"]\n[[isolate]]\ndomain = \"d\"\nextern = [\"*\"]\n{contract}\n"
    );
    let planned = without_features(files, &policy);
    let function = contract.split(['.', ']']).nth(1).expect("`[fn.NAME]`");
    let lines = planned.lines().skip_while(|line| !line.starts_with(&format!("{function} ")));
    let of_it: Vec<_> = lines.enumerate().take_while(|(at, line)| *at == 0 || line.starts_with(' ')).collect();
    let of_it: Vec<_> = of_it.into_iter().map(|(_, line)| line.trim()).collect();
    assert_eq!(of_it.join("\n"), expected, "{planned}");
}

#[test]
fn what_a_contract_names_must_be_there() {
    let give = |function: &str, free: &str| {
        format!("[fn.{function}]\nret = {{ kind = \"handle\", own = \"give\", free = \"{free}\" }}")
    };
    let refused = |name: &str| {
        format!(
            "its contract names `{name}`, which is there only under `cfg(feature = \"text\")`: declare both under the same `cfg`s"
        )
    };
    check_standing(&give("open", "book_free"), "open [\"unix\"] false");
    check_standing(&give("open", "text_free"), &format!("open [] false\n{}", refused("text_free")));
    check_standing(&give("text_open", "text_free"), "text_open [\"feature = \\\"text\\\"\"] true");
    check_standing(
        "[fn.code]\nerror = \"ret != 0\"\nmessage = \"text(ret)\"",
        &format!("code [] false\n{}", refused("text")),
    );
}

#[test]
fn what_no_feature_brings_is_named_for_what_it_is() {
    check_features(
        "app",
        "\"elsewhere\"",
        "6:11 [\"elsewhere\"] `elsewhere` is not in this build: `app` declares it under `cfg(windows)`\n    take it out",
    );
    check_features(
        "x-sys",
        "\"x_more\"",
        "6:11 [\"x_more\"] `x_more` is not in this build: `x-sys` declares it under `cfg(feature = \"more\")`\n    features of another package are those of the build: give the same `--features` to every command",
    );
    check_features(
        "app",
        "\"quite_other\"",
        "6:11 [\"quite_other\"] no foreign function is called `quite_other` in `app` or the workspace's own code\n    declared there: `plain`, `rare`, `same`",
    );
}

macro_rules! inferred {
    ($($name:ident: $declarations:expr,)*) => { $(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), inferred($declarations));
        }
    )* };
}

inferred! {
    infers_inputs: "
        fn own(data: *const u8, data_len: usize, flags: c_int);
        fn next(crc: c_ulong, buf: *const u8, len: c_uint) -> c_ulong;
        fn hungarian(p_key: *const c_void, key_size: usize);
        fn numbers(n_values: usize, values: *const f64);
        fn bytes(text: *const c_char, text_len: c_int);
        fn kept(stream: *mut Opaque, dictionary: *const u8, dictionary_size: c_int);
        fn lent(point: &mut Point, data: *const u8, len: usize);
        fn opened(path: *const c_char) -> *mut Opaque;
    ",
    refuses_inputs_in_doubt: "
        fn shared(a: *const u8, b: *const u8, len: usize);
        fn strided(data: *const c_void, size: usize, count: usize);
        fn alone(key: *const u8);
        fn apart(source: *const c_char, dest: *mut c_char, compressed_size: c_int, max_size: c_int) -> c_int;
        fn structs(points: *const Point, points_len: usize);
        fn not_a_length(data: *const u8, level: c_int);
        fn another(a: *const u8, b_len: usize, b: *const u8);
        fn chosen(data: *const u8, level: c_int, flags: u32);
    ",
    infers_outputs: "
        fn own(dest: *mut u8, dest_len: usize) -> c_int;
        fn capped(dest: *mut c_char, max_dest_size: c_int) -> c_int;
        fn scalars(code: *mut c_int, ratio: *mut c_double);
        fn opened(out: *mut Handle) -> c_int;
    ",
    refuses_outputs_in_doubt: "
        fn cell(dest: *mut u8, dest_len: *mut usize);
        fn nearby(picture: *mut u8, len: usize);
        fn alone(dest: *mut u8);
        fn many(values: *mut c_int, count: c_int);
        fn nothing_known(data: *mut c_void);
        fn packed(src: *const u8, src_len: usize, dst: *mut u8, dst_cap: usize) -> c_int;
        fn coded(r#in: *const u8, in_nbytes: usize, out: *mut u8, out_nbytes_avail: usize);
        fn claimed(src: *const u8, len: usize, user: *mut c_void);
        fn moved(next_out: *mut *mut u8, count_out: *mut usize);
        fn placed(in_pos: *mut usize, available_out: *mut usize);
        fn taken(size: *mut usize) -> *const u8;
    ",
    suggests_sizes: "
        fn crypto_box_easy(c: *mut u8, m: *const u8, mlen: c_ulonglong, n: *const u8, client_pk: *const u8, sk: *const u8);
        fn crypto_box_open(m: *mut u8, c: *const u8, clen: c_ulonglong, nonce: *const u8);
        fn crypto_hash(out: *mut u8, in_: *const u8, inlen: c_ulonglong);
        fn crypto_sign_pk_to_curve25519(curve25519_pk: *mut u8, pk: *const u8);
        fn other_box(n: *const u8);
        fn X_kem_enc(ct: *mut u8, ss: *mut u8, pk: *const u8);
        fn msg(msg32: *const u8, in2: *const u8);
        fn back(window: *mut u8, windowBits: c_int, block: *mut u8, blockRoom: c_int, maxblock: c_int);
    ",
    asks_what_a_length_counts: "
        fn nbits(bits: *const u8, nbits: usize);
        fn words(w: *const u32, size: usize);
        fn put_rows(data: *const u8, n: usize);
        fn samples(buf: *mut u8, num_samples: usize);
        fn sort(v: *mut c_int, n: usize);
        fn sums(values: *mut c_int, values_size: usize);
        fn counted(values: *const u32, len: usize);
        fn strided(positions: *const f32, position_count: usize, positions_stride: usize);
        fn apart(colors: *const f32, color_count: usize, flags: c_uint, colors_stride: usize);
        fn filter(buffer: *mut c_void, count: usize, stride: usize);
        fn records(triangles: *const c_void, triangle_count: usize, triangle_size: usize);
        fn picture(output: *mut u8, output_size: usize, output_stride: c_int);
        fn sized(ids: *const u32, id_count: usize, cache_size: c_uint);
    ",
    asks_whether_one_or_several: "
        fn suffixes(text: *const u32, sa: *mut c_int, left: *mut c_int, n: c_uint, nodes: &mut c_uint);
        fn graphemes(text: *const c_void, length: usize, starts: *mut usize, lengths: *mut usize, cap: usize, consumed: *mut usize);
        fn hashed(seeds: *const u64, seeds_count: usize, hashes: *mut u64);
        fn remap(destination: *mut c_uint, indices: *const c_uint, index_count: usize);
        fn flagged(data: *const u8, len: usize, flags: *mut c_uint, num_items: *mut c_int);
        fn numbers(status: *mut c_int, values: *mut c_int);
        fn image(numcmpts: c_uint, cmptparms: *mut Point) -> *mut Opaque;
        fn ranges(it: *mut Opaque, buf: *mut Point, count: usize);
        fn or_many(number: usize, rs: *mut *const Opaque);
        fn to_uint32_array(it: *const Opaque, ans: *mut u32);
        fn decode(mp3: *const u8, mp3_bytes: c_int, pcm: *mut i16);
        fn deserialize(buf: *const c_char) -> *mut Opaque;
        fn transform(ct: *mut Opaque, nCount: c_int, x: *mut f64, y: *mut f64, z: *mut f64) -> c_int;
        fn counted(num_items: c_int, out_len: *mut usize, num_left: *mut c_int) -> c_int;
        fn packet(data: *const u8, len: c_int, size: *mut i16, offset: *mut c_int) -> c_int;
        fn readi(pcm: *mut Opaque, buffer: *mut c_void, size: snd_uframes_t) -> c_long;
        fn iter_key(it: *const Opaque, klen: *mut usize) -> *const c_char;
        fn context(it: *const Opaque, offset: *mut c_int, size: *mut c_int) -> *const c_char;
        fn why(data: *const u8, len: usize, size: *mut usize) -> *const c_char;
        fn dump(of: *mut Opaque, buf: *mut c_char, cap: usize) -> c_int;
        fn source(of: c_uint, count: c_int, string: *const *const c_char, length: *const c_int);
        fn multi_get(db: *mut Opaque, num_keys: usize, keys_list: *const *const c_char, keys_list_sizes: *const usize);
        fn axpy(n: c_int, alpha: f32, x: *const f32, incx: c_int, y: *mut f32, incy: c_int);
        fn number(nptr: *const c_char, endptr: *mut *mut c_char, base: c_int) -> c_long;
        fn scan(from: *const c_char, to: *const c_char, pTail: *mut *const c_char) -> c_int;
        fn exec(nParams: c_int, paramTypes: *const c_uint, paramValues: *const *const c_char, paramLengths: *const c_int) -> c_int;
        fn checksum(parts: *const *const c_void, part_lens: *const usize, count: usize) -> c_int;
        fn scatter(bufs: *mut *mut u8, sizes: *const usize, n: usize);
        fn refPrefix(of: *mut Opaque, prefix: *const c_void, prefixSize: usize) -> usize;
    ",
    asks_what_is_kept: "
        fn LZ4_setStreamDecode(stream: *mut Opaque, dictionary: *const u8, dict_size: c_int) -> c_int;
        fn new_memory_face(data: *const u8, data_size: c_long, face: *mut *mut Stream) -> c_int;
        fn new_rgb(output_buffer: *mut u8, output_buffer_size: usize) -> *mut Opaque;
        fn patch_from_buffers(out: *mut Handle, old_buffer: *const c_void, old_len: usize, as_path: *const c_char) -> c_int;
        fn mem_src(it: &mut Opaque, buffer: *const u8, size: c_ulong);
        fn mac_init(ctx: *mut Opaque, key: *const u8, keylen: usize) -> c_int;
        fn set_coords(face: *mut Opaque, num_coords: c_uint, coords: *const c_long) -> c_int;
        fn open_path(path: *const c_char, out: *mut Handle) -> c_int;
        fn point_init(point: *mut Point, data: *const u8, len: usize);
        fn write(to: *mut Opaque, data: *const u8, len: usize, written: *mut usize);
        fn lib_open(library: *mut Library) -> c_int;
        fn lib_put(library: Library, text: *const c_char, values: *const f32, values_len: usize) -> c_int;
    ",
    asks_whose_text_it_is: "
        fn uri_key(z: lib_filename, n: c_int) -> *const c_char;
        fn database_file(name: lib_filename) -> c_int;
        fn by_pointer(name: *const lib_char, other: const_charp, third: &c_char);
        fn get_chunk(fourcc: *const c_char) -> c_int;
        fn chunk_start(chunk_name: *const u8, length: u32);
        fn chunk_named(name: *const u8, name_len: usize);
    ",
    asks_about_names_for_several: "
        fn keep_chunks(keep: c_int, chunk_list: *const u8, num_chunks: c_int);
        fn entries(data: *const c_void, entry_count: usize, n_records: usize);
        fn hungarian(nOld: c_int, pOld: *const c_void, buf: *const u8, num_bytes: usize);
        fn build_palette(bit_depth: c_int, palette: *mut Point);
        fn weights(len: *mut c_uint, weightvector: *mut c_long);
        fn define_property(name: *const c_char, ranges: *mut c_uint);
        fn transform(matrix: *const Matrix, points: *const Point, delta: *const Point, progress: *mut c_int);
        fn counts(anum_points: *mut c_uint, num_rows: &mut c_int, milliseconds: *mut c_long, rows: &mut c_int);
    ",
    leaves_lengths_to_what_they_are_called_after: "
        fn locked(vertex_lock: *const u8, target_index_count: usize);
        fn plural(matrices: *const f64, matrix_count: usize, entries: *const u32, entry_count: usize);
        fn opened(fname: *const c_char, buffer_size: usize);
        fn hungarian(zSql: *const c_char, nByte: c_int);
    ",
    keeps_what_numbers_hold: "
        fn swap(a: *mut c_int, b: *mut c_int);
        fn divide(by: c_int, result: *mut c_int, rest_out: *mut c_int);
        fn point_get_size(point: *const Point, width: *mut c_int, len: *mut c_int);
    ",
    finds_lengths_by_affinity: "
        fn sealed(tag: *mut u8, buf: *mut u8, buf_len: *mut usize);
        fn each(back: Option<unsafe extern \"C\" fn(user: *mut c_void, chunk: *const u8, len: usize) -> c_int>, user: *mut c_void);
        fn rows(back: Option<unsafe extern \"C\" fn(row: *const u32, size: usize)>);
    ",
    suggests_who_owns: "
        fn reader_new() -> *mut Opaque;
        fn reader_open(out: *mut *mut Opaque) -> c_int;
        fn reader_peek() -> *mut Opaque;
        fn reader_free(it: *mut Opaque);
        fn stream_create() -> *mut Stream;
        fn stream_free(it: *mut Stream);
        fn stream_destroy(it: *mut Stream);
        fn point_new(x: c_int) -> *mut Point;
        fn point_move(it: *mut Point, x: c_int);
        fn point_free(it: *mut Point);
    ",
    suggests_who_frees_text: "
        fn words_dup(text: *const c_char) -> *mut c_char;
        fn words_free_string(text: *mut c_char);
        fn words_trim(text: *mut c_char);
    ",
    suggests_who_frees_all: "
        fn words_dup(text: *const c_char) -> *mut c_char;
        fn words_free(memory: *mut c_void);
    ",
    suggests_callbacks: "
        fn each(visit: Visit, user: *mut c_void);
        fn book_set_visit(book: *mut Opaque, visit: Visit, user: *mut c_void);
        fn book_reset(book: *mut Opaque, visit: Visit, user: *mut c_void);
    ",
    infers_handles_strings_and_structs: "
        fn used(handle: Handle, name: *const c_char) -> *const c_char;
        fn made() -> *mut Opaque;
        fn moved(point: *mut Point, by: *const Point) -> Point;
        fn filled(it: *mut Filled);
        fn moded(mode: Mode, on: bool);
    ",
    follows_aliases: "
        fn checksum(sum: sum_t, buf: bytes_t, len: size_t) -> sum_t;
        fn stored(dest: *mut u8, destSize: len_t, seed: circle_t, width: either_t);
        fn painted(space: SPACE, as_: PAINT, round: ROUND, by: *const SPACE);
        fn sized(of: wide::SIZE, or: narrow::SIZE, which: SIZE);
    ",
    infers_references: "
        fn used(handle: &Opaque, also: &mut Opaque);
        fn moved(point: &mut Point, by: &Point);
        fn asked(width: &mut c_int, data: &[u8; 4]);
        fn answered() -> &'static Point;
    ",
    knows_what_the_library_makes: "
        fn stream_open(out: *mut *mut Stream) -> c_int;
        fn stream_work(it: *mut Stream, other: *const Stream) -> c_int;
        fn stream_last() -> *mut Stream;
        fn stream_close(it: *mut Stream);
        fn library_new(library: *mut Library) -> c_int;
        fn library_use(library: Library, data: *mut c_void);
        fn document_new() -> *mut Document;
        fn document_render(document: *mut Document, text: *const u8, text_len: usize);
        fn codec_new() -> *mut Codec;
        fn codec_run(codec: *mut Codec, document: *const Document);
        fn unnamed_new() -> *mut c_void;
        fn unnamed_run(it: *mut c_void);
        fn stream_destroy_all(it: *mut *mut Stream);
        fn opaque_free(it: *mut *mut Opaque);
    ",
    knows_what_stays_with_the_caller: "
        fn stream_init(it: *mut Stream) -> c_int;
        fn stream_work(it: *mut Stream) -> c_int;
        fn stream_close(it: *mut Stream);
        fn stream_look(number: c_int, it: *const Stream);
    ",
    knows_what_is_filled_and_ended: "
        fn stream_find(out: *mut Stream, it: *mut Opaque) -> c_int;
        fn stream_free(it: *mut Stream);
    ",
    knows_what_is_only_ended: "
        fn stream_free(it: *mut Stream);
        fn outer_cleanup(it: *mut Outer);
    ",
    knows_lists_that_grow: "
        fn stream_append(list: *mut Stream, text: *const c_char) -> *mut Stream;
        fn stream_free_all(list: *mut Stream);
        fn outer_copy(into: *mut Outer, from: *const Outer) -> *mut Outer;
    ",
    asks_whether_it_is_in_what_is_returned: "
        fn construct(key: *const c_char, data: *const u8, data_len: usize) -> Stream;
    ",
    recognises: "
        fn each(back: Callback, user: *mut c_void);
        fn each_of(list: *const u8, list_len: usize, context: *mut c_void, back: Callback);
        fn put(it: *mut Opaque, payload: *mut c_void);
        fn parse(it: *mut *mut Opaque, pp: *mut *const u8, length: c_long);
        fn search(text: *const u8, end: *const u8, start: *const u8, range: *const u8);
        fn named(name: *const u8, name_end: *const u8, other: *const u8);
        fn opaque_free(it: *mut Opaque, memory: *mut c_void);
    ",
    infers_lengths_of_buffers_by_name: "
        fn pairs(encoded_size: usize, encoded_buffer: *const u8, nOld: c_int, pOld: *const c_void);
        fn between(old_buffer: *const c_void, old_len: usize, old_as_path: *const c_char, parent_count: usize, parents: *mut *mut Opaque);
        fn join(it: *mut Opaque, their_heads: *mut *const Opaque, len: usize);
        fn open(it: *mut *mut Opaque, len: usize);
        fn read(file: *mut Opaque, buf: *mut c_void, len: c_int) -> c_int;
        fn lock(addr: *mut c_void, len: usize);
        fn rounds(buf: *mut u8, len: usize, count: usize);
        fn both(data: *const u8, srcSizePtr: *mut usize);
    ",
    suggests_arrays_of_pointers: "
        fn main_of(argc: c_int, argv: *mut *mut c_char);
        fn consume(it: *mut Opaque, topics: *mut *const c_char, topics_cnt: usize);
        fn connect(keywords: *const *const c_char, values: *const *const c_char);
        fn execute(it: *mut Opaque, paramCount: c_int, values: *const *const c_char, formats: *const c_int);
        fn add(names: *const *const c_char, n_names: u32, points: *const *const Point, n_points: u32);
        fn merge(parents: *const *const Opaque, parent_count: usize, others: *const *mut Opaque);
        fn paint(rows: *mut *mut u8, num_rows: u32, width: usize, under: *const *const u16);
        fn parse(pp: *mut *const u8, length: c_long, error: *mut *mut c_char, end: *mut *const c_char);
    ",
    infers_pointers_with_names_of_their_own: "
        fn begin(session: &mut Session) -> c_int;
        fn next(session: Session, text: Text) -> Session;
        fn end(session: Session);
        fn each(session: Session, back: Each);
        fn raw(it: *mut Opaque, named: Named, point: PointPtr);
    ",
    refuses_what_cannot_be_copied: "
        fn deep(stream: *mut Stream);
        fn moved(it: *mut NotCopy);
        fn nested(outer: *mut Outer);
        fn read(it: *const NotCopy, outer: *const Outer);
        fn find_id(it: *mut Id) -> Id;
        fn several(outers: *const Outer, outers_len: usize, points: *const Point, n: usize);
        fn counted(outers: *const Outer, count: usize);
        fn flexible(it: *const Flexible);
        fn with_text(it: *const WithText);
        fn called(back: Callback, user: *mut c_void);
        fn chosen() -> Mode;
        fn true_or_not() -> bool;
        fn owned() -> *mut c_char;
        fn variadic(format: *const c_char, ...) -> c_int;
        fn unknown(it: *mut Missing, by_value: AlsoMissing);
    ",
}

#[test]
fn plans_what_the_policy_states() {
    insta::assert_snapshot!(stated(
        r#"
[fn.put]
arg.dest = { kind = "buf", dir = "out", cap = "*destLen", written = "min(*destLen, ret)" }
arg.source = { kind = "buf", len = "n * 2 + 1" }
arg.deep = { kind = "handle", null = "ok" }
arg.lost = { kind = "value", ty = "c_ulong" }
[fn.get]
ret = { kind = "cstr", null = "ok" }
"#
    ));
}

#[test]
fn points_at_wrong_words() {
    // Each entry stands on line 7, column 1.
    let entries = [
        r#"arg.source = { kind = "bfu", len = "n" }"#,
        r#"arg.source = { kind = "cb" }"#,
        r#"arg.source = { dir = "in" }"#,
        r#"arg.source = { kind = "buf" }"#,
        r#"arg.source = { kind = "buf", len = "n", dir = "inn" }"#,
        r#"arg.source = { kind = "buf", len = "n", dir = "out" }"#,
        r#"arg.source = { kind = "buf", cap = "n" }"#,
        r#"arg.source = { kind = "buf", len = "n", written = "n" }"#,
        r#"arg.source = { kind = "buf", len = "n +" }"#,
        r#"arg.source = { kind = "buf", len = "ret" }"#,
        r#"arg.source = { kind = "buf", len = "m" }"#,
        r#"arg.source = { kind = "buf", len = "*n" }"#,
        r#"arg.source = { kind = "buf", len = "destLen" }"#,
        r#"arg.source = { kind = "buf", len = "n", null = "okay" }"#,
        r#"arg.source = { kind = "value" }"#,
        r#"arg.source = { kind = "cstr", len = "n" }"#,
        r#"arg.dest = { kind = "buf", dir = "out", len = "n" }"#,
        r#"arg.dest = { kind = "buf", len = "n", cap = "n" }"#,
        r#"arg.dest = { kind = "obj", dir = "out", null = "ok" }"#,
        r#"arg.n = { kind = "obj" }"#,
        r#"arg.n = { kind = "value", ty = "c_int)" }"#,
        r#"arg.deep = { kind = "obj" }"#,
        r#"arg.deep = { kind = "buf", len = "n" }"#,
        r#"arg.deep = { kind = "handle", dir = "out" }"#,
        r#"ret = { kind = "cstr" }"#,
        r#"arg.lost = { kind = "value", ty = "bool" }"#,
        r#"arg.lost = { kind = "value" }"#,
        r#"arg.source = { kind = "handle" }
retry = 2"#,
        r#"message = "get(deep)""#,
        r#"error = "ret""#,
        r#"error = "n < 0 && m > 1""#,
        r#"error = "lost(ret) != 0""#,
        r#"error = "get(n)""#,
        r#"error = "ret < 0"
message = "put""#,
        r#"arg.deep = { kind = "handle", own = "give", free = "get" }"#,
        r#"arg.deep = { kind = "handle", own = "given" }"#,
        r#"arg.deep = { kind = "handle", free = "get" }"#,
        r#"arg.source = { kind = "cstr", own = "give", free = "get" }"#,
        r#"arg.source = { kind = "buf", len = "get(n)" }"#,
        r#"arg.n = { kind = "null" }"#,
    ];
    let shown = entries.map(|entry| {
        let shown = stated(&format!("[fn.put]\n{entry}"));
        format!("{entry}\n{shown}")
    });
    insta::assert_snapshot!(shown.join("\n"));
}

/// A struct that can be made in the caller's memory, too: once somebody says who ends what is given away, it is the library's.
#[test]
fn what_is_given_away_is_the_librarys() {
    let files = "
//- app/src/main.rs
fn main() {}
//- x-sys/src/lib.rs
use std::ffi::*;
#[repr(C)] pub struct Bitmap { words: *mut u64, size: usize }
extern \"C\" {
    pub fn bitmap_create() -> *mut Bitmap;
    pub fn bitmap_init(it: *mut Bitmap);
    pub fn bitmap_add(it: *mut Bitmap, value: u32);
    pub fn bitmap_remove(it: *mut Bitmap, value: u32);
    pub fn bitmap_free(it: *const Bitmap);
    pub fn bitmap_size(it: *const Bitmap) -> usize;
    pub fn bitmap_to_array(it: *const Bitmap, ans: *mut u32);
}
";
    let policy = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n";
    let said = "[fn.bitmap_create]\nret = { kind = \"handle\", null = \"ok\", own = \"give\", free = \"bitmap_free\" }\n\
        [fn.bitmap_size]\nbind.it = { size = \"ret\" }\n\
        [fn.bitmap_to_array]\narg.ans = { kind = \"buf\", dir = \"out\", cap = \"$it.size\" }\n";
    insta::assert_snapshot!([planned(files, policy), planned(files, &format!("{policy}{said}"))].join("\n"));
}

/// What ends and frees, and what a library gives.
#[test]
fn ownership() {
    let files = "
//- app/src/main.rs
fn main() {}
//- x-sys/src/lib.rs
use std::ffi::*;
pub enum Db {}
pub enum Row {}
extern \"C\" {
    pub fn open(db: *mut *mut Db) -> c_int;
    pub fn close(db: *mut Db) -> c_int;
    pub fn close_all(db: *mut *mut Db, log: *mut *mut c_char);
    pub fn row(db: *mut Db) -> *mut Row;
    pub fn drop_row(row: *mut Row, how: c_int);
    pub fn move_row(row: *mut Row, from: *mut Db, to: *mut Db);
    pub fn text(row: *mut Row, out: *mut *mut c_char) -> c_int;
    pub fn size(row: *const Row) -> c_int;
    pub fn why(db: *mut Db) -> *const c_char;
    pub fn release(memory: *mut c_void);
}
";
    let planned = |words: &str| {
        let policy =
            format!("[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n{words}\n");
        planned(files, &policy)
    };
    let wrong = [
        r#"ret = { kind = "handle", own = "give", free = "drop_row" }"#,
        r#"ret = { kind = "handle", own = "give", free = "release" }"#,
        r#"ret = { kind = "handle", own = "give", free = "drop_rows" }"#,
        r#"ret = { kind = "handle", own = "give" }"#,
        r#"ret = { kind = "handle", own = "take" }"#,
        r#"ret = { kind = "handle", own = "give", free = "release", parent = "bd" }"#,
        r#"ret = { kind = "handle", own = "give", free = "move_row", parent = "db" }"#,
    ];
    let wrong = wrong.map(|words| format!("{words}\n{}", planned(&format!("[fn.row]\n{words}"))));
    let right = planned(
        r#"
[fn.open]
arg.db = { kind = "handle", dir = "out", own = "give", free = "close" }
error = "ret != 0"
message = "why(*db)"
[fn.text]
arg.out = { kind = "buf", dir = "out", len = "size(row)", own = "give", free = "release" }
error = "size(row) < 0 || ret > 1"
[fn.close_all]
arg.db = { kind = "handle", own = "take" }
arg.log = { kind = "null" }
"#,
    );
    insta::assert_snapshot!(format!("{}\n{right}", wrong.join("\n")));
}

#[test]
fn takes_names_out_of_a_glob() {
    let select = |words: &str| {
        let policy = format!("[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\n{words}\n");
        planned(SYS, &policy)
    };
    insta::assert_snapshot!(
        [
            select("extern = [\"*\"]\nexcept = [\"pu*\", \"get\"]"),
            select("extern = [\"*t\"]\nexcept = [\"puut\", \"other\"]"),
            select("extern = [\"other\", \"get\"]\nexcept = [\"g*\"]"),
        ]
        .join("\n")
    );
}

#[test]
fn a_domain_is_not_believed_to_return_a_bool() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\n\
                 #[repr(C)] pub enum Known { No, #[cfg(new)] Perhaps }\n\
                 pub enum Rusts { No, Yes }\n\
                 extern \"C\" { pub fn yes() -> bool; pub fn known() -> Known; pub fn rusts() -> Rusts; pub fn get(is: *mut bool); }\n";
    let text = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n\
                [fn.yes]\nret = { kind = \"value\" }\n";
    insta::assert_snapshot!(planned(files, text));
}

#[test]
fn points_at_names_that_are_not_there() {
    insta::assert_snapshot!(stated(
        r#"
[fn.put]
arg.dets = { kind = "buf" }
arg.source = { kind = "buf", len = "sourceLen" }
[fn.other]
ret = { kind = "cstr" }
[fn.putt]
"#
    ));
}

#[test]
fn points_at_functions_and_domains_that_are_not_there() {
    insta::assert_snapshot!(planned(
        SYS,
        r#"
[domain.x]
library = "x-sis"
[domain."no-name"]
library = "x-sys"
[domain.y]
library = "x-sys"
[domain.z]
library = "x-sys"
[[isolate]]
domain = "y"
extern = ["putt", "version", "other"]
[[isolate]]
domain = "z"
extern = ["oth*"]
"#
    ));
}

#[test]
fn points_at_bindings_that_were_not_seen() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\ninclude!(concat!(env!(\"OUT_DIR\"), \"/bindings.rs\"));\n";
    let policy = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"get\"]\n[fn.get]\narg.out = { kind = \"handle\" }\n";
    insta::assert_snapshot!(planned(files, policy));
}

#[test]
fn a_member_declares_what_the_library_leaves_out() {
    insta::assert_snapshot!(planned(
        "//- app/src/main.rs\nmod ffi;\nfn main() { ffi::extra(); }\n\
         //- app/src/ffi.rs\nextern \"C\" { pub(crate) fn extra(level: i32); fn hidden(); }\n\
         //- x-sys/src/lib.rs\nextern \"C\" { pub fn own(); }\n",
        "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"ex*\", \"hidden\", \"own\"]\n",
    ));
}

/// A library may keep its declarations to itself; who declares them again means the same functions.
#[test]
fn a_declaration_of_ones_own_is_taken() {
    let files = "//- app/src/main.rs\nunsafe extern \"C\" { pub(crate) fn seen(n: u32) -> u32; fn kept(); }\nfn main() {}\n\
                 //- x-sys/src/lib.rs\nmod private;\n\
                 //- x-sys/src/private.rs\nunsafe extern \"C\" { pub fn seen(n: u32) -> u32; pub fn kept(); }\n";
    let policy = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n";
    let text = planned(files, policy);
    assert!(text.contains("seen  ready  app/src/main.rs:1:"), "{text}");
    assert!(text.contains("kept  refused  x-sys/src/private.rs:1:"), "{text}");
    assert!(
        text.contains("the module `private` of `x-sys` is private: declare the function `pub(crate)` in"),
        "{text}"
    );
}

/// The wrappers' module stands below the root of the crate, and sees what is private there.
#[test]
fn the_root_of_the_crate_may_keep_its_declarations() {
    let files =
        "//- app/src/main.rs\nunsafe extern \"C\" { fn near(n: u32) -> u32; }\nfn main() {}\n//- x-sys/src/lib.rs\n";
    let text = planned(files, "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"near\"]\n");
    assert!(text.contains("near  ready  app/src/main.rs:1:"), "{text}");
}

#[test]
fn one_function_in_full() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\nuse std::ffi::*;\n\
        pub type Bytes = *const u8; pub enum Ctx {}\n\
        extern \"C\" { pub fn sign(ctx: *mut Ctx, data: Bytes, data_len: size_t, key: *const c_char, out64: *mut u8) -> c_int; }\n";
    let policy_text = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n\
        [fn.sign]\narg.key = { kind = \"cstr\", null = \"ok\" }\n";
    let plan = super::plan(&graph(files), &policy(policy_text)).expect("a plan");
    let (domain, function) = plan.functions("sign").expect("it is isolated")[0];
    let mut out = Vec::new();
    super::explain(&mut out, domain, function, None).expect("a Vec takes everything");
    insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"));
    // The same with what clang sees, where that is something, and where it is against what is said.
    let found = |reads, writes| Some(Use { reads, writes, stores: writes && !reads, kept: false, never_null: false });
    let params = vec![None, found(false, true), None, found(true, false), Some(Use { kept: true, ..Use::default() })];
    let seen = Ok(super::Seen { by: "clang 14".to_owned(), file: "csrc/x.c".into(), params });
    let mut out = Vec::new();
    super::explain(&mut out, domain, function, Some(&seen)).expect("a Vec takes everything");
    insta::assert_snapshot!("one_function_with_clang", String::from_utf8(out).expect("UTF-8"));
    let nobody = plan.functions("sing").expect_err("no such function").to_string();
    assert_eq!(nobody, "no domain isolates a function `sing`; did you mean `sign`?");
    let nobody = plan.functions("verify").expect_err("no such function").to_string();
    assert_eq!(nobody, "no domain isolates a function `verify`; `cargo isolate plan` lists those that are");
}

/// Each of them by its own name, all of them by the function's; and what the policy says of how a call ends.
#[test]
fn the_forms_of_one_function() {
    let files = "//- app/src/main.rs\nfn main() {}\n//- x-sys/src/lib.rs\nuse std::ffi::*;\n\
        extern \"C\" { pub fn tune(op: c_int, ...) -> c_int; }\n";
    let policy_text = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n\
        [fn.tune]\nretry = 2\nerror = \"ret != 0\"\n[fn.tune.form.tune_flag]\nwhen = \"op > 9\"\nextra = [\"on: c_int\"]\n\
        [fn.tune.form.tune_none]\nwhen = \"op < 9\"\nerror = \"ret < 0\"\n";
    let plan = super::plan(&graph(files), &policy(policy_text)).expect("a plan");
    let forms = |name| {
        let found = plan.functions(name).expect("it is isolated");
        found.into_iter().map(|(_, function)| function.wrapper().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(forms("tune"), ["tune_flag", "tune_none"]);
    assert_eq!(forms("tune_none"), ["tune_none"]);
    insta::assert_snapshot!(planned(files, policy_text));
}
