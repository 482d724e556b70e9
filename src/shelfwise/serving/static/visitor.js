// What the visitor did, kept in this browser and nowhere else.

export class Visitor {
  #key;
  #most;
  #events;

  constructor(shop, most) {
    // Another shop served from the same address has other item ids.
    this.#key = `shelfwise.history.${shop}`;
    this.#most = most;
    this.#events = this.#read();
  }

  get events() {
    return this.#events;
  }

  /** Remember `event` ({event, item_id, query, title}) as done now. */
  add(event) {
    const last = this.#events.at(-1);
    const now = Math.max(Date.now(), last ? Date.parse(last.timestamp) + 1 : 0);
    const seen = { ...event, timestamp: new Date(now).toISOString() };
    this.#events = [...this.#events, seen].slice(-this.#most);
    this.#write();
  }

  forget() {
    this.#events = [];
    this.#write();
  }

  /** The part of a request body that says who asks; by this browser's clock throughout. */
  asRequest() {
    const last = this.#events.at(-1);
    const now = Math.max(Date.now(), last ? Date.parse(last.timestamp) + 1 : 0);
    return {
      history: this.#events.map(({ event, item_id, query, timestamp }) => ({ event, item_id, query, timestamp })),
      at: new Date(now).toISOString(),
    };
  }

  #read() {
    try {
      const stored = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(stored) ? stored : [];
    } catch {
      return []; // storage is switched off or was damaged: start afresh
    }
  }

  #write() {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#events));
    } catch {
      // Switched off or full: the history then lasts as long as the page.
    }
  }
}
