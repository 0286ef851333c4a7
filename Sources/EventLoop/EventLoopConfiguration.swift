/// The bounds of one event loop's work, per turn and in all.
public struct EventLoopConfiguration: Sendable {
  /// Size of the shared read buffer: the most one connection reads in a turn.
  public var readBufferBytes: Int
  /// Events taken from the kernel at once.
  public var eventsPerTurn: Int
  /// Mailbox messages (calls and actor jobs) run in a turn.
  public var messagesPerTurn: Int
  /// Timers fired in a turn.
  public var timersPerTurn: Int
  /// Connections accepted from one listener in a turn.
  public var acceptsPerTurn: Int
  /// The most bytes one flush of one connection hands to the kernel.
  public var writeBytesPerTurn: Int
  /// How many accepted connections may be open at once, over all loops that share it; what comes above is refused.
  public var budget: ConnectionBudget
  /// listen(2)'s queue of connections that are not accepted yet; the kernel caps it at net.core.somaxconn.
  public var backlog: Int32
  /// TCP_NOTSENT_LOWAT: bytes the kernel holds unsent before it stops taking more. Nil leaves its default.
  public var unsentLowWaterBytes: Int32?
  /// SO_SNDBUF of each connection. Nil leaves the kernel to size it.
  public var sendBufferBytes: Int32?
  /// How long a listener rests when descriptors or kernel memory have run out.
  public var acceptPause: Duration
  /// How long a close after flush may go on without the kernel taking a byte.
  public var flushTimeout: Duration
  /// How long a close after flush waits, with our side shut, for the peer to end its side.
  public var lingerTimeout: Duration
  /// Whether the loop reports to swift-metrics, once a second.
  public var reportsMetrics: Bool

  public init(
    readBufferBytes: Int, eventsPerTurn: Int, messagesPerTurn: Int, timersPerTurn: Int, acceptsPerTurn: Int,
    writeBytesPerTurn: Int, budget: ConnectionBudget, backlog: Int32, unsentLowWaterBytes: Int32?,
    sendBufferBytes: Int32?, acceptPause: Duration, flushTimeout: Duration, lingerTimeout: Duration,
    reportsMetrics: Bool
  ) {
    self.readBufferBytes = max(1, readBufferBytes)
    self.eventsPerTurn = max(1, eventsPerTurn)
    self.messagesPerTurn = max(1, messagesPerTurn)
    self.timersPerTurn = max(1, timersPerTurn)
    self.acceptsPerTurn = max(1, acceptsPerTurn)
    self.writeBytesPerTurn = max(1, writeBytesPerTurn)
    self.budget = budget
    self.backlog = backlog
    self.unsentLowWaterBytes = unsentLowWaterBytes
    self.sendBufferBytes = sendBufferBytes
    self.acceptPause = acceptPause
    self.flushTimeout = flushTimeout
    self.lingerTimeout = lingerTimeout
    self.reportsMetrics = reportsMetrics
  }

  /// A starting point: 64 KiB reads, 1 MiB writes and 128 accepts a turn, and a budget of its own of 100,000
  /// connections.
  public static var standard: EventLoopConfiguration {
    EventLoopConfiguration(
      readBufferBytes: 65_536, eventsPerTurn: 1_024, messagesPerTurn: 1_024, timersPerTurn: 8_192,
      acceptsPerTurn: 128, writeBytesPerTurn: 1_048_576,
      budget: ConnectionBudget(connections: 100_000, perAddress: nil), backlog: 4_096,
      unsentLowWaterBytes: nil, sendBufferBytes: nil, acceptPause: .milliseconds(100),
      flushTimeout: .seconds(10), lingerTimeout: .seconds(2), reportsMetrics: true)
  }
}
