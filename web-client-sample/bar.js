// The top of the page: state of the connection, banners, access token.

import { byId, setAttribute, setHidden, setText } from "./dom.js";
import { name } from "./format.js";
import { errorText, languageTag, t } from "./i18n.js";

const RESUMED_MS = 5000;
const SAID_MS = 8000;
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const UNAUTHORIZED = 4001;

export class Bar {
  #actions;
  #detail = { state: "connecting" };
  #health = null;
  #quietUntil = 0;
  #said = null;
  #expiring = false;
  #state = { chains: new Map(), pricesStale: false };

  /** `actions`: `connect()`, `authorize(token)`. */
  constructor(actions) {
    this.#actions = actions;
    byId("reconnect").addEventListener("click", () => {
      if (this.#detail.code === UNAUTHORIZED) this.askToken();
      else actions.connect();
    });
    this.#setUpToken();
  }

  /** The client's `connection` event. */
  connection(detail) {
    this.#detail = detail;
    this.#quietUntil = 0;
    if (detail.state === "closed" && detail.code === UNAUTHORIZED) this.askToken();
    if (detail.state !== "live") this.#expiring = false;
    this.#health = null;
    this.#show();
  }

  /** What was missed is told for a moment, where there was anything to ask. */
  resumed({ resumed, changed }) {
    if (!resumed || changed === null || this.#detail.state !== "live") return;
    this.#quietUntil = Date.now() + RESUMED_MS;
    setAttribute(byId("connection"), "data-wide", "");
    setText(byId("connection-text"), changed === 0 ? t("connection.nothingMissed") : t("connection.caughtUp", { n: changed }));
    byId("connection-figures").replaceChildren();
  }

  /** The client's `health`. */
  figures(health) {
    this.#health = health;
    this.#showFigures();
  }

  /** A page that comes back to the front or the network does not wait out the back-off. */
  retryIfWaiting() {
    if (this.#detail.state === "waiting") this.#actions.connect();
  }

  auth({ state, code, message }) {
    if (state === "refused") this.askToken(name(errorText({ code, message })));
    if (state === "expired") this.askToken(t("auth.ended"));
    if (state === "accepted" && byId("auth").open) byId("auth").close();
    this.#expiring = state === "expiring";
    this.#showBanners();
  }

  /** Asks for an access token, with what was wrong with the last one. */
  askToken(text = t("auth.asks")) {
    setText(byId("auth-text"), text);
    if (!byId("auth").open) byId("auth").showModal();
  }

  /** A banner that goes by itself. */
  say(text) {
    this.#said = { text, until: Date.now() + SAID_MS };
    this.#showBanners();
  }

  /** The client's state: chains that are down, prices that are stale. */
  statuses(state) {
    this.#state = state;
    this.#showBanners();
  }

  relabel() {
    this.#show();
    this.#showBanners();
  }

  /** What only time changes. */
  tick(now) {
    const { state, retryAt } = this.#detail;
    const n = Math.max(0, Math.ceil((retryAt - now) / 1000));
    setText(byId("connection-countdown"), state === "waiting" ? t("connection.retryIn", { n }) : "");
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
    const why = name(reason) || String(code ?? "");
    const connection = byId("connection");
    setAttribute(connection, "data-state", state);
    setAttribute(document.body, "data-offline", state === "live" || state === "connecting" ? null : "");
    setAttribute(connection, "data-wide", state === "waiting" || state === "closed" ? "" : null);
    setText(byId("connection-text"), state === "closed" && reason ? t("connection.closedWhy", { why }) : t(`connection.${state}`));
    setAttribute(connection, "title", state === "waiting" ? t("connection.lost", { why }) : null);
    setHidden(byId("reconnect"), state !== "waiting" && state !== "closed");
    this.#showFigures();
    this.tick(Date.now());
  }

  /** Outside the live region: figures that change all the time are not to be read out. */
  #showFigures() {
    const { state, transport } = this.#detail;
    const figures = byId("connection-figures");
    if (state !== "live" || this.#quietUntil !== 0) return figures.replaceChildren();
    const { latencyMs = null, lagMs = null, conflating = false } = this.#health ?? {};
    const [latency, lag] = [latencyMs, lagMs].map((ms) => (ms === null ? t("connection.unmeasured") : t("connection.latency", { ms })));
    figures.replaceChildren(
      ...figure("transport", transport === "websocket" ? "" : t(`transport.${transport}`)),
      ...figure("latency", latencyMs === null ? "" : latency),
      ...figure("lag", lagMs === null ? "" : t("connection.lag", { ms: lagMs })),
      ...figure("conflating", conflating ? t("connection.conflating") : ""));
    const title = t("connection.figures", { transport: t(`transport.${transport}`), latency, lag });
    setAttribute(byId("connection"), "title", title);
  }

  /** Written only when they differ: a live region reads out what is put into it. */
  #showBanners() {
    const texts = [...this.#state.chains].map(([chain, { since }]) => this.#chainDown(name(chain), since));
    if (this.#state.pricesStale) texts.push(t("banner.pricesStale"));
    if (this.#expiring) texts.push(t("banner.tokenEnds"));
    if (this.#said !== null) texts.push(this.#said.text);
    const shown = [...byId("banners").children].map(({ textContent }) => textContent);
    if (shown.length === texts.length && shown.every((text, index) => text === texts[index])) return;
    byId("banners").replaceChildren(...texts.map((text) => {
      const banner = document.createElement("p");
      banner.className = "banner";
      banner.textContent = text;
      return banner;
    }));
  }

  #chainDown(chain, since) {
    if (since === null) return t("banner.chainDown", { chain });
    return t("banner.chainDownSince", { chain, time: new Date(since).toLocaleTimeString(languageTag(), CLOCK) });
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

function figure(kind, text) {
  if (text === "") return [];
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return [element];
}
