// The first view: figures, all packages, and one package with its modules.

const ROLES = {
  "main": "library or binary", "proc-macro": "proc macro", "build-script": "build script",
  "test": "tests", "bench": "benches", "example": "examples",
  "unreached": "files that nothing reaches",
};

const columnOf = (head) => report.columns.findIndex(([name]) => name === head);
const total = (head, owners) => owners.reduce((sum, owner) => sum + owner.sums[columnOf(head)], 0);
const usedColumns = lazily(() => report.columns.map((_, column) => column).filter((column) => packages.some((owner) => owner.sums[column] > 0)));

function packagesView() {
  const members = packages.filter((owner) => owner.member);
  const dependencies = packages.filter((owner) => !owner.member);
  const quiet = dependencies.filter((owner) => owner.sums.every((count) => count === 0) && owner.dormant === 0);
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
    report.policy && element("p", { class: "lead" }, "Held against ", code(report.policy), report.known && ["; ", ...prose(report.known)], "."),
    headline(members, dependencies, quiet),
    packages.length > 20 && element("div", { class: "toolbar" }, search),
    table,
    report.generated && element("p", { class: "faint", style: "margin-top:.7rem" }, `${report.generated}.`),
    quiet.length > 0 && element("p", { class: "faint", style: "margin-top:.7rem" },
      `${plural(quiet.length, "dependency", "dependencies")} without unsafe or foreign code: `, quiet.map((owner) => owner.name).join(", ")),
    ...problemsList(),
  ];
}

// What there is in all: of the verdict, of members, of dependencies.
function headline(members, dependencies, quiet) {
  const figure = (count, name, to) => element("div", {}, element("dt", {}, count === 1 ? name.replace(/s$/, "") : name), element("dd", {}, to && count > 0 ? link(to, digits(count)) : digits(count)));
  const card = (title, ...figures) => element("section", { class: "card" }, element("h2", {}, title), element("dl", {}, ...figures));
  const sum = (owners, listed) => [
    figure(total("unsafe", owners), "unsafe constructs", listed), figure(total("calls", owners), "foreign calls", listed && "#symbols"),
    figure(total("unseen", owners) + total("unseen calls", owners), "not seen"), figure(owners.reduce((all, owner) => all + owner.dormant, 0), "dormant"),
  ];
  const listed = foundInAll > 0 && report.command !== "check" && "#findings";
  const clean = quiet.length > 0 ? `, ${quiet.length} without any` : "";
  return element("div", { class: "headline" },
    report.command === "check" && card("Verdict", figure(report.totals[0], "violations", "#findings?level=error"), figure(report.totals[1], "warnings", "#findings?level=warning")),
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
  const dormant = { head: "dormant", about: report.dormant, number: true, value: (owner) => owner.dormant };
  const counts = usedColumns().map((column) => {
    const [head, about] = report.columns[column];
    const value = (owner) => owner.sums[column];
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
  const owner = packageById.get(id);
  if (!owner) return [element("p", {}, `No package ${id} in this report.`)];
  const rows = Object.entries(owner.counts).map(([role, cells]) => ({ role: ROLES[role], cells }));
  const columns = [{ head: "what", value: (row) => row.role }];
  columns.push(...report.columns.map(([head, about], column) => ({ head, about, number: true, value: (row) => row.cells[column] })).filter((column) => rows.some((row) => column.value(row) > 0)));
  const uses = functionsOf(owner).length > 0;
  const found = findingsOf(owner);
  return [
    element("p", { class: "faint" }, link("#packages", "Packages")),
    element("h2", {}, owner.name, " ", element("span", { class: "faint" }, owner.version)),
    element("p", { class: "lead" }, `${owner.member ? "Member of the workspace" : "Dependency"}, ${plural(owner.files, "source file")}. `,
      found.length > 0 && link(`#findings?package=${encodeURIComponent(id)}`, plural(found.length, "finding")),
      found.length > 0 && uses && " · ", uses && link(`#graph?package=${encodeURIComponent(id)}`, "graph")),
    !owner.member && found.length === 0 && rows.length > 0 &&
      element("p", { class: "notice" }, "The findings of dependencies are counted. ", code("cargo isolate audit --deps"), " lists them."),
    rows.length > 0 ? sortable(columns, [{ rows }]) : element("p", {}, "No unsafe or foreign code is compiled here."),
    owner.dormant > 0 && element("p", { class: "faint", style: "margin-top:.6rem" }, `Dormant, as no chosen target compiles it: ${plural(owner.dormant, "unsafe construct")}.`),
    found.length > 0 && element("h3", {}, "Findings by module"),
    found.length > 0 && moduleTree(owner, found),
  ];
}

// Modules and functions as a tree, with a bar for the findings in each. What is closed is made when it is opened.
function moduleTree(owner, found) {
  const root = { count: 0, children: new Map() };
  for (const finding of found) {
    let node = root;
    for (const name of finding.at.split("::")) {
      if (!node.children.has(name)) node.children.set(name, { count: 0, children: new Map() });
      node = node.children.get(name);
      node.count += 1;
    }
  }
  const few = found.length <= 60;
  const most = Math.max(...[...root.children.values()].map((child) => child.count));
  const draw = (node, path, depth) => [...node.children].sort((a, b) => b[1].count - a[1].count).map(([name, child]) => {
    const at = path ? `${path}::${name}` : name;
    const to = `#findings?package=${encodeURIComponent(owner.id)}&at=${encodeURIComponent(at)}`;
    const row = [
      element("span", { class: "name", style: `padding-left:${1.2 * depth}rem` }, link(to, code(name))),
      element("span", { class: "share", style: `width:${Math.max(2, Math.round((100 * child.count) / most))}%` }),
      element("span", { class: "faint number" }, digits(child.count)),
    ];
    if (child.children.size === 0) return element("div", { class: "row" }, ...row);
    return opening({ open: few || !path }, element("summary", { class: "row" }, ...row), () => draw(child, at, depth + 1));
  });
  return arrows(element("div", { class: "tree" }, ...draw(root, "", 0)), "summary, div.row a");
}
