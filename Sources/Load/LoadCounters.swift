/// What one loop counts; those of several are added up. Plain numbers, since the start.
struct LoadCounters: Sendable {
  // MARK: What came
  var messages: UInt64 = 0
  /// Of messages, inflated.
  var payloadBytes: UInt64 = 0
  var prices: UInt64 = 0
  var balances: UInt64 = 0
  var tokens: UInt64 = 0
  var snapshots: UInt64 = 0
  var heartbeats: UInt64 = 0
  var lags: UInt64 = 0
  var statuses: UInt64 = 0
  var repeats: UInt64 = 0
  /// Prices that came before they were accepted, by the two clocks.
  var negativeLatencies: UInt64 = 0
  /// By how much at most, in microseconds.
  var mostNegative: UInt64 = 0

  // MARK: Clients
  var opened = 0
  var ready = 0
  /// Never got so far as to have their values.
  var failed = 0
  /// Had them, and then lost the connection.
  var lost = 0

  var violations: [Violation: Tally] = [:]
  var errors: [String: Tally] = [:]
  /// By close code; 1006 stands for a connection that ended without one.
  var closes: [UInt16: Int] = [:]

  /// How often, and what it looked like the first time.
  struct Tally: Sendable, Hashable {
    var count = 0
    var example: String
  }

  /// Price, balance and token frames.
  var dataFrames: UInt64 { prices &+ balances &+ tokens }

  mutating func count(_ kind: ServerFrame.DataKind) {
    switch kind {
    case .price: prices &+= 1
    case .balance: balances &+= 1
    case .token: tokens &+= 1
    }
  }

  mutating func count(error kind: String, _ example: @autoclosure () -> String) {
    errors[kind, default: Tally(example: example())].count += 1
  }

  static func += (total: inout LoadCounters, part: LoadCounters) {
    for path in numbers { total[keyPath: path] &+= part[keyPath: path] }
    for path in clients { total[keyPath: path] += part[keyPath: path] }
    total.mostNegative = max(total.mostNegative, part.mostNegative)
    for (kind, tally) in part.violations {
      total.violations[kind, default: Tally(example: tally.example)].count += tally.count
    }
    for (kind, tally) in part.errors {
      total.errors[kind, default: Tally(example: tally.example)].count += tally.count
    }
    total.closes.merge(part.closes, uniquingKeysWith: +)
  }

  private static var numbers: [WritableKeyPath<LoadCounters, UInt64>] {
    [
      \.messages, \.payloadBytes, \.prices, \.balances, \.tokens, \.snapshots, \.heartbeats, \.lags,
      \.statuses,
      \.repeats, \.negativeLatencies,
    ]
  }

  private static var clients: [WritableKeyPath<LoadCounters, Int>] { [\.opened, \.ready, \.failed, \.lost] }
}

/// The times one loop measures, in microseconds.
struct LoadTimes: Sendable {
  /// Three digits, up to an hour: 180 KB each.
  static var histogram: HdrHistogram { HdrHistogram(significantDigits: 3, highest: 3_600_000_000) }

  /// From the connect to the end of the upgrade, TLS included.
  var connect = histogram
  /// From the subscribe to its `ok`.
  var subscribed = histogram
  /// From the subscribe to the heartbeat that ends its snapshots.
  var snapshot = histogram
  /// From `price_at` to the message's reading.
  var delivery = histogram

  static func += (total: inout LoadTimes, part: LoadTimes) {
    total.connect.merge(part.connect)
    total.subscribed.merge(part.subscribed)
    total.snapshot.merge(part.snapshot)
    total.delivery.merge(part.delivery)
  }
}
