// The interior-unsafe graph: which functions stand on which unsafe blocks and foreign symbols.

const LAYERS = ["callers", "functions with unsafe code", "unsafe blocks", "foreign symbols"];
const LETTER = 6.95;
// Rows that are drawn open without being asked.
const FEW = 70;
// Calls within a layer that are drawn without being asked.
const FEW_WITHIN = 24;

function graphView(query) {
  const owners = packages.filter((owner) => functions.some((candidate) => candidate.package === owner));
  if (owners.length === 0) return [element("p", {}, "No function of this report holds unsafe code or calls a foreign symbol.")];
  const size = (owner) => functions.filter((candidate) => candidate.package === owner && candidate.built === "live").length;
  const largest = (list) => list.reduce((best, owner) => (size(owner) > size(best) ? owner : best), list[0]);
  const members = owners.filter((owner) => owner.member);
  const chosen = owners.find((owner) => owner.id === query.get("package")) ?? largest(members.length > 0 ? members : owners);
  const own = functions.filter((candidate) => candidate.package === chosen);
  const outside = functions.filter((candidate) => candidate.package !== chosen && candidate.calls.some((index) => functions[index].package === chosen));
  const all = [...own, ...outside];

  const canvas = element("div", { class: "canvas" });
  const detail = element("section", { class: "detail", "aria-live": "polite" });
  const state = { home: chosen, all, built: new Set(), shown: [], open: new Set(), word: "", selected: null };
  const redraw = (focus) => drawGraph(canvas, detail, state, redraw, focus);
  // Of what builds have, as boxes ask for; each function with the blocks that those have.
  const choose = () => {
    state.shown = all.filter((candidate) => state.built.has(candidate.built))
      .map((candidate) => ({ ...candidate, blocks: candidate.blocks.filter((block) => state.built.has(block.built)) }));
    state.selected = null;
    detail.replaceChildren(...help(state));
  };
  const modules = () => [...new Set(state.shown.map((candidate) => candidate.module))];
  const select = element("select", { "aria-label": "Package", onchange: () => { location.hash = `#graph?package=${encodeURIComponent(select.value)}`; } },
    ...owners.map((owner) => element("option", { value: owner.id, selected: owner === chosen }, owner.id)));
  const search = element("input", {
    type: "search", class: "grow", placeholder: "Function or symbol", "aria-label": "Search the graph",
    oninput: () => { state.word = search.value.toLowerCase(); redraw(); },
  });
  // Where nothing is live, what there is.
  const live = own.some((candidate) => candidate.built === "live" && holds(candidate));
  const boxes = [["live", "live"], ["test", "tests"], ["dormant", "dormant"]].filter(([built]) => own.some((candidate) => candidate.built === built)).map(([built, name]) => {
    const box = element("input", { type: "checkbox", checked: built === "live" || !live, onchange: () => { state.built[box.checked ? "add" : "delete"](built); choose(); redraw(); } });
    if (box.checked) state.built.add(built);
    return element("label", { class: "check" }, box, name);
  });
  choose();
  const rows = state.shown.reduce((sum, candidate) => sum + Math.max(1, candidate.blocks.length), 0);
  if (rows <= FEW) state.open = new Set(modules());
  const button = (label, to) => element("button", { type: "button", class: "quiet", onclick: () => { state.open = new Set(to()); redraw(); } }, label);
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
    element("div", { class: "toolbar" }, owners.length > 1 && select, search, boxes.length > 1 && boxes, button("Open all", modules), button("Close all", () => [])),
    element("div", { class: "graph" }, canvas, detail),
  ];
}

function help({ home, shown }) {
  const own = shown.filter((candidate) => candidate.package === home);
  const holders = own.filter(holds);
  const blocks = own.flatMap((candidate) => candidate.blocks);
  const bare = blocks.filter((block) => !block.argued).length;
  const used = new Set(own.flatMap((candidate) => [...symbolsOf(candidate)]));
  const outside = shown.length - own.length;
  return [
    element("dl", { class: "facts" }, ...[
      [holders.length, "functions with unsafe code"], [own.length - holders.length, "more of the package that reach them by calls"],
      ...(packages.length > 1 ? [[outside, "of other packages that call into it"]] : []), [blocks.length, "unsafe blocks"],
      [bare, "of them without a comment that argues for it"], [used.size, "foreign symbols"],
    ].map(([count, name]) => element("div", {}, element("dt", { class: "number" }, count.toLocaleString("en")), element("dd", {}, name)))),
    element("p", { class: "legend" }, "Click a module to open or close it, anything else to see what it stands on and who stands on it. Arrow keys move along the graph, Enter opens, Escape lets go."),
    element("p", { class: "legend" }, element("span", {}, element("span", { class: "error" }, "▭"), " unsafe function"), element("span", {}, element("span", { class: "warning" }, "▭"), " block without a comment"),
      element("span", {}, "┄ through other functions"), element("span", {}, element("i", {}, "slanted"), " test or dormant code")),
    element("p", { class: "legend" }, "Calls of paths are followed. Methods called with a dot are not, nor are closures and function pointers."),
  ];
}

// Functions that a search finds, with those above and below them.
function searched({ shown, word }) {
  if (!word) return shown;
  const found = shown.filter((candidate) => candidate.at.toLowerCase().includes(word) || [...symbolsOf(candidate)].some((symbol) => symbol.toLowerCase().includes(word)));
  const holders = new Set(shown.filter(holds).map((holder) => holder.index));
  const hit = new Set(found.map((candidate) => candidate.index));
  const kept = new Set(found.flatMap((candidate) => [candidate.index, ...standsOn(candidate, (index) => holders.has(index)).below]));
  return shown.filter((candidate) => kept.has(candidate.index) || candidate.calls.some((index) => hit.has(index)));
}

function drawGraph(canvas, detail, state, redraw, focus) {
  const shown = searched(state);
  const open = state.word && shown.length <= FEW ? new Set(shown.map((candidate) => candidate.module)) : state.open;
  const { nodes, edges, byId, height } = layout(shown, open, state.home);
  if (nodes.length === 0) {
    canvas.replaceChildren(element("p", { class: "faint empty" }, state.word ? "Nothing goes by that name." : "Nothing of this kind holds unsafe code."));
    return;
  }
  const { columns, width } = columnsOf(nodes, canvas.clientWidth - 2);
  const at = (node) => ({ x: columns[node.layer].x, y: node.y + 6, w: columns[node.layer].width });
  const lines = edges.map((edge) => ({ edge, line: drawEdge(at(byId.get(edge.from)), at(byId.get(edge.to)), edge) }));
  const boxes = new Map(nodes.map((node) => [node.id, drawNode(node, at(node))]));
  // Many on one line are a bar that says nothing: they wait until something is pointed at.
  const crowded = lines.filter(({ line }) => line.classList.contains("within")).length > FEW_WITHIN;
  const picture = svg("svg", { width, height, role: "group", class: crowded && "crowded", "aria-label": "Interior-unsafe graph" }, ...lines.map(({ line }) => line), ...boxes.values());
  const heads = element("div", { class: "head", style: `width:${width}px` }, ...LAYERS.map((name, layer) => columns[layer].width > 0 && element("span", { style: `left:${columns[layer].x}px` }, name)));
  canvas.replaceChildren(heads, picture);

  function light(id) {
    const on = id && byId.has(id) ? connected(id, edges) : null;
    picture.classList.toggle("lit", on !== null);
    for (const [node, box] of boxes) box.classList.toggle("on", on?.has(node) ?? false);
    for (const { edge, line } of lines) line.classList.toggle("on", (on?.has(edge.from) && on.has(edge.to)) ?? false);
  }

  function choose(id) {
    state.selected = id;
    light(id);
    detail.replaceChildren(...detailOf(byId.get(id), state, jump));
  }

  // To a function that the detail names, wherever it is.
  function jump(one) {
    state.open = new Set([...open, one.module]);
    state.word = "";
    state.selected = `f${one.index}`;
    redraw(state.selected);
  }

  function pick(node) {
    if (node.kind !== "module") return choose(node.id);
    const next = new Set(open);
    if (!next.delete(node.module)) next.add(node.module);
    state.open = next;
    state.selected = null;
    return redraw(node.id);
  }

  // An opened module of callers has no node of its own.
  const refound = focus && (boxes.has(focus) ? focus : nodes.find((node) => focus.endsWith(node.module ?? "\n"))?.id);
  const first = refound ?? nodes.find((node) => node.layer === 1)?.id ?? nodes[0].id;
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
        detail.replaceChildren(...help(state));
      } else return;
      event.preventDefault();
    });
  }
  if (state.selected && byId.has(state.selected)) choose(state.selected);
  else {
    state.selected = null;
    detail.replaceChildren(...help(state));
  }
  if (focus) {
    boxes.get(first).focus({ preventScroll: true });
    boxes.get(first).scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function drawNode(node, { x, y, w }) {
  const count = node.count === undefined ? "" : String(node.count);
  const room = Math.floor((w - 16) / LETTER) - (count && count.length + 1);
  const mark = node.kind === "module" ? (node.open ? "▾ " : "▸ ") : "";
  const full = mark + node.label;
  // The end of a path says more than its beginning.
  const label = full.length <= room ? full : mark + (node.kind === "module" ? `…${node.label.slice(-(room - mark.length - 1))}` : `${node.label.slice(0, room - 1)}…`);
  const name = { 0: "caller", 1: "function", 2: "unsafe", 3: "symbol" }[node.layer];
  const built = node.built === "live" ? "" : `, ${node.built}`;
  const spoken = (node.kind === "module" ? `module ${node.label}, ${plural(node.count, name)}` : `${name} ${node.label}`) + built;
  return svg("g", {
    class: `node ${node.kind} ${node.built}`, tabindex: "-1", role: "button", transform: `translate(${x} ${y})`, "aria-label": spoken,
    "aria-expanded": node.kind === "module" ? String(Boolean(node.open)) : null,
  }, svg("title", {}, (node.function ? node.function.at : node.label) + built), svg("rect", { width: w, height: ROW - 6 }), svg("text", { x: 8, y: 14 }, label),
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
    ...names("Calls", one.calls.map((index) => functions[index])),
    ...names("Called by", functions.filter((candidate) => candidate.calls.includes(one.index))),
  ].filter(Boolean);
}

function symbolDetail(name, { home }) {
  const rank = (caller) => (caller.package === home.id ? 0 : 1);
  return symbols.filter((symbol) => symbol.name === name).flatMap((symbol) => [
    element("h2", {}, symbol.name),
    element("p", { class: "faint" }, `${symbol.library ? `library ${symbol.library}, ` : ""}declared in ${symbol.declared}`),
    element("ul", {}, ...[...symbol.callers].sort((a, b) => rank(a) - rank(b)).map(callerRow)),
  ]);
}
