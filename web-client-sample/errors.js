/**
 * An op or a call the server refused (`code` as in the protocol: "cooldown", "unauthorized", …), or one that got no
 * answer: `code` "disconnected" (the connection ended), "unreachable" (no HTTP answer), "unavailable" (nothing the
 * transport of now can do).
 */
export class WalletPushError extends Error {
  name = "WalletPushError";

  /** `retryMs`: when it may be asked again, null where the server did not say. `status`: of HTTP, else null. */
  constructor({ code, message, retry_ms, status }) {
    super(message ?? code);
    this.code = code;
    this.retryMs = retry_ms ?? null;
    this.status = status ?? null;
  }
}
