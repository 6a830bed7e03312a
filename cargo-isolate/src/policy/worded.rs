//! Deserialises values that are written as strings.

use serde::{Deserializer, de};
use std::fmt;

/// Deserialises a string with `parse`. An error that is raised here gets the position of the value, unlike one raised
/// later.
pub(super) fn worded<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    struct Words<T>(fn(&str) -> Result<T, String>);
    impl<T> de::Visitor<'_> for Words<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.0)(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Words(parse))
}
