// Pieces of the page. Text from evidence only ever becomes a text node.

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function button(text, click, attributes) {
  return element("button", { type: "button", click, ...attributes }, text);
}

function seconds(value, digits = 1) {
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? "\u2212" : "+"}${text} s`;
}

function utc(axis, second) {
  return new Date(axis.zero_ms + second * 1000).toISOString().replace("T", " ").replace("Z", " UTC");
}

const kRowsAtFirst = 12;
const kQuantity = /^[+\u2212-]?[\d.]+( ms| s|\/s)?$|^-$/;
const kOutcomeSigns = { pass: "\u2713", fail: "\u2715", inconclusive: "?", error: "!" };

function isNumeric(table, column) {
  return table.rows.length > 0 && table.rows.every((row) => kQuantity.test(row[column]));
}

// jump: what a click on a moment does, given its second and the button.
function cell(table, row, column, axis, jump) {
  const value = row[column];
  if (table.moments && column === 0) {
    return element("td", { class: "number" },
      button(seconds(value, 2), (event) => jump(value, event.currentTarget),
        { "aria-label": `Show the plots at ${seconds(value, 2)}`, title: utc(axis, value) }));
  }
  if (table.section === "checks" && column === 0) {
    return element("td", {}, element("span", { class: `outcome ${value}` },
      element("span", { "aria-hidden": "true" }, kOutcomeSigns[value] ?? ""), ` ${value}`));
  }
  return element("td", { class: isNumeric(table, column) ? "number" : null }, String(value));
}

function rowsOf(table, axis, jump) {
  return table.rows.map((row) => element("tr", {}, ...row.map((_, column) => cell(table, row, column, axis, jump))));
}

function tableOf(table, axis, jump) {
  const box = element("div", { class: "table" });
  const count = table.rows.length + table.left_out;
  const caption = count > kRowsAtFirst ? `${table.caption} (${count})` : table.caption;
  if (table.rows.length === 0) {
    box.append(element("p", { class: "caption" }, table.caption), element("p", { class: "empty" }, table.when_empty));
    return box;
  }
  const rows = rowsOf(table, axis, jump);
  const body = element("tbody", {}, ...(table.section === "checks" ? rows : rows.slice(0, kRowsAtFirst)));
  const heads = table.columns.map((name, column) =>
    element("th", { scope: "col", class: isNumeric(table, column) ? "number" : null }, name));
  box.append(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": table.caption },
    element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...heads)), body)));
  if (body.childElementCount < rows.length) {
    box.append(button(`Show all ${rows.length} rows`, (event) => {
      body.append(...rows.slice(kRowsAtFirst));
      body.rows[kRowsAtFirst].querySelector("button")?.focus();
      event.currentTarget.remove();
    }, { class: "more", "data-on-paper": `${rows.length - kRowsAtFirst} more rows are in the page on the screen.` }));
  }
  const note = (text) => box.append(element("p", { class: "note" }, text));
  if (table.left_out > 0) note(`${table.left_out} more are in the bundle's records.`);
  if (table.note) note(table.note);
  return box;
}
