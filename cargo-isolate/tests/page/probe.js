// Goes through the views of a report's page as a reader would, and prints "fine" or what is wrong.
const wrong = [];
addEventListener("error", (event) => wrong.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => wrong.push(`rejection: ${event.reason}`));
for (const level of ["error", "warn"]) {
  const print = console[level];
  console[level] = (...words) => { wrong.push(`console.${level}: ${words.join(" ")}`); print(...words); };
}

// After what timers and the next two frames bring.
const frame = () => new Promise((done) => requestAnimationFrame(done));
const settled = async () => { await new Promise((done) => setTimeout(done, 60)); await frame(); await frame(); };
const expect = (holds, what) => holds || wrong.push(what);
const nameOf = (node) => `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""} ${node.textContent.slice(0, 40)}`;

async function visit(hash) {
  location.hash = hash;
  await settled();
  overflow(hash);
}

// Nothing hides, nothing is wider than the window, nothing sticks out of what does not scroll, and no two texts of a row lie on each other.
function overflow(view) {
  const hidden = document.querySelector("main").textContent.search(/[\p{Cf}\0-\x08\x0b-\x1f\x7f-\x9f]/u);
  expect(hidden < 0, `${view}: a hidden character at ${hidden}`);
  const width = document.documentElement.clientWidth;
  expect(document.documentElement.scrollWidth <= width, `${view}: the page is ${document.documentElement.scrollWidth} wide in ${width}`);
  const scrolls = (node) => node && (["auto", "scroll", "hidden"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  for (const node of document.querySelectorAll("body *:not(script, option, svg *)")) {
    const box = node.getBoundingClientRect();
    if (box.width > 0 && box.right > width + 1 && !scrolls(node.parentElement)) wrong.push(`${view}: sticks out: ${nameOf(node)}`);
  }
  for (const parent of document.querySelectorAll(".bar, .toolbar, summary, .card dl, .headline, .canvas .head, .row, .filters label, tr")) {
    const boxes = [...parent.children].map((child) => [child, child.getBoundingClientRect()]).filter(([, box]) => box.width > 0 && box.height > 0);
    boxes.forEach(([one, a], index) => {
      for (const [other, b] of boxes.slice(index + 1)) {
        const over = Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
        if (over) wrong.push(`${view}: overlap: ${nameOf(one)} and ${nameOf(other)}`);
      }
    });
  }
}

// All that can be clicked can be reached by the Tab key, or by arrow keys from there.
function reachable(view) {
  for (const node of document.querySelectorAll("a, button, input, select, summary")) expect(node.tabIndex >= 0, `${view}: out of Tab's way: ${nameOf(node)}`);
  for (const node of document.querySelectorAll("input, select")) {
    expect(node.labels?.length > 0 || node.getAttribute("aria-label"), `${view}: without a name: ${nameOf(node)}`);
  }
}

async function tables() {
  const head = document.querySelector("thead button");
  if (!head) return;
  const first = () => document.querySelector("tbody tr:not(.group)").textContent;
  head.click();
  expect(head.closest("th").getAttribute("aria-sort") === "ascending", "sorting says nothing");
  const before = first();
  head.click();
  expect(head.closest("th").getAttribute("aria-sort") === "descending" && first().length > 0 && before.length > 0, "sorting the other way");
}

const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

// Up and down lead along what stands below each other.
function arrowed(selector, view) {
  const stops = document.querySelectorAll(selector);
  if (stops.length < 2) return;
  stops[0].focus();
  press("ArrowDown");
  expect(document.activeElement === stops[1], `${view}: an arrow key does not move`);
  press("ArrowUp");
  expect(document.activeElement === stops[0], `${view}: no way back up`);
}

async function symbolMap() {
  const rows = () => document.querySelectorAll(".symbol").length;
  if (rows() === 0) return;
  arrowed(".symbol > summary", "symbols");
  document.querySelector(".symbol summary").click();
  await settled();
  expect(document.querySelector(".symbol li"), "a symbol without callers");
  overflow("an open symbol");
  const dormant = document.querySelector(".toolbar input[type=checkbox]");
  const before = rows();
  dormant?.click();
  expect(!dormant || rows() >= before, "dormant code takes symbols away");
}

async function findings() {
  // As it says itself: of many, some are drawn.
  const rows = () => Number(document.querySelector("[role=status]").textContent.match(/[\d,]+/)[0].replaceAll(",", ""));
  const all = rows();
  expect(all > 0, "no findings");
  arrowed(".finding > summary", "findings");
  document.querySelector(".finding summary").click();
  await settled();
  expect(document.querySelector(".finding .source .marked"), "a finding without source text");
  overflow("an open finding");
  const search = document.querySelector(".filters input[type=search]");
  search.value = "nothing is called this";
  search.dispatchEvent(new Event("input"));
  expect(rows() === 0, "the search finds what is not there");
  search.value = "";
  search.dispatchEvent(new Event("input"));
  expect(rows() === all, "the search does not let go");
  document.querySelector(".filters details").open = true;
  const box = document.querySelector(".filters input[type=checkbox]");
  // A facet with one value has no boxes.
  if (!box) return;
  box.click();
  expect(rows() > 0 && rows() < all && location.hash.includes("="), "a filter does nothing");
}

async function graph() {
  const nodes = () => [...document.querySelectorAll(".node")];
  expect(nodes().length > 0, "an empty graph");
  for (const box of document.querySelectorAll(".toolbar input[type=checkbox]:not(:checked)")) {
    const before = nodes().length;
    box.click();
    expect(nodes().length >= before, "what builds have in addition takes something away");
  }
  expect(nodes().filter((node) => node.tabIndex === 0).length === 1, "one node is in the way of Tab");
  nodes().find((node) => node.tabIndex === 0).focus();
  const open = document.activeElement.getAttribute("aria-expanded");
  press("Enter");
  await settled();
  expect(document.activeElement.getAttribute("aria-expanded") !== open, "Enter does not open a module");
  press("Enter");
  await settled();
  const start = document.activeElement;
  press("ArrowDown");
  expect(document.activeElement !== start && document.activeElement.matches(".node"), "an arrow key does not move");
  press("ArrowRight");
  expect(document.activeElement.matches(".node.block, .node.symbol-node"), "no way to the right");
  press("Enter");
  expect(document.querySelectorAll(".node.on").length > 1, "Enter shows nothing");
  expect(document.querySelector(".detail h2"), "no detail");
  overflow("graph detail");
  press("Escape");
  expect(document.querySelectorAll(".node.on").length === 0, "Escape does not let go");
  // Boxes of a layer do not lie on each other, and no text sticks out of its box.
  const boxes = nodes().map((node) => [node, node.querySelector("rect").getBoundingClientRect()]);
  boxes.forEach(([one, a], index) => {
    for (const text of one.querySelectorAll("text")) expect(text.getBoundingClientRect().right <= a.right + 1, `text sticks out: ${nameOf(one)}`);
    for (const [other, b] of boxes.slice(index + 1)) {
      const over = Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
      if (over) wrong.push(`graph: overlap: ${nameOf(one)} and ${nameOf(other)}`);
    }
  });
}

addEventListener("load", async () => {
  try {
    for (const [view, look] of [["packages", tables], ["findings", findings], ["symbols", symbolMap], ["graph", graph]]) {
      await visit(view);
      reachable(view);
      await look?.();
    }
    await visit("packages");
    location.hash = document.querySelector("tbody a").getAttribute("href");
    await settled();
    overflow("a package");
    reachable("a package");
    document.getElementById("theme").click();
    expect(document.documentElement.style.colorScheme === "light", "the theme does not change");
  } catch (error) {
    wrong.push(`the probe failed: ${error.stack}`);
  }
  for (const line of wrong.length > 0 ? new Set(wrong) : ["fine"]) console.log(line.replaceAll("\n", " "));
  console.log("end of the script");
});
