import Ethereum
import Ledger
import WalletPushClient

/// What is known of wallets as the lines of a table. Pure.
struct WalletTable {
  struct Style: Sendable {
    let isColoured: Bool
    /// Hidden and unlisted rows as well.
    let showsAll: Bool
  }

  private enum Colour: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  private struct Cell {
    var text: String
    var isRight = true
    var colour: Colour?
  }

  let style: Style
  /// Of the terminal.
  let columns: Int
  let lines: Int

  /// No line is longer than the terminal is wide, and there are fewer than it has lines: so that the next drawing finds
  /// its place.
  func render(_ state: ClientState, _ wallets: [WalletKey], connection: String, notice: String?) -> [String] {
    var output: [String] = []
    for key in wallets {
      guard let wallet = state.wallets[key] else { continue }
      output += head(wallet)
      output += table(wallet)
      output.append("")
    }
    output.append(cut(status(state, connection), .dim))
    if let notice { output.append(cut(notice, .yellow)) }
    let room = max(1, lines - 1)
    guard output.count > room else { return output }
    let hidden = output.count - room + 1
    // The end says how the connection is: it stays.
    let tail = output.suffix(notice == nil ? 1 : 2)
    guard tail.count < room else { return Array(tail.prefix(room)) }
    return Array(output.prefix(room - tail.count - 1)) + [cut("… \(hidden) more lines", .dim)] + Array(tail)
  }

  private func head(_ wallet: WalletState) -> [String] {
    let total = wallet.total
    var facts = [wallet.key.description, wallet.isDeleted ? "deleted" : stateName(wallet)]
    if let block = wallet.block { facts.append("block \(block)") }
    facts.append(total.text.map { "$\($0)" } ?? "$?")
    if total.unpriced > 0 { facts.append("\(total.unpriced) unpriced") }
    switch wallet.refresh {
    case .balances: facts.append("reading balances")
    case .prices: facts.append("reading prices")
    case .failed: facts.append("the last refresh failed")
    case nil: break
    }
    return [cut(facts.joined(separator: "  "), .bold)]
  }

  private func stateName(_ wallet: WalletState) -> String {
    switch wallet.state {
    case .fresh: "fresh"
    case .stale: "stale"
    case .loading: "loading"
    case .unknown: "unknown"
    case nil: "waiting"
    }
  }

  private func status(_ state: ClientState, _ connection: String) -> String {
    var facts = [connection]
    if state.isConflating { facts.append("only newest values") }
    if state.pricesAreStale { facts.append("prices are stale") }
    for chain in state.chainsDown.keys.sorted() { facts.append("\(chain) is down") }
    return facts.joined(separator: "  ")
  }

  // MARK: - Rows

  private func table(_ wallet: WalletState) -> [String] {
    let rows = wallet.sortedRows
    let shown = style.showsAll ? rows : rows.filter(\.counts)
    var lines = [["TOKEN", "BALANCE", "PRICE", "24H %", "VALUE $"].map { Cell(text: $0, colour: .dim) }]
    lines[0][0].isRight = false
    lines += shown.map(cells)
    var output = aligned(lines)
    let left = rows.count - shown.count
    if left > 0 { output.append(cut("\(left) hidden or unlisted", .dim)) }
    return output
  }

  private func cells(_ row: TokenRow) -> [Cell] {
    let change = row.price.change24h
    return [
      Cell(text: ShownText.symbol(row) + (row.counts ? "" : " *"), isRight: false),
      Cell(text: ShownText.balance(row), colour: row.balanceState == .fresh ? nil : .yellow),
      Cell(text: ShownText.price(row.price), colour: row.price.state == .fresh ? nil : .yellow),
      Cell(
        text: change?.plainText ?? "?",
        colour: change.flatMap { $0.isZero ? nil : $0.isNegative ? .red : .green }),
      Cell(text: ShownText.value(row)),
    ]
  }

  private func aligned(_ lines: [[Cell]]) -> [String] {
    let widths = (lines.first ?? []).indices.map { column in
      lines.map { ShownText.width($0[column].text) }.max() ?? 0
    }
    return lines.map { cells in
      var line = ""
      var used = 0
      for (cell, width) in zip(cells, widths) {
        let gap = used == 0 ? 0 : 2
        // A column that does not fit is left out with those behind it.
        guard used + gap + width <= columns else { break }
        let padding = String(repeating: " ", count: max(0, width - ShownText.width(cell.text)))
        let text = coloured(cell.text, cell.colour)
        line += String(repeating: " ", count: gap) + (cell.isRight ? padding + text : text + padding)
        used += gap + width
      }
      return line
    }
  }

  private func cut(_ text: String, _ colour: Colour) -> String {
    var kept = ""
    var used = 0
    for character in text {
      used += ShownText.width(String(character))
      if used > columns { break }
      kept.append(character)
    }
    return coloured(kept, colour)
  }

  private func coloured(_ text: String, _ colour: Colour?) -> String {
    guard style.isColoured, let colour else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }
}
