// Pure: what is wrong with a message before it is sent.

import { t } from "./texts.js";

const isList = (value) => Array.isArray(value) && value.every((entry) => typeof entry === "string");
const isText = (value) => typeof value === "string";

/** By op: the members it may have, each with a test and the name of what would be right. */
const MEMBERS = {
  wallets: [isList, "keys"],
  tokens: [isList, "keys"],
  wallet: [isText, "key"],
  token: [isText, "text"],
  since: [(value) => value === null || isText(value), "since"],
  rate: [(value) => value === null || (typeof value === "number" && value > 0), "rate"],
  batch: [(value) => typeof value === "boolean", "boolean"],
};

export const OPS = {
  subscribe: { takes: ["wallets", "tokens", "since", "rate", "batch"], needsOneOf: ["wallets", "tokens"] },
  unsubscribe: { takes: ["wallets", "tokens"], needsOneOf: ["wallets", "tokens"] },
  list: { takes: [] },
  get: { takes: ["wallet"], needsOneOf: ["wallet"] },
  refresh: { takes: ["wallet"], needsOneOf: ["wallet"] },
  set: { takes: ["rate", "batch"] },
  auth: { takes: ["token"], needsOneOf: ["token"] },
  ping: { takes: [] },
};

const ID_MAX = 2 ** 53;

/**
 * `{value, compact, fault, warnings}`. `fault`: it is no JSON, and why; then the rest is null or empty. `warnings`:
 * it is JSON, and the server will refuse or pass over something.
 */
export function check(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { value: null, compact: null, fault: text.trim() === "" ? t("fault.empty") : t("fault.json", { why: error.message }), warnings: [] };
  }
  return { value, compact: JSON.stringify(value), fault: null, warnings: warnings(value) };
}

function warnings(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [t("warning.object")];
  const found = idWarnings(value.id);
  if (!isText(value.op)) return [...found, t("warning.op")];
  const op = Object.hasOwn(OPS, value.op) ? OPS[value.op] : null;
  if (op === null) return [...found, t("warning.unknown", { op: value.op.slice(0, 40), ops: Object.keys(OPS).join(", ") })];
  const { takes, needsOneOf } = op;
  if (needsOneOf && !needsOneOf.some((name) => Object.hasOwn(value, name))) {
    const members = needsOneOf.map((name) => `"${name}"`).join(t("warning.or"));
    found.push(t("warning.needs", { op: value.op, members, what: right(needsOneOf[0]) }));
  }
  for (const name of Object.keys(value)) {
    if (name === "op" || name === "id") continue;
    if (!takes.includes(name)) found.push(t("warning.member", { op: value.op, member: name.slice(0, 40) }));
    else if (!MEMBERS[name][0](value[name])) found.push(t("warning.value", { member: name, what: right(name) }));
  }
  return found;
}

/** What a member should be. */
function right(member) {
  return t(`value.${MEMBERS[member][1]}`);
}

function idWarnings(id) {
  if (id === undefined) return [];
  const isRight = (Number.isInteger(id) && Math.abs(id) < ID_MAX) || (isText(id) && [...id].length <= 36);
  return isRight ? [] : [t("warning.id")];
}
