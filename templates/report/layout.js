// The graph's shape: four layers, callers → functions that hold unsafe code → unsafe blocks → foreign symbols.
//
// A module is one node per layer while it is closed, and its functions when it is open. Functions stand beside their blocks;
// callers and symbols stand as near as can be to the middle of what they are connected with.

const ROW = 26;
const OPERATIONS = { "deref": "raw pointer", "transmute": "transmute", "from-raw-parts": "from_raw_parts", "asm": "asm!", "static": "static" };

const moduleOf = (candidate) => candidate.at.split("::").slice(0, Math.max(1, candidate.at.split("::").length - (candidate.at.includes("::") ? 1 : 0))).join("::");
const holds = (candidate) => candidate.isUnsafe || candidate.blocks.length > 0 || candidate.symbols.length > 0;
const symbolsOf = (candidate) => new Set([...candidate.symbols, ...candidate.blocks.flatMap((block) => block.symbols)]);

// The functions that a caller reaches first which hold unsafe code: those it calls, or, through others, those these call.
function standsOn(caller) {
  const direct = caller.calls.map((index) => functions[index]).filter(holds);
  if (direct.length > 0) return { holders: direct, through: false };
  const seen = new Set([caller.index]);
  const found = new Set();
  const queue = [...caller.calls];
  while (queue.length > 0) {
    const next = functions[queue.pop()];
    if (seen.has(next.index)) continue;
    seen.add(next.index);
    if (holds(next)) found.add(next);
    else queue.push(...next.calls);
  }
  return { holders: [...found], through: true };
}

// Nodes `{ id, layer, y, kind, label, count, module, function, block, symbol }` and edges `{ from, to, weight, through }`.
function layout(chosen, open) {
  const nodes = new Map();
  const edges = new Map();
  const node = (id, layer, properties) => {
    if (!nodes.has(id)) nodes.set(id, { id, layer, y: null, ...properties });
    return nodes.get(id);
  };
  const edge = (from, to, through = false) => {
    const key = `${from}\n${to}`;
    const known = edges.get(key);
    if (known) {
      known.weight += 1;
      known.through &&= through;
    } else edges.set(key, { from, to, weight: 1, through });
  };

  const holders = chosen.filter(holds);
  const byModule = Map.groupBy(holders, moduleOf);
  let y = 0;
  for (const [module, list] of [...byModule].sort((a, b) => a[0].localeCompare(b[0]))) {
    if (open.has(module)) y = openModule(module, list, y, node, edge);
    else y = closedModule(module, list, y, node, edge);
  }

  const holderNode = (holder) => (open.has(moduleOf(holder)) ? `f${holder.index}` : `m1${moduleOf(holder)}`);
  for (const caller of chosen.filter((candidate) => !holds(candidate))) {
    const module = moduleOf(caller);
    const id = open.has(module) ? `f${caller.index}` : `m0${module}`;
    const { holders: below, through } = standsOn(caller);
    const drawn = below.filter((holder) => nodes.has(holderNode(holder)));
    if (drawn.length === 0) continue;
    const made = open.has(module)
      ? node(id, 0, { kind: "function", label: caller.at.slice(module.length + 2), function: caller, module })
      : node(id, 0, { kind: "module", label: module, count: 0, module });
    if (made.kind === "module") made.count += 1;
    for (const holder of drawn) edge(id, holderNode(holder), through);
  }
  // A holder may call another one.
  for (const holder of holders) {
    for (const below of holder.calls.map((index) => functions[index]).filter(holds)) {
      const [from, to] = [holderNode(holder), holderNode(below)];
      if (from !== to && nodes.has(to)) edge(from, to);
    }
  }

  const all = [...nodes.values()];
  settle(all, 3, [...edges.values()], nodes, "to", "from");
  settle(all, 0, [...edges.values()], nodes, "from", "to");
  return { nodes: all, edges: [...edges.values()], byId: nodes, height: Math.max(...all.map((one) => one.y), 0) + ROW + 12 };
}

function closedModule(module, list, y, node, edge) {
  const blocks = list.flatMap((holder) => holder.blocks);
  const bare = blocks.filter((block) => !block.argued).length;
  node(`m1${module}`, 1, { kind: "module", label: module, count: list.length, module, y });
  if (blocks.length > 0) {
    node(`b${module}`, 2, { kind: bare > 0 ? "block bare" : "block", label: plural(blocks.length, "block"), module, y, blocks });
    edge(`m1${module}`, `b${module}`);
  }
  for (const holder of list) {
    for (const symbol of holder.symbols) connect(`m1${module}`, symbol, node, edge);
    for (const symbol of holder.blocks.flatMap((block) => block.symbols)) connect(`b${module}`, symbol, node, edge);
  }
  return y + ROW;
}

function openModule(module, list, y, node, edge) {
  node(`m1${module}`, 1, { kind: "module", label: module, count: list.length, module, y, open: true });
  y += ROW;
  for (const holder of [...list].sort((a, b) => a.fileIndex - b.fileIndex || a.line - b.line)) {
    const label = holder.at === module ? "outside of functions" : holder.at.slice(module.length + 2);
    node(`f${holder.index}`, 1, { kind: holder.isUnsafe ? "function unsafe" : "function", label, function: holder, module, y });
    for (const symbol of holder.symbols) connect(`f${holder.index}`, symbol, node, edge);
    holder.blocks.forEach((block, number) => {
      const id = `b${holder.index}.${number}`;
      const does = block.operations.map((operation) => OPERATIONS[operation] ?? operation).join(", ");
      const kind = block.argued ? "block" : "block bare";
      node(id, 2, { kind, label: `line ${block.line}${does && ` · ${does}`}`, block, function: holder, module, y: y + number * ROW });
      edge(`f${holder.index}`, id);
      for (const symbol of block.symbols) connect(id, symbol, node, edge);
    });
    y += Math.max(1, holder.blocks.length) * ROW;
  }
  return y + ROW / 2;
}

function connect(from, symbol, node, edge) {
  node(`s${symbol}`, 3, { kind: "symbol-node", label: symbol, symbol });
  edge(from, `s${symbol}`);
}

// Rows of a layer: in the order of the middles of their neighbours, as near to those as there is room.
function settle(all, layer, edges, byId, own, other) {
  const sums = new Map();
  for (const edge of edges.filter((one) => byId.get(one[own]).layer === layer && byId.get(one[other]).y !== null)) {
    const [sum, count] = sums.get(edge[own]) ?? [0, 0];
    sums.set(edge[own], [sum + byId.get(edge[other]).y, count + 1]);
  }
  const wish = (one) => (sums.has(one.id) ? sums.get(one.id)[0] / sums.get(one.id)[1] : 0);
  const list = all.filter((one) => one.layer === layer).sort((a, b) => wish(a) - wish(b) || a.label.localeCompare(b.label));
  // The lowest row that still leaves room for all below keeps a crowded layer from running off the end.
  const end = Math.max(...all.filter((one) => one.y !== null).map((one) => one.y), 0);
  let free = 0;
  list.forEach((one, index) => {
    const last = Math.max(free, end - (list.length - 1 - index) * ROW);
    one.y = Math.min(Math.max(free, Math.round(wish(one))), last);
    free = one.y + ROW;
  });
}
