// The top of the page: state of the connection, banners, access token, theme.

import { byId, setAttribute, setHidden, setText } from "./dom.js";
import { name } from "./format.js";
import { readTheme, writeTheme } from "./memory.js";

const RESUMED_MS = 5000;
const SAID_MS = 8000;
const THEMES = ["system", "light", "dark"];
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const UNAUTHORIZED = 4001;

export class Bar {
  #actions;
  #detail = { state: "connecting" };
  #quietUntil = 0;
  #said = null;
  #expiring = false;
  #statuses = [];

  /** `actions`: `connect()`, `authorize(token)`. */
  constructor(actions) {
    this.#actions = actions;
    byId("reconnect").addEventListener("click", () => {
      if (this.#detail.code === UNAUTHORIZED) this.askToken();
      else actions.connect();
    });
    this.#setUpTheme();
    this.#setUpToken();
  }

  /** The client's `connection` event. */
  connection(detail) {
    this.#detail = detail;
    this.#quietUntil = 0;
    if (detail.state === "closed" && detail.code === UNAUTHORIZED) this.askToken();
    if (detail.state !== "live") this.#expiring = false;
    this.#show();
  }

  resumed({ resumed, changed }) {
    if (!resumed || this.#detail.state !== "live") return;
    this.#quietUntil = Date.now() + RESUMED_MS;
    const what = changed === 0 ? "nothing missed" : `${changed} ${changed === 1 ? "change" : "changes"} caught up`;
    setAttribute(byId("connection"), "data-wide", "");
    setText(byId("connection-text"), `Live · ${what}`);
  }

  /** A page that comes back to the front or the network does not wait out the back-off. */
  retryIfWaiting() {
    if (this.#detail.state === "waiting") this.#actions.connect();
  }

  auth({ state, message }) {
    if (state === "refused") this.askToken(name(message));
    this.#expiring = state === "expiring";
    this.#showBanners();
  }

  /** Asks for an access token, with what was wrong with the last one. */
  askToken(text = "This server asks for an access token.") {
    setText(byId("auth-text"), text);
    if (!byId("auth").open) byId("auth").showModal();
  }

  /** A banner that goes by itself. */
  say(text) {
    this.#said = { text, until: Date.now() + SAID_MS };
    this.#showBanners();
  }

  /** Chains that are down, prices that are stale. */
  statuses({ chains, pricesStale }) {
    this.#statuses = [...chains].map(([chain, { since }]) => {
      const when = since === null ? "" : ` since ${new Date(since).toLocaleTimeString([], CLOCK)}`;
      return `${name(chain)} cannot be reached${when}: its balances may be behind.`;
    });
    if (pricesStale) this.#statuses.push("Prices are not updating: the last known ones are shown.");
    this.#showBanners();
  }

  /** What only time changes. */
  tick(now) {
    const { state, retryAt } = this.#detail;
    const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
    setText(byId("connection-countdown"), state === "waiting" ? `in ${seconds} s` : "");
    if (this.#quietUntil !== 0 && now > this.#quietUntil) {
      this.#quietUntil = 0;
      this.#show();
    }
    if (this.#said !== null && now > this.#said.until) {
      this.#said = null;
      this.#showBanners();
    }
  }

  #show() {
    const { state, code, reason } = this.#detail;
    const why = reason ? `: ${name(reason)}` : "";
    setAttribute(byId("connection"), "data-state", state);
    setAttribute(byId("connection"), "data-wide", state === "waiting" || state === "closed" ? "" : null);
    setAttribute(byId("connection"), "title", state === "waiting" ? `Connection lost${why || ` (${code})`}` : null);
    setText(byId("connection-text"), {
      connecting: "Connecting", live: "Live", waiting: "Reconnecting", closed: `Disconnected${why}`,
    }[state]);
    setHidden(byId("reconnect"), state !== "waiting" && state !== "closed");
    this.tick(Date.now());
  }

  #showBanners() {
    const texts = [...this.#statuses];
    if (this.#expiring) texts.push("Your access token is about to end.");
    if (this.#said !== null) texts.push(this.#said.text);
    const banners = texts.map((text) => {
      const banner = document.createElement("p");
      banner.className = "banner";
      banner.textContent = text;
      return banner;
    });
    byId("banners").replaceChildren(...banners);
  }

  #setUpTheme() {
    const button = byId("theme");
    const show = () => {
      setAttribute(button, "aria-label", `Theme: ${readTheme()}`);
      setAttribute(button, "title", `Theme: ${readTheme()}`);
    };
    button.addEventListener("click", () => {
      writeTheme(THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length]);
      show();
    });
    show();
  }

  #setUpToken() {
    byId("auth-cancel").addEventListener("click", () => byId("auth").close());
    byId("auth-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const token = byId("auth-token").value.trim();
      byId("auth-token").value = "";
      byId("auth").close();
      if (token !== "") this.#actions.authorize(token);
    });
  }
}
