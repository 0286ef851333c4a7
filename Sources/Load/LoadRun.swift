// A run goes through its phases one after the other, and looks at its loops now and then to see where they stand:
//
//     ramp → measure (→ storm → measure …) → slow clients → end
//
// Nothing of it is on the path of a message: that is LoadLoop's and LoadClient's.

import EventLoop
import Synchronization
import Upstream
import WebSocket

/// One load test, run once.
public final class LoadRun: Sendable {
  let plan: LoadPlan
  private let group: EventLoopGroup
  private let resolver: Resolver
  private let onProgress: @Sendable (LoadProgress) -> Void
  private let isStopped = Atomic<Bool>(false)

  /// How often the loops are looked at.
  private static let look = Duration.milliseconds(20)
  /// The longest message taken: a snapshot part of 64 KiB, and room for other versions' habits.
  private static let messageBytes = 1 << 22

  /// - Parameter onProgress: once a second, on any thread.
  /// - Throws: `LoadOptionError` where the plan or the machine does not allow it, `SystemError`.
  public init(plan: LoadPlan, onProgress: @escaping @Sendable (LoadProgress) -> Void) throws {
    try plan.check()
    guard plan.keys.count > 0 else { throw LoadOptionError.noKeys(plan.keys.kind) }
    try Resources.checkPorts(for: plan)
    try Resources.raiseDescriptors(for: plan.connections)
    self.plan = plan
    self.onProgress = onProgress
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    group = try EventLoopGroup(count: plan.loops, name: "load", configuration: configuration)
    resolver = try Resolver(threads: 1, queueMaximum: 16)
  }

  /// Ends early: ``run()`` returns with what there is so far. From any thread.
  public func stop() { isStopped.store(true, ordering: .releasing) }

  private var isInterrupted: Bool { isStopped.load(ordering: .acquiring) }

  /// Runs the test from the first connect to the last close.
  ///
  /// - Throws: when the server's name has no address, or a thread can't be started. What goes wrong with clients is in
  ///   the report.
  public func run() async throws -> LoadReport {
    defer { resolver.stop() }
    let addresses = try await resolver.resolve(host: plan.url.http.host, port: plan.url.http.port)
    let loops = group.loops.map {
      LoadLoop(loop: $0, plan: plan, configuration: configuration(addresses), resolver: resolver)
    }
    try group.start()
    defer {
      group.stop()
      group.join()
      // The last connections, which tell them of their end, have gone.
      withExtendedLifetime(loops) {}
    }
    var report = LoadReport(plan: plan)
    try await ramp(loops, &report)
    try await measure(loops, &report)
    try await judgeSlowClients(loops, &report)
    for loop in loops {
      let (sample, times) = try await loop.loop.perform { (loop.sample(), loop.times) }
      report.add(sample, times)
    }
    report.isInterrupted = isInterrupted
    try await end(loops)
    return report
  }

  private func configuration(_ addresses: [SocketAddress]) -> WebSocketClientConfiguration {
    var configuration = WebSocketClientConfiguration.standard(security: plan.security)
    configuration.addresses = addresses
    configuration.connectTimeout = plan.patience
    configuration.handshakeTimeout = plan.patience
    // The server's pings are answered; its silence shows in the figures.
    configuration.pingInterval = nil
    configuration.closeTimeout = .seconds(2)
    configuration.limits = WebSocketLimits(
      messageBytes: Self.messageBytes, fragments: 4_096, replyBytes: 4_096)
    configuration.subprotocols = ["walletpush.v1"]
    if let token = plan.token { configuration.headers = ["Authorization": "Bearer \(token)"] }
    return configuration
  }

  // MARK: - Phases

  private func ramp(_ loops: [LoadLoop], _ report: inout LoadReport) async throws {
    let began = ContinuousClock.now
    for (index, loop) in loops.enumerated() {
      let numbers = Array(stride(from: index, to: plan.connections, by: loops.count))
      let share = plan.ramp / Double(loops.count)
      try await loop.loop.perform { loop.begin(numbers, perSecond: share) }
    }
    let connections = plan.connections
    try await wait(loops, .ramp) { total in
      total.counters.ready + total.counters.failed + total.counters.lost >= connections
    }
    report.rampTime = ContinuousClock.now - began
  }

  private func measure(_ loops: [LoadLoop], _ report: inout LoadReport) async throws {
    let cpu = Resources.cpuTime
    let began = ContinuousClock.now
    var first = LoadTotal()
    for loop in loops {
      first.add(
        try await loop.loop.perform {
          loop.beginMeasuring()
          return loop.sample()
        })
    }
    if first.live > 0 {
      let stretch = plan.duration / (plan.storms + 1)
      for number in 0...plan.storms where !isInterrupted {
        let end = ContinuousClock.now + stretch
        try await wait(loops, .measure, isPatient: true) { _ in ContinuousClock.now >= end }
        if number < plan.storms, !isInterrupted { report.storms.append(try await storm(loops)) }
      }
    }
    var last = LoadTotal()
    for loop in loops {
      last.add(
        try await loop.loop.perform {
          let sample = loop.sample()
          loop.endMeasuring()
          return sample
        })
    }
    report.measuredTime = ContinuousClock.now - began
    report.cpuTime = Resources.cpuTime - cpu
    report.setWindow(from: first, to: last)
  }

  private func storm(_ loops: [LoadLoop]) async throws -> LoadReport.Storm {
    let began = LoopInstant.current()
    for loop in loops { try await loop.loop.perform { loop.beginStorm() } }
    try await wait(loops, .storm) { $0.storms.allSatisfy(\.isOver) }
    var result = LoadReport.Storm()
    for loop in loops {
      let (storm, times) = try await loop.loop.perform { (loop.storm, loop.stormTimes) }
      result.add(storm, times, since: began)
    }
    return result
  }

  private func judgeSlowClients(_ loops: [LoadLoop], _ report: inout LoadReport) async throws {
    guard plan.slowFraction > 0 else { return }
    let began = ContinuousClock.now
    for loop in loops { try await loop.loop.perform { loop.beginJudging() } }
    try await wait(loops, .slow) { $0.slow.allSatisfy { $0.unjudged == 0 } }
    report.slowTime = ContinuousClock.now - began
  }

  private func end(_ loops: [LoadLoop]) async throws {
    for loop in loops { try await loop.loop.perform { loop.end() } }
    let deadline = ContinuousClock.now + .seconds(3)
    var open = 1
    while open > 0, ContinuousClock.now < deadline {
      try await Task.sleep(for: Self.look)
      open = 0
      for loop in loops { open += try await loop.loop.perform { loop.loop.statistics.connectionsOpen } }
    }
  }

  // MARK: - Waiting

  /// Looks until `isDone`, until nothing moves any more for as long as the plan's patience goes, or until interrupted.
  ///
  /// - Parameter isPatient: time alone is waited for, and need not show in the figures.
  private func wait(
    _ loops: [LoadLoop], _ phase: LoadProgress.Phase, isPatient: Bool = false,
    until isDone: (LoadTotal) -> Bool
  ) async throws {
    var reported = ContinuousClock.now
    var (moved, mark) = (ContinuousClock.now, 0)
    var before = try await samples(loops)
    while !isInterrupted {
      var total = LoadTotal()
      for loop in loops { total.add(try await loop.loop.perform { loop.look() }) }
      if isDone(total) { return }
      let now = ContinuousClock.now
      if total.mark != mark { (mark, moved) = (total.mark, now) }
      if !isPatient, now - moved > plan.patience { return }
      if now - reported >= .seconds(1) {
        let total = try await samples(loops)
        onProgress(LoadProgress(phase, total, since: before, over: now - reported, asked: plan.connections))
        (reported, before) = (now, total)
      }
      try await Task.sleep(for: Self.look)
    }
  }
}

extension LoadRun {
  private func samples(_ loops: [LoadLoop]) async throws -> LoadTotal {
    var total = LoadTotal()
    for loop in loops { total.add(try await loop.loop.perform { loop.sample() }) }
    return total
  }
}

/// The figures of all loops together.
struct LoadTotal: Sendable {
  var counters = LoadCounters()
  var wireBytes: UInt64 = 0
  var recent: HdrHistogram?
  var open = 0
  var live = 0
  var storms: [LoadLoop.Storm] = []
  var slow: [LoadLoop.SlowOutcome] = []

  mutating func add(_ sample: LoadSample) {
    counters += sample.counters
    wireBytes &+= sample.wireBytes
    if var recent, let further = sample.recent {
      recent.merge(further)
      self.recent = recent
    } else {
      recent = recent ?? sample.recent
    }
    open += sample.open
    live += sample.live
    storms.append(sample.storm)
    slow.append(sample.slow)
  }

  /// Changes whenever a client got further.
  var mark: Int {
    counters.opened + counters.ready + counters.failed + counters.lost
      + storms.reduce(0) { $0 + $1.returned } + slow.reduce(0) { $0 + $1.newest + $1.missing + $1.closed }
  }
}
