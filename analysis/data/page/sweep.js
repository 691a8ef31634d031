// The charts of a sweep: accuracy of each cell with its seeds, and its paired difference.

const MAX_BARS = 40;
const VERDICT_TEXTS = {
  supported: "supported: Holm-adjusted p below 0.05", weak: "interval excludes zero, but Holm-adjusted p is 0.05 or more",
  undecided: "undecided", incomplete: "incomplete", reference: "reference",
};

function sweepCharts(sweep) {
  const cells = sweep.cells.slice(0, MAX_BARS);
  const height = 74 + 25 * cells.length;
  const more = sweep.cells.length > MAX_BARS ? ` The first ${MAX_BARS} of ${sweep.cells.length}; the table has all.` : "";
  const level = sweep.images ? "Lines: 95 % intervals over test images." : "Small dots: seeds; lines: 95 % intervals; orange: selected on the selection set.";
  const found = [];
  if (cells.some(cell => cell.mean !== null)) {
    found.push(addChart(levelTitle(sweep), level + more, height, () => levelOption(sweep, cells)));
  }
  if (cells.some(cell => cell.delta[0] !== null)) {
    found.push(addChart(`Difference to ${sweep.against}`, `Paired; green and filled: supported${cells.some(cell => cell.paper !== undefined) ? "; diamonds: the paper" : ""}.`, height,
      () => differenceOption(sweep, cells)));
  }
  if (sweep.map) found.push(heatmap("Two knobs together", sweep.map, sweep.metric, "selected on the selection set"));
  if (sweep.effects) found.push(effectsChart(sweep));
  if (sweep.path) found.push(...pathCharts(sweep));
  return found;
}

// "Test accuracy of each cell, %": the unit stays at the end.
function levelTitle(sweep) {
  const [, name, unit] = /^(.*?)(, [^,]+)?$/.exec(sweep.metric);
  return `${name[0].toUpperCase()}${name.slice(1)} of each ${sweep.row}${unit ?? ""}`;
}

// The ends of an interval of a metric; those of few seeds may exceed 0 or 100 %.
function legalEnds(ends, metric) {
  if (!metric.endsWith("%")) return ends;
  return ends.map(end => (end === null ? null : Math.min(100, Math.max(0, end))));
}

function cellAxis(cells) {
  return {
    type: "category", inverse: true, data: cells.map(cell => cell.label),
    axisLabel: { color: colours.ink, fontSize: 11, interval: 0, width: narrow() ? 96 : 170, overflow: "truncate" },
    axisLine: { lineStyle: { color: colours.soft } }, axisTick: { show: false },
  };
}

// Horizontal intervals as a custom series; `ends` are [low, high] or nulls.
function intervalSeries(items) {
  return {
    type: "custom", silent: true, z: 3, clip: true,
    data: items.filter(item => item.ends[0] !== null && item.ends[0] !== undefined)
      .map(item => ({ value: [item.row, ...item.ends], itemStyle: { color: item.colour } })),
    encode: { x: [1, 2], y: 0 },
    renderItem: (params, api) => {
      const [left, right] = [1, 2].map(index => api.coord([api.value(index), api.value(0)]));
      const style = { stroke: api.visual("color"), lineWidth: 2 };
      const tick = x => ({ type: "line", shape: { x1: x, x2: x, y1: left[1] - 4, y2: left[1] + 4 }, style });
      return { type: "group", children: [
        { type: "line", shape: { x1: left[0], x2: right[0], y1: left[1], y2: left[1] }, style },
        tick(left[0]), tick(right[0]),
      ] };
    },
  };
}

function barGrid() { return { left: narrow() ? 108 : 184, right: 22, top: 12, bottom: 46 }; }

function cellTooltip(sweep, cell) {
  return lines(cell.label, `${sweep.metric}: ${formatInterval(cell.mean, ...cell.ends, sweep.digits)}`,
    `${cell.n} of ${cell.asked} seeds${cell.chosen ? ", selected on the selection set" : ""}`,
    cell.delta[0] === null ? "" : `difference: ${formatInterval(...cell.delta, sweep.digits)}`,
    VERDICT_TEXTS[cell.verdict], cell.more ? `${cell.more === 1 ? "1 more seed resolves" : `${formatCount(cell.more)} more seeds resolve`} 0.2 points` : "");
}

function levelOption(sweep, cells) {
  const seeds = cells.flatMap((cell, row) => cell.seeds.map(([seed, value]) => ({ value: [value, row], seed })));
  const means = cells.map((cell, row) => ({ cell, row })).filter(({ cell }) => cell.mean !== null);
  const ends = means.map(({ cell, row }) => ({ row, ends: legalEnds(cell.ends, sweep.metric), colour: colours.ink }));
  return {
    grid: barGrid(), xAxis: valueAxis(sweep.metric), yAxis: cellAxis(cells),
    tooltip: tooltip(event => (event.data.cell ? cellTooltip(sweep, event.data.cell)
      : lines(cells[event.value[1]].label, `seed ${event.data.seed}: ${formatFixed(event.value[0])}`))),
    series: [
      { type: "scatter", symbolSize: 6, symbolOffset: [0, 7], z: 5, data: cells.some(cell => cell.seeds.length > 1) ? seeds : [],
        itemStyle: { color: colours.accent, opacity: 0.7 } },
      intervalSeries(ends),
      { type: "scatter", symbolSize: 10, z: 4, data: means.map(({ cell, row }) => ({
        value: [cell.mean, row], cell,
        itemStyle: { color: cell.chosen ? colours.mark : colours.ink, borderColor: colours.paper, borderWidth: 1 },
      })) },
    ],
  };
}

function differenceOption(sweep, cells) {
  const known = cells.map((cell, row) => ({ cell, row, ends: cell.delta.slice(1), colour: colours[cell.verdict] }))
    .filter(({ cell }) => cell.delta[0] !== null);
  const paper = cells.flatMap((cell, row) => (cell.paper === undefined ? [] : [{ value: [cell.paper, row] }]));
  return {
    grid: barGrid(), yAxis: cellAxis(cells),
    xAxis: valueAxis(`difference${sweep.unit ? `, ${sweep.unit}` : ""}`, { scale: false }),
    tooltip: tooltip(event => (event.data.cell ? cellTooltip(sweep, event.data.cell)
      : lines(cells[event.value[1]].label, `difference in the paper: ${formatFixed(event.value[0], 1)}`))),
    series: [
      intervalSeries(known),
      { type: "scatter", symbolSize: 10, z: 4, data: known.map(({ cell, row, colour }) => ({
        value: [cell.delta[0], row], cell,
        itemStyle: cell.verdict === "supported" ? { color: colour }
          : { color: colours.paper, borderColor: colour, borderWidth: 2 },
      })), markLine: zeroLine() },
      { type: "scatter", symbol: "diamond", symbolSize: 9, symbolOffset: [0, 8], z: 4, data: paper,
        itemStyle: { color: "transparent", borderColor: colours.weak, borderWidth: 2 } },
    ],
  };
}

function zeroLine() {
  return { silent: true, symbol: "none", data: [{ xAxis: 0 }], label: { show: false },
    lineStyle: { color: colours.soft, type: "dashed" } };
}
