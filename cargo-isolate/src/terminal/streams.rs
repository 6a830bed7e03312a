//! Standard output and error for all commands: with the chosen colours, with hidden characters escaped, and without an
//! error when the reader closes the pipe. A closed pipe changes neither what a command does nor its exit status.

use crate::terminal::visible::Visible;
use std::io::{self, ErrorKind, Write};
use terminal_size::{Width, terminal_size_of};

/// Standard output, for results.
pub(crate) fn stdout() -> impl Write {
    Visible(raw_stdout())
}

/// The same for the output of another program, which is passed through as it is.
pub(crate) fn raw_stdout() -> impl Write {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    UntilClosed::new("standard output", anstream::stdout().lock())
}

/// The number of columns of standard output: `COLUMNS` if that is a positive number, otherwise the width of the
/// terminal. `None` for a pipe or a file, where programs read whole lines.
pub(crate) fn columns() -> Option<usize> {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    stated.or_else(|| terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width)))
}

/// Standard error, for progress and the tool's own errors.
pub(crate) fn stderr() -> impl Write {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    Visible(UntilClosed::new("standard error", anstream::stderr().lock()))
}

/// Prints a line of a command's result.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // A failed write, such as to a full disk, is ignored.
        let _ = writeln!($crate::terminal::streams::stdout(), $($words)*);
    }};
}

/// Prints a line about what the command is doing.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // If standard error fails, there is nowhere to report that.
        let _ = writeln!($crate::terminal::streams::stderr(), $($words)*);
    }};
}

/// The prefix of error messages.
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

/// Accepts all writes, and passes them on until the reader closes the stream.
struct UntilClosed<W> {
    /// Its name in errors.
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

    /// Accepts four bytes, then fails with the given kind of error.
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
