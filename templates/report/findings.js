// Everything found, with filters. The filters are part of the address, so that a view can be kept and shared.

const FACETS = [
  { key: "level", title: "Level", of: (finding) => finding.level },
  { key: "code", title: "Kind", of: (finding) => finding.code },
  { key: "role", title: "Where", of: (finding) => finding.file.role ?? "policy", name: (role) => ROLES[role] ?? role },
  { key: "live", title: "Compiled here", of: (finding) => (finding.dormant ? "dormant" : "live") },
];

function findingsView(query) {
  if (findings.length === 0) return [element("p", {}, raw.command === "check" ? "Nothing breaks the policy." : "No unsafe or foreign code of the members to list.")];
  const results = element("div", {});
  const search = element("input", { type: "search", placeholder: "Search", "aria-label": "Search findings", value: query.get("q") ?? "" });
  const owners = [...new Set(findings.map((finding) => finding.file.package).filter(Boolean))];
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
    const found = findings.filter((finding) => matches(finding, current));
    for (const facet of facets) facet.count(findings.filter((finding) => matches(finding, current, facet.key)));
    results.replaceChildren(
      element("p", { class: "faint", role: "status", style: "margin-bottom:.5rem" }, `${plural(found.length, "finding")}${found.length < findings.length ? ` of ${findings.length.toLocaleString("en")}` : ""}`,
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
  const counts = new Map();
  for (const finding of findings) counts.set(of(finding), (counts.get(of(finding)) ?? 0) + 1);
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
    count(found) {
      const now = new Map();
      for (const finding of found) now.set(of(finding), (now.get(of(finding)) ?? 0) + 1);
      for (const { value, count } of boxes) count.textContent = (now.get(value) ?? 0).toLocaleString("en");
    },
  };
}

// Whether a finding passes all filters but one.
function matches(finding, query, but) {
  for (const { key, of } of FACETS) {
    const chosen = query.getAll(key);
    if (key !== but && chosen.length > 0 && !chosen.includes(of(finding))) return false;
  }
  const owner = query.get("package");
  if (owner && finding.file.package?.id !== owner) return false;
  const at = query.get("at");
  if (at && finding.at !== at && !finding.at.startsWith(`${at}::`)) return false;
  const words = (query.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  finding.words ??= [finding.message, finding.label, finding.at, finding.file.path, finding.code, ...finding.notes].join(" ").toLowerCase();
  return words.every((word) => finding.words.includes(word));
}

function findingRow(finding) {
  const body = element("div", { class: "body" });
  const fill = () => body.childElementCount === 0 && body.append(...findingBody(finding));
  return element("details", { class: "finding", ontoggle: fill },
    element("summary", {},
      element("span", { class: `dot ${finding.level}`, title: finding.level }),
      element("span", { class: "what" }, ...prose(finding.message), finding.label && element("span", { class: "faint" }, " ", ...prose(finding.label)),
        finding.dormant && [" ", element("span", { class: "tag", title: finding.dormant }, "dormant")]),
      element("span", { class: "code" }, finding.code),
      element("span", { class: "where mono" }, `${finding.file.path}:${finding.line}`, finding.at && ` in ${finding.at}`)),
    body);
}

function findingBody(finding) {
  const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
  const about = codes.find((one) => one.name === finding.code);
  return [
    sourceOf(finding.fileIndex, finding.line, finding.last),
    element("dl", { class: "facts" },
      fact("what", ...prose(about.summary)),
      ...finding.notes.map((note) => fact("note", ...prose(note))),
      finding.cfgs.length > 0 && fact("only with", ...finding.cfgs.flatMap((cfg) => [code(`cfg(${cfg})`), " "])),
      finding.dormant && fact("dormant", ...prose(finding.dormant)),
      finding.macro && fact("macro", code(finding.macro)),
      finding.file.package && fact("package", link(`#package/${encodeURIComponent(finding.file.package.id)}`, finding.file.package.id)),
      finding.fingerprint && fact("fingerprint", code(finding.fingerprint))),
  ].filter(Boolean);
}
