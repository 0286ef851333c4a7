import Ethereum
import JSON
import Ledger
import WalletPushClient

/// A change as one line. Pure.
protocol LineFormat: Sendable {
  /// Nil where there is nothing to say.
  func line(for change: Change, in state: ClientState) -> String?
}

/// For people.
struct PlainLines: LineFormat {
  func line(for change: Change, in state: ClientState) -> String? {
    switch change {
    case .wallet(let key):
      guard let wallet = state.wallets[key] else { return nil }
      let total = wallet.total.text.map { "$\($0)" } ?? "$?"
      return "\(key) \(wallet.state.map { "\($0.name)" } ?? "waiting") \(wallet.rows.count) tokens \(total)"
    case .row(let key, let token):
      guard let row = state.wallets[key]?.rows[token] else { return nil }
      let (balance, price) = (ShownText.balance(row), ShownText.price(row.price))
      return "\(key) \(ShownText.symbol(row)) \(balance) at \(price) is \(ShownText.value(row))"
    case .connection(let state): return ShownText.connection(state)
    case .notice(let notice): return ShownText.notice(notice)
    case .price, .status: return nil
    }
  }
}

/// For programs: one JSON object a change.
struct JSONLines: LineFormat {
  func line(for change: Change, in state: ClientState) -> String? {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    switch change {
    case .wallet(let key):
      guard let wallet = state.wallets[key] else { return nil }
      writer.member("change", "wallet")
      write(wallet, to: &writer)
    case .row(let key, let token):
      guard let row = state.wallets[key]?.rows[token] else { return nil }
      writer.member("change", "row")
      writer.member("wallet", key.description)
      write(row, to: &writer)
    case .connection(let state):
      writer.member("change", "connection")
      writer.member("state", ShownText.connection(state))
    case .notice(let notice):
      writer.member("change", "notice")
      writer.member("text", ShownText.notice(notice))
    case .price, .status: return nil
    }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func write(_ wallet: WalletState, to writer: inout JSONWriter) {
    let total = wallet.total
    writer.member("wallet", wallet.key.description)
    writer.member("state", wallet.state.map { "\($0.name)" })
    writer.key("block")
    if let block = wallet.block { writer.uint(block) } else { writer.null() }
    writer.member("total_usd", total.text)
    writer.member("unpriced", total.unpriced)
    writer.key("tokens")
    writer.beginArray()
    for row in wallet.sortedRows {
      writer.beginObject()
      write(row, to: &writer)
      writer.endObject()
    }
    writer.endArray()
  }

  private func write(_ row: TokenRow, to writer: inout JSONWriter) {
    writer.member("token", row.token.description)
    // Escape codes of strangers are none of a terminal's business, in JSON either.
    writer.member("symbol", row.symbol.map(ShownText.clean))
    writer.key("decimals")
    if let decimals = row.decimals { writer.int(decimals) } else { writer.null() }
    writer.member("listed", row.isListed)
    writer.member("visible", row.isVisible)
    writer.member("balance", row.balance?.decimal)
    writer.member("balance_state", "\(row.balanceState.name)")
    writer.member("price_usd", row.price.usd?.plainText)
    writer.member("change_24h", row.price.change24h?.plainText)
    writer.member("price_state", "\(row.price.state.name)")
    writer.member("value_usd", row.value?.roundedText())
  }
}
