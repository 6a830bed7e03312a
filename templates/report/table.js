// Tables that sort by a click on a column's head. Up and down lead from row to row.

// Rows that are made without a pause.
const AT_ONCE = 40;

// `columns`: `{ head, about?, value(row), cell(row)?, number?, share?(row) }`; a share from 0 to 1 is drawn as a bar.
// `groups`: `{ title, rows }`; sorting stays within them. `after(row)` gives rows of elements that belong below a row,
// `by` is the column sorted by at first, `keep(row)` says which are shown; `refill()` asks it again.
function sortable(columns, groups, { after = () => [], by = null, keep = () => true } = {}) {
  const body = element("tbody", {});
  const heads = columns.map((column, index) => {
    const button = element("button", { type: "button", title: column.about?.replaceAll("`", ""), onclick: () => sort(index) }, column.head);
    return element("th", { scope: "col", class: column.number && "number" }, button);
  });
  let descending = false;

  function sort(index) {
    descending = by === index ? !descending : Boolean(columns[index].number);
    by = index;
    mark();
    fill();
  }

  function mark() {
    heads.forEach((head, other) => {
      if (other === by) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function ordered(rows) {
    if (by === null) return rows;
    const { value, number } = columns[by];
    const compare = number ? (a, b) => value(a) - value(b) : (a, b) => collate(String(value(a)), String(value(b)));
    return [...rows].sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
  }

  // Made once, and put into another order from then on.
  const made = new Map();
  const make = (row) => made.set(row, [element("tr", {}, ...columns.map((column) => cellOf(column, row))), ...after(row)]);
  let rest = 0;

  // A screen of rows at once, the others a little later.
  function fill() {
    clearTimeout(rest);
    const shown = [];
    let room = AT_ONCE;
    for (const { title, rows: all } of groups) {
      const kept = all.filter(keep);
      if (kept.length === 0) continue;
      if (title) shown.push(element("tr", { class: "group" }, element("th", { colspan: columns.length, scope: "rowgroup" }, title)));
      for (const row of ordered(kept)) {
        if (!made.has(row) && room > 0) {
          make(row);
          room -= 1;
        }
        if (made.has(row)) shown.push(...made.get(row));
      }
    }
    if (room === 0) rest = setTimeout(fill);
    body.replaceChildren(...shown);
  }

  if (by !== null) {
    descending = Boolean(columns[by].number);
    mark();
  }
  fill();
  const table = arrows(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body), "tbody a");
  return Object.assign(element("div", { class: "scroll" }, table), { refill: fill });
}

function cellOf(column, row) {
  if (column.number) return numberCell(column.value(row), column.share && column.share(row));
  return element("td", {}, column.cell ? column.cell(row) : column.value(row));
}

function numberCell(count, share) {
  const bar = share > 0 && `--share:${Math.max(1, Math.round(100 * share))}%`;
  return element("td", { class: `number${count === 0 ? " zero" : ""}${bar ? " bar-cell" : ""}`, style: bar }, count === 0 ? "·" : digits(count));
}
