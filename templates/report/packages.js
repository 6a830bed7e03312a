// The first view: figures, all packages, and one package with its modules.

const ROLES = {
  "main": "library or binary", "generated": "generated wrappers", "proc-macro": "proc macro", "build-script": "build script",
  "test": "tests", "bench": "benches", "example": "examples",
  "unreached": "files that nothing reaches",
};

const countsOf = (owner) => raw.columns.map((_, column) => Object.values(owner.counts).reduce((sum, cells) => sum + cells[column], 0));
const total = (head, owners) => owners.reduce((sum, owner) => sum + countsOf(owner)[raw.columns.findIndex(([name]) => name === head)], 0);
const usedColumns = () => raw.columns.map((_, column) => column).filter((column) => packages.some((owner) => countsOf(owner)[column] > 0));

function packagesView() {
  const members = packages.filter((owner) => owner.member);
  const dependencies = packages.filter((owner) => !owner.member);
  const quiet = dependencies.filter((owner) => countsOf(owner).every((count) => count === 0) && owner.dormant === 0);
  const loud = dependencies.filter((owner) => !quiet.includes(owner));
  const search = element("input", { type: "search", class: "grow", placeholder: "Package", "aria-label": "Search packages" });
  const groups = [{ title: "Members", rows: members }, { title: "Dependencies", rows: loud }];
  const keep = (owner) => owner.id.toLowerCase().includes(search.value.toLowerCase());
  // By the first number, which is that of unsafe constructs.
  const columns = packageColumns();
  const table = sortable(columns, groups, { after: parts, by: columns.length > 1 ? 1 : null, keep });
  search.addEventListener("input", table.refill);
  return [
    ...problemsNotice(),
    raw.policy && element("p", { class: "lead" }, "Held against ", code(raw.policy), raw.known && ["; ", ...prose(raw.known)], "."),
    headline(members, dependencies, quiet),
    packages.length > 20 && element("div", { class: "toolbar" }, search),
    table,
    quiet.length > 0 && element("p", { class: "faint", style: "margin-top:.7rem" },
      `${plural(quiet.length, "dependency", "dependencies")} without unsafe or foreign code: `, quiet.map((owner) => owner.name).join(", ")),
    ...problemsList(),
  ];
}

// What there is in all: of the verdict, of members, of dependencies.
function headline(members, dependencies, quiet) {
  const figure = (count, name, to) => element("div", {}, element("dt", {}, count === 1 ? name.replace(/s$/, "") : name), element("dd", {}, to && count > 0 ? link(to, count.toLocaleString("en")) : count.toLocaleString("en")));
  const card = (title, ...figures) => element("section", { class: "card" }, element("h2", {}, title), element("dl", {}, ...figures));
  const sum = (owners, listed) => [
    figure(total("unsafe", owners), "unsafe constructs", listed), figure(total("calls", owners), "foreign calls", listed && "#symbols"),
    figure(total("unseen", owners) + total("unseen calls", owners), "not seen"), figure(owners.reduce((all, owner) => all + owner.dormant, 0), "dormant"),
  ];
  const listed = findings.length > 0 && raw.command !== "check" && "#findings";
  const clean = quiet.length > 0 ? `, ${quiet.length} without any` : "";
  return element("div", { class: "headline" },
    raw.command === "check" && card("Verdict", figure(raw.totals[0], "violations", "#findings?level=error"), figure(raw.totals[1], "warnings", "#findings?level=warning")),
    card(plural(members.length, "member"), ...sum(members, listed)),
    dependencies.length > 0 && card(plural(dependencies.length, "dependency", "dependencies") + clean, ...sum(dependencies)));
}

function packageColumns() {
  const name = {
    head: "package",
    value: (owner) => owner.id,
    cell: (owner) => element("span", {}, link(`#package/${encodeURIComponent(owner.id)}`, owner.name), " ",
      element("span", { class: "faint" }, owner.version), !owner.complete && element("span", { class: "warning" }, " incomplete")),
  };
  const dormant = { head: "dormant", about: raw.dormant, number: true, value: (owner) => owner.dormant };
  const counts = usedColumns().map((column) => {
    const [head, about] = raw.columns[column];
    const value = (owner) => countsOf(owner)[column];
    const most = Math.max(...packages.map(value));
    return { head, about, number: true, value, share: head === "unsafe" && ((owner) => value(owner) / most) };
  });
  return [name, ...counts, ...(packages.some((owner) => owner.dormant > 0) ? [dormant] : [])];
}

// A row for each role besides the library, where there are several.
function parts(owner) {
  const roles = Object.entries(owner.counts);
  if (roles.length < 2) return [];
  return roles.map(([role, cells]) => element("tr", { class: "part" }, element("th", { scope: "row" }, ROLES[role]),
    ...usedColumns().map((column) => numberCell(cells[column])), packages.some((one) => one.dormant > 0) && element("td", {})));
}

function problemsNotice() {
  const incomplete = packages.filter((owner) => !owner.complete);
  if (incomplete.length === 0) return [];
  return [element("p", { class: "notice" }, element("strong", {}, "Incomplete. "),
    `Not everything of ${incomplete.map((owner) => owner.id).join(", ")} could be read: there may be more than this page shows.`)];
}

function problemsList() {
  if (problems.length === 0) return [];
  const columns = [
    { head: "package", value: (problem) => problem.package },
    { head: "place", value: (problem) => problem.path + (problem.line ? `:${problem.line}` : ""), cell: (problem) => code(problem.path + (problem.line ? `:${problem.line}` : "")) },
    { head: "problem", value: (problem) => problem.message, cell: (problem) => element("span", {}, ...prose(problem.message)) },
  ];
  return [element("h2", {}, "Problems of the scan"), sortable(columns, [{ rows: problems }])];
}

function packageView(id) {
  const owner = packages.find((candidate) => candidate.id === id);
  if (!owner) return [element("p", {}, `No package ${id} in this report.`)];
  const rows = Object.entries(owner.counts).map(([role, cells]) => ({ role: ROLES[role], cells }));
  const columns = [{ head: "what", value: (row) => row.role }];
  columns.push(...raw.columns.map(([head, about], column) => ({ head, about, number: true, value: (row) => row.cells[column] })).filter((column) => rows.some((row) => column.value(row) > 0)));
  const uses = functions.some((candidate) => candidate.package === owner);
  return [
    element("p", { class: "faint" }, link("#packages", "Packages")),
    element("h2", {}, owner.name, " ", element("span", { class: "faint" }, owner.version)),
    element("p", { class: "lead" }, `${owner.member ? "Member of the workspace" : "Dependency"}, ${plural(owner.files, "source file")}. `,
      owner.findings.length > 0 && link(`#findings?package=${encodeURIComponent(id)}`, plural(owner.findings.length, "finding")),
      owner.findings.length > 0 && uses && " · ", uses && link(`#graph?package=${encodeURIComponent(id)}`, "graph")),
    !owner.member && owner.findings.length === 0 && rows.length > 0 &&
      element("p", { class: "notice" }, "The findings of dependencies are counted. ", code("cargo isolate audit --deps"), " lists them."),
    rows.length > 0 ? sortable(columns, [{ rows }]) : element("p", {}, "No unsafe or foreign code is compiled here."),
    owner.dormant > 0 && element("p", { class: "faint", style: "margin-top:.6rem" }, `Dormant, as no chosen target compiles it: ${plural(owner.dormant, "unsafe construct")}.`),
    owner.findings.length > 0 && element("h3", {}, "Findings by module"),
    owner.findings.length > 0 && moduleTree(owner),
  ];
}

// Modules and functions as a tree, with a bar for the findings in each.
function moduleTree(owner) {
  const root = { count: 0, children: new Map() };
  for (const finding of owner.findings) {
    let node = root;
    for (const name of finding.at.split("::")) {
      if (!node.children.has(name)) node.children.set(name, { count: 0, children: new Map() });
      node = node.children.get(name);
      node.count += 1;
    }
  }
  const few = owner.findings.length <= 60;
  const most = Math.max(...[...root.children.values()].map((child) => child.count));
  const draw = (node, path, depth) => [...node.children].sort((a, b) => b[1].count - a[1].count).map(([name, child]) => {
    const at = path ? `${path}::${name}` : name;
    const to = `#findings?package=${encodeURIComponent(owner.id)}&at=${encodeURIComponent(at)}`;
    const row = [
      element("span", { class: "name", style: `padding-left:${1.2 * depth}rem` }, link(to, code(name))),
      element("span", { class: "share", style: `width:${Math.max(2, Math.round((100 * child.count) / most))}%` }),
      element("span", { class: "faint number" }, child.count.toLocaleString("en")),
    ];
    if (child.children.size === 0) return element("div", { class: "row" }, ...row);
    return element("details", { open: few || !path }, element("summary", { class: "row" }, ...row), ...draw(child, at, depth + 1));
  });
  return element("div", { class: "tree" }, ...draw(root, "", 0));
}
