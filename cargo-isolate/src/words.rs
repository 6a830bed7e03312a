//! English, as far as reports need it.

/// `no calls`, `1 call`, `2 calls`.
pub(crate) fn some(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
