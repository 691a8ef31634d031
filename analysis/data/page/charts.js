// Charts are drawn when they come into view, and again when the theme or their width changes.

const charts = [];
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6bb3", "#8c8c00"];
let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "ink", "soft", "line", "accent", "mark", "faint", "low", "high",
    "supported", "weak", "undecided", "incomplete"];
  colours = Object.fromEntries(names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
  colours.reference = colours.ink;
}

const visible = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const found = charts.find(chart => chart.node === entry.target);
    if (entry.isIntersecting && found && !found.chart) drawChart(found);
  }
}, { rootMargin: "300px" });
const resized = new ResizeObserver(entries => {
  for (const entry of entries) {
    const found = charts.find(chart => chart.node === entry.target);
    if (!found || !found.chart) continue;
    found.chart.resize();
    found.drawn();
  }
});

// A chart in a figure. `option` returns the ECharts option; `ready` is called with a new chart, and the
// entry's `drawn` after each drawing.
function addChart(title, note, height, option, ready = () => {}) {
  const node = el("div", { class: "chart", role: "img", "aria-label": title, style: `height:${height}px` });
  const entry = { node, option, ready, drawn: () => {}, chart: null };
  charts.push(entry);
  visible.observe(node);
  resized.observe(node);
  return figure(title, note, node);
}

function drawChart(entry) {
  entry.chart = echarts.init(entry.node);
  entry.ready(entry.chart);
  updateChart(entry);
}

function updateChart(entry) {
  if (!entry.chart) return;
  entry.chart.setOption({ ...baseOption(), ...entry.option() }, { notMerge: true });
  entry.drawn();
}

function redrawCharts() {
  readColours();
  for (const entry of charts) updateChart(entry);
}

function drawAllCharts() {
  for (const entry of charts) if (!entry.chart) drawChart(entry);
}

function removeCharts(within) {
  for (let index = charts.length - 1; index >= 0; index--) {
    if (!within.contains(charts[index].node)) continue;
    visible.unobserve(charts[index].node);
    resized.unobserve(charts[index].node);
    if (charts[index].chart) charts[index].chart.dispose();
    charts.splice(index, 1);
  }
}

function baseOption() {
  return {
    animation: false,
    aria: { enabled: true },
    color: PALETTE,
    textStyle: { color: colours.ink, fontFamily: "system-ui, sans-serif" },
    grid: { left: 58, right: 18, top: 14, bottom: 44 },
    tooltip: tooltip(),
  };
}

function tooltip(formatter) {
  return {
    confine: true, backgroundColor: colours.panel, borderColor: colours.line,
    textStyle: { color: colours.ink, fontSize: 12 }, ...(formatter ? { formatter } : {}),
  };
}

// Lines of a tooltip as an element, so that labels stay text.
function lines(...texts) {
  return el("div", {}, ...texts.filter(Boolean).map((text, index) =>
    el("div", { text, style: `max-width:22rem;white-space:normal;${index ? "" : "font-weight:600"}` })));
}

function valueAxis(name, extra = {}) {
  return {
    type: "value", name, nameLocation: "middle", nameGap: 28, scale: true,
    nameTextStyle: { color: colours.soft, fontSize: 12 },
    axisLabel: { color: colours.soft, fontSize: 11, hideOverlap: true,
      formatter: value => echarts.format.addCommas(value).replace("-", MINUS) },
    axisLine: { lineStyle: { color: colours.soft } },
    splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } }, ...extra,
  };
}

// The axis of a column of trials, at the column's own scale.
function columnAxis(column, extra = {}, most = 7) {
  const ticks = column.ticks(most);
  const custom = ticks ? { customValues: ticks } : {};
  const [min, max] = axisRange(column);
  const label = { color: colours.soft, fontSize: 11, hideOverlap: true, ...custom,
    formatter: position => shorten(column.at(position), 14) };
  return valueAxis(column.title, {
    ...(ticks || column.high === column.bottom ? { min, max } : {}),
    axisLabel: label, axisTick: { show: true, ...custom }, ...extra,
  });
}

// The ends of a column's axis: its values and a margin.
function axisRange(column) {
  const margin = (column.high - column.bottom) * 0.04 || 0.5;
  return [column.bottom - margin, column.high + margin];
}

const Y_NAME = { nameGap: 42 };
