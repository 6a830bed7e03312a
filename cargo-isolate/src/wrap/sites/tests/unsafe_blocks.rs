//! `unsafe` that is no longer needed.

use super::*;

#[test]
fn unsafe_stays_where_it_is_needed() {
    check(
        "    let s = unsafe { *p + z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    let s = unsafe { *p + isolated::z::sum(1, data)? };",
    );
    check("    let s = unsafe { z_sys::plain(1, 2) as u8 } + 1;", "    let s = (isolated::z::plain(1, 2)? as u8) + 1;");
    check(
        "    unsafe {\n        z_sys::plain(1, 2);\n        z_sys::plain(3, 4);\n    }",
        "    isolated::z::plain(1, 2)?;\n    isolated::z::plain(3, 4)?;",
    );
    check(
        "    match 1 {\n        1 => unsafe { z_sys::plain(1, 2) }\n        _ => 0,\n    };",
        "    match 1 {\n        1 => { isolated::z::plain(1, 2)? }\n        _ => 0,\n    };",
    );
    check(
        "    let s = unsafe { z_sys::sum(z_sys::sum(0, data.as_ptr(), data.len()), out.as_ptr(), out.len()) };",
        "    let s = isolated::z::sum(isolated::z::sum(0, data)?, out)?;",
    );
}

/// The callee may be unsafe, and a macro may contain anything.
#[test]
fn unsafe_stays_around_what_may_need_it() {
    for rest in [
        "danger()",
        "Q::danger()",
        "std::mem::zeroed::<u8>()",
        "data.get_unchecked(0)",
        "x.bits",
        "own!(x)",
        "println!(\"{}\", danger())",
        "println!(\"{}\", z_sys::other(1))",
    ] {
        check_among(
            "unsafe fn danger() -> u8 { 1 }\nunion Either { bits: u32, number: f32 }\n",
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {rest};\n    }}"),
            &format!("    unsafe {{\n        isolated::z::plain(1, 2)?;\n        {rest};\n    }}"),
        );
    }
    for rest in
        ["data.len()", "safe(data.as_ptr())", "Vec::<u8>::with_capacity(3).is_empty()", "println!(\"{}\", safe(x))"]
    {
        check_among(
            "fn safe<T>(_: T) -> u8 { 1 }\n",
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {rest};\n    }}"),
            &format!("    isolated::z::plain(1, 2)?;\n    {rest};"),
        );
    }
}

/// A value that is called may be a pointer to an unsafe function.
#[test]
fn unsafe_stays_around_calls_of_values() {
    for call in ["(ops.close)(x)", "close(x)", "Self::CLOSE(x)", "table[0](x)"] {
        check(
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {call};\n    }}"),
            &format!("    unsafe {{\n        isolated::z::plain(1, 2)?;\n        {call};\n    }}"),
        );
    }
    check(
        "    unsafe {\n        z_sys::plain(1, 2);\n        Some(i32::from(x));\n    }",
        "    isolated::z::plain(1, 2)?;\n    Some(i32::from(x));",
    );
}

/// Statements replace their block, unless something in the block lives until its end.
#[test]
fn statements_of_blocks() {
    let two = "z_sys::plain(1, 2);\n        z_sys::plain(3, 4);";
    let after = "    isolated::z::plain(1, 2)?;\n    isolated::z::plain(3, 4)?;";
    let check = |before: &str, after: &str| check_among("fn next() {}\n", before, after);
    for around in ["    unsafe {\n        BODY\n    }\n    next();", "    unsafe {\n        BODY\n    };\n    next();"]
    {
        check(&around.replace("BODY", two), &format!("{after}\n    next();"));
    }
    for around in ["    unsafe { BODY }", "    unsafe { BODY };", "    unsafe { BODY }\n    next();"] {
        let next = if around.ends_with("next();") { "\n    next();" } else { "" };
        check(&around.replace("BODY", "z_sys::plain(1, 2);"), &format!("    isolated::z::plain(1, 2)?;{next}"));
    }
    check(
        "    unsafe {\n        // First.\n        z_sys::plain(1, 2);\n        if data.is_empty() {\n            next();\n        }\n        next(); // last\n    }",
        "    // First.\n    isolated::z::plain(1, 2)?;\n    if data.is_empty() {\n        next();\n    }\n    next(); // last",
    );
    for (before, after) in [
        ("unsafe { let n = z_sys::plain(1, 2); show(n); }", "{ let n = isolated::z::plain(1, 2)?; show(n); }"),
        ("unsafe { /* all */ z_sys::plain(1, 2); }", "{ /* all */ isolated::z::plain(1, 2)?; }"),
        ("unsafe { z_sys::plain(1, 2); next() }", "{ isolated::z::plain(1, 2)?; next() }"),
        ("let n = unsafe { z_sys::plain(1, 2); };", "let n = { isolated::z::plain(1, 2)?; };"),
        ("match 1 { _ => unsafe { z_sys::plain(1, 2); } }", "match 1 { _ => { isolated::z::plain(1, 2)?; } }"),
    ] {
        check_among("fn next() {}\nfn show(n: i32) {}\n", &format!("    {before}"), &format!("    {after}"));
    }
}
