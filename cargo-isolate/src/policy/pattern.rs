//! Globs in the policy: `"inflate*"`, `"mycrate::legacy::*"`.

use super::worded::worded;
use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Deserializer};

/// A glob with its text. `*` matches any text, `::` and `/` included.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// # Errors
    ///
    /// Why it is no glob.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        match Glob::new(text) {
            Ok(glob) => Ok(Pattern { matcher: glob.compile_matcher(), text: text.to_owned() }),
            Err(error) => Err(format!("not a glob: {}", error.kind())),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_match(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    /// What every match starts with.
    pub(crate) fn prefix(&self) -> &str {
        self.text.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        worded(deserializer, Pattern::new)
    }
}
