/* The explorer: paired differences of two networks on each task, and all learning curves of a task. It draws the numbers that
   the report computed and computes none of its own. */
const SVG = "http://www.w3.org/2000/svg";

function draw(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function hint(element, text) { draw(element, "title", {}, text); }

function signed(value) { return value === null ? "–" : value.toFixed(3).replace(/^-(?=0\.000$)/, "").replace("-", "−"); }

/* The rows of a table that is given by column, as objects. */
function rowsOf(table) {
  const columns = Object.entries(table);
  return columns.length ? columns[0][1].map((_, place) => Object.fromEntries(columns.map(([name, values]) => [name, values[place]]))) : [];
}

function canvas(holder, height, label) {
  holder.replaceChildren();
  const width = holder.clientWidth;
  const svg = draw(holder, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
  return [svg, width];
}

function pairedSeeds(rows, a, b, task) {
  const skill = name => new Map(rows.filter(row => row.task === task && row.variant === name).map(row => [row.seed, row]));
  const first = skill(a), second = skill(b);
  return [...first.keys()].filter(seed => second.has(seed))
    .map(seed => ({ seed, value: first.get(seed).skill - second.get(seed).skill }));
}

function estimate(pairs, a, b, task) {
  const straight = pairs.find(row => row.task === task && row.a === a && row.b === b);
  if (straight) return straight;
  const turned = pairs.find(row => row.task === task && row.a === b && row.b === a);
  const minus = value => value === null ? null : -value;
  return turned && { ...turned, difference: minus(turned.difference), low: minus(turned.high), high: minus(turned.low) };
}

/* A table of the same numbers, for readers who cannot see the picture or want to copy them. */
function listed(holder, shared, a, b) {
  const box = document.createElement("div"), table = document.createElement("table");
  box.className = "scroll";
  watch.observe(box);
  table.setAttribute("aria-label", `Skill of ${a} minus skill of ${b}, by task`);
  const line = (parent, tag, cells) => {
    const row = parent.insertRow();
    cells.forEach((text, place) => {
      const cell = document.createElement(tag);
      cell.textContent = text;
      if (place) cell.className = "number";
      if (tag === "th") cell.scope = "col";
      row.append(cell);
    });
  };
  line(table.createTHead(), "th", ["task", "difference", "low", "high", "seeds"]);
  const body = table.createTBody();
  for (const { task, seeds, found } of shared)
    line(body, "td", [task, ...(found ? [found.difference, found.low, found.high].map(signed) : ["–", "–", "–"]), seeds.length]);
  box.append(table);
  holder.append(box);
}

function drawPairs(holder, replicates, pairs, a, b) {
  const tasks = [...new Set(replicates.map(row => row.task))];
  const shared = tasks.map(task => ({ task, seeds: pairedSeeds(replicates, a, b, task), found: estimate(pairs, a, b, task) }))
    .filter(each => each.seeds.length);
  if (!shared.length || a === b) {
    holder.replaceChildren(a === b ? "Choose two different networks." : "They have no task in common.");
    return;
  }
  const values = shared.flatMap(({ seeds, found }) => [0, ...seeds.map(each => each.value), ...(found ? [found.low, found.high] : [])]);
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  const step = 44, [svg, width] = canvas(holder, shared.length * step + 40, `Skill of ${a} minus skill of ${b}: every seed, by task`);
  const left = Math.min(130, width * 0.3), right = 12, x = value => left + (value - low) / span * (width - left - right);
  const bottom = shared.length * step + 4;
  draw(svg, "line", { x1: x(0), x2: x(0), y1: 0, y2: bottom, class: "zero" });
  shared.forEach(({ task, seeds, found }, place) => {
    const middle = place * step + 22;
    draw(svg, "text", { x: 0, y: middle + 4 }, task);
    draw(svg, "line", { x1: left, x2: width - right, y1: middle, y2: middle, class: "axis" });
    seeds.forEach((each, index) => {
      const dot = draw(svg, "circle", { cx: x(each.value), cy: middle - 9 + 18 * ((index * 0.618) % 1), r: 3 });
      hint(dot, `seed ${each.seed}: ${signed(each.value)}`);
    });
    if (!found) return;
    if (found.low !== null)
      hint(draw(svg, "line", { x1: x(found.low), x2: x(found.high), y1: middle, y2: middle, class: "interval" }),
        `95 % interval ${signed(found.low)} to ${signed(found.high)}`);
    draw(svg, "rect", { x: x(found.difference) - 4, y: middle - 4, width: 8, height: 8, class: "mean",
      transform: `rotate(45 ${x(found.difference)} ${middle})` });
  });
  const ends = [[low, "start"], [high, "end"], ...(x(0) - x(low) > 60 && x(high) - x(0) > 60 ? [[0, "middle"]] : [])];
  for (const [value, anchor] of ends) draw(svg, "text", { x: x(value), y: bottom + 16, "text-anchor": anchor, class: "pale" }, signed(value));
  draw(svg, "text", { x: width - right, y: bottom + 32, "text-anchor": "end", class: "pale" }, `${b} better ← skill of ${a} minus skill of ${b} → ${a} better`);
  listed(holder, shared, a, b);
  if (shared.some(each => !each.found)) holder.append("There are too many pairs to write their intervals into this page: only the seeds are shown.");
}

/* Labels at the ends of curves, moved apart so that none covers another. */
function apart(ends, height, gap) {
  ends.sort((p, q) => p.y - q.y);
  ends.forEach((end, place) => { if (place) end.y = Math.max(end.y, ends[place - 1].y + gap); });
  const over = ends.length ? ends[ends.length - 1].y - height : 0;
  if (over > 0) for (let place = ends.length - 1, most = height; place >= 0; place--, most -= gap) ends[place].y = Math.min(ends[place].y, most);
}

function drawCurves(holder, curves, task, a, b) {
  const own = curves.filter(row => row.task === task), networks = [...new Set(own.map(row => row.variant))];
  const height = Math.max(260, networks.length * 14 + 20);
  const [svg, width] = canvas(holder, height + 44, `Validation score of every network on ${task} against the sequences seen`);
  const left = 34, right = 130, most = Math.max(...own.map(row => row.sequences));
  const x = value => left + value / most * (width - left - right), y = value => 8 + (1 - value) * (height - 8);
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    draw(svg, "line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "axis" });
    draw(svg, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end", class: "pale" }, value);
  }
  for (const [value, anchor] of [[0, "start"], [most / 2, "middle"], [most, "end"]])
    draw(svg, "text", { x: x(value), y: height + 18, "text-anchor": anchor, class: "pale" }, value.toLocaleString("en"));
  draw(svg, "text", { x: (left + width - right) / 2, y: height + 36, "text-anchor": "middle", class: "pale" }, "sequences seen");
  const kind = name => name === a ? "first" : name === b ? "second" : "";
  const ends = [];
  for (const name of [...networks].sort((p, q) => kind(p).length - kind(q).length)) {
    const rows = own.filter(row => row.variant === name).sort((p, q) => p.sequences - q.sequences);
    const path = values => values.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
    const known = rows.filter(row => row.low !== null);
    if (kind(name) && known.length)
      draw(svg, "path", { class: `band ${kind(name)}`,
        d: `M${path(known.map(row => [row.sequences, row.low]))}L${path(known.map(row => [row.sequences, row.high]).reverse())}Z` });
    hint(draw(svg, "path", { class: `line ${kind(name)}`, d: `M${path(rows.map(row => [row.sequences, row.mean]))}` }), name);
    ends.push({ name, y: y(rows[rows.length - 1].mean) });
  }
  apart(ends, height, 14);
  for (const end of ends) draw(svg, "text", { x: width - right + 6, y: end.y + 4, class: kind(end.name) || "pale" }, end.name);
}

function choices(select, names, chosen) {
  for (const name of names) select.append(new Option(name, name, name === chosen, name === chosen));
}

if (data.replicates) {
  const place = name => document.getElementById(`_${name}`);
  const replicates = rowsOf(data.replicates), pairs = rowsOf(data.pairs), curves = rowsOf(data.curves);
  const networks = [...new Set(replicates.map(row => row.variant))];
  const first = networks.includes("lstm") ? "lstm" : networks[0];
  choices(place("first"), networks, first);
  choices(place("second"), networks, networks.includes("gru") ? "gru" : networks.find(name => name !== first) || first);
  choices(place("task"), [...new Set(curves.map(row => row.task))]);
  place("explorer").hidden = false;
  place("without").hidden = true;
  const show = () => {
    const [a, b] = [place("first").value, place("second").value];
    drawPairs(place("pairs"), replicates, pairs, a, b);
    if (place("task").value) drawCurves(place("curves"), curves, place("task").value, a, b);
  };
  for (const name of ["first", "second", "task"]) place(name).addEventListener("change", show);
  let width = 0;
  new ResizeObserver(([entry]) => { if (entry.contentRect.width !== width) { width = entry.contentRect.width; show(); } }).observe(place("explorer"));
}
