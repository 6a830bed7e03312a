//! Calendar days, which `until` in the policy is given as.

use serde::{Deserialize, Deserializer, de};
use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

/// The day that a command goes by.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(crate) struct Today {
    /// Date to compare `until` of exceptions with, such as 2027-01-31
    #[arg(long, value_name = "DATE")]
    today: Option<Day>,
}

impl Today {
    pub(crate) fn day(self) -> Day {
        self.today.unwrap_or_else(Day::today)
    }
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// Today in UTC, or the day of `SOURCE_DATE_EPOCH` (seconds since 1970, <https://reproducible-builds.org>).
    fn today() -> Day {
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Day::of_seconds(epoch.unwrap_or_else(now))
    }

    /// The day of a Unix time.
    fn of_seconds(seconds: u64) -> Day {
        // Howard Hinnant's `civil_from_days`: years start in March, so that the leap day comes last, and 400 years form
        // an era.
        let days = seconds / 86_400 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        Day { year: u16::try_from(year).unwrap_or(u16::MAX), month: month as u8, day: day as u8 }
    }
}

/// Converts a TOML date; fails for a time of day, or a date with one.
impl TryFrom<&toml::value::Datetime> for Day {
    type Error = ();

    fn try_from(value: &toml::value::Datetime) -> Result<Day, ()> {
        match (value.date, value.time) {
            (Some(date), None) => Ok(Day { year: date.year, month: date.month, day: date.day }),
            _ => Err(()),
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let date = toml::value::Datetime::deserialize(deserializer)?;
        Day::try_from(&date)
            .map_err(|()| de::Error::custom("a date without a time of day is expected\nas in `until = 2027-01-31`"))
    }
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Day, Self::Err> {
        let date: Option<toml::value::Datetime> = text.parse().ok();
        date.and_then(|date| Day::try_from(&date).ok()).ok_or("expected a date such as 2027-01-31")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_of_unix_times() {
        let check = |seconds, day: &str| assert_eq!(Day::of_seconds(seconds).to_string(), day);
        check(0, "1970-01-01");
        check(951_782_400, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(1_735_689_599, "2024-12-31");
        check(4_107_542_400, "2100-03-01");
    }

    #[test]
    fn order_is_by_time() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert!(day("2026-12-31") < day("2027-01-01"));
        assert!("2027-01-31T00:00:00".parse::<Day>().is_err());
        assert!("2027-02-30".parse::<Day>().is_err());
    }
}
