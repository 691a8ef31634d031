// The data of the page: columns of trials, with a position on an axis for each value.

let report = JSON.parse(document.getElementById("report-data").textContent);

class Column {
  constructor(tree, n) {
    Object.assign(this, { name: tree.name, title: tree.title, group: tree.group, log: Boolean(tree.log) });
    this.numeric = Boolean(tree.values);
    this.n = n;
    if (this.numeric) this.setNumbers(tree.values);
    else this.setTexts(tree);
  }

  setNumbers(values) {
    this.values = values;
    const present = values.filter(value => value !== null && (!this.log || value > 0));
    const place = value => (this.log ? Math.log10(value) : value);
    const sorted = [...new Set(present)].sort((a, b) => a - b);
    this.distinct = sorted;
    this.low = sorted.length ? place(sorted[0]) : 0;
    this.high = sorted.length ? place(sorted[sorted.length - 1]) : 1;
    this.zero = this.log && values.includes(0) ? this.low - meanGap(this.low, this.high, sorted.length) : null;
    const below = this.zero ?? this.low, levels = sorted.length + (this.zero === null ? 0 : 1);
    this.missing = values.includes(null) ? below - meanGap(below, this.high, levels) : null;
    this.positions = values.map(value =>
      value === null ? this.missing : this.log && value === 0 ? this.zero : place(value));
  }

  setTexts(tree) {
    const texts = tree.texts || tree.codes.map(code => tree.levels[code]);
    this.levels = tree.levels || [...new Set(texts)].sort();
    this.values = texts;
    const codes = new Map(this.levels.map((level, code) => [level, code]));
    this.positions = texts.map(text => codes.get(text));
    this.low = 0;
    this.high = this.levels.length - 1;
  }

  text(row) {
    const value = this.values[row];
    if (!this.numeric) return value;
    if (this.group === "metric" && value !== null) return formatFixed(value, Math.abs(value) < 10 ? 4 : 2);
    return formatNumber(value);
  }

  // The text at a position of the axis.
  at(position) {
    if (!this.numeric) return this.levels[Math.round(position)] ?? "";
    if (this.missing !== null && position <= this.missing + 1e-9) return "(missing)";
    if (this.zero !== null && Math.abs(position - this.zero) < 1e-9) return "0";
    const value = this.log ? 10 ** position : position;
    const short = this.log && value > 0 && value < 0.000999; // as in the figures: 3e-4
    return short ? String(Number(value.toPrecision(3)).toExponential()).replace("-", MINUS) : formatNumber(value, 3);
  }

  // Positions of ticks: levels of a text, 1-2-5 of a logarithmic axis, else left to the chart.
  ticks(most = 8) {
    if (!this.numeric) return thin(this.levels.map((_, code) => code), most);
    const below = [this.missing, this.zero].filter(position => position !== null);
    if (!this.log && this.distinct.length <= 5) return [...below, ...this.distinct];
    if (!this.log) return below.length ? [...below, ...evenTicks(this.low, this.high, most)] : null;
    const choices = [[1, 2, 5], [1, 3], [1]].map(mantissas => this.powers(mantissas));
    const found = choices.find(ticks => ticks.length <= most) ?? choices[2];
    return [...below, ...thin(found.length < 2 ? [this.low, this.high] : found, most)];
  }

  // Positions of these multiples of powers of ten, in the range of a logarithmic axis.
  powers(mantissas) {
    const found = [];
    for (let power = Math.floor(this.low) - 1; power <= Math.ceil(this.high); power++) {
      for (const mantissa of mantissas) {
        const position = power + Math.log10(mantissa);
        if (position >= this.low - 1e-9 && position <= this.high + 1e-9) found.push(position);
      }
    }
    return found;
  }

  get bottom() { return this.missing ?? this.zero ?? this.low; }
}

// The mean gap between levels, at least 1/20 of the range, as the importance places such values.
function meanGap(low, high, levels) {
  return Math.max((high - low) / Math.max(levels - 1, 1), (high - low) / 20) || 1;
}

// The smallest 1-2-5 step with at most so many in the range.
function evenStep(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find(factor => factor * power >= rough);
}

// Round ends of an axis around the range, and the step of its ticks.
function roundEnds(low, high) {
  if (!(high > low)) return {};
  const step = evenStep(low, high, 5);
  const round = value => Number(value.toPrecision(6));
  return { min: round(Math.floor(low / step) * step), max: round(Math.ceil(high / step) * step), interval: step };
}

// Round numbers in the range, at most so many.
function evenTicks(low, high, most) {
  const step = evenStep(low, high, most), found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) {
    found.push(Number(value.toPrecision(12)));
  }
  return found;
}

function thin(values, most) {
  const step = Math.ceil(values.length / most);
  return values.filter((_, index) => index % step === 0);
}

const trials = { columns: [], byName: new Map(), n: 0, groups: [], names: [] };

function readTrials() {
  trials.n = report.trials.n;
  trials.columns = report.trials.columns.map(tree => new Column(tree, trials.n));
  trials.byName = new Map(trials.columns.map(column => [column.name, column]));
  trials.knobs = trials.columns.filter(column => column.group === "knob");
  trials.metrics = trials.columns.filter(column => column.group === "metric");
  trials.plotted = trials.columns.filter(column =>
    column.group !== "id" && column.positions.some(position => position !== null && position !== undefined));
  readGroups();
  if (report.trials.scopes.length) addCellColumn();
}

// A column of text with the sweep and the cell of each trial.
function addCellColumn() {
  const column = new Column({ name: "cell", title: "cell", group: "id", texts: trials.groups }, trials.n);
  trials.columns.splice(1, 0, column);
  trials.byName.set("cell", column);
}

// The cell of each trial: of the first sweep that planned it, else the trial alone.
function readGroups() {
  trials.groups = new Array(trials.n).fill(null);
  for (const scope of report.trials.scopes) {
    scope.rows.forEach((row, index) => {
      trials.groups[row] ??= `${scope.key}: ${scope.labels[scope.cells[index]]}`;
    });
  }
  const labels = trials.byName.get("label");
  for (let row = 0; row < trials.n; row++) trials.groups[row] ??= labels.values[row];
}

readTrials();
