// The report, read from the page; `cargo-isolate/src/report/html/data.rs` writes it. What the first view shows stands above
// this script. The other parts stand below, thousands of rows each: each is parsed when a view asks for it first.

const parse = (name) => JSON.parse(document.getElementById(`data-${name}`).textContent);
const lazily = (make) => {
  let made;
  return () => (made ??= make());
};

const LEVELS = ["error", "warning", "note"];
// Which builds have something: those of the library and binaries, of tests, or none.
const BUILT = ["live", "test", "dormant"];

const report = parse("report");
// With the sum of each column over the roles.
const packages = report.packages.map((row) => ({
  ...row,
  id: `${row.name}@${row.version}`,
  sums: report.columns.map((_, column) => Object.values(row.counts).reduce((sum, cells) => sum + cells[column], 0)),
}));
const packageById = new Map(packages.map((owner) => [owner.id, owner]));
const problems = report.problems.map(([owner, path, line, message]) => ({ package: owner, path, line, message }));
const foundInAll = report.totals.reduce((sum, count) => sum + count, 0);

// Rows name texts, lists of texts, codes and files by index; text 0 and list 0 are empty and stand for none.
const tables = lazily(() => parse("texts"));
const text = (index) => tables().strings[index];
const texts = (indices) => indices.map(text);
const codes = lazily(() => tables().codes.map(([name, summary]) => ({ name: text(name), summary: text(summary) })));
const files = lazily(() => tables().files.map(([path, owner, role]) => ({ path: text(path), pathText: path, package: packages[owner], role })));

// A row of numbers, whose zeros at the end are left out, read where it is looked at.
class Finding {
  constructor(row) { this.row = row; }
  get code() { return codes()[this.row[0]]; }
  get level() { return LEVELS[this.row[1]]; }
  get fileIndex() { return this.row[2] ?? 0; }
  get file() { return files()[this.fileIndex]; }
  get line() { return this.row[3] ?? 0; }
  get last() { return this.row[5] ?? 0; }
  get at() { return text(this.row[6] ?? 0); }
  get message() { return text(this.row[7] ?? 0); }
  get label() { return text(this.row[8] ?? 0); }
  get cfgs() { return texts(tables().lists[this.row[9] ?? 0]); }
  get dormant() { return text(this.row[10] ?? 0); }
  get macro() { return text(this.row[11] ?? 0); }
  get notes() { return texts(this.noteTexts); }
  get fingerprint() { return text(this.row[13] ?? 0); }
  get noteTexts() { return tables().lists[this.row[12] ?? 0]; }
  // Whether one of the texts that a search looks at is among those marked.
  isAmong(marked) {
    const { row } = this;
    return Boolean(marked[row[6] ?? 0] || marked[row[7] ?? 0] || marked[row[8] ?? 0] || marked[this.file.pathText]
      || marked[tables().codes[row[0]][0]] || this.noteTexts.some((index) => marked[index]));
  }
}
// What breaks the policy comes first.
const findings = lazily(() => parse("findings").map((row) => new Finding(row)).sort((a, b) => a.row[1] - b.row[1]));
const byPackage = lazily(() => Map.groupBy(findings(), (finding) => finding.file.package));
const findingsOf = (owner) => byPackage().get(owner) ?? [];

const symbols = lazily(() => parse("symbols").map(([name, library, declared, callers]) => {
  const of = callers.map(([owner, at, calls, mentions, dormant]) => ({ package: text(owner), at: text(at), calls, mentions, dormant }));
  return { name: text(name), library: text(library), declared: text(declared), callers: of };
}));

const functions = lazily(() => parse("functions").map(([owner, file, line, at, module, built, isUnsafe, blocks, own, calls], index) => ({
  index, line, isUnsafe, calls,
  built: BUILT[built],
  package: packages[owner],
  fileIndex: file,
  file: files()[file],
  at: text(at),
  module: text(module),
  symbols: texts(own),
  blocks: blocks.map(([start, last, argued, operations, used, of]) => ({ line: start, last, argued, operations, symbols: texts(used), built: BUILT[of] })),
})));
const functionsByPackage = lazily(() => Map.groupBy(functions(), (candidate) => candidate.package));
const functionsOf = (owner) => functionsByPackage().get(owner) ?? [];

// The source text of some lines: `{ line, text, runs }`, without those that the page does not have.
const excerpts = lazily(() => parse("excerpts"));
function sourceLines(file, first, last) {
  const found = [];
  for (const [start, lines] of excerpts()[file] ?? []) {
    lines.forEach(([content, runs], offset) => {
      const line = start + offset;
      if (line >= first && line <= last) found.push({ line, text: content, runs });
    });
  }
  return found;
}

// One of each: making them takes longer than using them.
const digits = new Intl.NumberFormat("en").format;
const collate = new Intl.Collator("en").compare;
const plural = (count, noun, many = `${noun}s`) => `${digits(count)} ${count === 1 ? noun : many}`;
