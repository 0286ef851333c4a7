// Pure: what the number at the end of a connection means, and whether to come back.

import { t } from "./texts.js";

/** Whether to come back, as the client libraries do: after all but 4000–4099. */
const CODES = new Map([
  [1000, true], [1001, true], [1002, true], [1003, true], [1005, true], [1006, true], [1007, true], [1008, true],
  [1009, true], [1011, true], [1015, true],
  [4001, false], [4002, false], [4003, false],
  [4100, true], [4101, true], [4108, true], [4109, true], [4111, true],
]);

/** `{text, mayReturn}`; codes that are not known are judged by their range. */
export function closeMeaning(code) {
  const known = CODES.get(code);
  if (known !== undefined) return { text: t(`close.${code}`), mayReturn: known };
  if (code >= 4000 && code < 4100) return { text: t("close.refused"), mayReturn: false };
  return { text: t(code >= 4100 && code < 4200 ? "close.return" : "close.unknown"), mayReturn: true };
}
