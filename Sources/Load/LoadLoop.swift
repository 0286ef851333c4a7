import EventLoop
import Glibc
import Upstream
import WebSocket

/// The clients of one event loop, and what they count. Confined to it.
final class LoadLoop: @unchecked Sendable, TimerTarget {
  /// A storm under way, or the last one.
  struct Storm: Sendable {
    var dropped = 0
    var failed = 0
    /// Told by the server that only changes follow; the others of those that came back got everything anew.
    var resumed = 0
    var returned = 0
    var lastReturn = LoopInstant(nanoseconds: 0)

    var isOver: Bool { returned + failed >= dropped }
  }

  /// What became of the slow clients.
  struct SlowOutcome: Sendable {
    var clients = 0
    var newest = 0
    var missing = 0
    /// Their connections were closed meanwhile, as the protocol says (4108, 4109) or otherwise.
    var closed = 0
    var lags = 0

    /// Of those no judgement could be made in time.
    var unjudged: Int { max(0, clients - newest - missing - closed) }
  }

  let loop: EventLoop
  let plan: LoadPlan
  private let configuration: WebSocketClientConfiguration
  private let resolver: Resolver
  private let deflatePool: DeflatePool?

  var counters = LoadCounters()
  var times = LoadTimes()
  var scanner = FrameScanner()
  var storm = Storm()
  /// From the drop to the heartbeat that ends the resume, in the last storm.
  private(set) var stormTimes = LoadTimes.histogram
  private(set) var slow = SlowOutcome()
  /// The wall clock at the present message, in microseconds since 1970; 0: not looked at yet.
  var readAt: Int64 = 0
  private var isMeasuring = false
  /// Deliveries since they were last asked for.
  private var recent = LoadTimes.histogram

  private var clients: [LoadClient] = []
  private var rampPerSecond: Double = 0
  private var rampBegan = LoopInstant(nanoseconds: 0)
  private var started = 0
  /// Handshakes under way: more at once would only wait in the server's queue, and some be lost there.
  private var underWay = 0
  private static let handshakesAtOnce = 512
  private var isEnding = false

  private var slowToWitness: [LoadClient] = []
  private var judging: [ObjectIdentifier: LoadClient] = [:]
  private static let witnessesAtOnce = 32

  init(loop: EventLoop, plan: LoadPlan, configuration: WebSocketClientConfiguration, resolver: Resolver) {
    self.loop = loop
    self.plan = plan
    self.configuration = configuration
    self.resolver = resolver
    deflatePool = plan.isCompressed ? DeflatePool(.standard) : nil
  }

  func makeSocket(_ number: Int, handler: any WebSocketClientHandler) -> WebSocketClient {
    var configuration = configuration
    configuration.source = plan.sources.source(ofClient: number)
    // The kernel must not take on for a slow client what it does not read.
    configuration.receiveBufferBytes = plan.isSlow(number) ? 16_384 : nil
    return WebSocketClient(
      plan.url, loop: loop, resolver: resolver, configuration: configuration, deflatePool: deflatePool,
      handler: handler)
  }

  // MARK: - Ramp

  /// Begins to open the clients with these numbers.
  func begin(_ numbers: [Int], perSecond: Double) {
    clients = numbers.map { LoadClient($0, owner: self) }
    slow.clients = clients.count { $0.isSlow }
    rampPerSecond = perSecond
    rampBegan = loop.now
    openDue()
  }

  func timerFired(tag: UInt64, now: LoopInstant) { openDue() }

  private func openDue() {
    guard !isEnding else { return }
    let due = 1 + (loop.now - rampBegan).inSeconds * rampPerSecond
    while started < clients.count, Double(started) < due, underWay < Self.handshakesAtOnce {
      underWay += 1
      clients[started].connect()
      started += 1
    }
    if started < clients.count { loop.schedule(after: .milliseconds(5), self, tag: 0) }
  }

  func opened(after duration: Duration, isReturn: Bool) {
    underWay -= 1
    if !isReturn { counters.opened += 1 }
    times.connect.record(microseconds: duration)
  }

  func ended(
    _ client: LoadClient, _ ending: WebSocketEnding, from phase: LoadClient.Phase, isInStorm: Bool
  ) {
    if phase == .connecting { underWay -= 1 }
    if isEnding { return }
    let wasLive = phase == .live
    if case .closed(let code, _) = ending {
      counters.closes[code?.rawValue ?? 1_005, default: 0] += 1
    } else if wasLive {
      counters.closes[1_006, default: 0] += 1
    }
    if client.isSlow, wasLive {
      slow.closed += 1
      settle(client)
      // As the protocol says: it took nothing, or, having taken everything, answered no ping.
      if case .closed(.some(let code), _) = ending, code == .slow || code == .noPong { return }
    }
    if isInStorm { storm.failed += 1 }
    if wasLive || isInStorm { counters.lost += 1 } else { counters.failed += 1 }
    if !client.isRefused { counters.count(error: ending.kind, ending.text) }
  }

  // MARK: - Measuring

  func beginMeasuring() {
    isMeasuring = true
    recent.reset()
    for client in clients where client.isSlow { client.pauseReading() }
  }

  func endMeasuring() {
    times.delivery.merge(recent)
    recent.reset()
    isMeasuring = false
  }

  /// A price that is news. Its time is the server's wall clock in whole milliseconds, so what is measured is up to one
  /// more than what it took.
  @inline(__always)
  func delivered(_ acceptedAt: Int64) {
    guard isMeasuring else { return }
    if readAt == 0 { readAt = Self.wallClock() }
    let (accepted, overflow) = acceptedAt.multipliedReportingOverflow(by: 1_000)
    let (latency, overflow2) = readAt.subtractingReportingOverflow(accepted)
    guard !overflow, !overflow2, latency >= 0 else {
      return deliveredEarly(by: overflow || overflow2 ? 0 : latency.magnitude)
    }
    recent.record(UInt64(latency))
  }

  /// The clocks disagree, or the time is none: counted apart, and as no time at all.
  private func deliveredEarly(by microseconds: UInt64) {
    counters.negativeLatencies &+= 1
    counters.mostNegative = max(counters.mostNegative, microseconds)
    recent.record(0)
  }

  private static func wallClock() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  func violated(_ violation: Violation, by client: Int, _ what: String) {
    counters.violations[violation, default: .init(example: "client \(client): \(what)")].count += 1
  }

  /// Where things stand: nothing that costs.
  func look() -> LoadSample { LoadSample(counters: counters, storm: storm, slow: slow) }

  /// All there is now, and the deliveries since the last time.
  func sample() -> LoadSample {
    var sample = look()
    sample.wireBytes = loop.statistics.bytesIn
    sample.recent = recent
    sample.open = clients.count { $0.isOpen }
    sample.live = clients.count { $0.phase == .live }
    if isMeasuring {
      times.delivery.merge(recent)
      recent.reset()
    }
    return sample
  }

  // MARK: - Storms

  /// Drops all clients that are there, but the slow ones.
  func beginStorm() {
    storm = Storm()
    stormTimes.reset()
    for client in clients where !client.isSlow && client.drop() { storm.dropped += 1 }
    underWay += storm.dropped
  }

  func cameBack(after duration: Duration, at now: LoopInstant) {
    storm.returned += 1
    stormTimes.record(microseconds: duration)
    storm.lastReturn = now
  }

  // MARK: - Slow clients

  /// The slow clients read on; a witness for each says what they should end up with.
  func beginJudging() {
    for client in clients where client.isSlow && client.phase == .live {
      client.resumeReading()
      slowToWitness.append(client)
    }
    // Those that never came so far have failed already.
    slow.clients = slowToWitness.count + slow.closed
    openWitnesses()
  }

  private func openWitnesses() {
    while judging.count < Self.witnessesAtOnce, let client = slowToWitness.popLast() {
      guard client.phase == .live else { continue }
      judging[ObjectIdentifier(client)] = client
      let witness = Witness(of: client, owner: self)
      witness.connect()
    }
  }

  func judged(_ client: LoadClient, missing keys: [String]?) {
    if let keys {
      slow.missing += 1
      violated(.newestMissing, by: client.number, keys.prefix(5).joined(separator: ", "))
    } else {
      slow.newest += 1
    }
    settle(client)
  }

  /// A witness could not say: the client stays without a judgement.
  func witnessFailed(for client: LoadClient, _ ending: WebSocketEnding) {
    counters.count(error: "witness_\(ending.kind)", ending.text)
    settle(client)
  }

  private func settle(_ client: LoadClient) {
    slow.lags += client.lags
    judging[ObjectIdentifier(client)] = nil
    openWitnesses()
  }

  // MARK: - End

  func end() {
    isEnding = true
    for client in clients { client.close() }
  }
}

/// A look at one loop's figures.
struct LoadSample: Sendable {
  var counters: LoadCounters
  var storm: LoadLoop.Storm
  var slow: LoadLoop.SlowOutcome
  /// All that was read from sockets, handshakes included.
  var wireBytes: UInt64 = 0
  var recent: HdrHistogram?
  var open = 0
  var live = 0
}

extension LoadClient {
  var isOpen: Bool { phase == .greeting || phase == .asked || phase == .live }
}
