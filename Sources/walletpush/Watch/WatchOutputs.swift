import Ethereum
import Glibc
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

/// Changes as they come, for files and pipes.
struct ChangeLines: WatchOutput {
  let client: WalletPushClient
  let format: any LineFormat

  func show(_ change: Change) async {
    if let line = format.line(for: change, in: await client.state) { writeOutput(line + "\n") }
  }

  func end() async {}
}
