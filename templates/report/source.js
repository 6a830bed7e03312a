// Source text, coloured when the page was made.

// Lines `from` to `to` of a file with some around them; those are marked. Null if the page does not have them.
function sourceOf(fileIndex, from, to) {
  const lines = sourceLines(fileIndex, from - 2, Math.min(to, from + 16) + 2);
  if (lines.length === 0) return null;
  return element("pre", { class: "source", tabindex: "0", "aria-label": "Source text" },
    ...lines.map((line) => element("span", { "data-line": line.line, class: line.line >= from && line.line <= to && "marked" }, ...coloured(line))));
}

function coloured({ text: content, runs }) {
  const parts = [];
  let end = 0;
  for (const [start, length, kind] of runs) {
    parts.push(content.slice(end, start), element("span", { class: kind }, content.slice(start, start + length)));
    end = start + length;
  }
  parts.push(content.slice(end));
  return parts.filter((part) => part !== "");
}
