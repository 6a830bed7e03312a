// Elements, made from their name, properties and children.

const SVG = "http://www.w3.org/2000/svg";

// Characters that change what a reader sees are shown as what they are, as in every other format.
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\p{Cf}\u2028\u2029]/gu;
const visible = (content) => (typeof content === "string" ? content.replace(HIDDEN, (char) => `\\u{${char.codePointAt(0).toString(16)}}`) : content);

function make(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : visible(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map(visible));
  return node;
}

const element = (name, properties, ...children) => make(document.createElement(name), properties, children);
const svg = (name, properties, ...children) => make(document.createElementNS(SVG, name), properties, children);
const link = (to, ...children) => element("a", { href: to }, ...children);
const code = (content) => element("code", {}, content);

// Text with code between backticks.
function prose(content) {
  const parts = content.split("`");
  if (parts.length % 2 === 0) return [content];
  return parts.map((part, index) => (index % 2 === 1 ? code(part) : part)).filter((part) => part !== "");
}

// Something that opens; what it holds is made when it opens first.
function opening(properties, summary, content) {
  const box = element("details", properties, summary);
  const fill = () => box.childElementCount === 1 && box.append(...content());
  if (properties.open) fill();
  else box.addEventListener("toggle", fill);
  return box;
}

// Up and down move the focus along what `selector` finds and shows, as Tab does.
function arrows(container, selector) {
  container.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [...container.querySelectorAll(selector)].filter((stop) => stop.checkVisibility());
    const next = stops[stops.indexOf(event.target) + step];
    if (!stops.includes(event.target) || !next) return;
    next.focus();
    event.preventDefault();
  });
  return container;
}

// A long list, made as far as it is scrolled to.
function endless(items, row, step = 60) {
  const list = arrows(element("div", { class: "list" }), "summary");
  const rest = element("p", { class: "faint", style: "padding:.5rem 1rem" }, "more below");
  let shown = 0;
  const more = () => {
    list.append(...items.slice(shown, shown + step).map(row));
    shown = Math.min(items.length, shown + step);
    rest.hidden = shown >= items.length;
  };
  const seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) more();
    if (shown >= items.length) seen.disconnect();
  }, { rootMargin: "800px" });
  more();
  seen.observe(rest);
  return element("div", {}, list, rest);
}
