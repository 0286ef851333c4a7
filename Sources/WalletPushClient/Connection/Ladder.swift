/// Which transport an attempt takes. Pure.
///
/// An attempt goes down the kinds (WebSocket, Server-Sent Events, polling) until one greets. It goes down only where that
/// can help: not where the server gave a close code, not where nothing answers at all, and, once a WebSocket has worked,
/// not before the second attempt in a row that fails: a server that restarts refuses for a moment. While a lower kind
/// is in use a WebSocket is tried beside it, ever more rarely, and takes over when it is greeted.
struct Ladder: Sendable {
  private let kinds: [TransportKind]
  private var rung = 0
  private var lastWorking: TransportKind?
  /// Attempts in a row that failed.
  private var failures = 0
  private var recovery: BackOff

  /// - Parameter kinds: those to be had; without any the WebSocket is.
  init(_ kinds: Set<TransportKind>, recovery: BackOff) {
    self.kinds = TransportKind.allCases.filter(kinds.contains)
    self.recovery = recovery
  }

  /// That of the attempt, or connection, of now.
  var kind: TransportKind { rung < kinds.count ? kinds[rung] : .webSocket }

  /// An attempt begins. What worked last comes first: where that is no WebSocket, one is tried beside it.
  mutating func begin() {
    let working = lastWorking.flatMap { kinds.firstIndex(of: $0) } ?? 0
    rung = failures > 1 ? 0 : working
  }

  /// The greeting is here.
  mutating func worked() {
    failures = 0
    lastWorking = kind
    if kind == .webSocket { recovery.reset() }
  }

  /// The attempt or connection has failed.
  ///
  /// - Parameters:
  ///   - isUnusable: the server answers, but not in this way.
  /// - Returns: whether the next kind is to be tried at once.
  mutating func failed(code: UInt16?, wasLive: Bool, isUnusable: Bool) -> Bool {
    guard goesDown(code, wasLive, isUnusable) else {
      failures += 1
      return false
    }
    rung += 1
    return true
  }

  private func goesDown(_ code: UInt16?, _ wasLive: Bool, _ isUnusable: Bool) -> Bool {
    guard rung + 1 < kinds.count else { return false }
    guard kind == .webSocket else { return isUnusable }
    return !wasLive && (code ?? 0) < 4_000 && (lastWorking != .webSocket || failures > 1)
  }

  /// When to try a WebSocket beside the connection of now; nil: there is none to be had, or it is one.
  mutating func nextRecovery(random: UInt64) -> Duration? {
    guard kind != .webSocket, kinds.contains(.webSocket) else { return nil }
    return recovery.next(announced: nil, random: random)
  }

  /// The WebSocket beside it takes over.
  mutating func tookOver() { rung = 0 }
}
