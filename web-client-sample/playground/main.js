// The playground: a message goes out, every frame is seen.

import { byId, oncePerFrame, setAttribute, setHidden, setText } from "../dom.js";
import { setUpThemeButton } from "../theme-button.js";
import { closeMeaning } from "./close-codes.js";
import { curlLine, websocatLine } from "./commands.js";
import { examples, WALLET } from "./examples.js";
import { FrameList, copy } from "./frame-list.js";
import { FrameLog } from "./frame-log.js";
import { check } from "./message.js";
import { mayTravel, Socket } from "./socket.js";

const ENTRIES_MAX = 500;

const base = new URL("./", document.baseURI);
const address = new URL("ws", base);
address.protocol = base.protocol === "https:" ? "wss:" : "ws:";

const log = new FrameLog(ENTRIES_MAX);
const list = new FrameList(byId("frames"), byId("nothing"));
let wallet = WALLET;
let since = null;
let pausedAt = null;
let newest = 0;
const plan = oncePerFrame(show);

const socket = new Socket({
  state(state) {
    setAttribute(byId("state"), "data-tone", { connecting: "busy", open: "good", closed: "bad" }[state]);
    setText(byId("state-text"), { connecting: "Connecting", open: "Open", closed: "Closed" }[state]);
    setText(byId("connect"), state === "closed" ? "Connect" : "Disconnect");
    if (state === "open") {
      setHidden(byId("ended"), true);
      note(`open: ${address.href}`);
    }
    showSendable();
  },
  frame(text) {
    remember(text);
    add("in", text);
  },
  ended(code, reason) {
    const { text, mayReturn } = closeMeaning(code);
    const said = reason === "" ? "" : ` The server says: “${reason}”.`;
    setText(byId("ended"), `Closed with ${code}: ${text}.${said} ${mayReturn ? "You may come back." : "Do not come back unchanged."}`);
    setAttribute(byId("ended"), "data-tone", mayReturn ? null : "bad");
    setHidden(byId("ended"), false);
    note(`closed ${code}: ${text}${reason === "" ? "" : ` (${reason})`}`);
  },
});

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
  const parts = [`${found.length} of ${log.count}`];
  if (log.dropped > 0) parts.push(`${log.dropped} older ones forgotten`);
  if (pausedAt !== null) parts.push(`${newest - pausedAt} since the pause`);
  setText(byId("count"), parts.join(" · "));
}

function showTypes() {
  const select = byId("type");
  const types = log.types;
  const shown = [...select.options].slice(1).map(({ value }) => value);
  if (types.join() === shown.join()) return;
  const chosen = select.value;
  const options = ["", ...types].map((type) => new Option(type === "" ? "Every type" : type, type));
  select.replaceChildren(...options);
  select.value = types.includes(chosen) ? chosen : "";
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
  setText(byId("curl"), line ?? "There is no such call over HTTP.");
  byId("copy-curl").disabled = line === null;
  setHidden(byId("token-note"), !hasToken);
}

function send(text) {
  socket.send(text);
  add("out", text);
}

function showExamples() {
  byId("examples").replaceChildren(...examples(wallet, since).map(({ title, message, about }) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: title });
    if (about) button.title = about;
    button.addEventListener("click", () => {
      const fresh = examples(wallet, since).find((example) => example.title === title);
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
  if (byId("connect").textContent === "Connect") connect();
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
  setText(byId("pause"), pausedAt === null ? "Pause" : "Go on");
  setAttribute(byId("pause"), "aria-pressed", String(pausedAt !== null));
  plan();
});
byId("clear").addEventListener("click", () => {
  log.clear();
  if (pausedAt !== null) pausedAt = newest;
  plan();
});
byId("copy-websocat").addEventListener("click", () => copy(byId("copy-websocat"), byId("websocat").textContent));
byId("copy-curl").addEventListener("click", () => copy(byId("copy-curl"), byId("curl").textContent));
setUpThemeButton(byId("theme"));

setText(byId("address"), address.href);
await findWallet();
showExamples();
byId("message").value = JSON.stringify(examples(wallet)[0].message, null, 2);
showSendable();
show();
connect();
