// Parallel coordinates of the trials: a brush on an axis filters all views.

const MAX_AXES = 8;
const PARALLEL_BOX = { left: 46, right: 70, top: 40, bottom: 18 };
const parallel = {
  columns: [], rows: [], points: new Map(), entry: null, busy: false,
  faint: new echarts.graphic.Group(), bright: new echarts.graphic.Group(),
};

function chooseAxes() {
  const varied = trials.knobs.filter(column => new Set(scopeRows().map(row => column.positions[row])).size > 1);
  const known = new Map((report.searches[0]?.knobs || []).map((knob, rank) => [knob.name, rank]));
  const ranked = [...varied].sort((a, b) => (known.get(a.name) ?? 99) - (known.get(b.name) ?? 99));
  const kept = new Set(ranked.slice(0, narrow() ? 3 : MAX_AXES));
  const metric = currentMetric();
  return [...varied.filter(column => kept.has(column)), ...(metric ? [metric] : [])];
}

const phone = matchMedia("(max-width: 599px)");
function narrow() { return phone.matches; }

function parallelOption() {
  parallel.columns = chooseAxes();
  const names = new Set(parallel.columns.map(column => column.name));
  const others = [...filters.ranges].filter(([name]) => !names.has(name));
  const shown = rows.matching.filter(row => others.every(([name, [low, high]]) => {
    const position = trials.byName.get(name).positions[row];
    return position !== null && position >= low && position <= high;
  }));
  parallel.rows = shown;
  return {
    parallel: { ...PARALLEL_BOX, parallelAxisDefault: { realtime: true } },
    parallelAxis: parallel.columns.map((column, dim) => parallelAxis(column, dim)),
    tooltip: { show: false },
    series: [{ type: "parallel", data: [] }],
  };
}

// The lines as one path per colour, beside the chart's own elements: a thousand single lines are too
// slow to follow a brush. All lines lie faint on a layer of their own, which a brush leaves as it is.
const Polylines = echarts.graphic.extendShape({
  shape: { lines: [] },
  buildPath(context, { lines }) {
    for (const points of lines) {
      points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    }
  },
});

function drawLines() {
  const place = linePlace(parallel.entry.chart.getWidth(), parallel.entry.chart.getHeight());
  parallel.points = new Map(parallel.rows.map(row => [row, place(row)]));
  parallel.faint.removeAll();
  parallel.faint.add(polylines([...parallel.points.values()], colours.faint, 0.25, -1));
  drawBrushedLines();
}

// The lines that the brushes of the axes leave, in the colours of the metric.
function drawBrushedLines() {
  const metric = currentMetric(), paths = new Map();
  const ranges = parallel.columns.filter(column => filters.ranges.has(column.name))
    .map(column => [column, ...filters.ranges.get(column.name)]);
  for (const [row, points] of parallel.points) {
    if (!ranges.every(([column, low, high]) => within(column.positions[row], low, high))) continue;
    const colour = metric ? metricColour(metric, row) : colours.accent;
    if (!paths.has(colour)) paths.set(colour, []);
    paths.get(colour).push(points);
  }
  parallel.bright.removeAll();
  const opacity = parallel.rows.length > 300 ? 0.5 : 0.8;
  for (const [colour, lines] of paths) parallel.bright.add(polylines(lines, colour, opacity, 1));
}

function polylines(lines, stroke, opacity, zlevel) {
  return new Polylines({ shape: { lines }, silent: true, zlevel, style: { stroke, fill: null, lineWidth: 1, opacity } });
}

// A function row => points in px, by the box and the ends of the axes.
function linePlace(width, height) {
  const { left, right, top, bottom } = PARALLEL_BOX;
  const gap = (width - left - right) / Math.max(parallel.columns.length - 1, 1);
  const axes = parallel.columns.map((column, index) => {
    const [low, high] = axisRange(column);
    return { column, x: left + gap * index, low, scale: (height - top - bottom) / (high - low) };
  });
  return row => axes.filter(({ column }) => typeof column.positions[row] === "number")
    .map(({ column, x, low, scale }) => [x, height - bottom - (column.positions[row] - low) * scale]);
}

function parallelAxis(column, dim) {
  const [min, max] = axisRange(column);
  const axis = columnAxis(column, { nameLocation: "end", nameGap: 14, type: "value", min, max }, 6);
  if (!column.ticks(6)) axis.axisLabel = { ...axis.axisLabel, customValues: evenTicks(min, max, 6) };
  delete axis.splitLine;
  return {
    ...axis, zlevel: 2, dim, id: column.name, // its labels lie above the lines
    realtime: true, name: shorten(column.title, narrow() ? 12 : 24),
    nameTextStyle: { color: colours.ink, fontSize: 11 },
    axisLabel: { ...axis.axisLabel, color: colours.ink, textBorderColor: colours.paper, textBorderWidth: 3 },
    areaSelectStyle: { width: 18, color: colours.accent, borderColor: colours.accent, opacity: 0.3 },
  };
}

// Colour of a trial from low to high of the metric, in 24 steps.
function metricColour(metric, row) {
  const position = metric.positions[row];
  if (position === null || metric.values[row] === null) return colours.faint;
  const cut = metric.clip ??= clipRange(metric);
  const share = Math.min(1, Math.max(0, (position - cut[0]) / (cut[1] - cut[0] || 1)));
  return mix(Math.round(share * 23) / 23);
}

// The range that colours spread over: from the 10 % quantile, so that failed trials do not flatten it.
function clipRange(metric) {
  const sorted = metric.positions.filter((position, row) => metric.values[row] !== null).sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length * 0.1)] ?? 0, sorted[sorted.length - 1] ?? 1];
}

const RAMP = ["#7b5ca8", "#3f78b5", "#1d9a8b", "#78b93a", "#e3b505"];

function mix(share) {
  const at = Math.min(share * (RAMP.length - 1), RAMP.length - 1.0001), low = Math.floor(at), part = at - low;
  const channel = (colour, index) => parseInt(colour.slice(1 + 2 * index, 3 + 2 * index), 16);
  const values = [0, 1, 2].map(index =>
    Math.round(channel(RAMP[low], index) * (1 - part) + channel(RAMP[low + 1], index) * part));
  return `rgb(${values.join(",")})`;
}

function createParallel() {
  const note = "Drag along an axis to filter, click it to release; the search box does the same.";
  const node = addChart("All knobs at once", note, 330, parallelOption, chart => {
    chart.on("axisareaselected", event => {
      if (parallel.busy) return;
      const name = event.parallelAxisId ?? event.batch?.[0]?.parallelAxisId;
      const intervals = event.intervals ?? event.batch?.[0]?.intervals ?? [];
      setRange(name, intervals.length ? [...intervals[0]] : null, "parallel");
      drawBrushedLines();
    });
    chart.getZr().add(parallel.faint);
    chart.getZr().add(parallel.bright);
  });
  parallel.entry = charts[charts.length - 1];
  parallel.entry.drawn = drawLines;
  return node;
}

// Draw the lines again, with the brushes that the filters state.
function updateParallel(sources) {
  if (!parallel.entry?.chart || [...sources].every(source => ["parallel", "select"].includes(source))) return;
  parallel.busy = true;
  updateChart(parallel.entry);
  for (const column of parallel.columns) {
    const range = filters.ranges.get(column.name);
    if (!range) continue;
    parallel.entry.chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId: column.name, intervals: [range] });
  }
  parallel.busy = false;
}
