//! Structs that a library makes, and slices in structs: read as they are, whatever it lies about them.

use crate::isolation::isolation;
use crate::support::alone;
use isolate_libraries::isolated::tlv as told;
use isolate_rt::{Error, FaultKind};
use std::ffi::c_int;

const TRUTH: c_int = 0;
const NOTHING: c_int = 1;
const ELSEWHERE: c_int = 2;
const TOO_MANY: c_int = 3;
const STATIC: c_int = 4;

#[test]
fn a_struct_behind_a_handle_is_read() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let made = told::told_page(5, TRUTH).unwrap();
    let page = told::Page::of(&made).unwrap();
    assert_eq!((page.title.as_deref(), page.count, page.width), (Some(c"page"), 5, 0));
    assert!(page.unset.is_empty(), "NULL, and nothing there");
    assert_eq!(told::told_id(page.owner.as_ref().unwrap()).unwrap(), 5);
    let lines: Vec<_> = page.lines.iter().map(|line| told::Line::of(line).unwrap().data).collect();
    assert_eq!(lines, [&b""[..], b"b", b"cc", b"ddd", b"eeee"]);

    // Read anew each time.
    told::told_line_lies(&page.lines[4], 2).unwrap();
    assert_eq!(told::Line::of(&page.lines[4]).unwrap().data, b"ee");
}

#[test]
fn what_a_struct_lies_about_is_an_error() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    // A NULL pointer to some, text and elements that lie elsewhere, and more bytes than there can be.
    for lie in [NOTHING, ELSEWHERE, TOO_MANY, STATIC] {
        let made = told::told_page(5, lie).unwrap();
        let fault = told::Page::of(&made).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{lie}: {fault}");
        assert_eq!((fault.domain(), fault.function()), ("tlv", "Page"));
    }
    let made = told::told_page(-1, TRUTH).unwrap();
    assert!(told::Page::of(&made).is_err(), "a negative count");

    let made = told::told_page(3, TRUTH).unwrap();
    let page = told::Page::of(&made).unwrap();
    for size in [usize::MAX, 1 << 40, 1 << 33] {
        told::told_line_lies(&page.lines[2], size).unwrap();
        let fault = told::Line::of(&page.lines[2]).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{size}: {fault}");
    }
}

#[test]
fn after_a_fault_it_is_gone() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let made = told::told_page(2, TRUTH).unwrap();
    let page = told::Page::of(&made).unwrap();
    told::tlv_parse(&[&[2, 0xff, 0x0f][..], &[b'A'; 0xfff]].concat()).map(|(count, _)| count).unwrap_err();
    for fault in [told::Page::of(&made).unwrap_err(), told::Line::of(&page.lines[0]).unwrap_err()] {
        assert!(matches!(fault.kind(), FaultKind::StaleHandle), "{fault}");
    }
}

#[test]
fn slices_in_structs_go_in_and_come_out() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(told::told_put(b"key", Some(b"some data")).unwrap(), 0);
    assert_eq!(told::told_put(b"key", None).unwrap(), 1);
    assert_eq!(told::told_get(b"key", TRUTH).unwrap(), b"some data");
    assert!(matches!(told::told_get(b"kex", TRUTH).unwrap_err(), Error::Failed(failed) if *failed.code() == -1));

    // Both ways: what comes back is the library's, or what it made of its copy.
    assert_eq!(told::told_seek(b"").unwrap(), (b"key".to_vec(), b"some data".to_vec()));
    let mine = *b"key";
    assert_eq!(told::told_seek(&mine).unwrap(), (b"!ey".to_vec(), b"some data".to_vec()));
    assert_eq!(&mine, b"key");

    for lie in [NOTHING, ELSEWHERE, TOO_MANY] {
        let Error::Fault(fault) = told::told_get(b"key", lie).unwrap_err() else { panic!("{lie}") };
        assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{lie}: {fault}");
    }
    assert_eq!(told::told_put(b"", Some(&vec![7; 1 << 16])).unwrap(), 0);
    assert!(told::told_get(b"", TRUTH).unwrap() == vec![7; 1 << 16]);

    assert_eq!(told::told_sum(&[1, 20, 300]).unwrap(), 321);
    assert_eq!(told::told_sum(&[]).unwrap(), 0);
}
