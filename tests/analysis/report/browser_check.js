// Runs in a report's page under test: uses it as a reader does, and posts what the page then shows.
window.addEventListener("load", async () => {
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const frame = () => new Promise(requestAnimationFrame);
  // Wait for the frame in which the views are updated, and for the table, which follows.
  const settle = async () => { await wait(100); await frame(); await frame(); await wait(400); await frame(); };
  const text = selector => document.querySelector(selector)?.textContent ?? null;
  const found = { width: innerWidth, hit: window.hit || 0 };
  const column = name => {
    const at = document.querySelector(`#trials th[data-name="${name}"]`).cellIndex;
    return [...document.querySelectorAll("#trials tbody tr")].map(row => row.cells[at].textContent.trim());
  };
  const sortBy = async name => {
    document.querySelector(`#trials th[data-name="${name}"] button`).click();
    await wait(50);
    return column(name);
  };
  const type = async query => {
    const box = document.getElementById("search");
    box.value = query;
    box.dispatchEvent(new Event("input"));
    await settle();
    return { status: text("#shown"), ids: column("trial_id") };
  };
  const chartOf = title => [...document.querySelectorAll("figure")]
    .find(figure => figure.textContent.startsWith(title))?.querySelector(".chart");
  // Press at one point of a chart, move to another and release, in shares of its width and px of height.
  const drag = async (node, from, to) => {
    node.scrollIntoView();
    for (let count = 0; count < 200 && !node.querySelector("canvas"); count++) await frame();
    await settle();
    const box = node.getBoundingClientRect(), target = node.querySelector("canvas");
    const fire = (kind, [x, y]) => target.dispatchEvent(new MouseEvent(kind, {
      bubbles: true, clientX: box.left + x, clientY: box.top + y, buttons: 1, which: 1,
    }));
    fire("mousemove", from);
    fire("mousedown", from);
    for (let step = 1; step <= 5; step++) {
      fire("mousemove", from.map((start, axis) => start + (to[axis] - start) * step / 5));
      await frame();
    }
    fire("mouseup", to);
    await settle();
  };
  const shown = () => ({ status: text("#shown"), ids: column("trial_id"),
    chips: [...document.querySelectorAll(".chips button")].map(chip => chip.textContent) });
  try {
    const size = [...document.querySelectorAll(".pager select")].at(-1);
    if (size) { size.value = "500"; size.dispatchEvent(new Event("change")); }
    found.start = shown();
    found.down = column("selection_acc1");
    found.up = await sortBy("selection_acc1");
    found.query = await type(window.QUERY || "lr>1e-3");
    found.unknown = await type("nosuch>1");
    await type("");
    const server = document.querySelector("table.sortable");
    if (server) {
      const cells = () => [...server.tBodies[0].rows].map(row => row.cells[2].textContent.trim());
      const button = server.tHead.rows[0].cells[2].querySelector("button");
      button.click();
      found.tableUp = cells();
      button.click();
      found.tableDown = cells();
    }
    document.querySelector(".pictures")?.closest("details").setAttribute("open", "");
    found.pictures = [...document.querySelectorAll(".pictures > div")].map(node =>
      ({ text: node.innerText, top: node.getBoundingClientRect().top }));
    found.cells = column("cell");
    if (innerWidth > 600) {
      const lines = chartOf("All knobs at once");
      await drag(lines, [46, 60], [46, 160]);
      found.brushed = shown();
      document.querySelector(".chips button")?.click();
      await settle();
      found.released = shown();
      const points = chartOf("Trials by two columns");
      await drag(points, [140, 40], [points.clientWidth - 60, 170]);
      found.rectangle = shown();
      document.getElementById("clear").click();
      await settle();
      found.cleared = shown();
    }
    const first = document.querySelector("#trials tbody button");
    first.click();
    await settle();
    found.details = { id: first.textContent, heading: text("#trial h3"), facts: text("#trial dl"), command: text("#trial pre") };
    const before = getComputedStyle(document.body).backgroundColor;
    document.getElementById("theme").click();
    await settle();
    found.theme = { name: document.documentElement.dataset.theme, before, after: getComputedStyle(document.body).backgroundColor };
    window.dispatchEvent(new Event("beforeprint"));
    await settle();
    const charts = [...document.querySelectorAll(".chart")];
    found.charts = charts.length;
    found.undrawn = charts.filter(chart => !chart.querySelector("canvas")).map(chart => chart.getAttribute("aria-label"));
    found.unnamed = charts.filter(chart => !chart.getAttribute("aria-label")).length
      + [...document.querySelectorAll("button, select, input")].filter(node => !(node.textContent || node.labels?.length || node.ariaLabel)).length;
    found.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const levels = [...document.querySelectorAll("figure")].filter(node => node.textContent.startsWith("Test accuracy of each"));
    found.ends = levels.flatMap(node => echarts.getInstanceByDom(node.querySelector(".chart")).getOption().series)
      .filter(series => series.type === "custom").flatMap(series => series.data.map(item => item.value[2]));
    found.titles = levels.map(node => node.querySelector("figcaption").firstChild.textContent);
    const slice = [...document.querySelectorAll("figure")]
      .find(node => node.querySelector("figcaption").textContent === "lr").querySelector(".chart");
    found.label = slice.getAttribute("aria-label");
    const { customValues, formatter } = echarts.getInstanceByDom(slice).getOption().xAxis[0].axisLabel;
    found.ticks = customValues.map(formatter);
    found.hit = window.hit || 0;
  } catch (error) {
    found.error = String(error.stack);
  }
  parent.postMessage(JSON.stringify(found), "*");
});
