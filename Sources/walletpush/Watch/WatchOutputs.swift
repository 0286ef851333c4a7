import Ethereum
import Glibc
import JSON
import Ledger
import WalletPushClient

/// A table that is drawn anew in its place, at most ten times a second.
actor LiveTable: WatchOutput {
  private static let pause = Duration.milliseconds(100)

  private let client: WalletPushClient
  private let wallets: [WalletKey]
  private let style: WalletTable.Style
  private var connection = "connecting"
  private var notice: String?
  private var lastDrawn: ContinuousClock.Instant?
  private var isScheduled = false
  private var isOver = false
  /// Of the drawing that stands there.
  private var drawnLines = 0

  init(client: WalletPushClient, wallets: [WalletKey], style: WalletTable.Style) {
    self.client = client
    self.wallets = wallets
    self.style = style
  }

  func show(_ change: Change) async {
    switch change {
    case .connection(let state): connection = ShownText.connection(state)
    case .notice(let news): notice = ShownText.notice(news)
    case .wallet, .row, .price, .status: break
    }
    guard !isScheduled, !isOver else { return }
    isScheduled = true
    let due = lastDrawn.map { $0 + Self.pause }
    Task {
      if let due { try? await ContinuousClock().sleep(until: due) }
      isScheduled = false
      await draw()
    }
  }

  func end() async {
    await draw()
    isOver = true
  }

  private func draw() async {
    let state = await client.state
    guard !isOver else { return }
    lastDrawn = .now
    let size = Self.terminalSize
    let table = WalletTable(style: style, columns: size.columns, lines: size.lines)
    let lines = table.render(state, wallets, connection: connection, notice: notice)
    // Up to where the last drawing began; each line is cleared behind its end, and what is below it.
    var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
    for line in lines { text += "\(line)\u{1B}[K\n" }
    text += "\u{1B}[J"
    drawnLines = lines.count
    writeOutput(text)
  }

  private static var terminalSize: (columns: Int, lines: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}

/// One line a change, for files and pipes.
struct PlainLines: WatchOutput {
  let client: WalletPushClient

  func show(_ change: Change) async {
    if let line = await line(change) { writeOutput(line + "\n") }
  }

  func end() async {}

  private func line(_ change: Change) async -> String? {
    switch change {
    case .wallet(let key):
      guard let wallet = await client.state.wallets[key] else { return nil }
      let total = wallet.total.text.map { "$\($0)" } ?? "$?"
      return "\(key) \(wallet.state.map { "\($0.name)" } ?? "waiting") \(wallet.rows.count) tokens \(total)"
    case .row(let key, let token):
      guard let row = await client.state.wallets[key]?.rows[token] else { return nil }
      let price = ShownText.price(row.price)
      return
        "\(key) \(ShownText.symbol(row)) \(ShownText.balance(row)) at \(price) is \(ShownText.value(row))"
    case .connection(let state): return ShownText.connection(state)
    case .notice(let notice): return ShownText.notice(notice)
    case .price, .status: return nil
    }
  }
}

/// One JSON object a change.
struct JSONLines: WatchOutput {
  let client: WalletPushClient

  func show(_ change: Change) async {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    switch change {
    case .wallet(let key):
      guard let wallet = await client.state.wallets[key] else { return }
      writer.member("change", "wallet")
      write(wallet, to: &writer)
    case .row(let key, let token):
      guard let row = await client.state.wallets[key]?.rows[token] else { return }
      writer.member("change", "row")
      writer.member("wallet", key.description)
      write(row, to: &writer)
    case .connection(let state):
      writer.member("change", "connection")
      writer.member("state", ShownText.connection(state))
    case .notice(let notice):
      writer.member("change", "notice")
      writer.member("text", ShownText.notice(notice))
    case .price, .status: return
    }
    writer.endObject()
    writeOutput(String(decoding: writer.bytes, as: UTF8.self) + "\n")
  }

  func end() async {}

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
