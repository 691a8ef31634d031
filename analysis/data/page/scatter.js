// A scatter of the trials over two columns: a rectangle filters all views.

const scatter = { x: null, y: null, entry: null };

function currentMetric() {
  return trials.byName.get(scatter.y) || trials.metrics[0] || null;
}

function chooseColumns() {
  const wanted = ["selection_acc1", "test_acc1"].map(name => trials.byName.get(name)).find(Boolean);
  scatter.y = trials.byName.has(scatter.y) ? scatter.y : (wanted || trials.metrics[0])?.name ?? null;
  const best = report.searches[0]?.knobs[0]?.name;
  const x = [trials.byName.get(best), trials.knobs.find(column => column.numeric), trials.knobs[0], ...trials.plotted];
  scatter.x = trials.byName.has(scatter.x) ? scatter.x : x.find(Boolean)?.name ?? null;
}

function scatterOption() {
  const x = trials.byName.get(scatter.x), y = currentMetric();
  if (!x || !y) return {};
  const size = rows.matching.length > 1500 ? 4 : 7;
  const inside = new Set(rows.shown);
  const known = row => x.positions[row] !== null && y.values[row] !== null;
  const point = row => [x.positions[row], y.positions[row], row];
  const many = { type: "scatter", large: true, largeThreshold: 300 }; // one path, fast enough for a brush
  const out = rows.matching.filter(row => !inside.has(row) && known(row)).map(point);
  const selected = filters.selected !== null && known(filters.selected) ? [point(filters.selected)] : [];
  return {
    toolbox: { show: false },
    tooltip: tooltip(event => trialTooltip(event.value[2])),
    brush: { xAxisIndex: 0, yAxisIndex: 0, transformable: true, throttleType: "fixRate", throttleDelay: 16,
      brushStyle: { color: "rgba(0,114,178,.15)", borderColor: colours.accent }, toolbox: [] },
    xAxis: columnAxis(x), yAxis: columnAxis(y, Y_NAME),
    series: [
      { ...many, data: out, symbolSize: size - 2, itemStyle: { color: colours.faint, opacity: 0.6 }, silent: true },
      { ...many, data: rows.shown.filter(known).map(point), symbolSize: size,
        itemStyle: { color: colours.accent, opacity: 0.75 } },
      { type: "scatter", data: selected, symbolSize: 15, z: 5, silent: true,
        itemStyle: { color: "transparent", borderColor: colours.mark, borderWidth: 3 } },
    ],
  };
}

function trialTooltip(row) {
  const metrics = trials.metrics.map(column => `${column.title}: ${column.text(row)}`);
  const knobs = trials.knobs.slice(0, 8).map(column => `${column.title}=${column.text(row)}`).join(" ");
  return lines(trials.groups[row], trials.byName.get("trial_id").text(row), ...metrics, knobs);
}

function createScatter() {
  const node = addChart("Trials by two columns", "Drag a rectangle to filter, click a point for its details.", 330,
    scatterOption, chart => {
      queueMicrotask(startBrush); // after the option is set
      chart.on("brush", event => brushScatter(event.areas ?? event.batch?.[0]?.areas ?? []));
      chart.on("click", event => { if (event.value) selectTrial(event.value[2]); });
    });
  scatter.entry = charts[charts.length - 1];
  return node;
}

function brushScatter(areas) {
  if (scatter.busy) return;
  const [xs, ys] = areas[0]?.coordRange ?? [null, null];
  setRange(scatter.x, xs, "scatter");
  setRange(scatter.y, ys, "scatter");
}

// A finger scrolls the page, so only a mouse has a brush.
function startBrush() {
  if (narrow()) return;
  scatter.entry?.chart?.dispatchAction({
    type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "rect", brushMode: "single" },
  });
}

function updateScatter(sources) {
  const chart = scatter.entry?.chart;
  if (!chart) return;
  const option = scatterOption();
  if (sources.has("axes") || sources.has("clear") || sources.has("scope")) {
    scatter.busy = true;
    updateChart(scatter.entry);
    startBrush();
    scatter.busy = false;
  } else if (option.series) {
    chart.setOption({ series: option.series }, { lazyUpdate: false });
  }
}
