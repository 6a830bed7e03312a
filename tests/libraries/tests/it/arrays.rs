//! Arrays of pointers: what each leads to is the program's, and whatever the library does to the array is its own affair.

use crate::isolation::isolation;
use crate::support::alone;
use isolate_libraries::isolated::tlv as told;
use isolate_libraries::told as direct;
use isolate_rt::FaultKind;
use std::ffi::{CStr, CString, c_int};

const TRUTH: c_int = 0;
const NOTHING: c_int = 1;
const ELSEWHERE: c_int = 2;
const TOO_MANY: c_int = 3;
const ABORTS: c_int = 5;

/// What the wrapper makes of the words, and what a direct call does.
fn joined(words: &[&CStr], more: Option<&[&CStr]>) -> (String, String) {
    let mut out = [0; 256];
    let (_, length) = told::told_join(words, more, &mut out).unwrap();
    let wrapped = String::from_utf8(out[..length].to_vec()).unwrap();

    let ended =
        |words: &[&CStr]| -> Vec<_> { words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect() };
    let (mut argv, mut rest) = (ended(words), more.map(ended));
    let rest = rest.as_mut().map_or(std::ptr::null_mut(), |rest| rest.as_mut_ptr());
    let count = c_int::try_from(words.len()).unwrap();
    // SAFETY: as many words as it is told, and NULL behind them; nobody writes to a word.
    let length =
        unsafe { direct::told_join(count, argv.as_mut_ptr().cast(), rest, out.as_mut_ptr().cast(), out.len()) };
    (wrapped, String::from_utf8(out[..length].to_vec()).unwrap())
}

#[test]
fn words_as_main_gets_them() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let check = |words: &[&CStr], more: Option<&[&CStr]>, expected: &str| {
        assert_eq!(joined(words, more), (expected.to_owned(), expected.to_owned()));
    };
    check(&[], None, "");
    check(&[c"one"], None, "one ");
    check(&[], Some(&[]), "");
    check(&[c"one", c"two", c"", c"three"], None, "two one  three ");
    check(&[c"-v", c"in.c"], Some(&[c"PATH=/bin", c"HOME=/"]), "in.c -v PATH=/bin HOME=/ ");
    let many: Vec<CString> = (0..5000).map(|at| CString::new(at.to_string()).unwrap()).collect();
    let many: Vec<&CStr> = many.iter().map(|word| &**word).collect();
    let (wrapped, directly) = joined(&many, Some(&many));
    assert!(wrapped == directly && wrapped.starts_with("1 0 2 3 "), "{wrapped}");
}

#[test]
fn objects_of_one_instance() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let [one, two, three] = [1, 2, 3].map(|id| told::told_thing(id).unwrap());
    assert_eq!(told::told_ids(&[]).unwrap(), 0);
    assert_eq!(told::told_ids(&[Some(&two), None, Some(&one), Some(&two), Some(&three)]).unwrap(), 20123);
    // They are the program's as before.
    assert_eq!(told::told_id(&three).unwrap(), 3);

    let former = one;
    let (rows, mut out) = (&[&[1][..]], [0; 1]);
    told::told_shift(rows, &mut [&mut out], 1, 1, ABORTS).unwrap_err();
    let fresh = told::told_thing(4).unwrap();
    assert_eq!(*told::told_ids(&[Some(&fresh), Some(&former)]).unwrap_err().kind(), FaultKind::StaleHandle);
    assert_eq!(*told::told_ids(&[Some(&former), Some(&fresh)]).unwrap_err().kind(), FaultKind::StaleHandle);
    assert_eq!(told::told_ids(&[Some(&fresh)]).unwrap(), 4);
}

#[test]
fn rows_that_are_read_and_written() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let rows: Vec<Vec<u8>> = (0..40).map(|row| (row..row + 40).collect()).collect();
    let rows: Vec<&[u8]> = rows.iter().map(|row| &row[..]).collect();
    for (count, width) in [(0, 9), (1, 0), (1, 1), (3, 17), (40, 40)] {
        // Whatever it puts into the array in their place, the program knows its rows.
        for lie in [TRUTH, NOTHING, ELSEWHERE] {
            let mut out = vec![[9; 41]; count];
            let mut into: Vec<&mut [u8]> = out.iter_mut().map(|row| &mut row[..]).collect();
            let done = told::told_shift(&rows[..count], &mut into, width, 5, lie).unwrap();
            assert_eq!(done as usize, count);
            for (row, out) in rows.iter().zip(&out) {
                assert!(row[..width].iter().zip(out).all(|(byte, out)| byte + 5 == *out), "{count} {width} {lie}");
                assert!(out[width..].iter().all(|byte| *byte == 9), "{count} {width} {lie}");
            }
        }
    }
    let mut keys = [*b"0123456789abcdef", [3; 16]];
    let [one, two] = &mut keys;
    told::told_keys(&mut [one, two]).unwrap();
    assert_eq!(keys, [*b"fedcba9876543210", [3; 16]]);
}

#[test]
fn parts_with_lengths_of_their_own() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let gathered = |parts: &[Option<&[u8]>]| {
        let mut out = [0; 100];
        let (_, length) = told::told_gather(parts, &mut out).unwrap();
        String::from_utf8(out[..length].to_vec()).unwrap()
    };
    assert_eq!(gathered(&[]), "");
    assert_eq!(gathered(&[Some(b"one"), None, Some(b""), Some(b"three")]), "[3]one-[0][5]three");

    let (mut one, mut two, mut three) = ([9; 2], [9; 0], [9; 3]);
    told::told_scatter(&mut [&mut one, &mut two, &mut three[..2]]).unwrap();
    assert_eq!((one, three), ([0, 1], [2, 3, 9]));
}

#[test]
fn rows_that_do_not_fit() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let mut out = [[9; 8]; 2];
    let [first, second] = &mut out;
    let mut shift =
        |rows: &[&[u8]], width, lie| told::told_shift(rows, &mut [first, second], width, 1, lie).unwrap_err();
    let too_large = |requested, limit| FaultKind::TooLarge { requested, limit };
    assert_eq!(*shift(&[&[1; 8], &[1; 7]], 8, TRUTH).kind(), too_large(8, 7));
    assert_eq!(*shift(&[&[1; 9], &[1; 9]], 9, TRUTH).kind(), too_large(9, 8));
    assert_eq!(*shift(&[&[1; 8], &[1; 8], &[1; 8]], 8, TRUTH).kind(), too_large(3, 2));
    // The library writes behind a row, and is found to have.
    let fault = shift(&[&[1; 8], &[1; 8]], 8, TOO_MANY);
    assert!(fault.discarded_instance(), "{fault}");
    assert_eq!(out, [[9; 8]; 2]);
}
