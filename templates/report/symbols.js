// The map of foreign symbols: who calls what of which library. The filters are part of the address.

const usesOf = (caller) => caller.calls + caller.mentions;
const liveUses = (caller) => usesOf(caller) - caller.dormant;

function symbolsView(query) {
  if (symbols().length === 0) return [element("p", {}, "No code of this report calls a foreign symbol.")];
  const results = element("div", {});
  const said = element("p", { class: "faint", role: "status", style: "margin-bottom:.5rem" });
  const search = element("input", { type: "search", class: "grow", placeholder: "Symbol, library or caller", "aria-label": "Search symbols", value: query.get("q") ?? "" });
  const order = element("select", { "aria-label": "Order" }, element("option", { value: "calls" }, "Most used first"), element("option", { value: "name", selected: query.get("order") === "name" }, "By name"));
  const someDormant = symbols().some((symbol) => symbol.callers.some((caller) => caller.dormant > 0));
  const allDormant = symbols().every((symbol) => symbol.callers.every((caller) => liveUses(caller) === 0));
  const dormant = element("input", { type: "checkbox", checked: query.has("dormant") || allDormant });

  // Symbols with the callers that are shown, and how often those use them.
  function shown() {
    const count = dormant.checked ? usesOf : liveUses;
    const word = search.value.toLowerCase();
    const holds = (...parts) => parts.some((part) => part.toLowerCase().includes(word));
    return symbols().flatMap((symbol) => {
      const callers = symbol.callers.filter((caller) => count(caller) > 0);
      const found = holds(symbol.name, symbol.library, symbol.declared) ? callers : callers.filter((caller) => holds(caller.at));
      return found.length > 0 ? [{ ...symbol, shown: found, uses: found.reduce((sum, caller) => sum + count(caller), 0) }] : [];
    });
  }

  function fill() {
    const found = shown();
    const most = Math.max(...found.map((symbol) => symbol.uses));
    const libraries = Map.groupBy(found, (symbol) => `${symbol.library || "no library named"}\n${symbol.declared}`);
    const uses = (list) => list.reduce((sum, symbol) => sum + symbol.uses, 0);
    const groups = [...libraries].sort((a, b) => uses(b[1]) - uses(a[1]));
    const hidden = symbols().length - found.length;
    said.textContent = `${plural(found.length, "symbol")}${hidden > 0 ? `, ${digits(hidden)} more left out` : ""}`;
    const rows = groups.flatMap(([key, list]) => [{ library: key.split("\n"), size: list.length }, ...ordered(list, order.value)]);
    results.replaceChildren(endless(rows, (row) => (row.size ? libraryHead(row) : symbolRow(row, most))));
  }

  function change() {
    const next = new URLSearchParams();
    if (search.value) next.set("q", search.value);
    if (order.value === "name") next.set("order", "name");
    if (dormant.checked) next.set("dormant", "");
    history.replaceState(null, "", `#symbols?${next}`);
    fill();
  }

  for (const [control, event] of [[search, "input"], [order, "change"], [dormant, "change"]]) control.addEventListener(event, change);
  fill();
  return [
    element("p", { class: "lead" }, "Open a symbol to see its callers. A mention is a use without a call: an address taken, a static read. Dormant is what no chosen target compiles."),
    element("div", { class: "toolbar" }, search, order, someDormant && element("label", { class: "check" }, dormant, "dormant code too")),
    said, results,
  ];
}

const ordered = (list, order) => list.sort((a, b) => (order === "name" ? 0 : b.uses - a.uses) || collate(a.name, b.name));

const libraryHead = ({ library: [library, declared], size }) =>
  element("h3", { class: "group" }, library, " ", element("span", { class: "faint" }, `declared in ${declared} · ${plural(size, "symbol")}`));

const counted = (calls, mentions) => [calls > 0 && plural(calls, "call"), mentions > 0 && plural(mentions, "mention")].filter(Boolean).join(", ");

// The numbers are those of the symbol whatever is left out, as `--symbol` says them.
function symbolRow(symbol, most) {
  const left = symbol.callers.length - symbol.shown.length;
  const sum = (field) => symbol.callers.reduce((all, caller) => all + caller[field], 0);
  return opening({ class: "symbol" },
    element("summary", {}, element("code", { class: "name" }, symbol.name),
      element("span", { class: "faint" }, `${counted(sum("calls"), sum("mentions"))} from ${plural(symbol.callers.length, "place")}`, sum("dormant") > 0 && [" ", dormantTag(sum("dormant"), sum("calls") + sum("mentions"))]),
      element("span", { class: "share", style: `width:${Math.max(3, Math.round((110 * symbol.uses) / most))}px` })),
    () => [element("ul", {}, ...symbol.shown.map(callerRow), left > 0 && element("li", { class: "faint" }, `${plural(left, "more place")} left out by what is chosen above`))]);
}

const dormantTag = (dormant, uses) => element("span", { class: "tag" }, dormant < uses ? `${dormant} dormant` : "dormant");

function callerRow(caller) {
  const to = `#findings?package=${encodeURIComponent(caller.package)}&at=${encodeURIComponent(caller.at)}`;
  const owner = packageById.get(caller.package);
  const known = owner && findingsOf(owner).length > 0;
  return element("li", {}, known ? link(to, code(caller.at)) : code(caller.at), element("span", { class: "faint" }, ` ${counted(caller.calls, caller.mentions)}, ${caller.package}`),
    caller.dormant > 0 && [" ", dormantTag(caller.dormant, usesOf(caller))]);
}
