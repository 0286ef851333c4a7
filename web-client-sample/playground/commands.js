// Pure: the same in a terminal. Lines are for POSIX shells; an access token is taken from the environment, so that it
// ends up neither in a history nor on a screen.

/** One word for the shell, whatever is in it. */
export function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const BEARER = "\"Authorization: Bearer $WALLETPUSH_TOKEN\"";

/** `message`: one line of JSON, or null to only listen. The connection stays open behind it (-n). */
export function websocatLine(url, message, hasToken) {
  const header = hasToken ? `-H=${BEARER} ` : "";
  const listen = `websocat ${header}-n ${quoted(url)}`;
  return message === null ? listen : `printf '%s\\n' ${quoted(message)} | ${listen}`;
}

/** `path` is below `base`. */
function curl(base, path, hasToken, options = "") {
  const header = hasToken ? `-H ${BEARER} ` : "";
  return `curl -sS ${options}${header}${quoted(new URL(path, base).href)}`;
}

function walletPath(key, rest) {
  // A colon may stand in a path as it is; whatever else a key could hold is encoded.
  return `api/v1/wallets/${encodeURIComponent(key).replaceAll("%3A", ":")}${rest}`;
}

/** The HTTP call that does the same, or null where there is none. `base` is the server's root, ending in "/". */
export function curlLine(base, message, hasToken) {
  const wallet = typeof message?.wallet === "string" ? message.wallet : null;
  switch (message?.op) {
    case "subscribe": {
      const first = Array.isArray(message.wallets) ? message.wallets[0] : undefined;
      return typeof first === "string" ? curl(base, walletPath(first, "/stream"), hasToken, "-N ") : null;
    }
    case "get": return wallet === null ? null : curl(base, walletPath(wallet, "/balances"), hasToken);
    case "refresh": return wallet === null ? null : curl(base, walletPath(wallet, "/refresh_balances"), hasToken, "-X POST ");
    case "list": return curl(base, "api/v1/wallets", hasToken);
    case "ping": return curl(base, "healthz", false);
    default: return null;
  }
}
