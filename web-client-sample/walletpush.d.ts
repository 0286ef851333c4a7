// The types of walletpush.js. What the members mean is said there, and in the protocol's reference.

/** `CHAIN:0x…`, address in lower case. Input is taken in any letter case. */
export type WalletKey = string;
/** `CHAIN:0x…`, or `CHAIN:native` for a chain's own coin. */
export type TokenKey = string;
/** A plain decimal without exponent: "3011.52". */
export type DecimalText = string;
/** A whole number of base units: "1230000000000000000". */
export type UnitsText = string;

export type ValueState = "fresh" | "stale" | "loading" | "unknown";
export type TransportKind = "websocket" | "sse" | "polling";

/** `digits` / 10^`scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** One token of a wallet. What is not known is null, never zero. */
export interface Row {
  readonly token: TokenKey;
  readonly symbol: string | null;
  readonly name: string | null;
  readonly decimals: number | null;
  readonly logo: string | null;
  readonly listed: boolean;
  readonly visible: boolean;
  readonly balance: UnitsText | null;
  readonly balance_state: ValueState;
  readonly price_usd: DecimalText | null;
  /** Percent. */
  readonly change_24h: DecimalText | null;
  readonly price_state: ValueState;
  /** Unix milliseconds. */
  readonly price_at: number | null;
  readonly rev: number;
  /** What it is worth, exact and not rounded; see `rowValue`. */
  readonly value: Decimal | null;
}

export interface Wallet {
  readonly key: WalletKey;
  /** Null before the first frame. */
  readonly state: ValueState | null;
  readonly block: number | null;
  /** Unix milliseconds. */
  readonly asOf: number | null;
  readonly rows: ReadonlyMap<TokenKey, Row>;
  /** All parts of the snapshot are here, and it was not `loading`. */
  readonly complete: boolean;
  /** Parts of a snapshot are still to come: `rows` are not all. */
  readonly arriving: boolean;
  readonly refreshing: "balances" | "prices" | null;
  readonly refreshFailed: boolean;
  readonly deleted: boolean;
}

export interface Price {
  readonly token: TokenKey;
  readonly price_usd: DecimalText | null;
  readonly change_24h: DecimalText | null;
  readonly price_state: ValueState;
  readonly price_at: number | null;
}

export interface State {
  readonly wallets: ReadonlyMap<WalletKey, Wallet>;
  /** Of tokens subscribed without a wallet; null before the first price. */
  readonly prices: ReadonlyMap<TokenKey, Price | null>;
  /** Chains that are down. */
  readonly chains: ReadonlyMap<string, { readonly since: number | null }>;
  readonly pricesStale: boolean;
}

export type Change =
  | { readonly what: "wallet"; readonly wallet: WalletKey }
  | { readonly what: "row"; readonly wallet: WalletKey; readonly token: TokenKey }
  | { readonly what: "price"; readonly token: TokenKey }
  | { readonly what: "status" };

export interface Hello {
  readonly protocol: string;
  readonly server: string | null;
  /** Null where there is no WebSocket, and so for `rev`. */
  readonly epoch: string | null;
  readonly rev: number | null;
  readonly ping_s: number;
  readonly limits: { readonly wallets?: number; readonly ops_per_s?: number; readonly message_bytes?: number };
}

export type ConnectionDetail =
  | { readonly state: "connecting" }
  | { readonly state: "live"; readonly hello: Hello; readonly transport: TransportKind }
  | { readonly state: "waiting"; readonly code: number; readonly reason: string; readonly retryAt: number }
  | { readonly state: "closed"; readonly code: number; readonly reason: string };

export type AuthDetail =
  | { readonly state: "accepted" }
  | { readonly state: "expiring"; readonly at: number }
  | { readonly state: "expired" }
  | { readonly state: "refused"; readonly code: string; readonly message: string };

export interface ClientEvents {
  connection: CustomEvent<ConnectionDetail>;
  /** `changed` is null where the server did not count. */
  resumed: CustomEvent<{ readonly resumed: boolean; readonly changed: number | null }>;
  change: CustomEvent<readonly Change[]>;
  refused: CustomEvent<{ readonly key: string; readonly code: string; readonly message: string }>;
  deleted: CustomEvent<{ readonly wallet: WalletKey }>;
  auth: CustomEvent<AuthDetail>;
  problem: CustomEvent<{ readonly code: string; readonly message: string }>;
}

export interface Settings {
  /** Ticks a second of the whole connection; null for as they come. */
  rate?: number | null;
  /** The data frames of one turn in one message. */
  batch?: boolean;
}

/** Asked for a token: before the first connection, before the token ends, after it ended. Null: none is needed. */
export type TokenSource = (why: "connect" | "expiring" | "expired") => string | null | Promise<string | null>;

export interface ClientOptions {
  settings?: Settings;
  token?: string | TokenSource | null;
  /** Those to take. All by default; WebSocket is left out where there is none. */
  transports?: readonly TransportKind[];
  /** What stands for the outside world: a WebSocket of another package, tests. */
  environment?: Partial<Environment>;
}

export interface Environment {
  open: ((url: string, protocols: string[]) => WebSocketLike) | null;
  fetch: (url: string, options: RequestInit) => Promise<Response>;
  setTimeout: (job: () => void, ms: number) => unknown;
  clearTimeout: (timer: any) => void;
  /** Unix milliseconds. */
  now: () => number;
  /** From 0 to below 1. */
  random: () => number;
}

export interface WebSocketLike {
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Health {
  readonly latencyMs: number | null;
  readonly lagMs: number | null;
  readonly conflating: boolean;
}

/** A whole snapshot, as the protocol has it. */
export interface Snapshot {
  readonly wallet: WalletKey;
  readonly epoch: string;
  readonly rev: number;
  readonly state: ValueState;
  readonly block: number | null;
  readonly as_of: number | null;
  readonly tokens: readonly Record<string, unknown>[];
  readonly total_usd: DecimalText | null;
  readonly unpriced: number;
}

export interface ChainInfo {
  readonly chain: string;
  readonly state?: "up" | "down";
  readonly [member: string]: unknown;
}

export interface WalletInfo {
  readonly id: number;
  readonly wallet: WalletKey;
  readonly chain: string;
  readonly address: string;
}

export declare class WalletPushClient extends EventTarget {
  constructor(url: string | URL, options?: ClientOptions);
  readonly state: State;
  readonly health: Health;
  readonly connected: boolean;
  readonly transport: TransportKind | null;
  connect(): void;
  close(): void;
  setToken(token: string | null): void;
  subscribe(what: { wallets?: readonly string[]; tokens?: readonly string[] }): void;
  unsubscribe(what: { wallets?: readonly string[]; tokens?: readonly string[] }): void;
  refresh(wallet: string): Promise<void>;
  list(): Promise<{ wallets: WalletKey[]; tokens: TokenKey[] }>;
  set(settings: Settings): Promise<void>;
  get(wallet: string): Promise<Snapshot>;
  ping(): Promise<number>;
  setVisible(wallet: string, token: TokenKey, visible: boolean): Promise<void>;
  chains(): Promise<ChainInfo[]>;
  wallets(page?: { limit?: number; after?: number | null }): Promise<{ wallets: WalletInfo[]; next: number | null }>;
  addEventListener<Type extends keyof ClientEvents>(
    type: Type, listener: (event: ClientEvents[Type]) => void, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Type extends keyof ClientEvents>(
    type: Type, listener: (event: ClientEvents[Type]) => void, options?: boolean | EventListenerOptions): void;
}

export declare class WalletPushError extends Error {
  constructor(members: { code: string; message?: string; retry_ms?: number; status?: number });
  readonly code: string;
  readonly retryMs: number | null;
  readonly status: number | null;
}

// Of a wallet

export interface Total {
  /** Null when not one row could be counted. */
  readonly total_usd: DecimalText | null;
  readonly unpriced: number;
  readonly counted: number;
}
export declare function walletTotal(wallet: Wallet): Total;
export declare function sumOf(wallets: Iterable<Wallet>): Total;
export declare function rowValue(row: Row): DecimalText | null;
export declare function rowShare(wallet: Wallet, row: Row): DecimalText | null;

// Keys

export declare function walletKey(chain: string, address: string): WalletKey | null;
export declare function splitKey(text: string): { chain: string; address: string } | null;
export declare function canonicalWallet(text: string): WalletKey | null;
export declare function canonicalToken(text: string): TokenKey | null;
export declare function chainOf(key: string): string;
export declare function addressOf(key: string): string;

// Exact decimals

export declare const ZERO: Decimal;
export declare function parseDecimal(text: string | null): Decimal | null;
export declare function parseUnits(baseUnits: string | null, decimals: number | null): Decimal | null;
export declare function isDecimals(value: unknown): value is number;
export declare function add(a: Decimal, b: Decimal): Decimal;
export declare function subtract(a: Decimal, b: Decimal): Decimal;
export declare function multiply(a: Decimal, b: Decimal): Decimal;
export declare function compare(a: Decimal, b: Decimal): -1 | 0 | 1;
export declare function percentOf(part: Decimal, whole: Decimal, places: number): DecimalText | null;
export declare function roundHalfEven(value: Decimal, places: number): Decimal;
export declare function truncate(value: Decimal, places: number): Decimal;
export declare function normalized(value: Decimal): Decimal;
export declare function toText(value: Decimal): DecimalText;
export declare function formatUnits(baseUnits: string | null, decimals: number | null): DecimalText | null;
export declare function grouped(text: DecimalText): string;
export declare function exactValue(
  baseUnits: string | null, decimals: number | null, priceText: string | null): Decimal | null;
export declare function valueUsd(
  baseUnits: string | null, decimals: number | null, priceText: string | null): DecimalText | null;
