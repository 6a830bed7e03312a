//! Sizes in the policy: `"64MiB"`.

use super::worded::worded;
use serde::{Deserialize, Deserializer};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        worded(deserializer, |text| parse(text).map(Size).map_err(|expected| format!("not a size: {expected}")))
    }
}

/// Parses a size such as `64MiB`, `512 KiB` or `4096B`.
///
/// # Errors
///
/// If the text is not a size. The error says what was expected.
fn parse(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a number and one of B, KiB, MiB, GiB, as in `64MiB`";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" if digits > 0 => return Err(format!("`{text}` has no unit, {EXPECTED}")),
        _ => return Err(EXPECTED.to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    number.checked_mul(unit).ok_or_else(|| format!("`{text}` is more than any machine has"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_binary_units_only() {
        assert_eq!(parse("64MiB"), Ok(64 << 20));
        assert_eq!(parse("1 GiB"), Ok(1 << 30));
        assert_eq!(parse("4096B"), Ok(4096));
        for wrong in ["", "MiB", "64", "64MB", "-1MiB", "1.5MiB", "99999999999GiB", "1 MiB "] {
            assert!(parse(wrong).is_err(), "{wrong:?} is not a size");
        }
    }
}
