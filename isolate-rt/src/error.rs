//! What a wrapper returns where a function's return value tells success from failure.

use crate::fault::{AsFault, Fault};
use std::ffi::CString;
use std::fmt;

/// Why a call gave no value: it ended in a fault, or the library said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error<C> {
    /// The call did not come back, or came back with what cannot be.
    Fault(Fault),
    /// The function did its work, and reported an error.
    Failed(Failed<C>),
}

/// An error that a foreign function reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed<C> {
    domain: &'static str,
    function: &'static str,
    code: C,
    message: Option<CString>,
}

/// The error code of a function that reports failure by returning NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Null;

impl fmt::Display for Null {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NULL")
    }
}

impl<C> Error<C> {
    /// The code that the function returned; `None` after a fault.
    pub fn code(&self) -> Option<&C> {
        match self {
            Self::Failed(failed) => Some(&failed.code),
            Self::Fault(_) => None,
        }
    }

    /// The code that the function returned, for callers that look at it as they did before the call was isolated.
    ///
    /// # Errors
    ///
    /// The fault, if it was one.
    pub fn into_code(self) -> Result<C, Fault> {
        match self {
            Self::Failed(failed) => Ok(failed.code),
            Self::Fault(fault) => Err(fault),
        }
    }

    /// The fault, if it was one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Failed(_) => None,
        }
    }
}

impl<C> Failed<C> {
    pub(crate) fn new(domain: &'static str, function: &'static str, code: C, message: Option<CString>) -> Self {
        Self { domain, function, code, message }
    }

    /// Name of the domain.
    pub fn domain(&self) -> &'static str {
        self.domain
    }

    /// Name of the foreign function that was called.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// What it returned.
    pub fn code(&self) -> &C {
        &self.code
    }

    /// What the library has to say about it: its own text, which it may have made of hostile input.
    pub fn message(&self) -> Option<&CString> {
        self.message.as_ref()
    }
}

impl<C> AsFault for Error<C> {
    fn as_fault(&self) -> Option<&Fault> {
        self.fault()
    }
}

impl<C> From<Fault> for Error<C> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<C> From<Failed<C>> for Error<C> {
    fn from(failed: Failed<C>) -> Self {
        Self::Failed(failed)
    }
}

impl<C: fmt::Debug + fmt::Display> std::error::Error for Error<C> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fault(fault) => std::error::Error::source(fault),
            Self::Failed(_) => None,
        }
    }
}

impl<C: fmt::Debug + fmt::Display> std::error::Error for Failed<C> {}

impl<C: fmt::Display> fmt::Display for Error<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Failed(failed) => failed.fmt(f),
        }
    }
}

impl<C: fmt::Display> fmt::Display for Failed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, function, code, message } = self;
        write!(f, "`{function}` in domain `{domain}` failed with {}", as_meant(code))?;
        match message {
            // Escaped: a terminal obeys what a library may have been made to say.
            Some(message) => write!(f, ": {}", message.to_string_lossy().escape_debug()),
            None => Ok(()),
        }
    }
}

/// A code as its library writes it: the `(size_t)-10` of C is -10. No library has so many errors that others look like that.
fn as_meant<C: fmt::Display>(code: &C) -> String {
    const LOWEST: i64 = -4095;
    let shown = code.to_string();
    let signed = match size_of::<C>() {
        8 => shown.parse::<u64>().ok().map(u64::cast_signed),
        4 => shown.parse::<u32>().ok().map(|code| code.cast_signed().into()),
        _ => None,
    };
    signed.filter(|code| (LOWEST..0).contains(code)).map_or(shown, |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: Option<&str>, expected: &str) {
        let message = message.map(|message| CString::new(message).unwrap());
        assert_eq!(Error::Failed(Failed::new("zlib", "inflate", -3, message)).to_string(), expected);
    }

    #[test]
    fn says_what_failed() {
        check(None, "`inflate` in domain `zlib` failed with -3");
        check(Some("data error"), "`inflate` in domain `zlib` failed with -3: data error");
        let null = Error::Failed(Failed::new("png", "png_create_read_struct", Null, None));
        assert_eq!(null.to_string(), "`png_create_read_struct` in domain `png` failed with NULL");
        let code = |code: usize| Error::Failed(Failed::new("zstd", "ZSTD_compress", code, None)).to_string();
        assert_eq!(code(10_usize.wrapping_neg()), "`ZSTD_compress` in domain `zstd` failed with -10");
        assert_eq!(code(usize::MAX / 2), format!("`ZSTD_compress` in domain `zstd` failed with {}", usize::MAX / 2));
        check(Some("\u{1b}[2Jé"), "`inflate` in domain `zlib` failed with -3: \\u{1b}[2Jé");
    }
}
