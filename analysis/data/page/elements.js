// Elements of the page. Texts are inserted as text, never as markup.

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function select(label, options, value, onchange) {
  const choices = options.map(([key, title]) =>
    el("option", { value: key, selected: key === value, text: title }));
  const box = el("select", { onchange: event => onchange(event.target.value) }, ...choices);
  return el("label", {}, label, box);
}

function checkbox(label, checked, onchange) {
  const box = el("input", { type: "checkbox", checked, onchange: event => onchange(event.target.checked) });
  return el("label", { class: "row" }, box, label);
}

function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return Promise.resolve();
}

function copyButton(text) {
  const button = el("button", { type: "button", text: "Copy", "aria-label": `Copy ${text}` });
  button.addEventListener("click", () => copyText(text).then(
    () => { button.textContent = "Copied"; },
    () => { button.textContent = "Not allowed"; }));
  return button;
}

function command(text) {
  return el("div", { class: "command" }, el("pre", { text }), copyButton(text));
}

function figure(title, note, ...children) {
  const caption = el("figcaption", {}, title);
  if (note) caption.append(" ", el("span", { class: "soft", text: note }));
  return el("figure", {}, caption, ...children);
}
