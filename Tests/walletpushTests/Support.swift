import Ethereum
import Ledger

@testable import WalletPushClient

func walletKey(_ digit: Int = 1) throws -> WalletKey {
  try WalletKey(parsing: "ETH:0x000000000000000000000000000000000000000\(digit)")
}

/// The chain's own coin, where there is no digit.
func tokenKey(_ digit: Int? = nil) throws -> TokenKey {
  try TokenKey(parsing: digit.map { "ETH:0x00000000000000000000000000000000000000c\($0)" } ?? "ETH:native")
}

/// A row of one and a half tokens at two dollars, but for what is said otherwise.
func row(
  _ digit: Int? = nil, symbol: String? = "ETH", decimals: Int? = 18, listed: Bool = true,
  visible: Bool = true, balance: String? = "1500000000000000000", _ balanceState: CellState = .fresh,
  price: String? = "2", change: String? = "-1.20", _ priceState: CellState = .fresh
) throws -> TokenRow {
  TokenRow(
    token: try tokenKey(digit), symbol: symbol, decimals: decimals, isListed: listed, isVisible: visible,
    balance: try balance.map { try UInt256(decimal: $0) }, balanceState: balanceState,
    price: TokenPrice(
      usd: price.flatMap { ExactDecimal(parsing: $0) },
      change24h: change.flatMap { ExactDecimal(parsing: $0) },
      state: priceState))
}

/// What a client knows of `walletKey()` when it has these rows; nil: nothing yet.
func known(_ rows: [TokenRow]?, _ state: CellState = .fresh) throws -> ClientState {
  var known = ClientState(rowsMax: 1_000)
  let key = try walletKey()
  known.add(.wallet(key))
  if let rows {
    _ = known.apply(
      .snapshot(
        SnapshotFrame(
          wallet: key, revision: 1, part: 1, parts: 1, state: state, block: 7, asOf: nil, rows: rows)))
  }
  return known
}
