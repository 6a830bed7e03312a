//! Results are stored where they were stored before, as the same numbers, or the call is not rewritten.

use super::*;

#[test]
fn results_go_where_they_went() {
    check(
        "    let mut n = out.len() as u64;\n    let s = unsafe { z_sys::pack(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) };",
        "    let mut n = out.len() as u64;\n    let s = {\n        let (ret, written) = isolated::z::pack(&mut out[..n as usize], data)?;\n        n = written as _;\n        ret\n    };",
    );
    check(
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    let s = unsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) };",
        "    let (s, p) = isolated::z::locate(data)?;",
    );
    check(
        "    let mut p = std::mem::MaybeUninit::uninit();\n    unsafe {\n        z_sys::locate(data.as_ptr(), data.len(), p.as_mut_ptr())\n    };",
        "    let mut p = std::mem::MaybeUninit::uninit();\n    {\n        let (ret, value) = isolated::z::locate(data)?;\n        p.write(value);\n        ret\n    };",
    );
    // Only the count is new.
    check(
        "    let s = unsafe { z_sys::fill(out.as_mut_ptr().cast(), out.len() as i32, 3) };",
        "    let s = isolated::z::fill(out, 3)?.0;",
    );
}

/// A local that only receives a result is bound by the call, and is mutable where that is needed.
#[test]
fn what_comes_out_is_bound_there() {
    let point = "    let mut p: Point = Point { x: 0, y: 0 };\n";
    let call = "unsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) }";
    let bound = "isolated::z::locate(data)?;";
    for (before, behind, pattern) in [
        ("let s = ", "    let x = p.x;", "(s, p)"),
        ("", "    let x = p.x;", "(_, p)"),
        ("let mut s = ", "    show(&p, p.clone());\n    println!(\"{}\", p.x);", "(mut s, p)"),
        ("let s = ", "    p.x += 1;", "(s, mut p)"),
        ("let s = ", "    p = other;", "(s, mut p)"),
        ("let s = ", "    let ref q = p;\n    (a, _) = (p.x, s);", "(s, p)"),
        ("let s = ", "    if p.x == 1 { change(&mut p) }", "(s, mut p)"),
    ] {
        check(
            &format!("{point}    let by = 3;\n    {before}{call};\n{behind}"),
            &format!("    let by = 3;\n    let {pattern} = {bound}\n{behind}"),
        );
    }
    check(
        &format!(
            "    // SAFETY: zeros are a point.\n    let mut p: Point = unsafe {{ std::mem::zeroed() }};\n    let s = {call};"
        ),
        &format!("    let (s, p) = {bound}"),
    );
    let block = "{\n        let (ret, value) = isolated::z::locate(data)?;\n        p = value;\n        ret\n    }";
    for (before, behind) in [
        // Whether it is mutated, what a macro does with it, or its type is not known.
        ("let s = CALL;", "    p.turn();"),
        ("let s = CALL;", "    mine!(p);"),
        ("let s = CALL;", "    (p, _) = other;"),
        ("let s = CALL;", "    [p.x, y] = other;"),
        ("let s = CALL;", "    let ref mut q = p;"),
        ("#[cfg(unix)] CALL;", "    p.x;"),
        ("let s = #[allow(unused_unsafe)] CALL;", "    p.x;"),
        ("let s: i32 = CALL;", "    p.x;"),
        ("let s = CALL + 1;", "    p.x;"),
        ("s = CALL;", "    p.x;"),
        // The local outlives the block of the call.
        ("if s { CALL; }", "    p.x;"),
    ] {
        let (text, left) = rewritten(&format!(
            "fn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {{\n{point}    {}\n{behind}\n}}\n",
            before.replace("CALL", call)
        ));
        assert!(
            left.is_empty() && text.contains(point) && text.contains("p = value;"),
            "{before} {behind}: {text} {left:?}"
        );
    }
    let comment = "    let mut p = Point { x: 0, y: 0 }; // where it is\n";
    check(&format!("{comment}    let s = {call};"), &format!("{comment}    let s = {block};"));
}

/// Code after the call checks the number, so it must get that number, whatever the wrapper turns into an `Err`.
#[test]
fn codes_stay_codes() {
    let code = ".or_else(|error| error.into_code())?";
    check(
        "    if unsafe { z_sys::check(1) } != 0 { return Err(\"no\".into()); }",
        &format!("    if isolated::z::check(1){code} != 0 {{ return Err(\"no\".into()); }}"),
    );
    check(
        "    let mut room = [0u8; 9];\n    let len: i32 = unsafe { z_sys::shrink(room.as_mut_ptr().cast(), room.len() as i32, 3) };",
        &format!(
            "    let mut room = [0u8; 9];\n    let len: i32 = isolated::z::shrink(&mut room, 3).map(|count| count as _){code};"
        ),
    );
    check(
        "    let mut n = out.len() as u64;\n    let code = unsafe { z_sys::squeeze(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) };\n    assert_eq!(code, 1);",
        &format!(
            "    let mut n = out.len() as u64;\n    let code = isolated::z::squeeze(&mut out[..n as usize], data).map(|written| {{ n = written as _; 1 }}){code};\n    assert_eq!(code, 1);"
        ),
    );
}

#[test]
fn what_is_a_usize_stays_one() {
    check(
        "    let mut n = 3;\n    unsafe { z_sys::deflate(out.as_mut_ptr(), &mut n, data.as_ptr().add(m), m - 2) };",
        "    let mut n = 3;\n    {\n        let (ret, written) = isolated::z::deflate(&mut out[..n], &data[m..][..m - 2])?;\n        n = written;\n        ret\n    };",
    );
    check(
        "    let n = 3u8;\n    let mut room = [0u8; 9];\n    let count = unsafe { z_sys::press(room.as_mut_ptr(), n.into()) };",
        "    let n = 3u8;\n    let mut room = [0u8; 9];\n    let count = isolated::z::press(&mut room[..n as usize]).or_else(|error| error.into_code())?;",
    );
}

/// Helper functions that check whether `squeeze` failed.
const CHECKS: &str = "\
fn sure(code: c_int) -> Result<(), i32> { if code != 1 { return Err(code); } Ok(()) }
fn named(of: &str, code: i32) -> Result<i32, i32> { let n = of.len(); if code == z_sys::FINE { Ok(code) } else { Err(2) } }
fn chosen(code: i32) -> Result<(), i32> { match code { 1 => Ok(()), 0 | -3 => Err(2), _ => return Err(code) } }
fn wrong(code: i32) -> Result<(), i32> { if code < 1 { return Err(code); } Ok(()) }
fn late(mut code: i32) -> Result<(), i32> { code += 1; if code != 1 { return Err(code); } Ok(()) }
fn deep(code: i32) -> Result<(), i32> { let n = probe()?; if code != 1 { return Err(code); } Ok(()) }
";

/// The wrapper stores nothing if the function failed. These cases differ in whether the code reads it then.
#[test]
fn nothing_is_stored_by_what_failed() {
    let call = "unsafe { z_sys::squeeze(room.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) }";
    let cases = [
        ("let r = CALL; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = CALL; if r != z_sys::FINE { return Err(1) } Ok(n)", ""),
        ("let r: i32 = CALL; if !(r == 1) { panic!() } Ok(n)", ""),
        ("let r = CALL; if r == 1 { Ok(n) } else { Err(1) }", ""),
        ("if CALL != 1 { return Err(1); } room.truncate(n as usize); Ok(n)", ""),
        ("let r = CALL; assert_eq!(1, r, \"no\"); Ok(n)", ""),
        ("let r = CALL; assert!(r > 0 && r < 2); Ok(n)", ""),
        ("match CALL { 1 => Ok(n), -5 => Err(2), _ => Err(1) }", ""),
        ("let len = match CALL { z_sys::FINE => n, _ => return Err(1) }; room.truncate(len as usize); Ok(n)", ""),
        ("loop { let r = CALL; if r != 1 { return Err(1) } n += 1; }", ""),
        ("let r; r = CALL; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r; { r = CALL; } if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = match data.len() { 0 => CALL, _ => n as i32 }; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r; { r = if data.is_empty() { CALL } else { n as i32 }; } if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = match data.len() { 0 => CALL, _ => 1 }; if r != 1 { print(r) } Ok(n)", "n"),
        // A helper function of the program checks for failure.
        ("sure(CALL)?; Ok(n)", ""),
        ("let r = CALL; sure(r)?; Ok(n)", ""),
        ("named(\"f\", CALL)?; Ok(n)", ""),
        ("chosen(CALL)?; Ok(n)", ""),
        ("wrong(CALL)?; Ok(n)", "n"),
        ("late(CALL)?; Ok(n)", "n"),
        ("deep(CALL)?; Ok(n)", "n"),
        ("other::sure(CALL)?; Ok(n)", "n"),
        ("sure(-(CALL))?; Ok(n)", "n"),
        ("sure(CALL); Ok(n)", "n"),
        ("let r = match data.len() { 0 => CALL, _ => 1 }; print(n); if r != 1 { return Err(1) } Ok(n)", "n"),
        ("let r = match data.len() { 0 => -(CALL), _ => 1 }; if r != 1 { return Err(1) } Ok(n)", "n"),
        ("let mut r = 0; loop { r = CALL; } if r != 1 { return Err(1) } Ok(n)", "n"),
        // `return` leaves only the closure.
        ("let r = (|| { let r = CALL; if r != 1 { return Err(1) } Ok(n) })(); r", ""),
        ("let r = (|| { let r = CALL; if r != 1 { return Err(1) } Ok(0) })(); print(r); Ok(n)", "n"),
        ("let r = async { sure(CALL)?; Ok(0) }; print(r.await); Ok(n)", "n"),
        ("loop { print(n); let r = (|| { sure(CALL)?; Ok(0) })(); }", "n"),
        // A value that is never read again does not matter.
        ("drop(data); Ok(CALL as u64)", ""),
        ("let r = CALL; if r == -2 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r < 0 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != 2 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != unknown::OTHER { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != 1 { return Err(n as i32) } Ok(n)", "n"),
        ("let r = CALL; if r != 1 { print(r) } Ok(n)", "n"),
        ("let r = CALL; if r as u8 != 1 { return Err(1) } Ok(n)", "n"),
        ("CALL; Ok(room[0].into())", "room"),
        ("match CALL { 1 => Ok(n), -5 => Ok(n), _ => Err(1) }", "n"),
        ("match CALL { other => Ok(n + other as u64) }", "n"),
        ("loop { let r = CALL; if r != 1 { break } n += 1; } Err(1)", "n"),
        ("loop { print(n); let r = CALL; if r == 0 { continue } }", "n"),
    ];
    for (behind, expected) in cases {
        let body = behind.replace("CALL", call);
        let text = format!(
            "{CHECKS}fn f(data: &[u8]) -> Result<u64, i32> {{\n    let mut room = vec![0u8; 9];\n    let mut n = 9;\n    {body}\n}}\n"
        );
        let (after, left) = rewritten(&text);
        let told: Vec<_> = left.iter().map(|left| left.split(" | ").next().unwrap_or_default()).collect();
        match expected {
            "" => assert!(told.is_empty() && after != text, "{behind}: {told:?}"),
            name => {
                let wanted =
                    format!(" when `ret != 1`, the wrapper leaves `{name}` unchanged, but later code may read it");
                assert!(told.len() == 1 && told[0].ends_with(&wanted), "{behind}: {told:?}");
            }
        }
    }
}

/// The name may refer to another function.
#[test]
fn functions_that_may_be_others() {
    let body = "unsafe { z_sys::squeeze(room.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) }";
    let function = |inside: &str| {
        format!(
            "fn f(data: &[u8]) -> Result<u64, i32> {{\n{inside}    let mut room = vec![0u8; 9];\n    let mut n = 9;\n    sure({body})?;\n    Ok(n)\n}}\n"
        )
    };
    for text in [
        format!("{CHECKS}{}", function("    let sure = |code| Ok(());\n")),
        format!("{CHECKS}{}", function("    use other::sure;\n")),
        format!("{CHECKS}{}", function("    fn sure(code: i32) -> Result<(), i32> { Ok(()) }\n")),
        format!("{CHECKS}mod inner {{\n{}}}\n", function("")),
    ] {
        let (after, left) = rewritten(&text);
        assert!(after == text && left.len() == 1, "{text}: {left:?}");
    }
}

/// Memory that others own may be read by them, unless they learn that the call failed.
#[test]
fn what_outlives_the_function() {
    let check = |parameter: &str, behind: &str, is_left: bool| {
        let call = "unsafe { z_sys::shrink(out.as_mut_ptr().cast(), out.len() as i32, 3) }";
        let text = format!("fn f(out: {parameter}) -> i32 {{\n    {}\n}}\n", behind.replace("CALL", call));
        let (_, left) = rewritten(&text);
        assert_eq!(left.len(), usize::from(is_left), "{behind}: {left:?}");
    };
    check("&mut [u8]", "CALL", true);
    check("&mut [u8]", "let n = CALL; if n <= 0 { return -1 } n", false);
    check("&mut Box<[u8]>", "let n = CALL; if n <= 0 { return -1 } n", false);
}

/// `ret == -1` for a `usize` compares with its largest value, as in C.
#[test]
fn negative_numbers_of_unsigned_types() {
    let (_, left) = rewritten("fn f() -> usize {\n    unsafe { z_sys::tell(1) }\n}\n");
    let told = "2:14 `ret == -1` has a negative number where the function returns none";
    assert!(left.len() == 1 && left[0].starts_with(told), "{left:?}");
}

#[test]
fn counts_of_no_buffer() {
    let (_, left) = rewritten("fn f() -> i32 {\n    unsafe { z_sys::ask(std::ptr::null_mut(), 0) }\n}\n");
    let told = "2:14 `dest` is NULL here, so the returned number is not a count of its elements";
    assert!(left.len() == 1 && left[0].starts_with(told), "{left:?}");
}

/// A block at the start of a statement would end it.
#[test]
fn a_block_that_is_an_operand_has_parentheses() {
    let block = |inner: &str| {
        format!(
            "({{\n        let (ret, written) = isolated::z::pack(&mut out[..n as usize], data)?;\n        n = written as _;\n        ret\n    }}){inner}"
        )
    };
    let call = "z_sys::pack(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _)";
    let n = "    let mut n = out.len() as u64;\n    ";
    check(&format!("{n}unsafe {{ {call} == 0 }}"), &format!("{n}{}", block(" == 0")));
    check(&format!("{n}unsafe {{ {call} == 0 }};"), &format!("{n}{};", block(" == 0")));
    check(&format!("{n}let ok = unsafe {{ {call} }} == 0;"), &format!("{n}let ok = {};", block(" == 0")));
    check(&format!("{n}unsafe {{ {call}.abs() }};"), &format!("{n}{};", block(".abs()")));
}

/// The names bound to parts of the result do not shadow the places that receive them.
#[test]
fn places_mean_what_they_meant() {
    check(
        "    unsafe { z_sys::pack(out.as_mut_ptr(), &mut t[written].n, data.as_ptr(), data.len() as _) };",
        "    {\n        let (ret, written_) = isolated::z::pack(&mut out[..t[written].n as usize], data)?;\n        t[written].n = written_ as _;\n        ret\n    };",
    );
}

/// The wrapper returns zero if the function wrote nothing. A place with another value would lose it.
#[test]
fn what_a_place_had_before_stays() {
    let why = "`found`: where the function writes nothing, `p` keeps what it had, and the wrapper gives zero | let (ret, found) = isolated::z::locate(data).unwrap_or_else(|fault| panic!(\"{}\", fault));";
    let call = "unsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) };";
    stays(&format!("let mut p = DEFAULT;\n{call}"), &format!("3:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 7 }};\n{call}"), &format!("3:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 0 }};\np.x = 4;\n{call}"), &format!("4:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 0 }};\nloop {{\n{call}\n}}"), &format!("4:10 {why}"));
}
