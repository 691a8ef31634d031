// The other tables sort by a click on a column; commands get a button that copies them.

const leadingNumber = text => {
  const match = text.replaceAll(MINUS, "-").match(/-?\d+(\.\d+)?(e[-+]?\d+)?/i);
  return match ? parseFloat(match[0]) : NaN;
};

function compareTexts(left, right) {
  const a = leadingNumber(left), b = leadingNumber(right);
  if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  return Number.isNaN(a) || a === b ? left.localeCompare(right) : a - b;
}

function makeSortable(within) {
  for (const button of within.querySelectorAll(".sortable button")) button.addEventListener("click", () => {
    const head = button.closest("th"), body = button.closest("table").tBodies[0], at = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = row => row.cells[at].textContent.trim();
    body.append(...[...body.rows].sort((a, b) => (down ? -1 : 1) * compareTexts(text(a), text(b))));
  });
}

function addCopyButtons(within) {
  for (const block of within.querySelectorAll("pre.commands")) {
    block.replaceWith(...block.textContent.split("\n").map(command));
  }
}
