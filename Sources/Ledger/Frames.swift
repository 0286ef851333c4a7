import Ethereum
import JSON

// The JSON of a cell, exactly as PROTOCOL's frames show it. Built once for each change; snapshots are built from rows.

/// Builds the frames about prices and balances.
public enum Frames {
  /// `{"type":"price",…}`
  public static func price(_ cell: PriceCell) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(224)
    out.append("{\"type\":\"price\",\"token\":\"")
    out.append(contentsOf: cell.token.keyText)
    out.append("\",")
    out.append(priceMembers: cell)
    out.append(",\"rev\":")
    out.append(decimal: cell.revision)
    out.append(125)
    return out
  }

  /// `{"type":"balance",…}`
  public static func balance(wallet: WalletKey, row: BalanceRow, token: Token) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(288)
    out.append("{\"type\":\"balance\",\"wallet\":\"")
    out.append(contentsOf: wallet.description.utf8)
    out.append("\",\"token\":\"")
    out.append(contentsOf: token.keyText)
    out.append("\",")
    out.append(balanceMembers: row)
    out.append(",\"block\":")
    out.append(blockOf: row)
    out.append(",\"rev\":")
    out.append(decimal: row.revision)
    out.append(125)
    return out
  }

  /// `{"type":"token",…}`: insert or replace this row.
  public static func token(wallet: WalletKey, row: BalanceRow, price: PriceCell) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(512)
    out.append("{\"type\":\"token\",\"wallet\":\"")
    out.append(contentsOf: wallet.description.utf8)
    out.append("\",\"block\":")
    out.append(blockOf: row)
    out.append(44)
    out.append(rowMembers: row, price: price)
    out.append(",\"rev\":")
    out.append(decimal: row.newestRevision)
    out.append(125)
    return out
  }

  /// One row of a snapshot, `{…}`. Its `rev` is the newest of the row's and its price's.
  /// - Returns: what the row is worth; nil where that is not known.
  @discardableResult
  static func append(row: BalanceRow, price: PriceCell, to out: inout [UInt8]) -> ExactValue? {
    out.append(123)
    let value = out.append(rowMembers: row, price: price)
    out.append(",\"rev\":")
    out.append(decimal: max(row.newestRevision, price.revision))
    out.append(125)
    return value
  }

  /// The row alone, as `PATCH …/tokens/{address}` answers it; `revision` is the ledger's.
  public static func row(_ row: BalanceRow, price: PriceCell, epoch: String, revision: Revision) -> [UInt8] {
    var out: [UInt8] = [123]
    out.append(rowMembers: row, price: price)
    out.append(",\"epoch\":")
    out.append(json: epoch)
    out.append(",\"rev\":")
    out.append(decimal: revision)
    out.append(125)
    return out
  }

  /// What the row is worth, exactly; `nil` where a price or decimals are missing. Nothing is worth nothing,
  /// even unpriced.
  static func value(of row: BalanceRow, price: PriceCell) -> ExactValue? {
    guard row.isKnown else { return nil }
    if row.balance == .zero { return .zero }
    guard let decimals = price.token.info.decimals, let dollars = price.price else { return nil }
    return Valuation.value(balance: row.balance, decimals: Int(decimals), price: dollars)
  }
}

extension [UInt8] {
  fileprivate mutating func append(priceMembers cell: PriceCell) {
    append("\"price_usd\":")
    if let price = cell.price {
      append(34)
      price.appendPlainText(to: &self)
      append(34)
    } else {
      append("null")
    }
    append(",\"change_24h\":")
    if let change = cell.change {
      append(34)
      change.append(to: &self)
      append(34)
    } else {
      append("null")
    }
    append(",\"price_state\":\"")
    append(cell.state.name)
    append("\",\"price_at\":")
    if let at = cell.acceptedAt { append(decimal: at) } else { append("null") }
  }

  fileprivate mutating func append(balanceMembers row: BalanceRow) {
    append("\"balance\":")
    if row.isKnown {
      append(34)
      row.balance.appendDecimal(to: &self)
      append(34)
    } else {
      append("null")
    }
    append(",\"balance_state\":\"")
    append(row.state.name)
    append(34)
  }

  fileprivate mutating func append(blockOf row: BalanceRow) {
    if row.isKnown { append(decimal: row.block) } else { append("null") }
  }

  /// - Returns: what the row is worth; nil where that is not known.
  @discardableResult
  fileprivate mutating func append(rowMembers row: BalanceRow, price: PriceCell) -> ExactValue? {
    append(contentsOf: price.token.rowPrefix)
    append(row.isVisible ? ",\"visible\":true," : ",\"visible\":false,")
    append(balanceMembers: row)
    append(44)
    append(priceMembers: price)
    append(",\"value_usd\":")
    guard let value = Frames.value(of: row, price: price) else {
      append("null")
      return nil
    }
    append(34)
    value.append(to: &self)
    append(34)
    return value
  }
}
