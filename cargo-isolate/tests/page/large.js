// Goes through the views of a large page, and prints "fine" if each makes no more than what is in sight and some
// around it, and the rest as it is scrolled to; or what is wrong.
const wrong = [];
addEventListener("error", (event) => wrong.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => wrong.push(`rejection: ${event.reason}`));

const expect = (holds, what) => holds || wrong.push(what);
const all = (selector) => document.querySelectorAll(selector);
// After what timers and the next two frames bring.
const frame = () => new Promise((done) => requestAnimationFrame(done));
const settled = async () => { await new Promise((done) => setTimeout(done, 60)); await frame(); await frame(); };
const visit = (hash) => { location.hash = hash; return settled(); };
const count = (text) => Number(text.match(/[\d,]+/)[0].replaceAll(",", ""));

function few(selector, most, view) {
  const made = all(selector).length;
  expect(made > 0 && made <= most, `${view}: ${made} of ${selector}, for ${most} at most`);
}

async function search(word, view) {
  const box = document.querySelector("#view input[type=search]");
  box.value = word;
  box.dispatchEvent(new Event("input"));
  await settled();
  few("#view *", 3000, `${view}, searched`);
}

// A list grows as it is scrolled.
async function scrolls(selector, view) {
  const before = all(selector).length;
  scrollTo(0, document.documentElement.scrollHeight);
  await settled();
  expect(all(selector).length > before, `${view}: nothing comes when it is scrolled to`);
}

async function graph() {
  const id = [...all(".toolbar option")].map((option) => option.value).find((value) => value.startsWith("tokio@"));
  await visit(`graph?package=${encodeURIComponent(id)}`);
  [...all(".toolbar button")].find((button) => button.textContent === "Open all").click();
  await settled();
  const canvas = document.querySelector(".canvas");
  const screens = canvas.scrollHeight / canvas.clientHeight;
  expect(screens > 10, `an open graph of ${screens} screens`);
  few(".node", 400, "an open graph");
  const first = document.querySelector(".node[tabindex='0']");
  const names = () => new Set([...all(".node")].map((node) => node.getAttribute("aria-label")));
  const above = names();
  canvas.scrollTop = canvas.scrollHeight;
  await settled();
  few(".node", 400, "the end of a graph");
  expect([...names()].filter((name) => !above.has(name)).length > 10, "the end of a graph is empty");
  expect(first.isConnected && first.tabIndex === 0, "Tab does not lead into a graph that was scrolled");
  // Keys go back to where the focus is, and draw what is there.
  first.focus({ preventScroll: true });
  first.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
  await settled();
  expect(document.activeElement !== first && document.activeElement.matches(".node"), "an arrow key does not move");
  expect(canvas.scrollTop < canvas.clientHeight, "the focus is out of sight");
}

addEventListener("load", async () => {
  try {
    await settled();
    expect(all("tbody tr:not(.part, .group)").length > 80, "packages are missing");
    few("*", 3000, "packages");
    document.querySelector("thead button").click();
    await settled();
    few("*", 3000, "packages, sorted");

    await visit("findings");
    expect(count(document.querySelector("[role=status]").textContent) > 10000, "findings are missing");
    few(".finding", 200, "findings");
    await scrolls(".finding", "findings");
    await search("unsafe", "findings");

    await visit("symbols");
    expect(count(document.querySelector("[role=status]").textContent) > 500, "symbols are missing");
    few(".symbol", 200, "symbols");
    await scrolls(".symbol", "symbols");
    await search("a", "symbols");

    await visit(document.querySelector("#tabs a").getAttribute("href").slice(1));
    const tokio = [...all("tbody a")].find((one) => one.textContent === "tokio");
    await visit(tokio.getAttribute("href").slice(1));
    few(".tree .row", 60, "a package");
    await graph();
  } catch (error) {
    wrong.push(`the probe failed: ${error.stack}`);
  }
  for (const line of wrong.length > 0 ? new Set(wrong) : ["fine"]) console.log(line.replaceAll("\n", " "));
  console.log("end of the script");
});
