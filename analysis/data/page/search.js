// The charts of a search: each knob alone, importance, history, dependence, two knobs.

function searchCharts(search) {
  const columns = search.knobs.map(knob => new Column(knob, search.values.length));
  const found = [];
  if (search.values.some(value => value !== null)) found.push(historyChart(search));
  if (search.curves.some(line => line.length > 1)) found.push(intermediateChart(search));
  if (Object.keys(search.importance).length) found.push(importanceChart(search));
  if (search.surface) {
    found.push(heatmap(`${search.surface.knobs.join(" and ")} together`, search.surface, search.objective,
      "the bin with the best mean of at least two trials"));
  }
  if (search.expected.length > 1) found.push(expectedChart(search));
  const more = search.more_knobs ? ` (the ${columns.length} that matter most of ${columns.length + search.more_knobs})` : "";
  const small = (title, nodes) => (nodes.length
    ? [el("h3", { text: title + more }), el("div", { class: "grid small" }, ...nodes)] : []);
  return [el("div", { class: "grid" }, ...found),
    ...small("Each knob alone", columns.map(column => sliceChart(search, column))),
    ...small("Partial dependence of the objective, random forest, 5 to 95 % of refits",
      search.dependence.map(curve => dependenceChart(search, curve, columns.find(column => column.name === curve.knob))))];
}

function bestRow(search) {
  let best = -1;
  search.values.forEach((value, row) => {
    if (value === null) return;
    if (best < 0 || (search.minimize ? value < search.values[best] : value > search.values[best])) best = row;
  });
  return best;
}

function sliceChart(search, column) {
  const best = bestRow(search);
  return addChart(column.title, "", 220, () => {
    const points = search.values.map((value, row) => [column.positions[row], value, row]).filter(point => point[1] !== null);
    return {
      tooltip: tooltip(event => lines(search.names[event.value[2]], `${column.title}=${column.text(event.value[2])}`,
        `${search.objective}: ${formatNumber(event.value[1])}`)),
      xAxis: columnAxis(column, {}, 4), yAxis: valueAxis(search.objective, Y_NAME),
      series: [
        { type: "scatter", symbolSize: 5, data: points, itemStyle: { color: colours.accent, opacity: 0.55 }, large: points.length > 3000 },
        { type: "scatter", symbolSize: 13, z: 5, silent: true, data: points.filter(point => point[2] === best),
          itemStyle: { color: "transparent", borderColor: colours.mark, borderWidth: 3 } },
      ],
    };
  });
}

function historyChart(search) {
  return addChart("History", search.pruned.length ? `Line: best so far; \u00d7: ${search.pruned.length} pruned trials at their last epoch, at the edge where they lie beyond.` : "Line: best so far.", 300, () => {
    const pruned = new Set(search.pruned);
    const best = [];
    let so_far = null;
    search.values.forEach((value, row) => {
      if (value === null || pruned.has(row)) return;
      if (so_far === null || (search.minimize ? value < so_far : value > so_far)) so_far = value;
      best.push([row + 1, so_far]);
    });
    const points = kept => search.values.map((value, row) => [row + 1, value]).filter(([row, value]) => value !== null && kept(row - 1));
    const cut = [...pruned].map(row => [row + 1, search.values[row] ?? search.curves[row]?.at(-1) ?? null]).filter(point => point[1] !== null);
    const ended = points(row => !pruned.has(row)), values = ended.map(point => point[1]);
    const ends = cut.length ? roundEnds(Math.min(...values), Math.max(...values)) : {};
    const inside = value => Math.min(ends.max ?? value, Math.max(ends.min ?? value, value));
    return {
      tooltip: tooltip(event => lines(search.names[event.value[0] - 1], `${search.objective}: ${formatNumber(event.value[2] ?? event.value[1])}`)),
      xAxis: valueAxis("trial", { minInterval: 1, scale: false }), yAxis: valueAxis(search.objective, { ...Y_NAME, ...ends }),
      series: [
        { type: "scatter", symbolSize: 5, data: ended, itemStyle: { color: colours.accent, opacity: 0.55 } },
        { type: "scatter", symbol: "path://M0,0L10,10M10,0L0,10", symbolSize: 7, data: cut.map(([trial, value]) => [trial, inside(value), value]),
          itemStyle: { color: "transparent", borderColor: colours.incomplete, borderWidth: 1.5 } },
        { type: "line", step: "end", showSymbol: false, data: best, color: colours.mark, lineStyle: { width: 2 } },
      ],
    };
  });
}

function intermediateChart(search) {
  const pruned = new Set(search.pruned);
  const note = `${pruned.size ? "Red: pruned. " : ""}Selection accuracy by epoch of ${search.curves.length} trials.`;
  return addChart("Intermediate values", note, 300, () => ({
    tooltip: { show: false },
    xAxis: valueAxis("epoch", { minInterval: 1, scale: false, min: 1 }), yAxis: valueAxis("%", Y_NAME),
    series: search.curves.map((line, row) => ({
      type: "line", showSymbol: false, silent: true, data: line.map((value, epoch) => [epoch + 1, value]),
      color: pruned.has(row) ? colours.incomplete : colours.accent, lineStyle: { width: 1, opacity: 0.35 },
    })),
  }));
}

function importanceChart(search) {
  const titles = { fanova: "fANOVA: all trials", ped_anova: "PED-ANOVA: the best trials" };
  const methods = Object.keys(search.importance);
  const knobs = [...search.importance[methods[0]]].sort((a, b) => b[1] - a[1]).slice(0, 15).map(([knob]) => knob);
  const cells = knobs.map(label => ({ label }));
  return addChart("Importance of the knobs", "Share by two methods; lines: 5 to 95 % of refits.", 104 + 34 * knobs.length, () => {
    const share = (method, knob) => search.importance[method].find(([name]) => name === knob);
    return {
      legend: { top: 0, textStyle: { color: colours.ink }, data: methods.map(method => titles[method]) },
      grid: { ...barGrid(), top: 34 }, xAxis: valueAxis("importance", { scale: false, min: 0 }), yAxis: cellAxis(cells),
      tooltip: tooltip(event => lines(knobs[event.dataIndex], ...methods.map(method => {
        const [, mean, low, high] = share(method, knobs[event.dataIndex]);
        return `${titles[method]}: ${mean.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
      }))),
      series: methods.flatMap((method, index) => [
        { type: "bar", name: titles[method], color: PALETTE[index], barWidth: 10, data: knobs.map(knob => share(method, knob)[1]) },
        spreadLines(knobs.map((knob, row) => [row, ...share(method, knob).slice(2)]), index ? 6.5 : -6.5),
      ]),
    };
  });
}

function spreadLines(data, offset) {
  return {
    type: "custom", silent: true, z: 4, data, encode: { x: [1, 2], y: 0 },
    renderItem: (params, api) => {
      const [left, right] = [1, 2].map(index => api.coord([api.value(index), api.value(0)]));
      return { type: "line", shape: { x1: left[0], x2: right[0], y1: left[1] + offset, y2: left[1] + offset },
        style: { stroke: colours.ink, lineWidth: 1.5 } };
    },
  };
}

function dependenceChart(search, curve, column) {
  return addChart(curve.knob, "", 220, () => {
    const at = index => (curve.levels ? column.levels.indexOf(curve.levels[index]) : curve.x[index]);
    const points = curve.x.map((_, index) => [at(index), curve.mean[index]]);
    const line = { type: "line", showSymbol: points.length < 8, symbolSize: 6, color: colours.accent };
    const band = { ...line, stack: "band", stackStrategy: "all", silent: true, showSymbol: false, lineStyle: { opacity: 0 } };
    return {
      tooltip: tooltip(event => lines(`${curve.knob}=${column.at(event.value[0])}`,
        `${formatNumber(event.value[1])}, ${formatNumber(curve.low[event.dataIndex])} to ${formatNumber(curve.high[event.dataIndex])}`)),
      xAxis: columnAxis(column, {}, 4), yAxis: valueAxis(search.objective, Y_NAME),
      series: [
        { ...band, data: points.map(([x], index) => [x, curve.low[index]]) },
        { ...band, data: points.map(([x], index) => [x, curve.high[index] - curve.low[index]]), areaStyle: { color: colours.accent, opacity: 0.2 } },
        { ...line, data: points },
      ],
    };
  });
}

function expectedChart(search) {
  return addChart(`Expected best of n trials`, "Of n trials drawn from these.", 300, () => ({
    tooltip: tooltip(event => lines(`${event.value[0]} trials`, `${search.objective}: ${formatNumber(event.value[1])}`)),
    xAxis: { ...valueAxis("number of trials"), type: "log", max: search.expected.at(-1)[0] }, yAxis: valueAxis(search.objective, Y_NAME),
    series: [{ type: "line", data: search.expected, color: colours.accent, symbolSize: 4 }],
  }));
}
