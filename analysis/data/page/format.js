// Numbers as text, with a true minus sign, zero without a sign; the half-width of an interval.

const MINUS = "\u2212", MISSING = "\u2014";
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201,
  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093]; // 97.5 %, 1 to 19 degrees of freedom

function formatNumber(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", MINUS);
  return String(Number(value.toPrecision(digits))).replaceAll("-", MINUS);
}

function formatCount(value) {
  return value.toLocaleString("en-US");
}

function formatFixed(value, places = 2) {
  if (value === null || value === undefined) return MISSING;
  const text = value.toFixed(places);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
}

function formatInterval(mean, low, high, places = 2) {
  if (mean === null || mean === undefined) return MISSING;
  const half = low === null || low === undefined ? "" : ` \u00b1 ${((high - low) / 2).toFixed(places)}`;
  return formatFixed(mean, places) + half;
}

// Half of the 95 % t interval of the mean; null below two values.
function halfWidth(values, mean) {
  const n = values.length;
  if (n < 2) return null;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const quantile = T_QUANTILES[n - 2] ?? 1.96 + 2.4 / (n - 1);
  return quantile * Math.sqrt(squares / (n - 1) / n);
}

// Names of cells without their sweep, where one name does not stand for several cells.
function shortNames(names) {
  const short = names.map(name => name.split(": ").pop());
  return short.map((name, index) => (short.indexOf(name) === short.lastIndexOf(name) ? name : names[index]));
}

function shorten(text, length = 28) {
  return text.length > length ? `${text.slice(0, length - 1)}\u2026` : text;
}
