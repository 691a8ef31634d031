// Effects of a factorial sweep, and the paths from no change to all changes.

function effectsChart(sweep) {
  const cells = sweep.effects.slice(0, MAX_BARS).map(effect => ({
    label: effect.label, delta: effect.delta,
    verdict: effect.p !== null && effect.p < 0.05 ? "supported" : "undecided",
  }));
  return addChart("Main effects and interactions", "Mean with a change minus mean without it.", 74 + 25 * cells.length, () => {
    const items = cells.map((cell, row) => ({ cell, row, ends: cell.delta.slice(1), colour: colours[cell.verdict] }));
    return {
      grid: barGrid(), xAxis: valueAxis("effect, points", { scale: false }), yAxis: cellAxis(cells),
      tooltip: tooltip(({ data: { cell } }) => lines(cell.label, formatInterval(...cell.delta), VERDICT_TEXTS[cell.verdict])),
      series: [intervalSeries(items), { type: "scatter", symbolSize: 10, z: 4, markLine: zeroLine(),
        data: items.filter(({ cell }) => cell.delta[0] !== null).map(({ cell, row, colour }) =>
          ({ value: [cell.delta[0], row], cell, itemStyle: { color: colour } })) }],
    };
  });
}

function pathCharts(sweep) {
  const { path } = sweep;
  const steps = [{ label: "none", mean: path.start }, ...path.greedy];
  const greedy = addChart("Greedy path", "Each step adds the change with the best accuracy on the selection set.", 300, () => ({
    grid: { left: 58, right: 24, top: 26, bottom: 62 },
    tooltip: tooltip(event => lines(steps[event.dataIndex].label, `${sweep.metric}: ${formatFixed(event.value)}`)),
    xAxis: { type: "category", data: steps.map((step, index) => (index ? `+ ${step.label}` : "none")),
      axisLabel: { color: colours.ink, fontSize: 11, interval: 0, rotate: 25, width: 110, overflow: "truncate" } },
    yAxis: valueAxis(sweep.metric, Y_NAME),
    series: [{ type: "line", symbolSize: 9, color: colours.accent, data: steps.map(step => step.mean),
      label: { show: true, color: colours.ink, formatter: event => formatFixed(event.value) } }],
  }));
  const gains = path.average.map((gain, row) => ({ label: gain.label, gain, row }));
  const average = addChart("Gain of each change over all orders", "Dot and line: mean (Shapley value) with 95 % interval; bar: least to greatest gain.",
    74 + 30 * gains.length, () => ({
      grid: barGrid(), xAxis: valueAxis("gain, points", { scale: false }), yAxis: cellAxis(gains),
      tooltip: tooltip(event => {
        const { label, gain } = gains[event.data.row ?? event.value[0]];
        return lines(label, `mean gain: ${formatInterval(...gain.gain)}`, `from ${formatFixed(gain.range[0])} to ${formatFixed(gain.range[1])}`);
      }),
      series: [rangeBars(gains),
        intervalSeries(gains.map(({ gain, row }) => ({ row, ends: gain.gain.slice(1), colour: colours.ink }))),
        { type: "scatter", symbolSize: 10, z: 4, markLine: zeroLine(), itemStyle: { color: colours.accent },
          data: gains.map(({ gain, row }) => ({ value: [gain.gain[0], row], row })) }],
    }));
  return [greedy, average];
}

function rangeBars(gains) {
  return {
    type: "custom", z: 1, encode: { x: [1, 2], y: 0 }, data: gains.map(({ gain, row }) => [row, ...gain.range]),
    renderItem: (params, api) => {
      const [left, right] = [1, 2].map(index => api.coord([api.value(index), api.value(0)]));
      return { type: "rect", shape: { x: left[0], y: left[1] - 6, width: Math.max(right[0] - left[0], 1), height: 12 },
        style: { fill: colours.faint, opacity: 0.55 } };
    },
  };
}
