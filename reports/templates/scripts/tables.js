/* Tables: sort by a column, filter the rows, copy as Markdown or LaTeX. The first click on a column shows its best or highest. */
const names = new Intl.Collator("en", { numeric: true });

function number(text) {
  const below = text.startsWith("<") ? 1e-12 : 0;
  const value = parseFloat(text.replace("<", "").replace("−", "-").replaceAll(",", "").replace("∞", "Infinity"));
  return value - below;
}

function compare(a, b, numeric) { return numeric ? number(a) - number(b) : names.compare(a, b); }

function sorted(rows, column, numeric, way) {
  const text = row => row.cells[column].textContent;
  const absent = row => text(row) === "–" || text(row) === "";
  return [...rows].sort((a, b) => {
    if (absent(a) || absent(b)) return absent(a) - absent(b);
    return compare(text(a), text(b), numeric) * (way === "ascending" ? 1 : -1) || 0;
  });
}

function sortable(table) {
  const body = table.tBodies[0], original = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const buttons = heads.map((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.tabIndex = column ? -1 : 0;
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.dataset.first || "descending";
      const ways = [first, first === "ascending" ? "descending" : "ascending", null];
      const way = ways[(ways.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (way) head.setAttribute("aria-sort", way);
      body.append(...(way ? sorted(original, column, head.classList.contains("number"), way) : original));
    });
    return button;
  });
  // One stop of the Tab key for the whole head; arrow keys move within it.
  table.tHead.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], place = buttons.indexOf(event.target);
    const next = step && buttons[place + step];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function shown(table) {
  const cells = row => [...row.cells].map(cell => cell.textContent.trim());
  return [cells(table.tHead.rows[0]), ...[...table.tBodies[0].rows].filter(row => !row.hidden).map(cells)];
}

function asMarkdown(table) {
  const escape = text => text.replace(/[\\`*_[\]<>|&]/g, "\\$&").replaceAll("\n", "<br>");
  const line = cells => `| ${cells.map(escape).join(" | ")} |`;
  const [head, ...rows] = shown(table);
  const rule = [...table.tHead.rows[0].cells].map(cell => cell.classList.contains("number") ? "--:" : "---");
  return [line(head), `|${rule.join("|")}|`, ...rows.map(line), ""].join("\n");
}

function asLatex(table) {
  const escape = text => [...text].map(c => c < " " ? " " : Object.hasOwn(data.latex, c) ? data.latex[c] : c).join("");
  const stack = lines => lines.length > 1 ? `\\shortstack[l]{${lines.join(" \\\\ ")}}` : lines[0];
  const line = cells => `${cells.map(cell => stack(cell.split("\n").map(escape))).join(" & ")} \\\\`;
  const [head, ...rows] = shown(table);
  const places = [...table.tHead.rows[0].cells].map(cell => cell.classList.contains("number") ? "r" : "l").join("");
  return ["% \\usepackage{booktabs}", `\\begin{tabular}{${places}}`, "\\toprule", line(head), "\\midrule", ...rows.map(line),
    "\\bottomrule", "\\end{tabular}", ""].join("\n");
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* a page without the right to: the old way */ }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function toolsOf(table) {
  const tools = table.closest("figure").querySelector(".tools"), line = document.createElement("p");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  for (const [label, write] of [["Copy as Markdown", asMarkdown], ["Copy as LaTeX", asLatex]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", async () => { said.textContent = await copy(write(table)) ? " copied" : " could not copy"; });
    line.append(button, " ");
  }
  const label = document.createElement("label"), field = document.createElement("input");
  field.type = "search";
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
  });
  label.append("Rows with ", field);
  line.append(label, said);
  tools.append(line);
}

for (const table of document.querySelectorAll("main figure.table table")) {
  sortable(table);
  toolsOf(table);
}
