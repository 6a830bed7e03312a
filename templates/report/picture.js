// The graph as a picture: boxes in four layers with lines between them. Thousands of boxes would make every step slow, so it
// has those that are in sight, and makes the others when they are scrolled to.

const LAYERS = ["callers", "functions with unsafe code", "unsafe blocks", "foreign symbols"];
const LETTER = 6.95;
// Lines within a layer that are drawn without being asked.
const FEW_WITHIN = 24;
// Above and below what is in sight, in pixels.
const MARGIN = 300;

// `state.stop` is the node that Tab leads to.
function drawPicture(canvas, { nodes, edges, byId, height }, state) {
  const { columns, width } = columnsOf(nodes, canvas.clientWidth - 2);
  const at = (node) => ({ x: columns[node.layer].x, y: node.y + 6, w: columns[node.layer].width });
  const within = ({ from, to }) => byId.get(from).layer === byId.get(to).layer;
  // Many on one line are a bar that says nothing: they wait until something is pointed at.
  const crowded = edges.filter(within).length > FEW_WITHIN;
  const [under, over] = [svg("g", {}), svg("g", {})];
  const [lines, boxes, owners] = [new Map(), new Map(), new Map()];
  let lit = null;

  function inSight() {
    const [top, bottom] = [canvas.scrollTop - MARGIN, canvas.scrollTop + innerHeight + MARGIN];
    const crosses = (a, b) => Math.max(a, b) > top && Math.min(a, b) < bottom;
    return {
      nodes: nodes.filter((node) => node.id === state.stop || crosses(node.y, node.y + ROW)),
      edges: edges.filter(({ from, to }) => crosses(byId.get(from).y, byId.get(to).y)),
    };
  }

  function refresh() {
    const seen = inSight();
    exchange(lines, seen.edges, under, (edge) => drawEdge(at(byId.get(edge.from)), at(byId.get(edge.to)), edge));
    exchange(boxes, seen.nodes, over, (node) => drawNode(node, at(node)));
    owners.clear();
    for (const [node, box] of boxes) {
      owners.set(box, node);
      box.setAttribute("tabindex", node.id === state.stop ? "0" : "-1");
    }
    shine();
  }

  function shine() {
    picture.classList.toggle("lit", lit !== null);
    for (const [node, box] of boxes) box.classList.toggle("on", lit?.has(node.id) ?? false);
    for (const [edge, line] of lines) line.classList.toggle("on", (lit?.has(edge.from) && lit.has(edge.to)) ?? false);
  }

  const picture = svg("svg", { width, height, role: "group", class: crowded && "crowded", "aria-label": "Interior-unsafe graph" }, under, over);
  const heads = element("div", { class: "head", style: `width:${width}px` }, ...LAYERS.map((name, layer) => columns[layer].width > 0 && element("span", { style: `left:${columns[layer].x}px` }, name)));
  canvas.replaceChildren(heads, picture);
  refresh();
  let due = 0;
  canvas.onscroll = () => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(refresh);
  };

  return {
    refresh,
    // Nodes to be shown with what is between them, the others faintly; `null` for all alike.
    light(ids) {
      if (lit === null && ids === null) return;
      lit = ids;
      shine();
    },
    focus(id) {
      state.stop = id;
      refresh();
      const [, box] = [...boxes].find(([node]) => node.id === id);
      box.focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest", inline: "nearest" });
    },
    // What happens to a node.
    on(name, then) {
      picture.addEventListener(name, (event) => {
        const node = owners.get(event.target.closest(".node"));
        if (node) then(node, event);
      });
    },
  };
}

// Makes `made` hold the elements of `wanted`, and `parent` too.
function exchange(made, wanted, parent, make) {
  const kept = new Set(wanted);
  for (const [key, old] of made) {
    if (kept.has(key)) continue;
    old.remove();
    made.delete(key);
  }
  const added = wanted.filter((key) => !made.has(key));
  for (const key of added) made.set(key, make(key));
  parent.append(...added.map((key) => made.get(key)));
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
  const spoken = (node.kind === "module" ? `module ${node.module}, ${plural(node.count, name)}` : `${name} ${node.label}`) + built;
  return svg("g", {
    class: `node ${node.kind} ${node.built}`, tabindex: "-1", role: "button", transform: `translate(${x} ${y})`, "aria-label": spoken,
    "aria-expanded": node.kind === "module" ? String(Boolean(node.open)) : null,
  }, svg("title", {}, (node.function?.at ?? (node.kind === "module" ? node.module : node.label)) + built), svg("rect", { width: w, height: ROW - 6 }), svg("text", { x: 8, y: 14 }, label),
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

// Where each layer begins and how wide it is: as its longest label wants, or less where the window is narrow.
function columnsOf(nodes, width) {
  const [EDGE, GAP, MOST] = [28, 46, 420];
  // Room for the heads.
  const LEAST = [90, 175, 95, 105];
  const wants = LAYERS.map((_, layer) => {
    const own = nodes.filter((node) => node.layer === layer);
    if (own.length === 0) return 0;
    const letters = Math.max(...own.map((node) => node.label.length + (node.kind === "module" ? 4 + String(node.count).length : 0)));
    return Math.min(MOST, Math.max(LEAST[layer], Math.ceil(letters * LETTER) + 20));
  });
  const layers = wants.filter((want) => want > 0).length;
  // On a narrow screen the picture is moved rather than squeezed.
  const room = Math.max(width, 200 * layers) - 2 * EDGE - (layers - 1) * GAP;
  // Who wants little gets it; the others share what is left.
  let [left, open] = [room, wants.filter((want) => want > 0)];
  for (;;) {
    const fair = left / open.length;
    const small = open.filter((want) => want <= fair);
    if (small.length === 0 || open.length === 0) break;
    left -= small.reduce((sum, want) => sum + want, 0);
    open = open.filter((want) => want > fair);
  }
  const cap = open.length > 0 ? left / open.length : Infinity;
  // Room that nobody wants goes between the layers.
  const gap = GAP + (open.length > 0 || layers < 2 ? 0 : Math.min(left / (layers - 1), 90));
  let x = EDGE;
  const columns = wants.map((want, layer) => {
    const column = { x, width: Math.min(want, Math.max(cap, LEAST[layer])) };
    if (want > 0) x += column.width + gap;
    return column;
  });
  return { columns, width: Math.max(width, x - gap + EDGE) };
}
