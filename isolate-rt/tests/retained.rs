//! Copies of what a library keeps pointers to: there while their object lives, and as it ends, and freed after that.

mod support;

use isolate_rt::{Backend, Call, Domain, Fault, FaultKind, Owned};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use support::isolation;

/// A library's object: what it was given last.
#[repr(C)]
struct Reader {
    from: *const u8,
    len: usize,
}

/// What readers had summed up when they ended.
static ENDED: AtomicU32 = AtomicU32::new(0);
/// For those who look at it.
static TURN: Mutex<()> = Mutex::new(());

fn end(call: &mut Call<'_>, reader: *mut Reader) -> Result<(), Fault> {
    // SAFETY: it is one, ended once.
    let sum = unsafe {
        call.run(move || {
            let sum = sum(reader);
            libc::free(reader.cast());
            sum
        })
    }?;
    ENDED.store(sum, Ordering::Relaxed);
    Ok(())
}

/// Inside: what lies where the reader points.
fn sum(reader: *const Reader) -> u32 {
    // SAFETY: what the tests have it point to.
    unsafe { (0..(*reader).len).map(|at| u32::from((*reader).from.add(at).read_volatile())).sum() }
}

fn open(domain: &'static Domain) -> Owned<Reader> {
    let mut call = domain.call("open").unwrap();
    // SAFETY: allocates in the domain.
    let memory = unsafe { call.run(|| libc::calloc(1, size_of::<Reader>())) }.unwrap();
    // SAFETY: `end` may be called with it.
    unsafe { call.own(domain, memory.cast(), end) }.unwrap().unwrap()
}

/// As a generated wrapper does it, for a function that fails where it is told to.
fn set(
    domain: &'static Domain,
    reader: &Owned<Reader>,
    data: Option<&[u8]>,
    slot: bool,
    fail: bool,
) -> Result<(), Fault> {
    let (kept, _before);
    let mut call = domain.call("set")?;
    let pointer = call.handle(reader)?;
    let from;
    (kept, from) = match data {
        Some(data) => {
            let (kept, from) = call.retain(domain, data)?;
            (Some(kept), from)
        }
        None => (None, std::ptr::null()),
    };
    let len = data.map_or(0, <[u8]>::len);
    // SAFETY: it is a reader.
    unsafe { call.run(move || pointer.write(Reader { from, len })) }?;
    if slot {
        reader.hold_as("data", kept);
    } else {
        reader.hold(kept);
    }
    if fail {
        return call.within(1, 0).map(|_| ());
    }
    _before = reader.superseded("data");
    Ok(())
}

fn read(domain: &'static Domain, reader: &Owned<Reader>) -> Result<u32, Fault> {
    let mut call = domain.call("read")?;
    let pointer = call.handle(reader)?;
    // SAFETY: it is a reader.
    unsafe { call.run(move || sum(pointer)) }
}

/// Writes over all that the domain's heap gives: what was freed and is still looked at is something else then.
fn churn(domain: &'static Domain) {
    // SAFETY: allocates, writes and frees.
    let done = unsafe {
        domain.call("churn").unwrap().run(|| {
            let mut blocks = [std::ptr::null_mut::<u8>(); 64];
            for block in &mut blocks {
                *block = libc::malloc(1000).cast();
                for at in 0..1000 {
                    block.add(at).write_volatile(0xee);
                }
            }
            blocks.into_iter().for_each(|block| libc::free(block.cast()));
        })
    };
    done.unwrap();
}

fn of(value: u8) -> Vec<u8> {
    vec![value; 1000]
}

/// Until the object ends, its own end included.
#[track_caller]
fn check_until_it_ends(domain: &'static Domain) {
    let _turn = TURN.lock();
    let reader = open(domain);
    let mut data = of(1);
    set(domain, &reader, Some(&data), false, false).unwrap();
    // The program's is its own.
    data.fill(9);
    drop(data);
    churn(domain);
    assert_eq!(read(domain, &reader).unwrap(), 1000);
    ENDED.store(0, Ordering::Relaxed);
    drop(reader);
    assert_eq!(ENDED.load(Ordering::Relaxed), 1000);
}

#[test]
fn until_the_object_has_ended() {
    static DOMAIN: Domain = Domain::new("until");
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    check_until_it_ends(&DIRECT);
    if isolation() {
        check_until_it_ends(&DOMAIN);
    }
}

/// More than the heap has room for, one after the other; and where one thread at a time is let in.
#[test]
fn freed_after_it() {
    static DOMAIN: Domain = Domain::new("freed").heap_limit(256 << 10).one_at_a_time();
    if !isolation() {
        return;
    }
    let _turn = TURN.lock();
    let big = vec![1; 100_000];
    for _ in 0..10 {
        let reader = open(&DOMAIN);
        set(&DOMAIN, &reader, Some(&big), false, false).unwrap();
        // Whoever drops it.
        std::thread::spawn(move || drop(reader)).join().unwrap();
    }
    let reader = open(&DOMAIN);
    for _ in 0..10 {
        set(&DOMAIN, &reader, Some(&big), true, false).unwrap();
    }
    assert_eq!(read(&DOMAIN, &reader).unwrap(), 100_000);
    // What the library had before, it has still.
    let fault = set(&DOMAIN, &reader, Some(&vec![1; 300_000]), true, false).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::TooLarge { limit: 262_144, .. }), "{fault}");
    assert_eq!(read(&DOMAIN, &reader).unwrap(), 100_000);
}

#[test]
fn another_takes_its_place() {
    static DOMAIN: Domain = Domain::new("place");
    if !isolation() {
        return;
    }
    let _turn = TURN.lock();
    let reader = open(&DOMAIN);
    set(&DOMAIN, &reader, Some(&of(1)), true, false).unwrap();
    set(&DOMAIN, &reader, Some(&of(2)), true, false).unwrap();
    churn(&DOMAIN);
    assert_eq!(read(&DOMAIN, &reader).unwrap(), 2000);
    assert!(reader.superseded("data").is_empty() && reader.superseded("other").is_empty());
    // Nobody knows which of the two a function that has failed looks at.
    set(&DOMAIN, &reader, Some(&of(3)), true, true).unwrap_err();
    churn(&DOMAIN);
    assert_eq!(read(&DOMAIN, &reader).unwrap(), 3000);
    assert_eq!(reader.superseded("data").len(), 1);
    // None takes the place, too.
    reader.hold_as("data", None);
    assert_eq!(reader.superseded("data").len(), 1);
    set(&DOMAIN, &reader, Some(&[]), false, false).unwrap();
    assert_eq!(read(&DOMAIN, &reader).unwrap(), 0);
}

/// A fault takes it along: what lies there then is nobody's to free.
#[test]
fn after_a_fault() {
    static DOMAIN: Domain = Domain::new("fault");
    if !isolation() {
        return;
    }
    let _turn = TURN.lock();
    let reader = open(&DOMAIN);
    set(&DOMAIN, &reader, Some(&of(1)), false, false).unwrap();
    // SAFETY: none; that is what ends it.
    unsafe { DOMAIN.call("fault").unwrap().run(|| std::ptr::without_provenance_mut::<u8>(8).write_volatile(1)) }
        .unwrap_err();
    let other = open(&DOMAIN);
    set(&DOMAIN, &other, Some(&of(2)), false, false).unwrap();
    assert_eq!(*read(&DOMAIN, &reader).unwrap_err().kind(), FaultKind::StaleHandle);
    drop(reader);
    churn(&DOMAIN);
    assert_eq!(read(&DOMAIN, &other).unwrap(), 2000);
}
