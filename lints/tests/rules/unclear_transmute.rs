use std::mem::transmute;

struct Plain(u8, u32);

#[repr(C)]
struct Stated(u32, u32);

#[repr(transparent)]
struct Wrapper(u64);

type Bits = u64;

fn inferred(value: f64, plain: Plain) {
    // SAFETY: hits.
    unsafe {
        helper(transmute(value));
        let a: u64 = transmute(helper(1));
        let b = transmute::<_, u64>(helper(1));
        let c = transmute::<f64, _>(value);
    }
}

fn unstated<'a>(plain: &'a Plain, bytes: Vec<u8>) {
    // SAFETY: hits.
    unsafe {
        let a = transmute::<(u32, u32), u64>((1, 2));
        let b = transmute::<&Plain, &Stated>(plain);
        let c = transmute::<Vec<u8>, [usize; 3]>(bytes);
        let d = transmute::<Option<u32>, Bits>(Some(1));
    }
}

fn clear<'a>(value: f64, plain: &'a Plain, callback: extern "C" fn()) -> u64 {
    // SAFETY: none is a hit.
    unsafe {
        let a: u64 = transmute(value);
        let b = transmute::<f64, u64>(value);
        let c = transmute::<Stated, Wrapper>(Stated(1, 2));
        let d = transmute::<&'a Plain, &'static Plain>(plain);
        let e = transmute::<extern "C" fn(), *const ()>(callback);
        transmute(value)
    }
}
