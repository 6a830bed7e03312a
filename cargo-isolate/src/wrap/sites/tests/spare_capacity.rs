//! Buffers whose length is set only after the function has filled them.

use super::*;

/// Checks statements of a function that returns packed data and whose error type converts from a fault.
#[track_caller]
fn packs(before: &str, after: &str) {
    let around = |body: &str| {
        format!("fn f(data: &[u8], n: usize) -> Result<Vec<u8>, Box<dyn std::error::Error>> {{\n{body}\n}}\n")
    };
    let (text, left) = rewritten(&around(before));
    assert_eq!((&*text, left), (&*around(after), Vec::<String>::new()));
    assert_eq!(rewritten(&text), (text, Vec::new()), "a second time changes nothing");
}

const CODE: &str = ".map(|count| count as _).or_else(|error| error.into_code())?";

#[test]
fn rooms_are_full_of_zeros() {
    let fill = "z_sys::shrink(room.as_mut_ptr().cast(), n as i32, 3)";
    let check = "    if code <= 0 { return Err(\"no\".into()); }\n";
    packs(
        &format!(
            "    let mut room = Vec::<u8>::with_capacity(n);\n    let code = unsafe {{ {fill} }};\n{check}    // SAFETY: as many are written.\n    unsafe {{ room.set_len(code as usize) }};\n    Ok(room)"
        ),
        &format!(
            "    let mut room = vec![0u8; n];\n    let code = isolated::z::shrink(&mut room, 3){CODE};\n{check}    room.truncate(code as usize);\n    Ok(room)"
        ),
    );
    // A part of the capacity, as the call says.
    packs(
        &format!(
            "    let mut room = Vec::<u8>::with_capacity(n);\n    let n = n / 2;\n    let code = unsafe {{ {fill} }};\n{check}    unsafe {{ room.set_len(code as usize) }};\n    Ok(room)"
        ),
        &format!(
            "    let mut room = vec![0u8; n];\n    let n = n / 2;\n    let code = isolated::z::shrink(&mut room[..n as usize], 3){CODE};\n{check}    room.truncate(code as usize);\n    Ok(room)"
        ),
    );
    // All in one block, with a type, and with a use of `capacity()`.
    packs(
        &format!(
            "    let mut room = Vec::<u8>::with_capacity(n + 1);\n    unsafe {{\n        let code = {};\n        assert!(code > 0);\n        room.set_len(code as usize);\n    }}\n    Ok(room)",
            fill.replace("n as i32", "room.capacity() as i32")
        ),
        &format!(
            "    let mut room = vec![0u8; n + 1];\n    {{\n        let code = isolated::z::shrink(&mut room, 3){CODE};\n        assert!(code > 0);\n        room.truncate(code as usize);\n    }}\n    Ok(room)"
        ),
    );
    packs(
        "    let mut room: Vec<u8> = Vec::with_capacity(n);\n    let mut len = room.capacity() as u64;\n    let code = unsafe { z_sys::pack(room.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as u64) };\n    if code == 3 {\n        unsafe { room.set_len(len as usize) };\n        return Ok(room);\n    }\n    Err(\"no\".into())",
        "    let mut room: Vec<u8> = vec![0; n];\n    let mut len = room.len() as u64;\n    let code = {\n        let (ret, written) = isolated::z::pack(&mut room[..len as usize], data)?;\n        len = written as _;\n        ret\n    };\n    if code == 3 {\n        room.truncate(len as usize);\n        return Ok(room);\n    }\n    Err(\"no\".into())",
    );
}

/// Code would read zeros that were not there before, or too many elements.
#[test]
fn rooms_that_somebody_looks_at() {
    let fill = "unsafe { z_sys::fill(room.as_mut_ptr().cast(), n as i32, 3) }";
    for body in [
        // It is read before `set_len`, or there is no `set_len`.
        "let mut room: Vec<u8> = Vec::with_capacity(n); let code = FILL; show(&room); unsafe { room.set_len(3) }; Ok(room)",
        "let mut room: Vec<u8> = Vec::with_capacity(n); show(&room); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
        "let mut room: Vec<u8> = Vec::with_capacity(n); let code = FILL; if code == 3 { unsafe { room.set_len(3) }; } Ok(room)",
        "let mut room: Vec<u8> = Vec::with_capacity(n); let code = FILL; Ok(room)",
        // `c_uchar` cannot be the suffix of a literal.
        "let mut room = Vec::<c_uchar>::with_capacity(n); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
        // The argument of `set_len` depends on the `Vec`.
        "let mut room: Vec<u8> = Vec::with_capacity(n); let code = FILL; unsafe { room.set_len(room.len() + 3) }; Ok(room)",
        // The call or `set_len` runs more than once.
        "let mut room: Vec<u8> = Vec::with_capacity(n); loop { let code = FILL; unsafe { room.set_len(3) }; }",
        "let mut room: Vec<u8> = Vec::with_capacity(n); let code = FILL; unsafe { room.set_len(3) }; unsafe { room.set_len(2) }; Ok(room)",
        // The initialiser does not show the capacity, or the element type is missing or another one.
        "let mut room = Vec::new(); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
        "let mut room = make(n); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
        "let mut room = Vec::with_capacity(n); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
        "let mut room: Vec<i16> = Vec::with_capacity(n); let code = FILL; unsafe { room.set_len(3) }; Ok(room)",
    ] {
        let text = format!("fn f(n: usize) -> Result<Vec<u8>, Error> {{\n    {}\n}}\n", body.replace("FILL", fill));
        let (after, left) = rewritten(&text);
        assert!(after == text && left.len() == 1, "{body}: {after}{left:?}");
    }
}
