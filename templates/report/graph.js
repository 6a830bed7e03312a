// The interior-unsafe graph: which functions stand on which unsafe blocks and foreign symbols.

const LAYERS = ["callers", "functions with unsafe code", "unsafe blocks", "foreign symbols"];
// Where layers begin and how wide they are, as parts of the width.
const COLUMNS = [[0.01, 0.2], [0.245, 0.245], [0.525, 0.255], [0.82, 0.17]];
const LETTER = 6.95;
// Rows that are drawn open without being asked.
const FEW = 70;

function graphView(query) {
  const owners = packages.filter((owner) => functions.some((candidate) => candidate.package === owner));
  if (owners.length === 0) return [element("p", {}, "No function of this report holds unsafe code or calls a foreign symbol.")];
  const chosen = owners.find((owner) => owner.id === query.get("package")) ?? owners[0];
  const own = functions.filter((candidate) => candidate.package === chosen);
  const modules = [...new Set(own.map(moduleOf))];
  const rows = own.reduce((sum, candidate) => sum + Math.max(1, candidate.blocks.length), 0);
  const state = { own, open: new Set(rows <= FEW ? modules : []), word: "", selected: null };

  const canvas = element("div", { class: "canvas" });
  const detail = element("section", { class: "detail", "aria-live": "polite" });
  const redraw = (focus) => drawGraph(canvas, detail, state, redraw, focus);
  const select = element("select", { "aria-label": "Package", onchange: () => { location.hash = `#graph?package=${encodeURIComponent(select.value)}`; } },
    ...owners.map((owner) => element("option", { value: owner.id, selected: owner === chosen }, owner.id)));
  const search = element("input", {
    type: "search", class: "grow", placeholder: "Function or symbol", "aria-label": "Search the graph",
    oninput: () => { state.word = search.value.toLowerCase(); redraw(); },
  });
  const all = (label, to) => element("button", { type: "button", class: "quiet", onclick: () => { state.open = new Set(to); redraw(); } }, label);
  detail.append(...help(own));
  let width = 0;
  // When this view is in the page, and has a width.
  queueMicrotask(() => {
    width = canvas.clientWidth;
    redraw();
  });
  const resized = new ResizeObserver(() => {
    if (!canvas.isConnected) resized.disconnect();
    // In the next frame: drawing changes the height, which is observed too.
    else if (canvas.clientWidth !== width) requestAnimationFrame(() => redraw());
    width = canvas.clientWidth;
  });
  resized.observe(canvas);
  return [
    element("div", { class: "toolbar" }, owners.length > 1 && select, search, all("Open all", modules), all("Close all", [])),
    element("div", { class: "graph" }, canvas, detail),
  ];
}

function help(own) {
  const holders = own.filter(holds);
  const blocks = own.flatMap((candidate) => candidate.blocks);
  const bare = blocks.filter((block) => !block.argued).length;
  const used = new Set(own.flatMap((candidate) => [...symbolsOf(candidate)]));
  return [
    element("dl", { class: "facts" }, ...[
      [holders.length, "functions with unsafe code"], [own.length - holders.length, "more of this package that reach them by calls"], [blocks.length, "unsafe blocks, dormant ones too"],
      [bare, "of them without a comment that argues for it"], [used.size, "foreign symbols"],
    ].map(([count, name]) => element("div", {}, element("dt", { class: "number" }, count.toLocaleString("en")), element("dd", {}, name)))),
    element("p", { class: "legend" }, "Click a module to open or close it, anything else to see what it stands on and who stands on it. Arrow keys move along the graph, Enter opens, Escape lets go."),
    element("p", { class: "legend" }, element("span", {}, element("span", { class: "error" }, "▭"), " unsafe function"), element("span", {}, element("span", { class: "warning" }, "▭"), " block without a comment"),
      element("span", {}, "┄ through other functions")),
    element("p", { class: "legend" }, "Calls of paths are followed. Methods called with a dot are not, nor are closures and function pointers."),
  ];
}

// Functions that a search finds, with those above and below them.
function searched({ own, word }) {
  if (!word) return own;
  const found = own.filter((candidate) => candidate.at.toLowerCase().includes(word) || [...symbolsOf(candidate)].some((symbol) => symbol.toLowerCase().includes(word)));
  const kept = new Set(found.flatMap((candidate) => [candidate, ...standsOn(candidate).holders]));
  for (const candidate of own) if (candidate.calls.some((index) => kept.has(functions[index]) && found.includes(functions[index]))) kept.add(candidate);
  return own.filter((candidate) => kept.has(candidate));
}

function drawGraph(canvas, detail, state, redraw, focus) {
  const shown = searched(state);
  const open = state.word && shown.length <= FEW ? new Set(shown.map(moduleOf)) : state.open;
  const { nodes, edges, byId, height } = layout(shown, open);
  const width = Math.max(760, canvas.clientWidth - 2);
  const at = (node) => ({ x: COLUMNS[node.layer][0] * width, y: node.y + 6, w: COLUMNS[node.layer][1] * width });
  const lines = edges.map((edge) => ({ edge, line: drawEdge(at(byId.get(edge.from)), at(byId.get(edge.to)), edge) }));
  const boxes = new Map(nodes.map((node) => [node.id, drawNode(node, at(node))]));
  const picture = svg("svg", { width, height, role: "group", "aria-label": "Interior-unsafe graph" }, ...lines.map(({ line }) => line), ...boxes.values());
  const heads = element("div", { class: "head", style: `width:${width}px` }, ...LAYERS.map((name, layer) => element("span", { style: `left:${COLUMNS[layer][0] * width}px` }, name)));
  canvas.replaceChildren(heads, picture);

  function light(id) {
    const on = id && byId.has(id) ? connected(id, edges) : null;
    picture.classList.toggle("lit", on !== null);
    for (const [node, box] of boxes) box.classList.toggle("on", on?.has(node) ?? false);
    for (const { edge, line } of lines) line.classList.toggle("on", (on?.has(edge.from) && on.has(edge.to)) ?? false);
  }

  function pick(node) {
    if (node.kind === "module") {
      const next = new Set(open);
      if (!next.delete(node.module)) next.add(node.module);
      state.open = next;
      state.selected = null;
      redraw(node.id);
      return;
    }
    state.selected = node.id;
    light(node.id);
    detail.replaceChildren(...detailOf(node));
  }

  const first = focus && boxes.has(focus) ? focus : nodes.find((node) => node.layer === 1)?.id;
  boxes.get(first)?.setAttribute("tabindex", "0");
  for (const node of nodes) {
    const box = boxes.get(node.id);
    box.addEventListener("click", () => pick(node));
    box.addEventListener("mouseenter", () => state.selected ?? light(node.id));
    box.addEventListener("mouseleave", () => light(state.selected));
    box.addEventListener("keydown", (event) => {
      const to = neighbour(node, event.key, nodes, edges, byId);
      if (to) {
        box.setAttribute("tabindex", "-1");
        boxes.get(to).setAttribute("tabindex", "0");
        boxes.get(to).focus();
      } else if (event.key === "Enter" || event.key === " ") pick(node);
      else if (event.key === "Escape") {
        state.selected = null;
        light(null);
        detail.replaceChildren(...help(state.own));
      } else return;
      event.preventDefault();
    });
  }
  light(state.selected);
  if (focus) boxes.get(first)?.focus();
}

function drawNode(node, { x, y, w }) {
  const count = node.count === undefined ? "" : String(node.count);
  const room = Math.floor((w - 16) / LETTER) - (count && count.length + 1);
  const mark = node.kind === "module" ? (node.open ? "▾ " : "▸ ") : "";
  const full = mark + node.label;
  // The end of a path says more than its beginning.
  const label = full.length <= room ? full : mark + (node.kind === "module" ? `…${node.label.slice(-(room - mark.length - 1))}` : `${node.label.slice(0, room - 1)}…`);
  const name = { 0: "caller", 1: "function", 2: "unsafe", 3: "symbol" }[node.layer];
  const spoken = node.kind === "module" ? `module ${node.label}, ${plural(node.count, name)}` : `${name} ${node.label}`;
  return svg("g", {
    class: `node ${node.kind}`, tabindex: "-1", role: "button", transform: `translate(${x} ${y})`, "aria-label": spoken,
    "aria-expanded": node.kind === "module" ? String(Boolean(node.open)) : null,
  }, svg("title", {}, node.function ? node.function.at : node.label), svg("rect", { width: w, height: ROW - 6 }), svg("text", { x: 8, y: 14 }, label),
  count && svg("text", { x: w - 8, y: 14, class: "count" }, count));
}

function drawEdge(from, to, { weight, through }) {
  const [x1, y1, y2] = [from.x + from.w, from.y + 10, to.y + 10];
  // Within a layer the line leaves and comes back on the left.
  const path = to.x === from.x
    ? `M${from.x} ${y1} C${from.x - 22} ${y1} ${from.x - 22} ${y2} ${to.x} ${y2}`
    : `M${x1} ${y1} C${(x1 + to.x) / 2} ${y1} ${(x1 + to.x) / 2} ${y2} ${to.x} ${y2}`;
  const kind = `edge${through ? " through" : ""}${to.x === from.x ? " within" : ""}`;
  return svg("path", { class: kind, d: path, "stroke-width": Math.min(2.5, 1 + Math.log2(weight) / 4) });
}

// A node with all it stands on and all that stand on it.
function connected(id, edges) {
  const walk = (from, to) => {
    const seen = new Set([id]);
    const queue = [id];
    const next = Map.groupBy(edges, (edge) => edge[from]);
    while (queue.length > 0) {
      for (const edge of next.get(queue.pop()) ?? []) {
        if (!seen.has(edge[to])) {
          seen.add(edge[to]);
          queue.push(edge[to]);
        }
      }
    }
    return seen;
  };
  return new Set([...walk("from", "to"), ...walk("to", "from")]);
}

// Where an arrow key leads: up and down within a layer, sideways along the nearest edge.
function neighbour(node, key, nodes, edges, byId) {
  const near = (list) => list.sort((a, b) => Math.abs(a.y - node.y) - Math.abs(b.y - node.y))[0]?.id;
  const layer = nodes.filter((other) => other.layer === node.layer);
  if (key === "ArrowDown") return near(layer.filter((other) => other.y > node.y));
  if (key === "ArrowUp") return near(layer.filter((other) => other.y < node.y));
  if (key === "ArrowRight") return near(edges.filter((edge) => edge.from === node.id).map((edge) => byId.get(edge.to)).filter((other) => other.layer > node.layer));
  if (key === "ArrowLeft") return near(edges.filter((edge) => edge.to === node.id).map((edge) => byId.get(edge.from)).filter((other) => other.layer < node.layer));
  return undefined;
}

function detailOf(node) {
  if (node.symbol) return symbolDetail(node.symbol);
  if (!node.function) return [element("h2", {}, node.module), element("p", {}, `${node.label} in ${node.module}. Open the module to see them.`)];
  const { function: one } = node;
  const blocks = node.block ? [node.block] : one.blocks;
  const above = functions.filter((candidate) => candidate.calls.includes(one.index));
  const below = one.calls.map((index) => functions[index]);
  const used = [...(node.block ? node.block.symbols : symbolsOf(one))];
  const names = (title, list) => (list.length > 0 ? [element("h3", {}, title), element("ul", {}, ...list.map((item) => element("li", {}, code(item))))] : []);
  return [
    element("h2", {}, one.at),
    element("p", { class: "faint mono" }, `${one.file.path}:${node.block?.line ?? one.line}`),
    one.isUnsafe && element("p", { class: "error" }, "An unsafe function: its callers owe it what its documentation says."),
    ...blocks.slice(0, 20).flatMap((block) => [
      sourceOf(one.fileIndex, block.line, block.last) ?? element("p", {}, `Unsafe block in line ${block.line}`),
      !block.argued && element("p", { class: "warning" }, "No comment argues for it."),
    ]),
    blocks.length > 20 && element("p", { class: "faint" }, `and ${blocks.length - 20} more`),
    ...names("Foreign symbols", used),
    ...names("Calls", below.map((candidate) => candidate.at)),
    ...names("Called by", above.map((candidate) => candidate.at)),
  ].filter(Boolean);
}

function symbolDetail(name) {
  return symbols.filter((symbol) => symbol.name === name).flatMap((symbol) => [
    element("h2", {}, symbol.name),
    element("p", { class: "faint" }, `${symbol.library ? `library ${symbol.library}, ` : ""}declared in ${symbol.declared}`),
    element("ul", {}, ...symbol.callers.map(callerRow)),
  ]);
}
