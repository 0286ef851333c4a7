import CoreMetrics

/// Hands a loop's counts to swift-metrics, once a second and on the loop, so that counting itself is an
/// addition.
final class MetricsReporter: TimerTarget {
  private unowned let loop: EventLoop
  private var reported = EventLoopStatistics()
  private let accepted: Counter
  private let shed: Counter
  private let refusedConnections: Counter
  private let refusedAddress: Counter
  private let turnedAway: Counter
  private let turns: Counter
  private let messages: Counter
  private let timersFired: Counter
  private let wakeUps: Counter
  private let bytesIn: Counter
  private let bytesOut: Counter
  private let connectionsOpen: Gauge
  private let mailboxDepth: Gauge
  private let longestTurn: Gauge

  init(loop: EventLoop) {
    self.loop = loop
    let dimensions = [("loop", loop.name)]
    accepted = Counter(label: "eventloop_accepted_total", dimensions: dimensions)
    shed = Counter(label: "eventloop_accept_shed_total", dimensions: dimensions)
    let refused = { Counter(label: "eventloop_refused_total", dimensions: dimensions + [("limit", $0)]) }
    refusedConnections = refused("connections")
    refusedAddress = refused("address")
    turnedAway = Counter(label: "eventloop_turned_away_total", dimensions: dimensions)
    turns = Counter(label: "eventloop_turns_total", dimensions: dimensions)
    messages = Counter(label: "eventloop_messages_total", dimensions: dimensions)
    timersFired = Counter(label: "eventloop_timers_fired_total", dimensions: dimensions)
    wakeUps = Counter(label: "eventloop_wakeups_total", dimensions: dimensions)
    bytesIn = Counter(label: "eventloop_bytes_in_total", dimensions: dimensions)
    bytesOut = Counter(label: "eventloop_bytes_out_total", dimensions: dimensions)
    connectionsOpen = Gauge(label: "eventloop_connections_open", dimensions: dimensions)
    mailboxDepth = Gauge(label: "eventloop_mailbox_depth", dimensions: dimensions)
    longestTurn = Gauge(label: "eventloop_turn_longest_seconds", dimensions: dimensions)
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    report(loop)
    loop.schedule(at: now + .seconds(1), self, tag: 0)
  }

  func report(_ loop: EventLoop) {
    let now = loop.statistics
    accepted.increment(by: now.accepted &- reported.accepted)
    shed.increment(by: now.shed &- reported.shed)
    refusedConnections.increment(by: now.refusedConnections &- reported.refusedConnections)
    refusedAddress.increment(by: now.refusedAddress &- reported.refusedAddress)
    turnedAway.increment(by: now.turnedAway &- reported.turnedAway)
    turns.increment(by: now.turns &- reported.turns)
    messages.increment(by: now.messages &- reported.messages)
    timersFired.increment(by: now.timersFired &- reported.timersFired)
    wakeUps.increment(by: now.wakeUps &- reported.wakeUps)
    bytesIn.increment(by: now.bytesIn &- reported.bytesIn)
    bytesOut.increment(by: now.bytesOut &- reported.bytesOut)
    connectionsOpen.record(now.connectionsOpen)
    mailboxDepth.record(now.mailboxDepth)
    longestTurn.record(now.longestTurn.inSeconds)
    loop.statistics.longestTurn = .zero
    reported = now
  }
}

extension EventLoop {
  func startReporting() {
    let reporter = MetricsReporter(loop: self)
    self.reporter = reporter
    schedule(after: .seconds(1), reporter, tag: 0)
  }
}
