//! Slices and strings that a library keeps pointers to: it has copies of them, for as long as its objects live.

use crate::isolation::isolation;
use crate::support::alone;
use isolate_libraries::isolated::tlv::{self as told, Window};
use isolate_rt::{Error, Fault, FaultKind};
use std::ffi::{c_int, c_long};

const TRUTH: c_int = 0;
const NOTHING: c_int = 1;
const ELSEWHERE: c_int = 2;
const ABORTS: c_int = 5;

/// A large part of the domain's heap.
const LARGE: usize = 200 << 10;

/// Writes over what the heap has free.
fn churn() {
    for size in [1, 10, 100, 1000, 10_000, LARGE] {
        drop(told::told_reader(&vec![0xee; size]).unwrap());
    }
}

#[test]
fn until_its_object_has_ended() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let mut text = vec![1; 1000];
    let reader = told::told_reader(&text).unwrap();
    // The program's is its own again.
    text.fill(9);
    told::told_reader_name(&reader, Some(c"ab")).unwrap();
    drop(text);
    churn();
    let sum = 1000 + c_long::from(b'a') + c_long::from(b'b');
    assert_eq!(told::told_reader_sum(&reader).unwrap(), sum);
    drop(reader);
    assert_eq!(told::told_last_sum().unwrap(), sum, "as it ended, too");
    // By hand, and by another thread.
    told::told_reader_close(told::told_reader(&[2; 10]).unwrap()).unwrap();
    assert_eq!(told::told_last_sum().unwrap(), 20);
    let reader = told::told_reader(&[]).unwrap();
    std::thread::spawn(move || drop(reader)).join().unwrap();
    assert_eq!(told::told_last_sum().unwrap(), 0);
}

#[test]
fn until_another_takes_its_place() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let reader = told::told_reader(&[]).unwrap();
    let sum = || told::told_reader_sum(&reader).unwrap();
    told::told_reader_more(&reader, &[1; 1000], TRUTH).unwrap();
    told::told_reader_more(&reader, &[2; 1000], TRUTH).unwrap();
    churn();
    assert_eq!(sum(), 2000);
    // Which of the two is it, after a failure?
    told::told_reader_more(&reader, &[3; 1000], NOTHING).unwrap_err();
    churn();
    assert_eq!(sum(), 2000);
    told::told_reader_more(&reader, &[4; 1000], ELSEWHERE).unwrap_err();
    churn();
    assert_eq!(sum(), 4000);
    told::told_reader_more(&reader, &[], TRUTH).unwrap();
    told::told_reader_name(&reader, Some(c"a")).unwrap();
    assert_eq!(sum(), c_long::from(b'a'));
    told::told_reader_name(&reader, None).unwrap();
    assert_eq!(sum(), 0);
}

/// All of it together would be more than the domain has room for.
#[test]
fn freed_when_nobody_needs_it() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let large = vec![1; LARGE];
    let numbers = vec![1; LARGE / 4];
    let bad = vec![0xff; LARGE];
    for _ in 0..10 {
        drop(told::told_reader(&large).unwrap());
        assert!(matches!(told::told_reader(&bad), Err(Error::Failed(_))));
        told::told_window_begin(&bad).unwrap_err();
    }
    let reader = told::told_reader(&[]).unwrap();
    for _ in 0..10 {
        told::told_reader_more(&reader, &numbers, TRUTH).unwrap();
    }
    let sum = told::told_reader_sum(&reader).unwrap();
    assert_eq!(sum, numbers.len() as c_long);
    // What it has, it has still.
    match told::told_reader_more(&reader, &vec![1; 1 << 20], TRUTH) {
        Err(Error::Fault(fault)) => assert!(matches!(fault.kind(), FaultKind::TooLarge { .. }), "{fault}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(told::told_reader_sum(&reader).unwrap(), sum);
}

#[test]
fn gone_with_a_fault() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let reader = told::told_reader(&[1; 1000]).unwrap();
    told::told_reader_more(&reader, &[1; 1000], ABORTS).unwrap_err();
    let other = told::told_reader(&[2; 1000]).unwrap();
    let stale = |result: Result<c_long, Fault>| assert_eq!(*result.unwrap_err().kind(), FaultKind::StaleHandle);
    stale(told::told_reader_sum(&reader));
    drop(reader);
    churn();
    assert_eq!(told::told_reader_sum(&other).unwrap(), 2000);
}

#[test]
fn for_a_struct_of_the_caller() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let mut window = told::told_window_begin(&[1; 1000]).unwrap();
    churn();
    told::told_window_slide(&mut window, &[2; 1000]).unwrap();
    churn();
    told::told_window_slide(&mut window, &[3; 10]).unwrap();
    assert_eq!(Window::of(&window).unwrap().total, 3000);
    drop(window);
    assert_eq!(told::told_last_sum().unwrap(), 30);
}
