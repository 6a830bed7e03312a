// The interior-unsafe graph: which functions stand on which unsafe blocks and foreign symbols.

// Rows that are drawn open without being asked.
const FEW = 70;

function graphView(query) {
  const owners = packages.filter((owner) => functionsOf(owner).length > 0);
  if (owners.length === 0) return [element("p", {}, "No function of this report holds unsafe code or calls a foreign symbol.")];
  const size = (owner) => functionsOf(owner).filter((candidate) => candidate.built === "live").length;
  const largest = (list) => list.reduce((best, owner) => (size(owner) > size(best) ? owner : best), list[0]);
  const members = owners.filter((owner) => owner.member);
  const chosen = owners.find((owner) => owner.id === query.get("package")) ?? largest(members.length > 0 ? members : owners);
  const own = functionsOf(chosen);
  const outside = functions().filter((candidate) => candidate.package !== chosen && candidate.calls.some((index) => functions()[index].package === chosen));
  const all = [...own, ...outside];

  const canvas = element("div", { class: "canvas" });
  const detail = element("section", { class: "detail", "aria-live": "polite" });
  const state = { home: chosen, all, built: new Set(), shown: [], open: new Set(), word: "", selected: null, stop: null };
  let picture = null;
  const redraw = (focus) => {
    picture = drawGraph(canvas, detail, state, redraw, focus);
    // A jump to what a search hides ends the search.
    if (search.value.toLowerCase() !== state.word) search.value = state.word;
  };
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
    else requestAnimationFrame(canvas.clientWidth === width ? () => picture?.refresh() : () => redraw(canvas.contains(document.activeElement) ? state.stop : null));
    width = canvas.clientWidth;
  });
  resized.observe(canvas);
  return [
    element("div", { class: "toolbar" }, owners.length > 1 && select, search, boxes.length > 1 && boxes, button("Open all", modules), button("Close all", () => [])),
    legend(),
    element("div", { class: "graph" }, canvas, detail),
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

// Draws what is open, with what can be done to it. Returns the picture, if there is anything in it.
function drawGraph(canvas, detail, state, redraw, focus) {
  const shown = searched(state);
  const open = state.word && shown.length <= FEW ? new Set(shown.map((candidate) => candidate.module)) : state.open;
  const graph = layout(shown, open, state.home);
  const { nodes, edges, byId } = graph;
  if (nodes.length === 0) {
    canvas.replaceChildren(element("p", { class: "faint empty" }, state.word ? "Nothing goes by that name." : "Nothing of this kind holds unsafe code."));
    return null;
  }
  // An opened module of callers has no node of its own.
  const wanted = focus ?? state.stop;
  const refound = wanted && (byId.has(wanted) ? wanted : nodes.find((node) => wanted.endsWith(node.module ?? "\n"))?.id);
  state.stop = refound ?? nodes.find((node) => node.layer === 1)?.id ?? nodes[0].id;
  const picture = drawPicture(canvas, graph, state);
  const sides = { below: Map.groupBy(edges, (edge) => edge.from), above: Map.groupBy(edges, (edge) => edge.to) };

  const light = (id) => picture.light(id && byId.has(id) ? connected(id, sides) : null);

  function choose(id) {
    state.selected = id;
    light(id);
    detail.replaceChildren(...detailOf(byId.get(id), state, jump));
  }

  function letGo() {
    state.selected = null;
    light(null);
    detail.replaceChildren(...help(state));
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

  picture.on("click", pick);
  picture.on("mouseover", (node) => state.selected ?? light(node.id));
  picture.on("mouseout", () => state.selected ?? light(null));
  picture.on("keydown", (node, event) => {
    const to = neighbour(node, event.key, nodes, sides, byId);
    if (to) picture.focus(to);
    else if (event.key === "Enter" || event.key === " ") pick(node);
    else if (event.key === "Escape") letGo();
    else return;
    event.preventDefault();
  });
  if (state.selected && byId.has(state.selected)) choose(state.selected);
  else letGo();
  if (focus) picture.focus(state.stop);
  return picture;
}

// A node with all it stands on and all that stand on it.
function connected(id, { below, above }) {
  const walk = (next, end) => {
    const seen = new Set([id]);
    const queue = [id];
    while (queue.length > 0) {
      for (const edge of next.get(queue.pop()) ?? []) {
        if (!seen.has(edge[end])) {
          seen.add(edge[end]);
          queue.push(edge[end]);
        }
      }
    }
    return seen;
  };
  return new Set([...walk(below, "to"), ...walk(above, "from")]);
}

// Where an arrow key leads: up and down within a layer, sideways along the nearest edge.
function neighbour(node, key, nodes, { below, above }, byId) {
  const near = (list) => list.sort((a, b) => Math.abs(a.y - node.y) - Math.abs(b.y - node.y))[0]?.id;
  const layer = () => nodes.filter((other) => other.layer === node.layer);
  if (key === "ArrowDown") return near(layer().filter((other) => other.y > node.y));
  if (key === "ArrowUp") return near(layer().filter((other) => other.y < node.y));
  if (key === "ArrowRight") return near((below.get(node.id) ?? []).map((edge) => byId.get(edge.to)).filter((other) => other.layer > node.layer));
  if (key === "ArrowLeft") return near((above.get(node.id) ?? []).map((edge) => byId.get(edge.from)).filter((other) => other.layer < node.layer));
  return undefined;
}
