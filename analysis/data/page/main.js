// Fill the page, and follow the theme.

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  const button = document.getElementById("theme");
  button.textContent = name === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-pressed", String(name === "dark"));
  redrawCharts();
  if (scatter.entry?.chart) startBrush();
}

function storedTheme() {
  try { return localStorage.getItem("clip-hparam-theme"); } catch (error) { return null; }
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const wanted = /theme=(dark|light)/.exec(location.hash)?.[1];
  setTheme(wanted || storedTheme() || (system.matches ? "dark" : "light"));
  system.addEventListener("change", () => { if (!storedTheme()) setTheme(system.matches ? "dark" : "light"); });
  document.getElementById("theme").addEventListener("click", () => {
    const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("clip-hparam-theme", name); } catch (error) { /* a page in a frame */ }
    setTheme(name);
  });
}

function fillPage() {
  createExplorer(document.getElementById("explorer"));
  for (const holder of document.querySelectorAll("[data-sweep]")) {
    const sweep = report.sweeps.find(other => other.key === holder.dataset.sweep);
    holder.append(el("div", { class: "grid" }, ...sweepCharts(sweep)));
  }
  for (const holder of document.querySelectorAll("[data-search]")) {
    const search = report.searches.find(other => other.key === holder.dataset.search);
    holder.append(...searchCharts(search));
  }
  makeSortable(document);
  addCopyButtons(document);
  if (filters.selected !== null) showDetails();
}

startTheme();
fillPage();
let themeOfScreen = "light"; // paper is white
window.addEventListener("beforeprint", () => {
  themeOfScreen = document.documentElement.dataset.theme;
  setTheme("light");
  drawAllCharts();
});
window.addEventListener("afterprint", () => setTheme(themeOfScreen));
document.documentElement.dataset.ready = "1";
if (document.documentElement.dataset.live) askForChanges();
