//! Text that is made to break a scanner: it must come back, with the problem named.

use isolate_lints::{Edition, scan};

/// Nests a construct ever deeper; every keyword must stay accounted for, and what was not parsed must be said.
#[track_caller]
fn check(open: &str, inner: &str, close: &str) {
    for depth in [10, 300, 3_000, 30_000, 300_000] {
        let text = format!(
            "fn f() {{ unsafe {{ g() }} }}\nfn deep() {{ {}{inner}{} }}",
            open.repeat(depth),
            close.repeat(depth)
        );
        let facts = scan(&text, Edition::E2024);
        assert_eq!(facts.unexplained(), 0, "{open} at depth {depth}");
        let parsed = facts.calls.iter().any(|call| call.path == "g");
        assert!(parsed || !facts.errors.is_empty(), "{open} at depth {depth}");
        assert!(parsed || depth > 1_000, "{open} at depth {depth} is not too deep");
    }
}

#[test]
fn delimiters() {
    check("(", "1", ")");
    check("[", "1", "]");
    check("{", "1", "}");
    check("unsafe {", "1", "}");
    check("m!(", "1", ")");
}

#[test]
fn unclosed_delimiters() {
    check("(", "1", "");
    check("", "1", ")");
    check("m! { (", "1", "");
}

#[test]
fn operators() {
    check("-", "1", "");
    check("&", "1", "");
    check("*", "1", "");
    check("a = ", "1", "");
    check("1 + ", "1", "");
    check("1 .. ", "1", "");
    check("x.y().", "z", "");
    check("return ", "1", "");
}

#[test]
fn control_flow() {
    check("if a { } else ", "{ }", "");
    check("match a { _ => ", "1", " }");
    check("|x| ", "1", "");
    check("loop { break ", "1", " }");
}

#[test]
fn types_and_patterns() {
    check("let x: &", "u8 = 1;", "");
    check("let x: Vec<", "u8", ">");
    check("x as fn() -> ", "u8", "");
    check("let (", "x", ") = 1;");
    check("a::<", "u8", ">");
}

#[test]
fn items() {
    check("mod m { ", "", " }");
    check("fn f() { ", "", " }");
    check("use a::{", "b", "};");
    check("#[cfg(not(", "unix", "))] fn g() {}");
    check("macro_rules! m { ($(", "", ")*) => {} }");
}

#[test]
fn expansions_that_grow() {
    let text = "macro_rules! m { ($($t:tt)*) => { const X: i32 = $($t)* 1; m! { $($t)* $($t)* } } }\nm! { - }";
    assert_eq!(scan(text, Edition::E2024).errors, []);
}

#[test]
fn nonsense() {
    for text in [
        "",
        "\u{feff}fn f() {}",
        "#!/bin/sh\nfn f() {}",
        "\0\0\0",
        "'",
        "\"",
        "r#\"",
        "/*",
        "b'",
        "0x",
        "1e",
        "#",
        "$",
        "unsafe",
        "extern",
        "}}}}",
    ] {
        assert_eq!(scan(text, Edition::E2024).unexplained(), 0, "{text:?}");
    }
}

#[test]
fn every_prefix_of_a_file() {
    let text = include_str!("cases/macros.rs");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert_eq!(scan(&text[..end], Edition::E2021).unexplained(), 0, "the first {end} bytes");
    }
}

/// rustc reads a line that ends in CR LF like one that ends in LF, inside strings too.
#[test]
fn line_endings_of_windows() {
    let text = "fn f() -> &'static str {\r\n    \"one \\\r\n     two\"\r\n}\r\n";
    assert_eq!(scan(text, Edition::E2024).errors, []);
    let wrong = "fn f() -> &'static str {\r\n    \"one \\q\r\n     two\"\r\n}\r\n";
    assert_eq!(scan(wrong, Edition::E2024).errors.len(), 1);
}
