//! Fits the table to a terminal by choosing columns and their widths.
//!
//! A row that the terminal wraps is no longer readable as a row. If the terminal is too narrow, headings and names
//! first take more lines. Then kinds of unsafe constructs are counted under `other`, and columns are left out, always
//! in the same order; a footnote says which. What a reader must not miss always stays: the total of unsafe constructs,
//! calls, and what was not seen.

use crate::terminal::words::wrapped;
use std::io::{self, Write};

/// A row of the table: the numbers of all columns.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Vec<usize>,
}

/// A way to make the table narrower.
enum Step {
    /// Split headings of two words into two lines.
    StackHeads,
    /// Put names longer than this on a line of their own.
    WrapNames(usize),
    /// Count this kind under `other`.
    Fold(&'static str),
    LeaveOut(&'static str),
    /// Leave out all kinds, so that only their sum remains.
    LeaveOutKinds,
}

/// The steps in the order in which they are applied until the table fits.
const STEPS: &[Step] = &[
    Step::StackHeads,
    Step::WrapNames(28),
    Step::Fold("traits"),
    Step::Fold("attrs"),
    Step::Fold("macros"),
    Step::LeaveOut("uses"),
    Step::Fold("extern"),
    Step::LeaveOut("items"),
    Step::WrapNames(24),
    Step::Fold("impls"),
    Step::Fold("fns"),
    Step::LeaveOutKinds,
    Step::WrapNames(20),
    Step::WrapNames(12),
];

const KINDS: &[&str] = &["blocks", "fns", "impls", "traits", "extern", "attrs", "macros", OTHER];
const OTHER: &str = "other";

/// A table's columns.
pub(super) struct Fit<'r> {
    rows: Vec<&'r Row>,
    /// Width of the name column.
    names: usize,
    columns: Vec<Column>,
    /// Whether headings take two lines.
    stacked: bool,
    folded: Vec<&'static str>,
    left_out: Vec<&'static str>,
    /// Width of the unabridged table.
    whole: usize,
    /// Width of the terminal.
    terminal: Option<usize>,
}

struct Column {
    name: &'static str,
    /// The cells whose sum it shows.
    cells: Vec<usize>,
    /// Number of digits of its greatest number.
    digits: usize,
}

impl<'r> Fit<'r> {
    /// Fits these rows and columns, numbered like the cells, to a terminal of this width; `None` leaves the table
    /// unabridged.
    pub(super) fn new(
        titles: &[&str],
        rows: Vec<&'r Row>,
        heads: Vec<(usize, &'static str)>,
        terminal: Option<usize>,
    ) -> Fit<'r> {
        let names = || rows.iter().map(|row| &*row.name).chain(titles.iter().copied());
        let lengths: Vec<usize> = names().map(|name| name.chars().count()).collect();
        let names_up_to = |limit| lengths.iter().copied().filter(|length| *length <= limit).max().unwrap_or(0);
        let columns = heads.into_iter().map(|(index, name)| Column::new(name, vec![index], &rows)).collect();
        let mut fit = Fit {
            names: names_up_to(usize::MAX),
            columns,
            rows,
            stacked: false,
            folded: Vec::new(),
            left_out: Vec::new(),
            whole: 0,
            terminal,
        };
        fit.whole = fit.width();
        for step in STEPS {
            if terminal.is_none_or(|terminal| fit.width() <= terminal) {
                break;
            }
            match step {
                Step::StackHeads => fit.stacked = true,
                Step::WrapNames(limit) => fit.names = names_up_to(*limit),
                Step::Fold(name) => fit.fold(name),
                Step::LeaveOut(name) => fit.leave_out(|column| column == *name),
                Step::LeaveOutKinds => {
                    fit.left_out.append(&mut fit.folded);
                    fit.leave_out(|column| KINDS.contains(&column));
                }
            }
        }
        fit
    }

    fn width(&self) -> usize {
        self.names + self.columns.iter().map(|column| GAP + column.width(self.stacked)).sum::<usize>()
    }

    fn leave_out(&mut self, mut is_unwanted: impl FnMut(&str) -> bool) {
        let unwanted = self.columns.extract_if(.., |column| is_unwanted(column.name));
        self.left_out.extend(unwanted.map(|column| column.name));
    }

    fn fold(&mut self, kind: &str) {
        let Some(at) = self.columns.iter().position(|column| column.name == kind) else { return };
        let Column { name, mut cells, .. } = self.columns.remove(at);
        self.folded.push(name);
        let other = self.columns.iter().position(|column| column.name == OTHER);
        let after_kinds =
            || self.columns.iter().rposition(|column| KINDS.contains(&column.name)).map_or(at, |at| at + 1);
        let at = other.unwrap_or_else(after_kinds);
        if other.is_some() {
            cells.append(&mut self.columns.remove(at).cells);
        }
        self.columns.insert(at, Column::new(OTHER, cells, &self.rows));
    }

    /// Prints some of the rows below their headings, without columns that are empty in all of these rows.
    pub(super) fn part(&self, out: &mut dyn Write, title: &str, rows: &[Row]) -> io::Result<()> {
        let is_shown = |column: &&Column| column.always() || rows.iter().any(|row| column.of(row) > 0);
        let columns: Vec<&Column> = self.columns.iter().filter(is_shown).collect();
        self.header(out, title, &columns)?;
        rows.iter().try_for_each(|row| self.row(out, row, &columns))
    }

    /// Prints the headings in one or two lines.
    fn header(&self, out: &mut dyn Write, title: &str, columns: &[&Column]) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        if self.stacked && columns.iter().any(|column| column.name.contains(' ')) {
            let mut upper = " ".repeat(self.names);
            for column in columns {
                let word = column.name.split_once(' ').map_or("", |(word, _)| word);
                upper += &format!("{:GAP$}{word:>width$}", "", width = column.width(true));
            }
            writeln!(out, "{bold}{}{bold:#}", upper.trim_end())?;
        }
        write!(out, "{bold}{title:names$}", names = self.names)?;
        for column in columns {
            let head = if self.stacked { column.last_word() } else { column.name };
            write!(out, "{:GAP$}{head:>width$}", "", width = column.width(self.stacked))?;
        }
        writeln!(out, "{bold:#}")
    }

    /// Prints a row of numbers, below its name if that is too long.
    fn row(&self, out: &mut dyn Write, row: &Row, columns: &[&Column]) -> io::Result<()> {
        let name = &row.name;
        match name.chars().count() > self.names {
            true => write!(out, "{name}\n{:names$}", "", names = self.names)?,
            false => write!(out, "{name:names$}", names = self.names)?,
        }
        for column in columns {
            let cell = match column.of(row) {
                0 => "-".to_owned(),
                count => count.to_string(),
            };
            write!(out, "{:GAP$}{cell:>width$}", "", width = column.width(self.stacked))?;
        }
        writeln!(out)
    }

    /// Prints what a narrowed table leaves out.
    pub(super) fn footnote(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.folded.is_empty() && self.left_out.is_empty() {
            return Ok(());
        }
        let folded = format!("; counted under `{OTHER}`: {}", self.folded.join(", "));
        let left_out = format!("; left out: {}", self.left_out.join(", "));
        let text = format!(
            "a pipe, or a terminal of {} columns, has the whole table{}{}",
            self.whole,
            if self.folded.is_empty() { "" } else { &folded },
            if self.left_out.is_empty() { "" } else { &left_out },
        );
        writeln!(out, "{}", wrapped(&text, self.terminal.unwrap_or(usize::MAX)))
    }
}

/// Number of spaces between two columns.
const GAP: usize = 2;

impl Column {
    fn new(name: &'static str, cells: Vec<usize>, rows: &[&Row]) -> Column {
        let mut column = Column { name, cells, digits: 0 };
        column.digits = rows.iter().map(|row| column.of(row).to_string().len()).max().unwrap_or_default();
        column
    }

    /// Whether it is shown even if it is empty, since readers look for it first.
    fn always(&self) -> bool {
        matches!(self.name, "unsafe" | "calls")
    }

    /// The column's number in a row.
    fn of(&self, row: &Row) -> usize {
        self.cells.iter().map(|index| row.cells[*index]).sum()
    }

    fn width(&self, stacked: bool) -> usize {
        let head = match stacked {
            true => self.name.split(' ').map(str::len).max().unwrap_or_default(),
            false => self.name.len(),
        };
        head.max(self.digits)
    }

    fn last_word(&self) -> &'static str {
        self.name.rsplit_once(' ').map_or(self.name, |(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::summary::COLUMNS, *};

    const ROWS: &[(&str, [usize; 15])] = &[
        ("app 0.1.0", [9, 3, 1, 0, 0, 1, 2, 0, 2, 7, 11, 3, 2, 71, 0]),
        ("  generated wrappers", [31, 20, 0, 0, 0, 11, 0, 0, 0, 30, 30, 0, 0, 0, 0]),
        ("wasm-bindgen-macro-support 0.2.130", [52, 0, 0, 0, 0, 0, 2, 50, 0, 0, 0, 0, 0, 0, 14]),
        ("wasm-bindgen-macro 0.2.130", [153, 23, 56, 28, 3, 9, 12, 19, 3, 61, 64, 16, 2, 0, 12]),
        ("pulp 0.22.3", [420, 36, 216, 127, 1, 0, 0, 35, 5, 0, 0, 1324, 9, 0, 1219]),
        ("total", [665, 82, 273, 155, 4, 21, 16, 104, 10, 98, 105, 1343, 13, 71, 12456]),
    ];

    fn rows() -> Vec<Row> {
        ROWS.iter().map(|(name, cells)| Row { name: (*name).to_owned(), cells: cells.to_vec() }).collect()
    }

    fn fit(rows: &[Row], width: Option<usize>) -> Fit<'_> {
        let heads = COLUMNS.iter().map(|column| column.head).chain(["dormant"]).enumerate();
        Fit::new(&["members"], rows.iter().collect(), heads.collect(), width)
    }

    #[track_caller]
    fn check(width: Option<usize>) -> String {
        let rows = rows();
        let fit = fit(&rows, width);
        let mut out = anstream::StripStream::new(Vec::new());
        fit.part(&mut out, "members", &rows).unwrap();
        fit.footnote(&mut out).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(width.is_none_or(|width| longest <= width), "{longest} columns:\n{text}");
        text
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        insta::assert_snapshot!("table_60", check(Some(60)));
        insta::assert_snapshot!("table_80", check(Some(80)));
        insta::assert_snapshot!("table_100", check(Some(100)));
        insta::assert_snapshot!("table_120", check(Some(120)));
        insta::assert_snapshot!("table_200", check(Some(200)));
        (60..200).for_each(|width| drop(check(Some(width))));
        assert_eq!(check(None), check(Some(200)));
    }

    /// In any row and at any width, the first number is the sum of the shown kinds, if any are shown.
    #[test]
    fn kinds_sum_up() {
        let kinds: Vec<&str> = COLUMNS.iter().map(|column| column.head).skip(1).take(KINDS.len()).collect();
        assert_eq!(kinds, KINDS);
        let rows = rows();
        for width in 1..200 {
            let fit = fit(&rows, Some(width));
            let of_kinds = fit.columns.iter().filter(|column| KINDS.contains(&column.name));
            let mut cells: Vec<usize> = of_kinds.flat_map(|column| column.cells.clone()).collect();
            cells.sort();
            assert!(cells.is_empty() || cells == (1..=KINDS.len()).collect::<Vec<_>>(), "{width}: {cells:?}");
        }
    }
}
