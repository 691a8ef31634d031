// Parallel coordinates of the trials: a brush on an axis filters all views.

const MAX_AXES = 8;
const parallel = { columns: [], entry: null, busy: false };

function chooseAxes() {
  const varied = trials.knobs.filter(column => new Set(scopeRows().map(row => column.positions[row])).size > 1);
  const known = new Map((report.searches[0]?.knobs || []).map((knob, rank) => [knob.name, rank]));
  const ranked = [...varied].sort((a, b) => (known.get(a.name) ?? 99) - (known.get(b.name) ?? 99));
  const kept = new Set(ranked.slice(0, narrow() ? 3 : MAX_AXES));
  const metric = currentMetric();
  return [...varied.filter(column => kept.has(column)), ...(metric ? [metric] : [])];
}

function narrow() { return document.documentElement.clientWidth < 600; }

function parallelOption() {
  parallel.columns = chooseAxes();
  const names = new Set(parallel.columns.map(column => column.name));
  const others = [...filters.ranges].filter(([name]) => !names.has(name));
  const shown = rows.matching.filter(row => others.every(([name, [low, high]]) => {
    const position = trials.byName.get(name).positions[row];
    return position !== null && position >= low && position <= high;
  }));
  const metric = currentMetric();
  return {
    parallel: { left: 46, right: 60, top: 40, bottom: 18, parallelAxisDefault: { realtime: true } },
    parallelAxis: parallel.columns.map((column, dim) => parallelAxis(column, dim)),
    tooltip: { show: false },
    series: [{
      type: "parallel", progressive: 0, smooth: false, silent: true,
      lineStyle: { width: 1, opacity: shown.length > 300 ? 0.35 : 0.6 },
      inactiveOpacity: 0.03, activeOpacity: shown.length > 300 ? 0.5 : 0.8,
      data: shown.map(row => ({
        value: parallel.columns.map(column => column.positions[row] ?? "-"),
        lineStyle: { color: metric ? metricColour(metric, row) : colours.accent },
      })),
    }],
  };
}

function parallelAxis(column, dim) {
  const axis = columnAxis(column, { nameLocation: "end", nameGap: 14, type: "value" }, 6);
  delete axis.splitLine;
  return {
    ...axis, dim, id: column.name, realtime: true, name: shorten(column.title, narrow() ? 12 : 20),
    nameTextStyle: { color: colours.ink, fontSize: 11 },
    axisLabel: { ...axis.axisLabel, color: colours.ink, textBorderColor: colours.paper, textBorderWidth: 2 },
    areaSelectStyle: { width: 18, color: colours.accent, borderColor: colours.accent, opacity: 0.3 },
  };
}

// Colour of a trial from low to high of the metric, at equal steps of its rank-free position.
function metricColour(metric, row) {
  const position = metric.positions[row];
  if (position === null || metric.values[row] === null) return colours.faint;
  const cut = metric.clip ??= clipRange(metric);
  const share = Math.min(1, Math.max(0, (position - cut[0]) / (cut[1] - cut[0] || 1)));
  return mix(share);
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
    });
  });
  parallel.entry = charts[charts.length - 1];
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
