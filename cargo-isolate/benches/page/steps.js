// Takes the steps of a reader of a large page one after the other, and prints `step|picture|task` for each: the
// milliseconds until the next picture, and of the longest task till then if it took more than 50.
let longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
}).observe({ type: "longtask", buffered: true });

const pause = (time) => new Promise((done) => setTimeout(done, time));
// A task after the next frame was handed on to be drawn.
const picture = () => new Promise((done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage("");
}));
const say = (step, time) => console.log(`${step}|${time.toFixed(1)}|${longest.toFixed(1)}`);

async function take(step, act) {
  await pause(400);
  longest = 0;
  const start = performance.now();
  act();
  const time = await picture() - start;
  await pause(200);
  say(step, time);
}

const find = (selector, index = 0) => document.querySelectorAll(selector)[index];
// The view itself is drawn in a task after this one.
const visit = (hash) => history.replaceState(null, "", hash) ?? dispatchEvent(new Event("hashchange"));
const type = (word) => {
  const box = find("#view input[type=search]");
  box.value = word;
  box.dispatchEvent(new Event("input"));
};
const press = (label) => [...document.querySelectorAll(".toolbar button")].find((button) => button.textContent === label).click();
const graphOf = (name) => () => visit(`#graph?package=${encodeURIComponent([...document.querySelectorAll(".toolbar option")].find((option) => option.value.startsWith(`${name}@`)).value)}`);

addEventListener("load", async () => {
  await pause(600);
  const first = performance.getEntriesByName("first-contentful-paint")[0];
  say("load", first.startTime);
  await take("sort packages", () => find("thead button", 3).click());
  await take("search packages: a key", () => type("t"));
  await take("open a package (tokio)", () => visit([...document.querySelectorAll("tbody a")].find((one) => one.textContent === "tokio").getAttribute("href")));
  await take("open findings", () => visit("#findings"));
  for (const word of ["u", "un", "uns"]) await take(`search findings: ${word}`, () => type(word));
  await take("search findings: empty again", () => type(""));
  await take("filter findings by kind", () => find(".filters input[type=checkbox]").click());
  await take("open a finding", () => find(".finding summary").click());
  await take("open symbols", () => visit("#symbols"));
  await take("search symbols: a key", () => type("s"));
  await take("open the graph", () => visit("#graph"));
  for (const name of ["tokio", "rav1e"]) {
    await take(`graph of ${name}`, graphOf(name));
    await take(`graph of ${name}: open all`, () => press("Open all"));
    await take(`graph of ${name}: scroll`, () => { find(".canvas").scrollTop = 5000; });
    await take(`graph of ${name}: select a function`, () => find(".node.function", 5).dispatchEvent(new MouseEvent("click", { bubbles: true })));
    await take(`graph of ${name}: search: a key`, () => type("e"));
    await take(`graph of ${name}: dormant code too`, () => find(".toolbar input[type=checkbox]", 1).click());
  }
  console.log("end of the script");
});
