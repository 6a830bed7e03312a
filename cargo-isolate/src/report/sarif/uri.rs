//! Paths as URI references (RFC 3986).

use camino::Utf8Path;
use std::fmt::Write;

/// A `file:` URI for an absolute path, a relative reference for a relative one.
pub(super) fn of(path: &Utf8Path) -> String {
    let mut uri = String::new();
    let path = path.as_str();
    // Only on Windows is `C:\` a root and `\` a separator.
    let (path, drive) = match cfg!(windows) {
        true => (path.replace('\\', "/"), path.as_bytes().get(1) == Some(&b':')),
        false => (path.to_owned(), false),
    };
    if drive {
        uri.push_str("file:///");
    } else if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            b':' if drive => uri.push(':'),
            _ => write!(uri, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::of;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(of(path.into()), expected);
    }

    #[test]
    fn paths_are_uris() {
        check("src/lib.rs", "src/lib.rs");
        check("a b/ü#1:2%.rs", "a%20b/%C3%BC%231%3A2%25.rs");
        #[cfg(not(windows))]
        check("/ws/src/lib.rs", "file:///ws/src/lib.rs");
    }
}
