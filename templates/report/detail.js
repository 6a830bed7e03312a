// What the graph says beside its picture.

function help({ home, shown }) {
  const own = shown.filter((candidate) => candidate.package === home);
  const holders = own.filter(holds);
  const blocks = own.flatMap((candidate) => candidate.blocks);
  const bare = blocks.filter((block) => !block.argued).length;
  const used = new Set(own.flatMap((candidate) => [...symbolsOf(candidate)]));
  const outside = shown.length - own.length;
  const one = (count, noun) => (count === 1 ? noun : `${noun}s`);
  const unseen = home.sums[report.columns.findIndex(([head]) => head === "unseen calls")] ?? 0;
  return [
    element("dl", { class: "facts" }, ...[
      [holders.length, one(holders.length, "function") + " with unsafe code"], [own.length - holders.length, "more of the package that reach them by calls"],
      ...(packages.length > 1 ? [[outside, "of other packages that call into it"]] : []), [blocks.length, one(blocks.length, "unsafe block")],
      [bare, "of them without a comment that argues for it"], [used.size, one(used.size, "foreign symbol")], ...(unseen > 0 ? [[unseen, one(unseen, "call") + " of what a build script writes, not seen: `--expand` reads it"]] : []),
    ].map(([count, name]) => element("div", {}, element("dt", { class: "number" }, digits(count)), element("dd", {}, ...prose(name))))),
    element("p", { class: "hint" }, "Click a module to open or close it, anything else to see what it stands on and who stands on it. Arrow keys move along the graph, Enter opens, Escape lets go."),
    element("p", { class: "hint" }, "Calls of paths are followed. Methods called with a dot are not, nor are closures and function pointers."),
  ];
}

// What the boxes and lines are, drawn as in the picture.
function legend() {
  const key = (name, ...drawn) => element("span", {}, svg("svg", { width: 24, height: 14, "aria-hidden": "true" }, ...drawn), name);
  const box = (kind) => svg("g", { class: `node ${kind}` }, svg("rect", { x: 1, y: 1, width: 22, height: 12 }));
  const line = (kind) => svg("path", { class: `edge ${kind}`, d: "M1 7 H23" });
  return element("p", { class: "legend" }, key("module, function", box("function")), key("unsafe function", box("function unsafe")), key("unsafe blocks", box("block")),
    key("some without a comment", box("block bare")), key("foreign symbol", box("symbol-node")), key("calls, holds, uses", line("solid")), key("calls through others", line("through")),
    element("span", {}, element("i", {}, "slanted"), " tests or dormant code"));
}

function detailOf(node, state, jump) {
  if (node.symbol) return symbolDetail(node.symbol, state);
  const byIndex = new Map(state.shown.map((candidate) => [candidate.index, candidate]));
  // Functions as the way to them: in this graph, or in that of their package.
  const names = (title, list) => (list.length > 0 ? [element("h3", {}, title), element("ul", {}, ...list.map((one) => element("li", {}, nameOf(one))))] : []);
  const nameOf = (one) => {
    if (byIndex.has(one.index)) return element("button", { type: "button", class: "link", onclick: () => jump(one) }, code(one.at));
    return one.package === state.home ? code(one.at) : link(`#graph?package=${encodeURIComponent(one.package.id)}`, code(one.at));
  };
  if (!node.function) return [element("h2", {}, node.module), element("p", { class: "faint" }, node.label), ...names("Functions", node.list ?? [])];
  const { function: one } = node;
  const blocks = node.block ? [node.block] : one.blocks;
  const used = [...(node.block ? node.block.symbols : symbolsOf(one))];
  return [
    element("h2", {}, one.at),
    element("p", { class: "faint mono" }, `${one.file.path}:${node.block?.line ?? one.line}`),
    node.built !== "live" && element("p", { class: "faint" }, node.built === "test" ? "Only tests, benches or examples have it." : "Dormant: no chosen target compiles it."),
    one.isUnsafe && element("p", { class: "error" }, "An unsafe function: its callers owe it what its documentation says."),
    ...blocks.slice(0, 20).flatMap((block) => [
      sourceOf(one.fileIndex, block.line, block.last) ?? element("p", {}, `Unsafe block in line ${block.line}`),
      !block.argued && element("p", { class: "warning" }, "No comment argues for it."),
    ]),
    blocks.length > 20 && element("p", { class: "faint" }, `and ${blocks.length - 20} more`),
    ...(used.length > 0 ? [element("h3", {}, "Foreign symbols"), element("ul", {}, ...used.map((name) => element("li", {}, code(name))))] : []),
    ...names("Calls", one.calls.map((index) => functions()[index])),
    ...names("Called by", functions().filter((candidate) => candidate.calls.includes(one.index))),
  ].filter(Boolean);
}

function symbolDetail(name, { home }) {
  const rank = (caller) => (caller.package === home.id ? 0 : 1);
  return symbols().filter((symbol) => symbol.name === name).flatMap((symbol) => [
    element("h2", {}, symbol.name),
    element("p", { class: "faint" }, `${symbol.library ? `library ${symbol.library}, ` : ""}declared in ${symbol.declared}`),
    element("ul", {}, ...[...symbol.callers].sort((a, b) => rank(a) - rank(b)).map(callerRow)),
  ]);
}
