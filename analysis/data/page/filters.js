// What is shown: a scope (all trials or a sweep), a query, and ranges of columns that were brushed.

const filters = { scope: "", query: "", ranges: new Map(), selected: null, problem: "" };
const views = []; // functions (source) => void, called after a change of the filters
const BRUSH_MS = 120; // between updates of the other views, so that the brush itself moves smoothly
let waiting = null, updated = 0;

// Update all views in the next frame; several changes before it update them once.
function filtersChanged(source = "") {
  if (waiting) { waiting.add(source); return; }
  waiting = new Set([source]);
  const rest = source === "parallel" ? BRUSH_MS - (performance.now() - updated) : 0;
  setTimeout(() => requestAnimationFrame(updateViews), Math.max(rest, 0));
}

function updateViews() {
  const sources = waiting;
  waiting = null;
  updateRows();
  for (const view of views) view(sources);
  updated = performance.now();
}

function setRange(name, interval, source) {
  if (interval) filters.ranges.set(name, interval);
  else filters.ranges.delete(name);
  filtersChanged(source);
}

function scopeRows() {
  const scope = report.trials.scopes.find(other => other.key === filters.scope);
  return scope ? [...new Set(scope.rows)] : Array.from({ length: trials.n }, (_, row) => row);
}

const rows = { inScope: [], matching: [], shown: [] }; // scope; scope and query; and ranges

function updateRows() {
  rows.inScope = scopeRows();
  const tests = parseQuery(filters.query);
  rows.matching = tests.length ? rows.inScope.filter(row => tests.every(test => test(row))) : rows.inScope;
  const ranges = [...filters.ranges].map(([name, [low, high]]) => [trials.byName.get(name), low, high]);
  rows.shown = rows.matching.filter(row =>
    ranges.every(([column, low, high]) => within(column.positions[row], low, high)));
}

function within(position, low, high) {
  return typeof position === "number" && position >= low - 1e-9 && position <= high + 1e-9;
}

// "lr>1e-3 state=done word": comparisons with a column, else words of id, label or state.
function parseQuery(query) {
  filters.problem = "";
  const words = query.match(/"[^"]*"|\S+/g) || [];
  return words.map(word => comparison(word) || contains(word.replaceAll('"', "").toLowerCase()));
}

function comparison(word) {
  const match = /^([^<>=!]+)(<=|>=|!=|=|<|>)(.+)$/.exec(word);
  if (!match) return null;
  const [, name, sign, text] = match;
  const column = trials.columns.find(other => [other.name, other.title].includes(name));
  if (!column) {
    filters.problem = `No column is called ${name}: the word is searched in ids, cells, labels and states.`;
    return null;
  }
  const wanted = column.numeric ? Number(text) : text;
  if (column.numeric && Number.isNaN(wanted)) filters.problem = `${text} is not a number.`;
  const compare = {
    "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
    "=": (a, b) => a === b, "!=": (a, b) => a !== b,
  }[sign];
  return row => column.values[row] !== null && compare(column.values[row], wanted);
}

function contains(word) {
  const columns = ["trial_id", "label", "status", "cell"].map(name => trials.byName.get(name)).filter(Boolean);
  return row => columns.some(column => String(column.values[row]).toLowerCase().includes(word));
}

function clearFilters() {
  filters.query = "";
  filters.ranges.clear();
  filtersChanged("clear");
}
