// The graph's shape: four layers, callers → functions that hold unsafe code → unsafe blocks → foreign symbols.
//
// A module is one node per layer while it is closed, and its functions when it is open. Functions stand beside their blocks;
// callers and symbols stand as near as can be to the middle of what they are connected with.

const ROW = 26;
const OPERATIONS = {
  "deref": "raw pointer", "transmute": "transmute", "from-raw-parts": "from_raw_parts", "asm": "asm!", "static": "static mut",
  "foreign-call": "foreign call", "unsafe-call": "unsafe call", "foreign-static": "foreign static", "union": "union field",
};

const holds = (candidate) => candidate.isUnsafe || candidate.blocks.length > 0 || candidate.symbols.length > 0;
const symbolsOf = (candidate) => new Set([...candidate.symbols, ...candidate.blocks.flatMap((block) => block.symbols)]);

// The functions with unsafe code that a caller reaches first: those it calls, or, through others, those these call. Indices.
function standsOn(caller, isHolder) {
  const direct = caller.calls.filter(isHolder);
  if (direct.length > 0) return { below: direct, through: false };
  const seen = new Set([caller.index]);
  const found = new Set();
  const queue = [...caller.calls];
  while (queue.length > 0) {
    const next = queue.pop();
    if (seen.has(next)) continue;
    seen.add(next);
    if (isHolder(next)) found.add(next);
    else queue.push(...functions()[next].calls);
  }
  return { below: [...found], through: true };
}

// Nodes `{ id, layer, y, kind, label, count, module, function, block, symbol, built }` and edges `{ from, to, weight, through }`
// of the functions `chosen`. Those of other packages than `home` are callers, whatever they hold.
function layout(chosen, open, home) {
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

  const holders = chosen.filter((candidate) => candidate.package === home && holds(candidate));
  // Where all are in one crate, its name says nothing.
  const crates = new Set(holders.map((holder) => `${holder.module.split("::")[0]}::`));
  const nameOf = (module) => (crates.size === 1 && module.startsWith([...crates][0]) ? module.slice([...crates][0].length) : module);
  const byIndex = new Map(holders.map((holder) => [holder.index, holder]));
  const byModule = Map.groupBy(holders, (holder) => holder.module);
  let y = 0;
  for (const [module, list] of [...byModule].sort((a, b) => collate(a[0], b[0]))) {
    if (open.has(module)) y = openModule(module, nameOf(module), list, y, node, edge);
    else y = closedModule(module, nameOf(module), list, y, node, edge);
  }

  const holderNode = (holder) => (open.has(holder.module) ? `f${holder.index}` : `m1${holder.module}`);
  for (const caller of chosen.filter((candidate) => !byIndex.has(candidate.index))) {
    const { module } = caller;
    const { below, through } = standsOn(caller, (index) => byIndex.has(index));
    if (below.length === 0) continue;
    const made = open.has(module)
      ? node(`f${caller.index}`, 0, { kind: "function", label: nameIn(caller, module), function: caller, module, built: caller.built })
      : node(`m0${module}`, 0, { kind: "module", label: nameOf(module), count: 0, module, built: caller.built });
    if (made.kind === "module") {
      made.count += 1;
      made.built = most(made.built, caller.built);
    }
    for (const index of below) edge(made.id, holderNode(byIndex.get(index)), through);
  }
  // A holder may call another one.
  for (const holder of holders) {
    for (const below of holder.calls.filter((index) => byIndex.has(index))) {
      const [from, to] = [holderNode(holder), holderNode(byIndex.get(below))];
      if (from !== to) edge(from, to);
    }
  }

  const all = [...nodes.values()];
  // Boxes are as wide as what is drawn.
  for (const one of all) one.label = visible(one.label);
  settle(all, 3, [...edges.values()], nodes, "to", "from");
  settle(all, 0, [...edges.values()], nodes, "from", "to");
  return { nodes: all, edges: [...edges.values()], byId: nodes, height: Math.max(...all.map((one) => one.y), 0) + ROW + 12 };
}

const nameIn = (candidate, module) => (candidate.at === module ? "outside of functions" : candidate.at.slice(module.length + 2));
// Which builds have several things: those that have any.
const most = (...built) => BUILT.find((one) => built.includes(one));

function closedModule(module, label, list, y, node, edge) {
  const blocks = list.flatMap((holder) => holder.blocks);
  const bare = blocks.filter((block) => !block.argued).length;
  node(`m1${module}`, 1, { kind: "module", label, count: list.length, module, y, built: most(...list.map((holder) => holder.built)), list });
  if (blocks.length > 0) {
    node(`b${module}`, 2, { kind: bare > 0 ? "block bare" : "block", label: plural(blocks.length, "block"), module, y, list, built: most(...blocks.map((block) => block.built)) });
    edge(`m1${module}`, `b${module}`);
  }
  for (const holder of list) {
    for (const symbol of holder.symbols) connect(`m1${module}`, symbol, holder, node, edge);
    for (const block of holder.blocks) for (const symbol of block.symbols) connect(`b${module}`, symbol, block, node, edge);
  }
  return y + ROW;
}

function openModule(module, label, list, y, node, edge) {
  node(`m1${module}`, 1, { kind: "module", label, count: list.length, module, y, open: true, list, built: most(...list.map((holder) => holder.built)) });
  y += ROW;
  for (const holder of [...list].sort((a, b) => a.fileIndex - b.fileIndex || a.line - b.line)) {
    node(`f${holder.index}`, 1, { kind: holder.isUnsafe ? "function unsafe" : "function", label: nameIn(holder, module), function: holder, module, y, built: holder.built });
    for (const symbol of holder.symbols) connect(`f${holder.index}`, symbol, holder, node, edge);
    holder.blocks.forEach((block, number) => {
      const id = `b${holder.index}.${number}`;
      const does = block.operations.map((operation) => OPERATIONS[operation] ?? operation).join(", ");
      const kind = block.argued ? "block" : "block bare";
      node(id, 2, { kind, label: `line ${block.line}${does && ` · ${does}`}`, block, function: holder, module, y: y + number * ROW, built: block.built });
      edge(`f${holder.index}`, id);
      for (const symbol of block.symbols) connect(id, symbol, block, node, edge);
    });
    y += Math.max(1, holder.blocks.length) * ROW;
  }
  return y + ROW / 2;
}

function connect(from, symbol, user, node, edge) {
  const made = node(`s${symbol}`, 3, { kind: "symbol-node", label: symbol, symbol, built: user.built });
  made.built = most(made.built, user.built);
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
  const list = all.filter((one) => one.layer === layer).sort((a, b) => wish(a) - wish(b) || collate(a.label, b.label));
  // The lowest row that still leaves room for all below keeps a crowded layer from running off the end.
  const end = Math.max(...all.filter((one) => one.y !== null).map((one) => one.y), 0);
  let free = 0;
  list.forEach((one, index) => {
    const last = Math.max(free, end - (list.length - 1 - index) * ROW);
    one.y = Math.min(Math.max(free, Math.round(wish(one))), last);
    free = one.y + ROW;
  });
}
