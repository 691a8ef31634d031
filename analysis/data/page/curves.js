// Learning curves of the trials that the filters leave: mean and band of each cell, seeds on demand.

const MAX_CELLS = 8;
const curves = { metric: 0, seeds: false, entry: null, caption: null };

// The cells with curves: their rows, the best eight by the last value of their mean.
function curveCells(values) {
  const cells = new Map();
  for (const row of rows.shown) {
    if (!values[row] || !values[row].length) continue;
    const name = trials.groups[row];
    if (cells.has(name)) cells.get(name).push(row);
    else cells.set(name, [row]);
  }
  const last = row => values[row].at(-1) ?? -Infinity;
  const score = members => members.reduce((sum, row) => sum + last(row), 0) / members.length;
  const sign = report.curves.metrics[curves.metric].name === "train_loss" ? 1 : -1;
  return [...cells].map(([name, members]) => ({ name, members, score: score(members) }))
    .sort((a, b) => sign * (a.score - b.score));
}

function curvesOption() {
  const metric = report.curves.metrics[curves.metric];
  if (!metric) return {};
  const cells = curveCells(metric.values), shown = cells.slice(0, MAX_CELLS);
  const names = shortNames(shown.map(cell => cell.name));
  const series = shown.flatMap((cell, index) => cellSeries(cell, names[index], metric.values, PALETTE[index]));
  curves.caption.textContent = cells.length > MAX_CELLS
    ? `The best ${MAX_CELLS} of ${formatCount(cells.length)} cells by the last epoch; filter to see others.`
    : cells.length ? `${cells.length} ${cells.length === 1 ? "cell" : "cells"}; band: 95 % t interval over seeds.`
      : "No trial that is shown has epochs.";
  const ends = axisEnds(shown, metric.values);
  return {
    grid: { left: 58, right: narrow() ? 84 : 118, top: 14, bottom: 44 },
    tooltip: tooltip(event => lines(event.seriesName, `epoch ${event.value[0]}: ${formatNumber(event.value[1])}`)),
    xAxis: valueAxis("epoch", { minInterval: 1, scale: false, min: 1, max: "dataMax" }),
    yAxis: valueAxis(metric.title, { ...Y_NAME, ...ends }),
    series,
  };
}

// Ends of the y axis that leave out the first fifth of the epochs, where curves start low.
function axisEnds(cells, values) {
  let low = Infinity, high = -Infinity;
  for (const { members } of cells) {
    for (const row of members) {
      const line = values[row];
      for (let epoch = Math.floor(line.length / 5); epoch < line.length; epoch++) {
        if (line[epoch] === null) continue;
        low = Math.min(low, line[epoch]);
        high = Math.max(high, line[epoch]);
      }
    }
  }
  return roundEnds(low, high);
}

function cellSeries(cell, short, values, colour) {
  const mean = [], low = [], width = [];
  const epochs = Math.max(...cell.members.map(row => values[row].length));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const found = cell.members.map(row => values[row][epoch]).filter(value => value !== null && value !== undefined);
    if (found.length < cell.members.length) continue; // a mean over fewer seeds would jump
    const centre = found.reduce((sum, value) => sum + value, 0) / found.length;
    const half = halfWidth(found, centre);
    mean.push([epoch + 1, centre]);
    if (half !== null) { low.push([epoch + 1, centre - half]); width.push([epoch + 1, 2 * half]); }
  }
  const plain = { type: "line", showSymbol: mean.length === 1, symbolSize: 5, color: colour, clip: true };
  const band = { ...plain, name: cell.name, stack: `band ${cell.name}`, stackStrategy: "all", silent: true,
    lineStyle: { opacity: 0 }, showSymbol: false };
  const bands = low.length ? [
    { ...band, data: low },
    { ...band, data: width, areaStyle: { color: colour, opacity: 0.16 } },
  ] : [];
  const seeds = curves.seeds ? cell.members.map(row => ({
    ...plain, name: `${cell.name}, ${trials.byName.get("trial_id").text(row)}`,
    lineStyle: { width: 0.8, opacity: 0.7, type: "dashed" },
    data: values[row].map((value, epoch) => [epoch + 1, value]),
  })) : [];
  const label = { show: true, formatter: () => shorten(short, 18), color: colour, fontSize: 10, lineHeight: 12,
    distance: 4, textBorderColor: colours.paper, textBorderWidth: 2 };
  const line = { ...plain, name: cell.name, data: mean, lineStyle: { width: 2 }, endLabel: label,
    labelLayout: { moveOverlap: "shiftY" } };
  return [...bands, ...seeds, line];
}

function createCurves() {
  if (!report.curves.metrics.length) return null;
  curves.caption = el("p", { class: "soft" });
  const controls = el("div", { class: "controls" },
    select("Curve", report.curves.metrics.map((metric, index) => [String(index), metric.title]), "0",
      value => { curves.metric = Number(value); updateChart(curves.entry); }),
    checkbox("single seeds", false, checked => { curves.seeds = checked; updateChart(curves.entry); }));
  const node = addChart("Learning curves", "", 330, curvesOption);
  curves.entry = charts[charts.length - 1];
  if (report.curves.more) node.append(el("p", { class: "soft", text: `${report.curves.more} more trials have no curve here.` }));
  node.querySelector(".chart").before(controls);
  node.append(curves.caption);
  node.classList.add("first"); // of three charts, this one is as wide as the page
  return node;
}

function updateCurves() {
  if (curves.entry) updateChart(curves.entry);
}
