// Pure: what is wrong with a message before it is sent.

const KEYS = "a list of strings such as \"ETH:0x…\"";
const isList = (value) => Array.isArray(value) && value.every((entry) => typeof entry === "string");
const isText = (value) => typeof value === "string";

/** By op: the members it may have, each with a test and what would be right. */
const MEMBERS = {
  wallets: [isList, KEYS],
  tokens: [isList, KEYS],
  wallet: [isText, "a string such as \"ETH:0x…\""],
  token: [isText, "a string"],
  since: [(value) => value === null || isText(value), "a string such as \"k3f9:8121\""],
  rate: [(value) => value === null || (typeof value === "number" && value > 0), "a number above 0, or null for unlimited"],
  batch: [(value) => typeof value === "boolean", "true or false"],
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
    return { value: null, compact: null, fault: text.trim() === "" ? "Write a message first." : `No JSON: ${error.message}`, warnings: [] };
  }
  return { value, compact: JSON.stringify(value), fault: null, warnings: warnings(value) };
}

function warnings(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return ["A message is an object, such as {\"op\":\"ping\"}."];
  const found = idWarnings(value.id);
  if (!isText(value.op)) return [...found, "A message needs \"op\", a string."];
  const op = Object.hasOwn(OPS, value.op) ? OPS[value.op] : null;
  if (op === null) return [...found, `There is no op "${value.op.slice(0, 40)}"; there are ${Object.keys(OPS).join(", ")}.`];
  const { takes, needsOneOf } = op;
  if (needsOneOf && !needsOneOf.some((name) => Object.hasOwn(value, name))) {
    found.push(`"${value.op}" needs ${needsOneOf.map((name) => `"${name}"`).join(" or ")}, ${MEMBERS[needsOneOf[0]][1]}.`);
  }
  for (const name of Object.keys(value)) {
    if (name === "op" || name === "id") continue;
    if (!takes.includes(name)) found.push(`"${value.op}" does not look at "${name.slice(0, 40)}".`);
    else if (!MEMBERS[name][0](value[name])) found.push(`"${name}" is ${MEMBERS[name][1]}.`);
  }
  return found;
}

function idWarnings(id) {
  if (id === undefined) return [];
  const isRight = (Number.isInteger(id) && Math.abs(id) < ID_MAX) || (isText(id) && [...id].length <= 36);
  return isRight ? [] : ["\"id\" is an integer below 2^53 or a string of at most 36 characters."];
}
