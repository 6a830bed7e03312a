// The views, which one is shown, and the theme. The address says which view: `#findings?level=error`.

const VIEWS = [
  { name: "packages", title: "Packages", draw: () => packagesView() },
  { name: "findings", title: "Findings", draw: (query) => findingsView(query) },
  { name: "symbols", title: "Symbols", draw: (query) => symbolsView(query) },
  { name: "graph", title: "Graph", draw: (query) => graphView(query) },
];

let waiting = false;

function show() {
  const [place, query] = location.hash.slice(1).split("?");
  const [name, argument] = place.split("/");
  const view = VIEWS.find((candidate) => candidate.name === name) ?? VIEWS[0];
  document.getElementById("tabs").replaceChildren(...VIEWS.map((one) =>
    element("a", { href: `#${one.name}`, "aria-current": one === view && "page" }, one.title)));
  const first = view === VIEWS[0] && name !== "package";
  // The first view has its data above this script, the others wait for theirs.
  waiting = !first && document.readyState === "loading";
  if (waiting) return;
  const drawn = name === "package" ? packageView(decodeURIComponent(argument ?? "")) : view.draw(new URLSearchParams(query));
  document.getElementById("view").replaceChildren(...drawn.filter(Boolean));
  scrollTo(0, 0);
}

// What the other views need, before somebody waits for it.
function prepare() {
  const parts = [tables, files, findings, byPackage, functions, functionsByPackage, symbols];
  const next = () => {
    parts.shift()();
    if (parts.length > 0) setTimeout(next, 20);
  };
  setTimeout(next, 100);
}

function verdict() {
  const pill = (kind, content) => element("span", { class: `pill ${kind}` }, content);
  const [errors, warnings, notes] = report.totals;
  const pills = [];
  if (report.command === "check") {
    pills.push(errors > 0 ? pill("error", plural(errors, "violation")) : pill("good", "no violations"));
    if (warnings > 0) pills.push(pill("warning", plural(warnings, "warning")));
  } else {
    pills.push(notes > 0 ? pill("note", plural(notes, "finding")) : pill("good", "no findings"));
  }
  if (!report.complete) pills.push(pill("warning", "incomplete"));
  document.getElementById("verdict").replaceChildren(...pills);
}

// System, light, dark, and around again. A page from a file may not be allowed to remember.
function theme() {
  const button = document.getElementById("theme");
  const choices = ["light dark", "light", "dark"];
  const names = { "light dark": "System theme", "light": "Light theme", "dark": "Dark theme" };
  const read = () => { try { return localStorage.getItem("cargo-isolate-theme"); } catch { return null; } };
  const write = (choice) => { try { localStorage.setItem("cargo-isolate-theme", choice); } catch { /* not remembered */ } };
  const apply = (choice) => {
    document.documentElement.style.colorScheme = choice;
    button.textContent = names[choice];
  };
  let chosen = choices.includes(read()) ? read() : choices[0];
  apply(chosen);
  button.addEventListener("click", () => {
    chosen = choices[(choices.indexOf(chosen) + 1) % choices.length];
    write(chosen);
    apply(chosen);
  });
}

theme();
verdict();
show();
addEventListener("hashchange", show);
document.addEventListener("DOMContentLoaded", () => {
  if (waiting) show();
  prepare();
});
