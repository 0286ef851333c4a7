import Ethereum
import Ledger
import WalletPushClient

/// Values as people read them. What strangers wrote, symbols above all, comes without control characters: no escape code
/// of theirs reaches the terminal.
enum ShownText {
  static func clean(_ text: String) -> String { TokenText.clean(text, limit: 200) ?? "" }

  static func symbol(_ row: TokenRow) -> String {
    row.symbol.flatMap { TokenText.clean($0, limit: 12) }
      ?? (row.token.contract.map { short("\($0)") } ?? "native")
  }

  /// `0x5065…238e`
  static func short(_ address: String) -> String {
    address.utf8.count > 12 ? "\(address.prefix(6))…\(address.suffix(4))" : address
  }

  /// In whole tokens; in base units where the decimals are not known.
  static func balance(_ row: TokenRow) -> String {
    guard let balance = row.balance else { return "?" }
    guard let decimals = row.decimals, let whole = ExactDecimal(magnitude: balance, scale: decimals) else {
      return "\(balance.decimal) units" + mark(row.balanceState)
    }
    return rounded(whole.plainText) + mark(row.balanceState)
  }

  static func price(_ price: TokenPrice) -> String {
    price.usd.map { $0.plainText + mark(price.state) } ?? "?"
  }

  static func value(_ row: TokenRow) -> String { row.value?.roundedText() ?? "?" }

  private static func mark(_ state: CellState) -> String {
    switch state {
    case .stale: "~"
    case .fresh, .loading, .unknown: ""
    }
  }

  /// At most 8 digits behind the point, with a sign where others were cut off; no zeros at the end.
  private static func rounded(_ text: String) -> String {
    guard let point = text.firstIndex(of: ".") else { return text }
    let fraction = text[text.index(after: point)...]
    var kept = fraction.prefix(8)
    let isCut = fraction.dropFirst(8).contains { $0 != "0" }
    while kept.last == "0", !isCut { kept.removeLast() }
    if kept.isEmpty { return String(text[..<point]) }
    return "\(text[...point])\(kept)\(isCut ? "…" : "")"
  }

  static func connection(_ state: ConnectionState) -> String {
    switch state {
    case .idle: "closed"
    case .connecting: "connecting"
    case .live(let greeting): "live, \(transport(greeting))"
    case .waiting(let code, let reason, let retry):
      "lost (\(code.map { "\($0) " } ?? "")\(clean(reason))), again in \(milliseconds(retry)) ms"
    case .ended(let code, let reason): "ended: \(code) \(clean(reason))"
    }
  }

  private static func transport(_ greeting: ServerGreeting) -> String {
    switch greeting.transport {
    case .webSocket: clean(greeting.server)
    case .eventStream: "by Server-Sent Events: no WebSocket gets through"
    case .polling: "by polling: no WebSocket gets through"
    }
  }

  static func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }

  static func notice(_ notice: Notice) -> String {
    switch notice {
    case .refused(let key, let refusal): "\(key) is refused: \(clean(refusal.description))"
    case .deleted(let wallet): "\(wallet) was deleted on the server"
    case .resumed(true, let changed): "resumed, \(changed ?? 0) changes"
    case .resumed(false, _): "nothing could be resumed: it comes whole"
    case .access(.accepted): "the access token is accepted"
    case .access(.expiring): "the access token ends soon"
    case .access(.expired): "the access token has ended"
    case .access(.refused(let refusal)): "the access token is refused: \(clean(refusal.description))"
    case .access(.unavailable(let reason)): "no access token: \(clean(reason))"
    case .problem(let refusal): clean(refusal.description)
    case .tooManyRows(let wallet): "\(wallet) has more rows than are shown"
    case .malformedMessage(let reason): "a message of the server was left out: \(clean(reason))"
    }
  }

  /// Columns of a terminal: East Asian wide characters and emoji take two (Unicode's annex 11 and standard 51).
  static func width(_ text: String) -> Int {
    text.reduce(0) { $0 + (isWide($1) ? 2 : 1) }
  }

  private static func isWide(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first else { return false }
    if scalar.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return true }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
      0x1AFF0...0x1B2FF,
      0x20000...0x3FFFD:
      return true
    default: return false
    }
  }
}
