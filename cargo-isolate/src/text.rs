//! Source text, as the compiler takes it, kept only where somebody may ask for it.
//!
//! The sources of a large graph are tens of megabytes, and reports draw a few kilobytes of them: a text that was scanned is
//! let go, and read again when a finding in it is drawn.

use camino::Utf8Path;
use std::{io, sync::OnceLock};

/// The text of one source file: at hand, or known well enough to tell whether the file still holds it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    digest: Digest,
    kept: OnceLock<Box<str>>,
}

/// A hash of a text that nobody can find another text for: what a report says of a file is as good as this.
pub(crate) type Digest = [u8; 32];

impl Text {
    /// A text to keep.
    #[cfg(test)]
    pub(crate) fn new(text: impl Into<Box<str>>) -> Text {
        let text = text.into();
        Text { digest: digest(&text), kept: text.into() }
    }

    /// A text that was read before and is read again when it is wanted.
    pub(crate) fn known(digest: Digest) -> Text {
        Text { digest, kept: OnceLock::new() }
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether it is this one; answered without reading.
    pub(crate) fn is(&self, text: &str) -> bool {
        digest(text) == self.digest
    }

    /// The text of the file at `path`, which is read now if it is not at hand.
    ///
    /// # Errors
    ///
    /// The file cannot be read any more, or holds something else than what was scanned.
    pub(crate) fn get(&self, path: &Utf8Path) -> io::Result<&str> {
        if let Some(text) = self.kept.get() {
            return Ok(text);
        }
        let text = read(path).map_err(|why| io::Error::other(format!("could not read `{path}` again: {why}")))?;
        if digest(&text) != self.digest {
            let what = "is not what was scanned: it changed meanwhile, or cargo's copy of a package was edited";
            return Err(io::Error::other(format!("`{path}` {what}; try again with `--no-cache`")));
        }
        Ok(self.kept.get_or_init(|| text.into_boxed_str()))
    }
}

pub(crate) fn digest(text: &str) -> Digest {
    blake3::hash(text.as_bytes()).into()
}

/// No source file is as long: what is, was put there to exhaust whoever reads it.
const MOST_BYTES: u64 = 64 << 20;

/// The text of a source file as the compiler takes it: without byte order mark, each line ending in `\n` alone.
///
/// # Errors
///
/// Why it cannot be read, as a fragment.
pub(crate) fn read(path: &Utf8Path) -> Result<String, String> {
    let (_, bytes) = crate::files::read(path, MOST_BYTES).map_err(|error| describe(&error))?;
    let mut text =
        String::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    let has_return = memchr::memchr(b'\r', text.as_bytes()).is_some();
    Ok(if has_return && text.contains("\r\n") { text.replace("\r\n", "\n") } else { text })
}

/// The system's words without Rust's `(os error 2)`.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
