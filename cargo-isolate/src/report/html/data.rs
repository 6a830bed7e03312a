//! The data of the HTML page's script: the report as arrays of numbers and one table of strings, which keeps large
//! reports small.

use super::{
    super::{
        codes,
        diagnostic::{Diagnostic, Origin, Source},
        model::{Dependencies, PackageRow, Problem, Report},
        summary::{COLUMNS, DORMANT},
        words,
    },
    excerpt::{Excerpt, Wanted},
    interior::{self, Interior, interior},
    rows::*,
};
use crate::{
    graph::{Graph, Role},
    names::Names,
};
use camino::Utf8Path;
use isolate_lints::lines::Lines;
use std::{
    collections::{BTreeMap, HashMap},
    io,
};

/// Limit on source text in a page, in bytes. Findings beyond it have no excerpt.
const MOST_SOURCE: usize = 1 << 20;

/// The data of a page.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(super) fn data(names: &Names<'_>, report: &Report) -> io::Result<Data> {
    let mut builder = Builder {
        names,
        graph: names.graph,
        report,
        data: Data {
            report: front(report),
            texts: Texts { strings: vec![String::new()], lists: vec![Vec::new()], ..Texts::default() },
            ..Data::default()
        },
        texts: HashMap::from([(String::new(), 0)]),
        lists: HashMap::from([(Vec::new(), 0)]),
        packages: HashMap::new(),
        files: HashMap::new(),
        lines: HashMap::new(),
        wanted: BTreeMap::new(),
    };
    builder.fill()?;
    Ok(builder.data)
}

fn front(report: &Report) -> Front {
    Front {
        command: Some(report.command),
        policy: report.policy.as_ref().map(|policy| policy.workspace().to_string()),
        known: report.known.as_ref().map(words::known),
        complete: report.complete,
        totals: [report.totals.errors, report.totals.warnings, report.totals.notes],
        columns: COLUMNS.iter().map(|column| (column.head, column.about)).collect(),
        dormant: DORMANT.1,
        packages: report.packages.iter().map(package_data).collect(),
        generated: report.generated().map(|generated| generated.to_string()),
        problems: report.problems.iter().map(problem_row).collect(),
    }
}

struct Builder<'g, 'n> {
    names: &'g Names<'n>,
    graph: &'g Graph,
    report: &'g Report,
    data: Data,
    texts: HashMap<String, Text>,
    lists: HashMap<Vec<Text>, usize>,
    /// Index in the graph → index in the report.
    packages: HashMap<usize, usize>,
    files: HashMap<Origin, usize>,
    lines: HashMap<Origin, Lines<'g>>,
    wanted: BTreeMap<Origin, Wanted>,
}

impl Builder<'_, '_> {
    fn fill(&mut self) -> io::Result<()> {
        let ids: HashMap<String, usize> =
            self.report.packages.iter().enumerate().map(|(index, row)| (row.id(), index)).collect();
        let packages = self.graph.packages.iter().enumerate();
        self.packages = packages.filter_map(|(index, package)| Some((index, *ids.get(&package.id())?))).collect();

        let codes = codes::of(self.report.diagnostics.iter().map(|diagnostic| diagnostic.code));
        let numbers: HashMap<&str, usize> =
            codes.iter().enumerate().map(|(number, code)| (code.name, number)).collect();
        for code in &codes {
            let row = CodeRow(self.text(code.name), self.text(code.summary));
            self.data.texts.codes.push(row);
        }
        for diagnostic in &self.report.diagnostics {
            let row = self.finding(diagnostic, numbers[diagnostic.code])?;
            self.data.findings.push(row);
        }
        self.symbols();
        self.functions()?;
        self.excerpts()
    }

    fn text(&mut self, text: &str) -> Text {
        if let Some(index) = self.texts.get(text) {
            return *index;
        }
        let index = self.data.texts.strings.len();
        self.data.texts.strings.push(text.to_owned());
        self.texts.insert(text.to_owned(), index);
        index
    }

    /// `None` gives the empty text.
    fn any_text(&mut self, text: Option<&String>) -> Text {
        text.map_or(0, |text| self.text(text))
    }

    fn list(&mut self, texts: &[String]) -> usize {
        let list = self.texts(texts);
        let lists = &mut self.data.texts.lists;
        *self.lists.entry(list).or_insert_with_key(|list| {
            lists.push(list.clone());
            lists.len() - 1
        })
    }

    fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) -> Vec<Text> {
        texts.into_iter().map(|text| self.text(text)).collect()
    }

    fn file(&mut self, origin: Origin, path: &str, role: Option<Role>) -> usize {
        if let Some(index) = self.files.get(&origin) {
            return *index;
        }
        let package = match origin {
            Origin::Source(source) => self.packages.get(&source.package).map_or(-1, |index| *index as isize),
            Origin::Policy(_) => -1,
        };
        let row = FileRow(self.text(&self.shown_path(origin, path)), package, role);
        let index = self.data.texts.files.len();
        self.data.texts.files.push(row);
        self.files.insert(origin, index);
        index
    }

    /// The path to display. A dependency's path starts at its `name-version` directory, since the location of cargo's
    /// cache is of no interest.
    fn shown_path(&self, origin: Origin, path: &str) -> String {
        let Origin::Source(Source { package, .. }) = origin else { return path.to_owned() };
        let package = &self.graph.packages[package];
        match Utf8Path::new(path).strip_prefix(&package.root) {
            Ok(below) if !package.member => format!("{}-{}/{below}", package.name, package.version),
            _ => path.to_owned(),
        }
    }

    fn finding(&mut self, diagnostic: &Diagnostic, code: usize) -> io::Result<FindingRow> {
        let Diagnostic { span, .. } = diagnostic;
        let file = self.file(diagnostic.origin, diagnostic.path.as_str(), diagnostic.role);
        let mut last = span.line;
        if diagnostic.member {
            last = self.last_line(diagnostic.origin, self.end_of(diagnostic))?;
            self.wanted.entry(diagnostic.origin).or_default().add(span.line..last);
        }
        let fingerprint = diagnostic.member.then(|| diagnostic.fingerprint.to_string());
        Ok(FindingRow([
            code,
            diagnostic.level as usize,
            file,
            span.line as usize,
            span.column as usize,
            last as usize,
            self.text(&diagnostic.at),
            self.text(&diagnostic.message),
            self.any_text(diagnostic.label.as_ref()),
            self.list(&diagnostic.cfgs),
            self.any_text(diagnostic.dormant.as_ref()),
            self.any_text(diagnostic.in_macro.as_ref()),
            self.list(&diagnostic.notes),
            self.any_text(fingerprint.as_ref()),
        ]))
    }

    /// One past the last byte of what a diagnostic is about; for an unsafe block, the whole block.
    fn end_of(&self, diagnostic: &Diagnostic) -> u32 {
        let Origin::Source(Source { package, file }) = diagnostic.origin else { return diagnostic.span.end };
        let unsafes = &self.graph.packages[package].files[file].facts.unsafes;
        let index = unsafes.binary_search_by_key(&diagnostic.span.start, |fact| fact.span.start);
        index.map_or(diagnostic.span.end, |index| unsafes[index].end)
    }

    fn last_line(&mut self, origin: Origin, end: u32) -> io::Result<u32> {
        if !self.lines.contains_key(&origin) {
            self.lines.insert(origin, Lines::new(self.source(origin)?));
        }
        let end = (end as usize).saturating_sub(1);
        Ok(self.lines[&origin].span(end..end).line)
    }

    fn symbols(&mut self) {
        for symbol in &self.report.symbols {
            let callers = symbol.callers.iter();
            let callers = callers
                .map(|caller| {
                    let (package, at) = (self.text(&caller.package), self.text(&caller.at));
                    (package, at, caller.calls, caller.mentions, caller.dormant)
                })
                .collect();
            let library = self.any_text(symbol.library.as_ref());
            let row = SymbolRow(self.text(&symbol.name), library, self.text(&symbol.declared_in), callers);
            self.data.symbols.push(row);
        }
    }

    fn functions(&mut self) -> io::Result<()> {
        let full = self.report.dependencies == Dependencies::Full;
        let shown = |index: usize| {
            let package = &self.graph.packages[index];
            self.packages.contains_key(&index) && (package.member || full)
        };
        let Interior { functions } = interior(self.names, shown);
        for function in functions {
            let row = self.function(function)?;
            self.data.functions.push(row);
        }
        Ok(())
    }

    fn function(&mut self, function: interior::Function) -> io::Result<FunctionRow> {
        let of = &self.graph.packages[function.package];
        let source = &of.files[function.file];
        let origin = Origin::Source(Source { package: function.package, file: function.file });
        let file = self.file(origin, self.graph.relative(&source.path).as_str(), Some(source.role));
        let mut blocks = Vec::new();
        for block in function.blocks {
            let mut last = block.span.line;
            if of.member {
                last = self.last_line(origin, block.end)?;
                self.wanted.entry(origin).or_default().add(block.span.line..last);
            }
            let symbols = self.texts(&block.symbols);
            blocks.push(BlockRow(block.span.line, last, block.argued, block.operations, symbols, block.built as u8));
        }
        if of.member {
            self.wanted.entry(origin).or_default().add(function.line..function.line);
        }
        Ok(FunctionRow(
            self.packages[&function.package],
            file,
            function.line,
            self.text(&function.at),
            self.text(&function.module),
            function.built as u8,
            function.is_unsafe,
            blocks,
            self.texts(&function.symbols),
            function.calls.into_iter().collect(),
        ))
    }

    fn excerpts(&mut self) -> io::Result<()> {
        let mut bytes = 0;
        for (origin, wanted) in std::mem::take(&mut self.wanted) {
            let edition = match origin {
                Origin::Source(Source { package, file }) => Some(self.graph.packages[package].files[file].edition),
                Origin::Policy(_) => None,
            };
            let excerpts = wanted.cut(self.source(origin)?, edition);
            bytes += excerpts.iter().map(Excerpt::bytes).sum::<usize>();
            if bytes > MOST_SOURCE {
                break;
            }
            self.data.excerpts.insert(self.files[&origin], excerpts);
        }
        Ok(())
    }
}

impl<'g> Builder<'g, '_> {
    fn source(&self, origin: Origin) -> io::Result<&'g str> {
        match origin {
            Origin::Source(Source { package, file }) => self.graph.packages[package].files[file].text(),
            Origin::Policy(file) => Ok(self.report.policy.as_ref().map_or("", |policy| &policy.file(file).text)),
        }
    }
}

fn package_data(row: &PackageRow) -> PackageData {
    let counts = row.counts.iter();
    PackageData {
        name: row.name.clone(),
        version: row.version.clone(),
        member: row.member,
        complete: row.complete,
        files: row.files.len(),
        dormant: row.dormant_unsafes(),
        counts: counts
            .map(|(role, counts)| (*role, COLUMNS.iter().map(|column| (column.cell)(counts)).collect()))
            .collect(),
    }
}

fn problem_row(problem: &Problem) -> ProblemRow {
    let (path, line) = match &problem.from {
        Some(from) => (&from.path, from.span.line),
        None => (&problem.path, problem.span.map_or(0, |span| span.line)),
    };
    ProblemRow(problem.package.clone(), path.to_string(), line, problem.message())
}
