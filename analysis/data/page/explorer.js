// The section of all trials: filters, parallel coordinates, scatter, curves, cost and the table.

const explorer = { controls: null, chips: null, status: null };
let restTimer = 0;

function createExplorer(section) {
  if (!trials.n) {
    section.append(el("p", { text: "No trial is on record yet." }));
    return;
  }
  chooseColumns();
  updateRows();
  explorer.controls = el("div", { class: "controls" });
  explorer.chips = el("div", { class: "chips" });
  explorer.status = el("p", { role: "status", class: "soft", id: "shown" });
  const plots = [createCurves(), ...(currentMetric() && scatter.x ? [createScatter()] : [])].filter(Boolean);
  const cost = createCost();
  section.append(
    explorer.controls, explorer.chips, explorer.status,
    ...(trials.knobs.length && currentMetric() ? [createParallel()] : []),
    el("div", { class: "grid" }, ...plots, ...(cost ? [cost] : [])),
    createTable(),
  );
  if (report.trials.more) {
    section.append(el("p", { class: "soft",
      text: `${formatCount(report.trials.more)} more trials are on record: clip-hparam gather writes all trials.` }));
  }
  if (report.trials.equal) {
    section.append(el("details", {}, el("summary", { text: "Knobs that are equal in all trials" }),
      command(report.trials.equal)));
  }
  createControls();
  updateTable();
  updateStatus();
}

function createControls() {
  const scopes = report.trials.scopes.map(scope => [scope.key, `${scope.title} (${formatCount(new Set(scope.rows).size)})`]);
  const columns = group => group.map(column => [column.name, column.title]);
  const search = el("input", {
    type: "search", id: "search", placeholder: "lr>1e-3 state=done ema", value: filters.query,
    oninput: event => { filters.query = event.target.value; filtersChanged("query"); },
  });
  const axes = change => value => { change(value); filtersChanged("axes"); };
  explorer.search = search;
  explorer.controls.replaceChildren(
    el("label", { class: "grow" }, "Search: words, or comparisons with a column", search),
    select("Sweep", [["", `all trials (${formatCount(trials.n)})`], ...scopes], filters.scope,
      value => { filters.scope = value; filtersChanged("scope"); }),
    ...(scatter.x ? [select("x", columns(trials.plotted), scatter.x, axes(value => { scatter.x = value; }))] : []),
    ...(trials.metrics.length > 1
      ? [select("y and colour", columns(trials.metrics), scatter.y, axes(value => { scatter.y = value; }))] : []),
    el("button", { type: "button", id: "clear", text: "Clear filters", onclick: () => { search.value = ""; clearFilters(); } }),
  );
}

function updateStatus() {
  explorer.status.textContent = `${formatCount(rows.shown.length)} of ${formatCount(rows.inScope.length)} trials shown. ${filters.problem}`;
  const chips = [...filters.ranges].map(([name, [low, high]]) => {
    const column = trials.byName.get(name);
    const text = `${column.title}: ${rangeText(column, low, high)} \u00d7`;
    return el("button", { type: "button", text, "aria-label": `Remove the filter ${text}`,
      onclick: () => { filters.ranges.delete(name); filtersChanged("clear"); } });
  });
  explorer.chips.replaceChildren(...chips);
}

function rangeText(column, low, high) {
  if (column.numeric) return `${column.at(low)} to ${column.at(high)}`;
  return column.levels.filter((_, code) => code >= low && code <= high).join(", ") || "no level";
}

views.push(updateStatus, updateScatter, updateParallel, () => {
  clearTimeout(restTimer); // curves and table follow when the brush rests
  restTimer = setTimeout(() => {
    table.page = 0;
    updateTable();
    updateCurves();
  }, 2 * BRUSH_MS);
});

// Cost against accuracy on the selection set: a point per cell, and the cells that no cheaper one beats.
function costPoints() {
  const cost = trials.byName.get("cost.gpu_hours") || trials.byName.get("cost.seconds");
  const accuracy = trials.byName.get("selection_acc1");
  if (!cost || !accuracy) return null;
  const cells = new Map();
  for (let row = 0; row < trials.n; row++) {
    if (cost.values[row] === null || accuracy.values[row] === null) continue;
    const cell = cells.get(trials.groups[row]) ?? { name: trials.groups[row], cost: [], accuracy: [] };
    cell.cost.push(cost.values[row]);
    cell.accuracy.push(accuracy.values[row]);
    cells.set(cell.name, cell);
  }
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
  const points = [...cells.values()].map(cell =>
    ({ name: cell.name, n: cell.cost.length, x: mean(cell.cost), y: mean(cell.accuracy) }));
  points.sort((a, b) => a.x - b.x || b.y - a.y);
  let best = -Infinity;
  for (const point of points) { point.front = point.y > best; best = Math.max(best, point.y); }
  return { title: cost.title, accuracy: accuracy.title, points };
}

function createCost() {
  const data = costPoints();
  if (!data || data.points.length < 2) return null;
  const log = data.points.at(-1).x > 10 * data.points[0].x && data.points[0].x > 0;
  const note = "Mean of each cell; the line joins cells that no cheaper cell beats on the selection set.";
  return addChart("Accuracy against cost", note, 330, () => ({
    grid: { left: 58, right: 30, top: 22, bottom: 44 },
    tooltip: tooltip(({ data: point }) => lines(point.name, `${data.accuracy}: ${formatFixed(point.value[1])}`,
      `${data.title}: ${formatNumber(point.value[0], 3)}`, `${point.n} trials`)),
    xAxis: { ...valueAxis(`${data.title} per trial`, MARGIN), type: log ? "log" : "value",
      ...(log ? { min: bounds => roundDown(bounds.min), max: bounds => roundUp(bounds.max) } : {}) },
    yAxis: valueAxis(data.accuracy, { ...Y_NAME, ...MARGIN }),
    series: costSeries(data),
  }));
}

const MAX_NAMED = 12; // points beside the front that have a name
const MARGIN = { boundaryGap: ["6%", "6%"] };
const roundDown = value => Number((value * 0.85).toPrecision(1));
const roundUp = value => Number((value * 1.2).toPrecision(1));

function costSeries(data) {
  const names = data.points.map(point => point.name);
  const short = new Map(shortNames(names).map((name, index) => [names[index], name]));
  const item = point => ({ value: [point.x, point.y], name: point.name, n: point.n });
  const label = { show: true, position: "top", color: colours.ink, fontSize: 10, textBorderColor: colours.paper,
    textBorderWidth: 2, formatter: event => shorten(short.get(event.name), 22) };
  const front = data.points.filter(point => point.front);
  const named = data.points.length <= MAX_NAMED ? { label, labelLayout: { hideOverlap: true } } : {};
  return [
    { type: "scatter", symbolSize: 6, data: data.points.filter(point => !point.front).map(item), ...named,
      itemStyle: { color: colours.accent, opacity: 0.5 } },
    { type: "line", step: "end", symbol: "circle", symbolSize: 9, data: front.map(item), label,
      labelLayout: { hideOverlap: true }, color: colours.mark, z: 4 },
  ];
}
