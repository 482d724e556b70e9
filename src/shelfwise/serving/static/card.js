// How an item looks. Everything the shop says becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties and children; strings become text nodes. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Text in Chinese is marked as such, so that the browser picks its font and line breaks. */
export function words(tag, className, text) {
  const made = element(tag, { className, textContent: text });
  if (/\p{Script=Han}/u.test(text)) made.lang = "zh";
  return made;
}

/** Name to show for an item whose title the shop did not give. */
export const titleOf = (item) => item.title || item.item_id;

export const lastOf = (category) => category.split(" > ").at(-1).trim();

/** A drawn stand-in for a photograph: hue from the category, shapes from the item. */
export function picture(item) {
  const drawing = svg("svg", { viewBox: "0 0 160 120", "aria-hidden": "true", preserveAspectRatio: "xMidYMid slice" });
  drawing.style.setProperty("--hue", String((hash(item.category || item.item_id) >>> 5) % 360));
  const seed = hash(item.item_id);
  const x = 20 + (seed % 120);
  const y = 15 + ((seed >>> 8) % 90);
  drawing.append(
    svg("rect", { class: "ground", width: 160, height: 120 }),
    svg("circle", { class: "shape-a", cx: x, cy: y, r: 34 + ((seed >>> 16) % 26) }),
    svg("rect", {
      class: "shape-b", x: 130 - x, y: 90 - y, width: 72, height: 72, rx: 14,
      transform: `rotate(${(seed >>> 20) % 90} ${166 - x} ${126 - y})`,
    }),
  );
  const letter = svg("text", { x: 80, y: 62, class: "glyph" });
  letter.textContent = [...(lastOf(item.category) || titleOf(item))][0]?.toUpperCase() ?? "";
  drawing.append(letter);
  return drawing;
}

/** One place of a list; `open` is called when the visitor picks it. */
export function card(item, { money, sponsored, fresh, open }) {
  const button = words("button", "open", titleOf(item));
  button.type = "button";
  button.addEventListener("click", () => open(item));
  return element(
    "li",
    { className: sponsored ? "card sponsored" : "card" },
    element(
      "div",
      { className: "picture" },
      picture(item),
      sponsored ? element("span", { className: "label", textContent: "Sponsored" }) : null,
      fresh ? element("span", { className: "label new", textContent: "New for you" }) : null,
    ),
    element(
      "div",
      { className: "words" },
      item.category ? words("p", "category", lastOf(item.category)) : null,
      element("h3", {}, button),
      item.brand ? words("p", "brand-name", item.brand) : null,
      element("p", { className: "price", textContent: item.price === null ? "" : money(item.price) }),
    ),
    figures(item, money),
  );
}

function figures(item, money) {
  const list = element("dl", { className: "figures" });
  const row = (name, text, share) => {
    const bar = element("span", { className: "bar" });
    bar.style.setProperty("--share", String(Math.min(Math.max(share ?? 0, 0), 1)));
    list.append(element("dt", { textContent: name }), element("dd", {}, text, share === null ? null : bar));
  };
  row("Match", item.match === null ? "–" : item.match.toFixed(3), null);
  row("Click", percent(item.p_click), item.p_click);
  row("Buy", percent(item.p_convert), item.p_convert);
  if (item.charge !== null) row("Per click", money(item.charge), null);
  return list;
}

const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** FNV-1a, 32 bits, with a last stir so that neighbouring ids look different. */
function hash(text) {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ character.codePointAt(0), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
  return (state ^ (state >>> 15)) >>> 0;
}
