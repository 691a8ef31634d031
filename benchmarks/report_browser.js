// Measures the report in a browser: the first view, and frames while a brush moves along an axis.
window.addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(async () => {
  const first = performance.now();
  const frame = () => new Promise(requestAnimationFrame);
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const node = [...document.querySelectorAll("figure")]
    .find(figure => figure.textContent.startsWith("All knobs at once")).querySelector(".chart");
  node.scrollIntoView();
  await wait(1500);
  const box = node.getBoundingClientRect(), target = node.querySelector("canvas");
  const fire = (kind, y) => target.dispatchEvent(new MouseEvent(kind, {
    bubbles: true, clientX: box.left + 46, clientY: box.top + y, buttons: 1, which: 1,
  }));
  fire("mousemove", 60);
  fire("mousedown", 60);
  const times = [];
  let before = await frame();
  for (let step = 0; step < 90; step++) {
    fire("mousemove", 60 + step * 2);
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  fire("mouseup", 240);
  await wait(500);
  await fetch("result", { method: "POST", body: JSON.stringify({
    first, times, shown: document.getElementById("shown").textContent }) });
})));
