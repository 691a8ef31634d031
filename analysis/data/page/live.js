// A live page asks its server for changes and takes over the new data; filters stay.

const LIVE_MS = 3000;
let version = null;

async function askForChanges() {
  const status = document.getElementById("live");
  try {
    const answer = await fetch("version", { cache: "no-store" });
    const current = await answer.text();
    if (version !== null && current !== version) await takeChanges();
    version = current;
    status.textContent = `live, ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    status.textContent = "not connected: the dashboard has ended";
  }
  setTimeout(askForChanges, LIVE_MS);
}

async function takeChanges() {
  const text = await (await fetch("", { cache: "no-store" })).text();
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const id = filters.selected === null ? null : trials.byName.get("trial_id").values[filters.selected];
  report = JSON.parse(fresh.getElementById("report-data").textContent);
  readTrials();
  filters.selected = id === null ? null : trials.byName.get("trial_id").values.indexOf(id);
  for (const name of [...filters.ranges.keys()]) if (!trials.byName.has(name)) filters.ranges.delete(name);
  const scroll = window.scrollY;
  removeCharts(document.body);
  document.querySelector("main").replaceWith(fresh.querySelector("main"));
  document.getElementById("subtitle").textContent = fresh.getElementById("subtitle").textContent;
  document.querySelector("nav").replaceWith(fresh.querySelector("nav"));
  fillPage();
  window.scrollTo(0, scroll);
}
