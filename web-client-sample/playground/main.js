// The playground: a message goes out, every frame is seen.

import { setUpChoices } from "../choices.js";
import { arrange, byId, oncePerFrame, setAttribute, setHidden, setText } from "../dom.js";
import { closeMeaning } from "./close-codes.js";
import { curlLine, websocatLine } from "./commands.js";
import { examples, WALLET } from "./examples.js";
import { FrameList, copy } from "./frame-list.js";
import { FrameLog } from "./frame-log.js";
import { check } from "./message.js";
import { mayTravel, Socket } from "./socket.js";
import { t } from "./texts.js";

const ENTRIES_MAX = 500;

const base = new URL("./", document.baseURI);
const address = new URL("ws", base);
address.protocol = base.protocol === "https:" ? "wss:" : "ws:";

setUpChoices(byId("theme"), byId("language"), () => {
  showConnection();
  showPause();
  showExamples();
  showSendable();
  plan();
});

const log = new FrameLog(ENTRIES_MAX);
const list = new FrameList(byId("frames"), byId("nothing"));
let wallet = WALLET;
let since = null;
let pausedAt = null;
let newest = 0;
let connection = "closed";
let end = null;
const plan = oncePerFrame(show);

const socket = new Socket({
  state(state) {
    connection = state;
    if (state === "open") {
      end = null;
      note(t("playground.opened", { address: address.href }));
    }
    showConnection();
    showSendable();
  },
  frame(text) {
    remember(text);
    add("in", text);
  },
  ended(code, reason) {
    end = { code: String(code), reason };
    showConnection();
    note(t(reason === "" ? "playground.ended" : "playground.endedSaying", { ...end, text: closeMeaning(code).text }));
  },
});

function showConnection() {
  setAttribute(byId("state"), "data-tone", { connecting: "busy", open: "good", closed: "bad" }[connection]);
  setText(byId("state-text"), t(`playground.${connection}`));
  setText(byId("connect"), t(connection === "closed" ? "playground.connect" : "playground.disconnect"));
  setHidden(byId("ended"), end === null);
  if (end === null) return;
  const { text, mayReturn } = closeMeaning(Number(end.code));
  setText(byId("ended"), t(`ended.${mayReturn ? "return" : "stay"}${end.reason === "" ? "" : "Saying"}`, { ...end, text }));
  setAttribute(byId("ended"), "data-tone", mayReturn ? null : "bad");
}

/** From where one may resume: what a heartbeat says. */
function remember(text) {
  if (!text.startsWith("{\"type\":\"heartbeat\"")) return;
  const { epoch, rev } = JSON.parse(text);
  const isFirst = since === null;
  since = `${epoch}:${rev}`;
  if (isFirst) showExamples();
}

function note(text) {
  add("note", text);
}

function add(way, text) {
  newest = log.add(way, text, Date.now()).number;
  plan();
}

function show() {
  showTypes();
  const found = log.matching({
    type: byId("type").value, words: byId("filter").value, last: pausedAt ?? Infinity,
  });
  list.show(found, { newestFirst: byId("order").value === "newest" });
  const parts = [t("frames.count", { found: found.length, count: log.count })];
  if (log.dropped > 0) parts.push(t("frames.dropped", { n: log.dropped }));
  if (pausedAt !== null) parts.push(t("frames.since", { n: newest - pausedAt }));
  setText(byId("count"), parts.join(" · "));
}

function showPause() {
  setText(byId("pause"), t(pausedAt === null ? "frames.pause" : "frames.goOn"));
  setAttribute(byId("pause"), "aria-pressed", String(pausedAt !== null));
}

/** Options that are there stay, so that the list may be open meanwhile. */
function showTypes() {
  const select = byId("type");
  const [every, ...known] = select.options;
  arrange(select, [every, ...log.types.map((type) => known.find(({ value }) => value === type) ?? new Option(type, type))]);
}

// The message

function showSendable() {
  const { compact, fault, warnings, value } = check(byId("message").value);
  setText(byId("fault"), fault ?? "");
  setHidden(byId("fault"), fault === null);
  byId("warnings").replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  byId("send").disabled = !socket.isOpen || fault !== null;
  setHidden(byId("send-anyway"), fault === null);
  byId("send-anyway").disabled = !socket.isOpen;
  byId("format").disabled = fault !== null;
  showCommands(compact, value);
}

function showCommands(compact, value) {
  const hasToken = token() !== null;
  setText(byId("websocat"), websocatLine(address.href, compact, hasToken));
  const line = curlLine(base, value, hasToken);
  setText(byId("curl"), line ?? t("terminal.none"));
  byId("copy-curl").disabled = line === null;
  setHidden(byId("token-note"), !hasToken);
}

function send(text) {
  socket.send(text);
  add("out", text);
}

function showExamples() {
  byId("examples").replaceChildren(...examples(wallet, since).map(({ name, title, about }) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: title });
    if (about) button.title = about;
    button.addEventListener("click", () => {
      const fresh = examples(wallet, since).find((example) => example.name === name);
      byId("message").value = JSON.stringify(fresh.message, null, 2);
      showSendable();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

function token() {
  const text = byId("token").value.trim();
  return text === "" ? null : text;
}

function connect() {
  const given = token();
  const isFit = given === null || mayTravel(given);
  setHidden(byId("token-fault"), isFit);
  if (isFit) socket.connect(address, given);
}

/** A wallet that the server knows makes better examples. */
async function findWallet() {
  const headers = token() === null ? {} : { Authorization: `Bearer ${token()}` };
  try {
    const answer = await (await fetch(new URL("api/v1/wallets?limit=1", base), { headers })).json();
    const found = answer?.wallets?.[0]?.wallet;
    if (typeof found === "string") wallet = found;
  } catch {
    // The examples are about somebody else then.
  }
}

byId("connect").addEventListener("click", () => {
  if (connection === "closed") connect();
  else socket.close();
});
byId("send").addEventListener("click", () => send(check(byId("message").value).compact));
byId("send-anyway").addEventListener("click", () => send(byId("message").value));
byId("format").addEventListener("click", () => {
  byId("message").value = JSON.stringify(check(byId("message").value).value, null, 2);
});
byId("message").addEventListener("input", showSendable);
byId("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !byId("send").disabled) byId("send").click();
});
byId("token").addEventListener("input", showSendable);
byId("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  connect();
  await findWallet();
  showExamples();
});
byId("filter").addEventListener("input", plan);
byId("type").addEventListener("change", plan);
byId("order").addEventListener("change", () => {
  plan();
  requestAnimationFrame(() => {
    byId("frames").scrollTop = byId("order").value === "newest" ? 0 : byId("frames").scrollHeight;
  });
});
byId("pause").addEventListener("click", () => {
  pausedAt = pausedAt === null ? newest : null;
  showPause();
  plan();
});
byId("clear").addEventListener("click", () => {
  log.clear();
  if (pausedAt !== null) pausedAt = newest;
  plan();
});
byId("copy-websocat").addEventListener("click", () => copy(byId("copy-websocat"), byId("websocat").textContent));
byId("copy-curl").addEventListener("click", () => copy(byId("copy-curl"), byId("curl").textContent));

setText(byId("address"), address.href);
showConnection();
showPause();
await findWallet();
showExamples();
byId("message").value = JSON.stringify(examples(wallet)[0].message, null, 2);
showSendable();
show();
connect();
