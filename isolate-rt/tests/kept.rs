//! Closures that a library keeps: asked in later calls, refused once their object has died.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Inside, Kept, Owned};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use support::{child, isolation, role};

type Visit = unsafe extern "C" fn(i32) -> i32;

/// Stands for a foreign function that calls what it was given earlier.
extern "C" fn each(from: i32, to: i32, visit: Visit) -> i32 {
    // SAFETY: what our caller gave us.
    (from..to).map(|number| unsafe { visit(number) }).sum()
}

/// A call in which the library asks what it keeps.
fn ask(domain: &'static Domain, visit: Visit) -> Result<i32, Fault> {
    // SAFETY: `each` does nothing but call.
    unsafe { domain.call("each")?.run(move || each(0, 4, visit)) }
}

fn keep(domain: &'static Domain, mut closure: impl FnMut(i32) -> i32 + Send + 'static) -> (Kept, Visit) {
    domain.call("keep").unwrap().keep(move |_: Inside<'_>, number: i32| Ok(closure(number))).unwrap()
}

/// An object in the domain that nothing ends.
fn object(domain: &'static Domain) -> Owned<u64> {
    let mut call = domain.call("object").unwrap();
    // SAFETY: allocates in the domain.
    let memory = unsafe { call.run(|| libc::malloc(8)) }.unwrap();
    // SAFETY: nothing ends it.
    unsafe { call.own(domain, memory.cast(), |_, _| Ok(())) }.unwrap().unwrap()
}

#[track_caller]
fn refused(result: Result<i32, Fault>) {
    assert_eq!(*result.unwrap_err().kind(), FaultKind::CallbackRefused);
}

#[track_caller]
fn works(domain: &'static Domain) {
    // SAFETY: returns a number.
    assert_eq!(unsafe { domain.call("next").unwrap().run(|| 6 * 7) }, Ok(42), "the next call works");
}

#[test]
fn asked_in_any_later_call() {
    static DOMAIN: Domain = Domain::new("later");
    if !isolation() {
        return;
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, visit) = keep(&DOMAIN, {
        let seen = seen.clone();
        move |number| {
            seen.lock().unwrap().push(number);
            number * 10
        }
    });
    assert_eq!(ask(&DOMAIN, visit), Ok(60));
    // By another thread, too.
    assert_eq!(std::thread::spawn(move || ask(&DOMAIN, visit)).join().unwrap(), Ok(60));
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3, 0, 1, 2, 3]);
    drop(kept);
    assert_eq!(Arc::strong_count(&seen), 1, "what it captured is dropped");
}

#[test]
fn after_its_object_died() {
    static DOMAIN: Domain = Domain::new("died");
    if !isolation() {
        return;
    }
    let object = object(&DOMAIN);
    let (kept, visit) = keep(&DOMAIN, |number| number);
    object.keep(kept);
    assert_eq!(ask(&DOMAIN, visit), Ok(6));
    drop(object);
    refused(ask(&DOMAIN, visit));
    works(&DOMAIN);
}

/// The function that ends an object may still ask what it kept, and nobody afterwards.
#[test]
fn dropped_after_the_object_has_ended() {
    static DOMAIN: Domain = Domain::new("ending");
    static ASKED: AtomicI32 = AtomicI32::new(0);
    static VISIT: Mutex<Option<Visit>> = Mutex::new(None);
    if !isolation() {
        return;
    }
    let object = {
        let mut call = DOMAIN.call("object").unwrap();
        // SAFETY: allocates in the domain.
        let memory = unsafe { call.run(|| libc::malloc(8)) }.unwrap();
        let end = |call: &mut isolate_rt::Call<'_>, _: *mut u64| {
            let visit = VISIT.lock().unwrap().expect("it was kept");
            // SAFETY: `each` does nothing but call.
            unsafe { call.run(move || each(0, 4, visit)) }.map(|_| ())
        };
        // SAFETY: `end` may be called with it.
        unsafe { call.own::<u64>(&DOMAIN, memory.cast(), end) }.unwrap().unwrap()
    };
    let (kept, visit) = keep(&DOMAIN, |number| ASKED.fetch_add(1, Ordering::Relaxed) + number);
    *VISIT.lock().unwrap() = Some(visit);
    object.keep(kept);
    drop(object);
    assert_eq!(ASKED.load(Ordering::Relaxed), 4, "as it ended");
    refused(ask(&DOMAIN, visit));
    assert_eq!(ASKED.load(Ordering::Relaxed), 4);
}

#[test]
fn another_takes_its_place() {
    static DOMAIN: Domain = Domain::new("place");
    if !isolation() {
        return;
    }
    let object = object(&DOMAIN);
    let (first, visit_first) = keep(&DOMAIN, |_| 1);
    let (second, visit_second) = keep(&DOMAIN, |_| 2);
    assert!(object.keep_as("io", first).is_none());
    let former = object.keep_as("io", second);
    assert_eq!((ask(&DOMAIN, visit_first), ask(&DOMAIN, visit_second)), (Ok(4), Ok(8)));
    drop(former);
    refused(ask(&DOMAIN, visit_first));
}

#[test]
fn of_another_domain_or_generation() {
    static DOMAIN: Domain = Domain::new("home");
    static OTHER: Domain = Domain::new("away");
    if !isolation() {
        return;
    }
    let (_kept, visit) = keep(&DOMAIN, |number| number);
    refused(ask(&OTHER, visit));
    works(&OTHER);
    assert_eq!(ask(&DOMAIN, visit), Ok(6));
    // SAFETY: ends the call.
    let fault = unsafe { DOMAIN.call("fail").unwrap().run::<(), _>(|| libc::abort()) };
    assert!(fault.is_err());
    refused(ask(&DOMAIN, visit));
    works(&DOMAIN);
}

#[test]
fn a_panic_goes_on_where_the_call_was_made() {
    static DOMAIN: Domain = Domain::new("panics");
    if !isolation() {
        return;
    }
    let (_kept, visit) = keep(&DOMAIN, |number| if number == 2 { panic!("at 2") } else { 0 });
    let panic = catch_unwind(AssertUnwindSafe(|| ask(&DOMAIN, visit))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"at 2"));
    works(&DOMAIN);
}

#[test]
fn an_error_of_its_own() {
    static DOMAIN: Domain = Domain::new("errs");
    if !isolation() {
        return;
    }
    let call = DOMAIN.call("keep").unwrap();
    let closure = |inside: Inside<'_>, number: i32| {
        // SAFETY: nothing is owed with isolation.
        let text = unsafe { inside.string(std::ptr::without_provenance(64)) }?;
        Ok(text.map_or(number, |_| 0))
    };
    let (_kept, visit) = call.keep::<(i32,), i32, _>(closure).unwrap();
    drop(call);
    let fault = ask(&DOMAIN, visit).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{fault}");
    // Of the function that asked, not of that which was given the closure; and so says what is remembered for others.
    assert_eq!((fault.function(), DOMAIN.last_fault().unwrap().function()), ("each", "each"));
    works(&DOMAIN);
}

/// A closure that is running is not asked again: not by the call that it makes.
#[test]
fn not_while_it_runs() {
    static DOMAIN: Domain = Domain::new("twice");
    static VISIT: Mutex<Option<Visit>> = Mutex::new(None);
    if !isolation() {
        return;
    }
    let (_kept, visit) = keep(&DOMAIN, |_| {
        let visit = VISIT.lock().unwrap().expect("it was kept");
        refused(ask(&DOMAIN, visit));
        7
    });
    *VISIT.lock().unwrap() = Some(visit);
    // The inner call has failed, and with it the instance that both were in.
    assert_eq!(*ask(&DOMAIN, visit).unwrap_err().kind(), FaultKind::DomainLost);
    works(&DOMAIN);
}

/// A closure may end the object that keeps it.
#[test]
fn drops_itself() {
    static DOMAIN: Domain = Domain::new("itself");
    if !isolation() {
        return;
    }
    let place = Arc::new(Mutex::new(None::<Kept>));
    let (kept, visit) = keep(&DOMAIN, {
        let place = place.clone();
        move |number| {
            drop(place.lock().unwrap().take());
            number
        }
    });
    *place.lock().unwrap() = Some(kept);
    // The first answer is given; the second question finds nobody.
    refused(ask(&DOMAIN, visit));
    assert_eq!(Arc::strong_count(&place), 1, "what it captured is dropped");
    works(&DOMAIN);
}

#[test]
fn a_limit() {
    static DOMAIN: Domain = Domain::new("many");
    if !isolation() {
        return;
    }
    // In a process of its own: the others here want to keep some.
    if role().is_none() {
        let output = child("a_limit", "many");
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let call = DOMAIN.call("keep").unwrap();
    let mut all = Vec::new();
    let fault = loop {
        match call.keep(|_: Inside<'_>, number: i32| -> Result<i32, Fault> { Ok(number) }) {
            Ok(kept) => all.push(kept),
            Err(fault) => break fault,
        }
    };
    drop(call);
    assert!(matches!(fault.kind(), FaultKind::TooLarge { limit: 256, .. }), "{fault}");
    assert_eq!(all.len(), 256);
    assert_eq!(ask(&DOMAIN, all[17].1), Ok(6));
    drop(all);
    let (_kept, visit) = keep(&DOMAIN, |number| number);
    assert_eq!(ask(&DOMAIN, visit), Ok(6));
}

/// What other threads keep, and drop, is none of a closure's business.
#[test]
fn neighbours_do_not_matter() {
    static DOMAIN: Domain = Domain::new("neighbours");
    if !isolation() {
        return;
    }
    let (_kept, visit) = keep(&DOMAIN, |number| number);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(keep(&DOMAIN, |number| number + 1));
            }
        });
        let asked = (0..2000).map(|_| ask(&DOMAIN, visit)).find(|asked| *asked != Ok(6));
        done.store(true, Ordering::Relaxed);
        assert_eq!(asked, None);
    });
}

/// A closure that is asked when its [`Kept`] has gone, and owns something whose destructor panics: the call ends with that panic.
#[test]
fn a_destructor_that_panics() {
    static DOMAIN: Domain = Domain::new("destructor");
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("gone");
        }
    }
    if !isolation() {
        return;
    }
    let own: Arc<Mutex<Option<Kept>>> = Arc::default();
    let (kept, visit) = keep(&DOMAIN, {
        let (own, panics) = (own.clone(), Panics);
        move |number| {
            let _ = &panics;
            drop(own.lock().unwrap().take());
            number
        }
    });
    *own.lock().unwrap() = Some(kept);
    let panic = catch_unwind(AssertUnwindSafe(|| ask(&DOMAIN, visit))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"gone"));
    works(&DOMAIN);
}
