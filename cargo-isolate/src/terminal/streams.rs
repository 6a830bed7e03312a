//! Standard output and error, as all commands write to them: with the colours that are wanted, nothing hidden, and without
//! a stir where whoever reads has gone. They have seen enough; what a command does, and the status that it ends with, stay the same.

use crate::terminal::visible::Visible;
use std::io::{self, ErrorKind, Write};
use terminal_size::{Width, terminal_size_of};

/// Results.
pub(crate) fn stdout() -> impl Write {
    Visible(raw_stdout())
}

/// The same for what another program has printed, which looks after its own.
pub(crate) fn raw_stdout() -> impl Write {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    UntilClosed::new("standard output", anstream::stdout().lock())
}

/// How many columns standard output has: `COLUMNS` of them where that says a number, else those of the terminal. `None` in a
/// pipe or file, where programs read lines.
pub(crate) fn columns() -> Option<usize> {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    stated.or_else(|| terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width)))
}

/// Progress, and the tool's own errors.
pub(crate) fn stderr() -> impl Write {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    Visible(UntilClosed::new("standard error", anstream::stderr().lock()))
}

/// Prints a line of a command's result.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // A full disk loses text that nobody keeps.
        let _ = writeln!($crate::terminal::streams::stdout(), $($words)*);
    }};
}

/// Prints a line about what goes on.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // There is no other place to say that this one is gone.
        let _ = writeln!($crate::terminal::streams::stderr(), $($words)*);
    }};
}

/// What lines about errors begin with.
pub(crate) fn error_word() -> impl std::fmt::Display {
    let style = anstyle::AnsiColor::BrightRed.on_default().bold();
    format!("{style}error{style:#}")
}

/// Prints one of the tool's own errors.
macro_rules! error {
    ($($words:tt)*) => {
        $crate::terminal::streams::tell!("{}: {}", $crate::terminal::streams::error_word(), format_args!($($words)*))
    };
}

/// Prints a line about what was done, unless `-q` was given to the command with this [`Request`](crate::sources::Request).
macro_rules! status {
    ($request:expr, $($words:tt)*) => {
        if !$request.quiet {
            $crate::terminal::streams::tell!($($words)*);
        }
    };
}

pub(crate) use {error, say, status, tell};

/// Takes everything, and passes it on as long as somebody reads.
struct UntilClosed<W> {
    /// For errors.
    name: &'static str,
    stream: W,
    closed: bool,
}

impl<W: Write> UntilClosed<W> {
    fn new(name: &'static str, stream: W) -> UntilClosed<W> {
        UntilClosed { name, stream, closed: false }
    }

    fn unless_closed<T>(&mut self, all: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(all);
        }
        write(&mut self.stream).or_else(|error| {
            self.closed = error.kind() == ErrorKind::BrokenPipe;
            let why = || format!("cannot write {}: {}", self.name, crate::text::describe(&error));
            if self.closed { Ok(all) } else { Err(io::Error::new(error.kind(), why())) }
        })
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |stream| stream.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unless_closed((), |stream| stream.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), W::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes four bytes, then ends as it is told.
    struct Ends(Vec<u8>, ErrorKind);

    impl Write for Ends {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() + bytes.len() > 4 {
                return Err(self.1.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_goes_is_no_error_and_a_full_disk_is() {
        let mut out = UntilClosed::new("it", Ends(Vec::new(), ErrorKind::BrokenPipe));
        writeln!(out, "abc").unwrap();
        writeln!(out, "d").unwrap();
        out.flush().unwrap();
        assert_eq!((out.stream.0.as_slice(), out.closed), (&b"abc\n"[..], true));
        let mut out = UntilClosed::new("it", Ends(Vec::new(), ErrorKind::StorageFull));
        let error = writeln!(out, "abcd").unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::StorageFull, "cannot write it: no storage space"));
    }
}
