// The table of trials: sorted by any column, in pages, with the details of one trial below.

const TABLE_COLUMNS = ["trial_id", "cell", "status", "seed"];
const table = { sort: null, down: true, page: 0, size: 25, node: null, details: null, count: null };

function createTable() {
  table.node = el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "table of trials" });
  table.pager = el("div", { class: "controls pager" });
  table.details = el("div", { id: "trial" });
  const first = trials.metrics.find(column => column.name === "selection_acc1") || trials.metrics[0];
  table.sort ??= first ? first.name : "trial_id";
  return el("div", {}, table.node, table.pager, table.details);
}

function tableColumns() {
  const head = TABLE_COLUMNS.map(name => trials.byName.get(name)).filter(Boolean);
  const others = trials.columns.filter(column => !TABLE_COLUMNS.includes(column.name));
  const metrics = others.filter(column => column.group === "metric");
  return [...head, ...metrics, ...others.filter(column => column.group !== "metric")];
}

function sortedRows() {
  const column = trials.byName.get(table.sort);
  const sign = table.down ? -1 : 1;
  const empty = value => value === null || value === undefined;
  return [...rows.shown].sort((a, b) => {
    const left = column.values[a], right = column.values[b];
    if (empty(left) || empty(right)) return empty(left) - empty(right);
    if (left === right) return a - b;
    return (left < right ? -1 : 1) * sign;
  });
}

function updateTable() {
  const columns = tableColumns(), sorted = sortedRows();
  const pages = Math.max(1, Math.ceil(sorted.length / table.size));
  table.page = Math.min(table.page, pages - 1);
  const part = sorted.slice(table.page * table.size, (table.page + 1) * table.size);
  const head = el("tr", {}, ...columns.map(headCell));
  const body = part.map(row => bodyRow(columns, row));
  table.node.replaceChildren(el("table", { id: "trials" }, el("thead", {}, head), el("tbody", {}, ...body)));
  const step = by => () => { table.page += by; updateTable(); };
  table.pager.replaceChildren(
    el("button", { type: "button", text: "Previous", disabled: table.page === 0, onclick: step(-1) }),
    el("span", { class: "soft", text: `Page ${formatCount(table.page + 1)} of ${formatCount(pages)}, ${formatCount(sorted.length)} trials` }),
    el("button", { type: "button", text: "Next", disabled: table.page === pages - 1, onclick: step(1) }),
    select("Rows", ["10", "25", "100", "500"].map(size => [size, size]), String(table.size),
      size => { table.size = Number(size); updateTable(); }),
    el("button", { type: "button", text: "Download as CSV", onclick: downloadRows }),
  );
}

function headCell(column) {
  const sorted = table.sort === column.name;
  const onclick = () => {
    table.down = sorted ? !table.down : column.numeric;
    table.sort = column.name;
    updateTable();
    table.node.querySelector(`th[data-name="${CSS.escape(column.name)}"] button`).focus();
  };
  return el("th", {
    scope: "col", "data-name": column.name, class: column.numeric ? "right" : null,
    "aria-sort": sorted ? (table.down ? "descending" : "ascending") : null,
  }, el("button", { type: "button", text: column.title, onclick }));
}

function bodyRow(columns, row) {
  const cells = columns.map(column => {
    const text = column.text(row);
    if (column.name === "trial_id") {
      const button = el("button", { type: "button", class: "link", text, onclick: () => selectTrial(row) });
      return el("td", {}, button);
    }
    return el("td", { class: column.numeric ? "right" : text.length > 30 ? "long" : null, text });
  });
  return el("tr", { "data-row": row, "aria-selected": String(filters.selected === row) }, ...cells);
}

function selectTrial(row) {
  filters.selected = filters.selected === row ? null : row;
  for (const line of table.node.querySelectorAll("tbody tr")) {
    line.setAttribute("aria-selected", String(Number(line.dataset.row) === filters.selected));
  }
  showDetails();
  filtersChanged("select");
}

function showDetails() {
  const row = filters.selected;
  removeCharts(table.details);
  if (row === null || row >= trials.n) { table.details.replaceChildren(); return; }
  const facts = trials.columns.filter(column => column.values[row] !== null)
    .flatMap(column => [el("dt", { text: column.title }), el("dd", { text: column.text(row) })]);
  const text = report.trials.commands[row];
  const metric = report.curves.metrics;
  const own = metric.filter(curve => curve.values[row]);
  table.details.replaceChildren(
    el("h3", { text: `Trial ${trials.byName.get("trial_id").text(row)}`, tabindex: "-1" }),
    ...(text ? [command(text)] : []),
    el("div", { class: "grid" },
      el("dl", {}, ...facts),
      ...(own.length ? [addChart("Epochs of this trial", "", 240, () => trialCurves(own, row))] : [])),
  );
}

function trialCurves(curves, row) {
  const percent = curves.filter(curve => curve.title.endsWith("%")), shown = percent.length ? percent : curves;
  return {
    legend: { top: 0, textStyle: { color: colours.ink } },
    grid: { left: 58, right: 18, top: 44, bottom: 44 },
    tooltip: { ...tooltip(), trigger: "axis" },
    xAxis: valueAxis("epoch", { minInterval: 1, scale: false, min: 1 }),
    yAxis: valueAxis("%", Y_NAME),
    series: shown.map(curve => ({
      type: "line", name: curve.title, showSymbol: false,
      data: curve.values[row].map((value, epoch) => [epoch + 1, value]),
    })),
  };
}

function downloadRows() {
  const columns = tableColumns();
  const quote = text => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const line = row => columns.map(column => quote(String(column.values[row] ?? ""))).join(",");
  const text = [columns.map(column => quote(column.name)).join(","), ...sortedRows().map(line)].join("\n");
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "trials.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}
