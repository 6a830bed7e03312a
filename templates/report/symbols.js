// The map of foreign symbols: who calls what of which library.

function symbolsView() {
  if (symbols.length === 0) return [element("p", {}, "No code of this report calls a foreign symbol.")];
  const results = element("div", {});
  const search = element("input", { type: "search", class: "grow", placeholder: "Symbol, library or caller", "aria-label": "Search symbols" });
  const order = element("select", { "aria-label": "Order" }, element("option", { value: "calls" }, "Most used first"), element("option", { value: "name" }, "By name"));
  const most = Math.max(...symbols.map((symbol) => symbol.calls + symbol.mentions));

  function fill() {
    const word = search.value.toLowerCase();
    const holds = (symbol) => [symbol.name, symbol.library ?? "", symbol.declared, ...symbol.callers.map((caller) => caller.at)].some((part) => part.toLowerCase().includes(word));
    const found = symbols.filter(holds);
    const libraries = Map.groupBy(found, (symbol) => `${symbol.library ?? "no library named"}\n${symbol.declared}`);
    const uses = (list) => list.reduce((sum, symbol) => sum + symbol.calls + symbol.mentions, 0);
    const groups = [...libraries].sort((a, b) => uses(b[1]) - uses(a[1]));
    results.replaceChildren(...groups.map(([key, list]) => libraryBox(key.split("\n"), list, order.value, most)));
  }

  search.addEventListener("input", fill);
  order.addEventListener("change", fill);
  fill();
  return [
    element("p", { class: "lead" }, `${plural(symbols.length, "foreign symbol")} in use. Open one to see its callers; a mention is a use without a call: an address taken, a static read.`),
    element("div", { class: "toolbar" }, search, order), results,
  ];
}

function libraryBox([library, declared], list, order, most) {
  const sorted = [...list].sort((a, b) => (order === "name" ? a.name.localeCompare(b.name) : b.calls + b.mentions - a.calls - a.mentions));
  return element("section", {},
    element("h3", {}, library, " ", element("span", { class: "faint" }, `declared in ${declared} · ${plural(list.length, "symbol")}`)),
    endless(sorted, (symbol) => symbolRow(symbol, most)));
}

function symbolRow(symbol, most) {
  const uses = symbol.calls + symbol.mentions;
  const counts = [symbol.calls > 0 && plural(symbol.calls, "call"), symbol.mentions > 0 && plural(symbol.mentions, "mention")].filter(Boolean).join(", ");
  const list = element("ul", {});
  const fill = () => list.childElementCount === 0 && list.append(...symbol.callers.map(callerRow));
  return element("details", { class: "symbol", ontoggle: fill },
    element("summary", {}, element("code", { class: "name" }, symbol.name), element("span", { class: "faint" }, `${counts} from ${plural(symbol.callers.length, "place")}`),
      element("span", { class: "share", style: `width:${Math.max(3, Math.round((110 * uses) / most))}px` })),
    list);
}

function callerRow(caller) {
  const to = `#findings?package=${encodeURIComponent(caller.package)}&at=${encodeURIComponent(caller.at)}`;
  const known = packages.some((owner) => owner.id === caller.package && owner.findings.length > 0);
  const counts = [caller.calls > 0 && plural(caller.calls, "call"), caller.mentions > 0 && plural(caller.mentions, "mention")].filter(Boolean).join(", ");
  return element("li", {}, known ? link(to, code(caller.at)) : code(caller.at), element("span", { class: "faint" }, ` ${counts}, ${caller.package}`));
}
