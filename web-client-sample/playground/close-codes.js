// Pure: what the number at the end of a connection means, and whether to come back.

const MEANINGS = new Map([
  [1000, ["closed normally", true]],
  [1001, ["going away", true]],
  [1002, ["a rule of the WebSocket protocol was broken", false]],
  [1003, ["a binary message: only text is spoken", false]],
  [1005, ["closed without a code", true]],
  [1006, ["the connection was lost, or never came about", true]],
  [1007, ["text that is not UTF-8", false]],
  [1009, ["the message was longer than hello's message_bytes", false]],
  [1011, ["the server failed", true]],
  [1015, ["TLS failed: the certificate is not trusted", false]],
  [4001, ["unauthorized: no access token in time, or not a right one", false]],
  [4002, ["forbidden", false]],
  [4003, ["abuse: far too many messages", false]],
  [4100, ["the server is being drained", true]],
  [4101, ["the access token has expired: come back with a new one", true]],
  [4108, ["slow: nothing was taken for too long", true]],
  [4109, ["a ping stayed unanswered", true]],
  [4111, ["too many connections of your address", true]],
]);

/** `{text, mayReturn}`; codes that are not known are judged by their range. */
export function closeMeaning(code) {
  const known = MEANINGS.get(code);
  if (known !== undefined) return { text: known[0], mayReturn: known[1] };
  if (code >= 4000 && code < 4100) return { text: "refused: do not come back unchanged", mayReturn: false };
  if (code >= 4100 && code < 4200) return { text: "come back", mayReturn: true };
  return { text: "unknown", mayReturn: true };
}
