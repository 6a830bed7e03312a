// The report, read from the page. Rows of numbers become objects; `cargo-isolate/src/report/html/data.rs` writes them.

const LEVELS = ["error", "warning", "note"];
const raw = JSON.parse(document.getElementById("data").textContent);
const text = (index) => (index === null ? null : raw.strings[index]);
const texts = (indices) => indices.map(text);

const codes = raw.codes.map(([name, summary]) => ({ name: text(name), summary: text(summary) }));

const packages = raw.packages.map((row) => ({ ...row, id: `${row.name}@${row.version}`, findings: [] }));

const files = raw.files.map(([path, owner, role]) => ({ path: text(path), package: packages[owner], role }));

const findings = raw.findings.map((row, index) => {
  const [code, level, file, line, column, last, at, message, label, cfgs, macro, notes, fingerprint, dormant] = row;
  const finding = {
    index, level, line, column, last, fingerprint,
    code: codes[code].name,
    file: files[file],
    fileIndex: file,
    at: text(at),
    message: text(message),
    label: text(label),
    cfgs: texts(cfgs),
    macro: text(macro),
    notes: texts(notes),
    dormant: text(dormant),
  };
  finding.file.package?.findings.push(finding);
  return finding;
});

const symbols = raw.symbols.map(([name, library, declared, callers]) => {
  const of = callers.map(([owner, at, calls, mentions, dormant]) => ({ package: text(owner), at: text(at), calls, mentions, dormant }));
  return { name: text(name), library: text(library), declared: text(declared), callers: of };
});

// Which builds have something: those of the library and binaries, of tests, or none.
const BUILT = ["live", "test", "dormant"];
const functions = raw.functions.map(([owner, file, line, at, module, built, isUnsafe, blocks, own, calls], index) => ({
  index, line, isUnsafe, calls,
  built: BUILT[built],
  package: packages[owner],
  fileIndex: file,
  file: files[file],
  at: text(at),
  module: text(module),
  symbols: texts(own),
  blocks: blocks.map(([start, last, argued, operations, used, of]) => ({ line: start, last, argued, operations, symbols: texts(used), built: BUILT[of] })),
}));

const problems = raw.problems.map(([owner, path, line, message, incomplete]) => ({
  package: text(owner), path: text(path), line, message: text(message), incomplete,
}));

// The source text of some lines: `{ line, text, runs }`, without those that the page does not have.
function sourceLines(file, first, last) {
  const found = [];
  for (const [start, lines] of raw.excerpts[file] ?? []) {
    lines.forEach(([content, runs], offset) => {
      const line = start + offset;
      if (line >= first && line <= last) found.push({ line, text: content, runs });
    });
  }
  return found;
}

const plural = (count, noun, many = `${noun}s`) => `${count.toLocaleString("en")} ${count === 1 ? noun : many}`;
