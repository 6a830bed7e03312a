//! Where in the domain a call was stopped.

use super::Symbol;
use std::fmt;

/// The calls that a domain was in when it was stopped, innermost first. See [`crate::Fault::backtrace`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backtrace {
    pub(crate) frames: Vec<Frame>,
    pub(crate) is_complete: bool,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(crate) address: usize,
    pub(crate) symbol: Option<Symbol>,
    pub(crate) object: Option<(String, usize)>,
}

impl Backtrace {
    /// The calls, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Whether it leads all the way to where the program called the domain. Otherwise the stack was deeper than what was kept
    /// of it, or says something else.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl Frame {
    /// Address of the instruction that was about to run, here or when the call above is over.
    pub fn address(&self) -> usize {
        self.address
    }

    /// The function, demangled where it is Rust's or C++'s; `None` where no symbol table names one.
    pub fn symbol(&self) -> Option<&Symbol> {
        self.symbol.as_ref()
    }

    /// File name of the program or library, and the address in there, for `addr2line`.
    pub fn object(&self) -> Option<(&str, usize)> {
        self.object.as_ref().map(|(object, address)| (object.as_str(), *address))
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, frame) in self.frames.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "  {index:>4}: {frame}")?;
        }
        if !self.is_complete {
            write!(f, "{}        (no further)", if self.frames.is_empty() { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.symbol {
            Some(symbol) => write!(f, "{symbol}")?,
            None => write!(f, "{:#x}", self.address)?,
        }
        match &self.object {
            Some((object, address)) => write!(f, " ({object} {address:#x})"),
            None => write!(f, " (no code)"),
        }
    }
}
