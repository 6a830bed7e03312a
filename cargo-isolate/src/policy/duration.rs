//! Durations in the policy: `"200ms"`.

use super::worded::worded;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// A nonzero duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
        worded(deserializer, |text| parse(text).map(Period).map_err(|expected| format!("not a duration: {expected}")))
    }
}

/// Parses a duration such as `200ms`, `1 s` or `500us`.
///
/// # Errors
///
/// If the text is not a duration, or the duration is zero. The error says what was expected.
fn parse(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a number and one of us, ms, s, min, as in `200ms`";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "us" => Duration::from_micros(1),
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "min" => Duration::from_secs(60),
        "" if digits > 0 => return Err(format!("`{text}` has no unit, {EXPECTED}")),
        _ => return Err(EXPECTED.to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    match unit * number {
        Duration::ZERO => Err(format!("`{text}` is no time at all")),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn reads_a_number_and_a_unit() {
        assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse("3 s"), Ok(Duration::from_secs(3)));
        assert_eq!(parse("5min"), Ok(Duration::from_secs(300)));
        for wrong in ["", "ms", "200", "0s", "-1s", "1.5s", "99999999999s", "1 s ", "2h"] {
            assert!(parse(wrong).is_err(), "{wrong:?} is not a duration");
        }
    }
}
