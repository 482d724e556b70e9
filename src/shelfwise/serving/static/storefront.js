// The storefront: three lists from three questions, asked again whenever the visitor does something.

import { card, element, picture, titleOf, words } from "./card.js";
import { Visitor } from "./visitor.js";

const at = (id) => document.getElementById(id);
const { shop, currency, maxK, maxHistory } = document.body.dataset;
const visitor = new Visitor(shop, Number(maxHistory));
const money = moneyIn(currency);
const asked = {}; // surface -> AbortController of the question under way
let shelfIds = null; // what the shelf showed last, to mark what is new

const SIZES = { search: 24, recommend: 12, ads: 2 };

// The query stands after the "#": a browser never sends that part, so no log can hold it.
const currentQuery = () => new URLSearchParams(location.hash.slice(1)).get("q")?.trim() ?? "";

async function ask(surface, body) {
  asked[surface]?.abort();
  asked[surface] = new AbortController();
  const response = await fetch(`/v1/${surface}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ k: Math.min(SIZES[surface], Number(maxK)), ...visitor.asRequest(), ...body }),
    signal: asked[surface].signal,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.errors.map((one) => `${one.found}: ${one.rule}`).join("; "));
  return answer.items;
}

function fill(id, items, options = {}) {
  const { isFresh = () => false, query = "", ...rest } = options;
  at(id).querySelector("ul").replaceChildren(
    ...items.map((item) => card(item, { money, fresh: isFresh(item), open: (picked) => open(picked, query), ...rest })),
  );
}

async function refreshResults() {
  const query = currentQuery();
  at("query").value = query;
  document.body.dataset.view = query ? "search" : "home";
  document.title = query ? `${query} · ${shop}` : shop;
  at("results").hidden = !query;
  at(query ? "results" : "shelf").after(at("sponsored"));
  if (!query) return;
  at("results").setAttribute("aria-busy", "true");
  const items = await ask("search", { query });
  at("results").removeAttribute("aria-busy");
  at("results-title").textContent = `Results for “${query}”`;
  const count = items.length === 1 ? "1 item" : `${items.length} items`;
  at("results-note").textContent = items.length ? `${count}, best first` : "Nothing matches. Try fewer or other words.";
  at("announcement").textContent = `${count} for ${query}`;
  fill("results", items, { query });
}

async function refreshShelf() {
  const items = await ask("recommend", {});
  const before = shelfIds;
  shelfIds = new Set(items.map((item) => item.item_id));
  fill("shelf", items, { isFresh: (item) => before !== null && !before.has(item.item_id) });
  const seen = [...new Set(visitor.events.filter((event) => event.title).map((event) => event.title))].slice(-2).reverse();
  at("shelf-note").replaceChildren(
    ...(seen.length
      ? ["Because you looked at ", ...seen.flatMap((title, place) => [place ? " and " : "", words("q", "", title)])]
      : ["Open an item: this shelf follows what you look at."]),
  );
}

async function refreshSponsored() {
  const items = await ask("ads", { query: currentQuery() });
  at("sponsored").hidden = items.length === 0;
  fill("sponsored", items, { sponsored: true, query: currentQuery() });
}

function refreshHistory() {
  const events = visitor.events.slice(-12).reverse();
  at("history-empty").hidden = events.length > 0;
  at("forget").hidden = events.length === 0;
  at("history-list").replaceChildren(
    ...events.map((event) =>
      element("li", {}, element("span", { className: "what", textContent: VERBS[event.event] ?? event.event }), words("span", "", event.title || event.query)),
    ),
  );
}

const VERBS = { search: "Searched", click: "Opened", cart: "Basket" };

/** Ask everything again and say so if something failed; a question overtaken by a newer one did not. */
async function refresh(...parts) {
  refreshHistory();
  const outcomes = await Promise.allSettled(parts.map((part) => part()));
  const failed = outcomes.filter(({ status, reason }) => status === "rejected" && reason.name !== "AbortError");
  at("problem").hidden = failed.length === 0;
  at("problem").textContent = failed.length ? `The shop could not answer: ${failed[0].reason.message}` : "";
}

const refreshAll = () => refresh(refreshResults, refreshShelf, refreshSponsored);

function did(event) {
  visitor.add(event);
  refresh(refreshShelf, refreshSponsored);
}

async function open(item, query) {
  did({ event: "click", item_id: item.item_id, query, title: titleOf(item) });
  at("item-picture").replaceChildren(picture(item));
  at("item-category").replaceChildren(words("span", "", item.category));
  at("item-title").replaceChildren(words("span", "", titleOf(item)));
  at("item-brand").textContent = item.brand;
  at("item-price").textContent = item.price === null ? "" : money(item.price);
  at("item-attributes").replaceChildren();
  at("basket-note").textContent = "";
  at("basket").onclick = () => {
    did({ event: "cart", item_id: item.item_id, query, title: titleOf(item) });
    at("basket-note").textContent = "Noted in your history. No order is placed from this page.";
  };
  at("item").dataset.itemId = item.item_id;
  at("item").showModal();
  await describe(item.item_id);
}

/** Properties come from the catalogue's full entry, which a ranking does not carry. */
async function describe(itemId) {
  const response = await fetch(`/v1/items/${encodeURIComponent(itemId)}`);
  if (!response.ok || at("item").dataset.itemId !== itemId) return;
  const { attributes } = await response.json();
  at("item-attributes").replaceChildren(
    ...Object.entries(parsed(attributes)).flatMap(([name, value]) => [words("dt", "", name), words("dd", "", String(value))]),
  );
}

function parsed(attributes) {
  try {
    return JSON.parse(attributes || "{}") ?? {};
  } catch {
    return {}; // the shop's own text is no JSON: it is not worth an error to the shopper
  }
}

function moneyIn(code) {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
    return (amount) => format.format(amount);
  } catch {
    return (amount) => `${amount.toFixed(2)} ${code}`; // not a code the browser knows
  }
}

at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const query = at("query").value.trim();
  if (query) visitor.add({ event: "search", query });
  const hash = query ? `#${new URLSearchParams({ q: query })}` : "#";
  if (location.hash === hash || (hash === "#" && !location.hash)) refreshAll();
  else location.hash = hash; // "hashchange" follows
});
at("figures").addEventListener("change", ({ target }) => {
  document.body.classList.toggle("with-figures", target.checked);
  at("legend").hidden = !target.checked;
});
at("forget").addEventListener("click", () => {
  visitor.forget();
  shelfIds = null;
  refresh(refreshShelf, refreshSponsored);
  at("content").focus();
});
at("item").addEventListener("click", (event) => {
  if (event.target === at("item")) at("item").close(); // the backdrop
});
at("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address keeps its query
  at("content").focus();
});
at("item").addEventListener("close", () => {
  // The button that opened it may have left with the shelf's last ranking.
  if (document.activeElement === document.body) at("content").focus({ preventScroll: true });
});
window.addEventListener("hashchange", refreshAll);
refreshAll();
