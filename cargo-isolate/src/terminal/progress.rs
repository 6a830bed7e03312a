//! The progress of a scan: one line on stderr, if that is a terminal, drawn like cargo's. It is erased before anything
//! else is printed.

use crate::terminal::streams;
use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use terminal_size::{Width, terminal_size_of};

/// Work that takes less time shows no progress.
const FIRST: Duration = Duration::from_millis(500);

const EVERY: Duration = Duration::from_millis(100);

const HEAD: &str = "    Scanning ";

/// The width of the bar, if there is space for it.
const BAR: usize = 24;

/// The progress line. Whichever thread finds it due draws it, and dropping it erases it.
pub(crate) struct Progress {
    total: usize,
    done: AtomicUsize,
    /// `None` if progress is not shown.
    line: Option<Mutex<Line>>,
}

struct Line {
    due: Instant,
    drawn: bool,
}

impl Progress {
    /// Starts the progress over `total` packages.
    pub(crate) fn new(total: usize, quiet: bool) -> Progress {
        let line = (!quiet && is_wanted()).then(|| Mutex::new(Line { due: Instant::now() + FIRST, drawn: false }));
        Progress { total, done: AtomicUsize::new(0), line }
    }

    /// Sets the number of finished packages.
    pub(crate) fn done(&self, packages: usize) {
        self.done.store(packages, Ordering::Relaxed);
    }

    /// Says which package is being worked on.
    pub(crate) fn at(&self, package: &str) {
        // Another thread is drawing already, which is enough.
        let Some(mut line) = self.line.as_ref().and_then(|line| line.try_lock().ok()) else {
            return;
        };
        let now = Instant::now();
        if now < line.due {
            return;
        }
        let stderr = io::stderr();
        let width = terminal_size_of(&stderr).map_or(80, |(Width(width), _)| usize::from(width));
        let text = line_of(self.done.load(Ordering::Relaxed), self.total, package, width);
        let (head, rest) = text.split_at(HEAD.len().min(text.len()));
        let style = anstyle::AnsiColor::BrightCyan.on_default().bold();
        // Progress that cannot be written is not an error.
        let _ = write!(streams::stderr(), "{style}{head}{style:#}{rest}");
        let _ = write!(stderr.lock(), "{WIPE_REST}\r");
        *line = Line { due: now + EVERY, drawn: true };
    }
}

const WIPE_REST: &str = "\x1b[K";

impl Drop for Progress {
    fn drop(&mut self) {
        if self.line.take().and_then(|line| line.into_inner().ok()).is_some_and(|line| line.drawn) {
            let _ = write!(io::stderr().lock(), "{WIPE_REST}");
        }
    }
}

/// Whether to show progress, by cargo's rules.
fn is_wanted() -> bool {
    let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|given| given == value);
    let in_ci = std::env::var_os("CI").is_some();
    io::stderr().is_terminal() && !in_ci && !is("TERM", "dumb") && !is("CARGO_TERM_PROGRESS_WHEN", "never")
}

/// The line, one column narrower than the terminal: a full line would move the cursor to the next one.
fn line_of(done: usize, total: usize, package: &str, width: usize) -> String {
    let numbers = format!("{done}/{total}: {package}");
    let room = width.saturating_sub(HEAD.len() + "[] ".len() + numbers.len() + 1);
    let text = if room >= 5 {
        let cells = room.min(BAR);
        let full = cells * done / total.max(1);
        let tip = if full < cells { ">" } else { "" };
        format!("{HEAD}[{}{tip}{}] {numbers}", "=".repeat(full), " ".repeat(cells - full - tip.len()))
    } else {
        format!("{HEAD}{numbers}")
    };
    text.chars().take(width.saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(done: usize, width: usize, expected: &str) {
        let line = line_of(done, 132, "tokio", width);
        assert_eq!(line, expected);
        assert!(line.len() < width, "{line}");
    }

    #[test]
    fn lines() {
        check(0, 80, "    Scanning [>                       ] 0/132: tokio");
        check(57, 80, "    Scanning [==========>             ] 57/132: tokio");
        check(132, 80, "    Scanning [========================] 132/132: tokio");
        check(57, 40, "    Scanning [====>     ] 57/132: tokio");
        check(57, 30, "    Scanning 57/132: tokio");
        check(57, 20, "    Scanning 57/132");
    }
}
