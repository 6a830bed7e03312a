// Everything found, with filters. The filters are part of the address, so that a view can be kept and shared.

const FACETS = [
  { key: "level", title: "Level", of: (finding) => finding.level },
  { key: "code", title: "Kind", of: (finding) => finding.code.name },
  { key: "role", title: "Where", of: (finding) => finding.file.role ?? "policy", name: (role) => ROLES[role] ?? role },
  { key: "live", title: "Compiled here", of: (finding) => (finding.dormant ? "dormant" : "live") },
];

function findingsView(query) {
  if (foundInAll === 0) return [element("p", {}, report.command === "check" ? "Nothing breaks the policy." : "No unsafe or foreign code of the members to list.")];
  const results = element("div", {});
  const search = element("input", { type: "search", placeholder: "Search", "aria-label": "Search findings", value: query.get("q") ?? "" });
  const owners = [...byPackage().keys()].filter(Boolean);
  const owner = element("select", { "aria-label": "Package" }, element("option", { value: "" }, "All packages"),
    ...owners.map((one) => element("option", { value: one.id, selected: query.get("package") === one.id }, one.id)));
  const facets = FACETS.map((facet) => facetBox(facet, query, change)).filter((facet) => facet.values > 1);
  const place = query.get("at");

  function change() {
    const next = new URLSearchParams();
    if (search.value) next.set("q", search.value);
    if (owner.value) next.set("package", owner.value);
    if (place && owner.value === (query.get("package") ?? "")) next.set("at", place);
    for (const facet of facets) for (const value of facet.chosen()) next.append(facet.key, value);
    history.replaceState(null, "", `#findings?${next}`);
    fill(next);
  }

  function fill(current) {
    const { found, counts } = filtered(current);
    for (const facet of facets) facet.count(counts.get(facet.key));
    results.replaceChildren(
      element("p", { class: "faint", role: "status", style: "margin-bottom:.5rem" }, `${plural(found.length, "finding")}${found.length < foundInAll ? ` of ${digits(foundInAll)}` : ""}`,
        current.get("at") && [" in ", code(current.get("at"))]),
      found.length > 0 ? endless(found, findingRow) : "",
    );
  }

  search.addEventListener("input", change);
  owner.addEventListener("change", change);
  fill(query);
  // On a narrow screen the filters would be all that is seen.
  const facetList = element("details", { open: matchMedia("(min-width: 62rem)").matches }, element("summary", {}, "Filters"),
    owners.length > 1 && element("fieldset", {}, element("legend", {}, "Package"), owner), ...facets.map((facet) => facet.box));
  const filters = element("form", { class: "filters", onsubmit: (event) => event.preventDefault() }, search, facetList);
  return [element("div", { class: "columns" }, filters, results)];
}

// Checkboxes for the values of a facet; none chosen means all.
function facetBox({ key, title, of, name = (value) => value }, query, change) {
  const counts = countBy(findings(), of);
  const values = [...counts.keys()].sort((a, b) => (key === "level" ? LEVELS.indexOf(a) - LEVELS.indexOf(b) : counts.get(b) - counts.get(a)));
  const boxes = values.map((value) => {
    const box = element("input", { type: "checkbox", value, checked: query.getAll(key).includes(value), onchange: change });
    const count = element("span", { class: "count" });
    return { value, box, count, label: element("label", {}, box, element("span", {}, name(value)), count) };
  });
  return {
    key,
    values: values.length,
    box: element("fieldset", {}, element("legend", {}, title), ...boxes.map(({ label }) => label)),
    chosen: () => boxes.filter(({ box }) => box.checked).map(({ value }) => value),
    count(now) {
      for (const { value, count } of boxes) count.textContent = digits(now.get(value) ?? 0);
    },
  };
}

function countBy(list, of) {
  const counts = new Map();
  for (const one of list) counts.set(of(one), (counts.get(of(one)) ?? 0) + 1);
  return counts;
}

// The findings that pass all filters, and for each facet how many of each value would, whatever is chosen of that facet.
function filtered(query) {
  const chosen = FACETS.map(({ key }) => new Set(query.getAll(key)));
  const counts = FACETS.map(() => new Map());
  const found = [];
  const passes = placed(query);
  for (const finding of findings()) {
    if (!passes(finding)) continue;
    const values = FACETS.map(({ of }) => of(finding));
    const fails = chosen.flatMap((some, facet) => (some.size > 0 && !some.has(values[facet]) ? facet : []));
    if (fails.length === 0) found.push(finding);
    values.forEach((value, facet) => {
      if (fails.every((other) => other === facet)) counts[facet].set(value, (counts[facet].get(value) ?? 0) + 1);
    });
  }
  return { found, counts: new Map(FACETS.map(({ key }, facet) => [key, counts[facet]])) };
}

const lowered = lazily(() => tables().strings.map((one) => one.toLowerCase()));

// Whether a finding is where a query asks for one, and has its words.
function placed(query) {
  const [owner, at] = [query.get("package"), query.get("at")];
  const words = (query.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  // Looked for in each text once, and not in each finding that has it.
  const marked = words.map((word) => Uint8Array.from(lowered(), (one) => one.includes(word)));
  return (finding) => !(owner && finding.file.package?.id !== owner)
    && !(at && finding.at !== at && !finding.at.startsWith(`${at}::`))
    && marked.every((texts) => finding.isAmong(texts));
}

function findingRow(finding) {
  const said = finding.label && element("span", { class: "faint" }, " ", ...prose(finding.label));
  return opening({ class: "finding" },
    element("summary", {},
      element("span", { class: `dot ${finding.level}`, title: finding.level }),
      element("span", { class: "what" }, ...prose(finding.message), said,
        finding.dormant && [" ", element("span", { class: "tag", title: finding.dormant }, "dormant")]),
      element("span", { class: "code" }, finding.code.name),
      element("span", { class: "where mono" }, `${finding.file.path}:${finding.line}`, finding.at && ` in ${finding.at}`)),
    () => [element("div", { class: "body" }, ...findingBody(finding))]);
}

function findingBody(finding) {
  const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
  const owner = finding.file.package;
  return [
    sourceOf(finding.fileIndex, finding.line, finding.last),
    element("dl", { class: "facts" },
      fact("what", ...prose(finding.code.summary)),
      ...finding.notes.map((note) => fact("note", ...prose(note))),
      finding.cfgs.length > 0 && fact("only with", ...finding.cfgs.flatMap((cfg) => [code(`cfg(${cfg})`), " "])),
      finding.dormant && fact("dormant", ...prose(finding.dormant)),
      finding.macro && fact("macro", code(finding.macro)),
      owner && fact("package", link(`#package/${encodeURIComponent(owner.id)}`, owner.id)),
      finding.fingerprint && fact("fingerprint", code(finding.fingerprint))),
  ].filter(Boolean);
}
