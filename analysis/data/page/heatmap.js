// Two knobs: the mean of each pair, with a sign where a pair is not told apart from the best one.

const NOT_APART = "\u2248";

function heatmap(title, map, metric, chosen) {
  const untested = map.pairs.some(pair => pair.apart === null && !pair.chosen && pair.mean !== null);
  const note = `Framed: ${chosen}. ${NOT_APART}: not told apart from it${untested ? "; ?: no interval, so not tested" : ""}.`;
  const [wide, high] = map.levels.map(levels => levels.length);
  return addChart(title, note, Math.min(560, 110 + 42 * Math.max(high, 3)), () => heatmapOption(map, metric, wide));
}

function heatmapOption(map, metric, wide) {
  const known = map.pairs.filter(pair => pair.mean !== null);
  const means = known.map(pair => pair.mean);
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const share = mean => (mean === null ? 0 : (mean - least) / (most - least || 1));
  const ordered = [...map.pairs].sort((a, b) => a.chosen - b.chosen); // the frame lies above its neighbours
  const slanted = map.levels[0].some(level => level.length * wide > (narrow() ? 34 : 64));
  const category = (levels, name, gap, rotate) => ({
    type: "category", data: levels, name, nameLocation: "middle", nameGap: gap,
    nameTextStyle: { color: colours.soft }, splitArea: { show: false },
    axisLabel: { color: colours.soft, fontSize: 11, interval: 0, rotate,
      formatter: text => shorten(text, 16) },
  });
  return {
    grid: { left: 96, right: 16, top: 12, bottom: slanted ? 104 : 72 },
    tooltip: tooltip(({ data: { pair } }) => lines(`${map.knobs[0]}=${map.levels[0][pair.x]} ${map.knobs[1]}=${map.levels[1][pair.y]}`,
      `${metric}: ${formatNumber(pair.mean)}`, `${pair.n} of ${pair.asked} trials`,
      pair.chosen ? "the best pair" : pair.apart === null ? "not tested" : pair.apart ? "told apart from the best pair" : "not told apart from the best pair")),
    xAxis: category(map.levels[0], map.knobs[0], slanted ? 60 : 28, slanted ? 35 : 0),
    yAxis: category(map.levels[1], map.knobs[1], 78, 0),
    visualMap: { type: "continuous", min: least, max: most, orient: "horizontal",
      left: "center", bottom: 0, itemHeight: 110, itemWidth: 10, precision: 1, show: !narrow(),
      textStyle: { color: colours.soft }, inRange: { color: [colours.low, colours.high] } },
    series: [{ type: "heatmap", data: ordered.map(pair => heatmapItem(pair, wide, share(pair.mean))), emphasis: { disabled: true } }],
  };
}

// One place after the point for percentages, so that the cells have equally many digits.
function meanText(mean) {
  return Math.abs(mean) >= 10 ? formatFixed(mean, 1) : formatNumber(mean, 2);
}

function heatmapItem(pair, wide, share) {
  const sign = pair.chosen || pair.mean === null ? "" : pair.apart === null ? " ?" : pair.apart ? "" : ` ${NOT_APART}`;
  const text = pair.mean === null ? `${pair.n} of ${pair.asked}` : meanText(pair.mean) + sign;
  return {
    value: [pair.x, pair.y, pair.mean ?? "-"], pair,
    label: { show: true, formatter: text, fontSize: wide > 8 ? 9 : 11, color: share > 0.5 ? colours.paper : colours.ink },
    itemStyle: pair.chosen ? { borderColor: colours.mark, borderWidth: 3 } : { borderColor: colours.paper, borderWidth: 1 },
  };
}
