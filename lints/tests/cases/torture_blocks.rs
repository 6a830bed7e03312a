// Where a block can stand.
trait Default_ {
    fn provided(&self) -> u8 {
        // SAFETY: default body of a trait.
        unsafe { *self.pointer() }
    }
    fn pointer(&self) -> *const u8;
}

const INIT: u32 = unsafe { core::mem::transmute(1_i32) };
static TABLE: [u8; 2] = [unsafe { *core::ptr::null() }, 0];
struct Length([u8; unsafe { core::mem::size_of::<u8>() }]);
enum Discriminant {
    A = unsafe { core::mem::transmute(1_isize) },
}

union Bits {
    int: u32,
    float: f32,
}
fn union_read(bits: Bits) -> u32 {
    unsafe { bits.int }
}

static mut G: u32 = 0;
fn static_read() -> u32 {
    unsafe { G }
}

fn assembly() {
    unsafe { core::arch::asm!("nop") }
}

fn closures_and_async() {
    let f = || unsafe { work() };
    let g = async { unsafe { work() } };
    let h = const { unsafe { work() } };
    'label: loop {
        unsafe { break 'label }
    }
}

fn arguments(x: u8, y: u8) {
    call(unsafe { first(x) }, [unsafe { second(y) }]);
}

fn raw_borrow() -> *const u32 {
    // Safe since 1.82: no block, no fact beyond the static's own.
    &raw const G
}

fn words() -> &'static str {
    // The word unsafe in a comment, /* unsafe { } */ and "unsafe" in text are no keywords.
    let r#unsafe = 1;
    "unsafe { *p }"
}

/// Docs may hold `unsafe { }` as well.
#[doc = "unsafe"]
#[expect(unsafe_code, reason = "unsafe")]
fn documented() {}
