// Tables that sort by a click on a column's head.

// `columns`: `{ head, about?, value(row), cell(row)?, number? }`. `groups`: `{ title, rows }`; sorting stays within them.
// `after(row)` gives rows of elements that belong below a row.
function sortable(columns, groups, after = () => []) {
  const body = element("tbody", {});
  const heads = columns.map((column, index) => {
    const button = element("button", { type: "button", title: column.about?.replaceAll("`", ""), onclick: () => sort(index) }, column.head);
    return element("th", { scope: "col", class: column.number && "number" }, button);
  });
  let by = null;
  let descending = false;

  function sort(index) {
    descending = by === index ? !descending : Boolean(columns[index].number);
    by = index;
    heads.forEach((head, other) => {
      if (other === by) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    fill();
  }

  function ordered(rows) {
    if (by === null) return rows;
    const { value, number } = columns[by];
    const compare = number ? (a, b) => value(a) - value(b) : (a, b) => String(value(a)).localeCompare(String(value(b)));
    return [...rows].sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
  }

  function fill() {
    body.replaceChildren();
    for (const { title, rows } of groups.filter((group) => group.rows.length > 0)) {
      if (title) body.append(element("tr", { class: "group" }, element("th", { colspan: columns.length, scope: "rowgroup" }, title)));
      for (const row of ordered(rows)) body.append(element("tr", {}, ...columns.map((column) => cellOf(column, row))), ...after(row));
    }
  }

  fill();
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body));
}

function cellOf(column, row) {
  if (!column.number) return element("td", {}, column.cell ? column.cell(row) : column.value(row));
  return numberCell(column.value(row));
}

function numberCell(count) {
  return element("td", { class: count === 0 ? "number zero" : "number" }, count === 0 ? "·" : count.toLocaleString("en"));
}
