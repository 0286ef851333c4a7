/// What a loop has done since it was made. Plain integers, read on the loop.
public struct EventLoopStatistics: Sendable {
  public var turns: UInt64 = 0
  /// Connections accepted and kept.
  public var accepted: UInt64 = 0
  /// Connections accepted and closed at once for want of descriptors.
  public var shed: UInt64 = 0
  /// Connections refused because the budget was used up, those turned away included.
  public var refusedConnections: UInt64 = 0
  /// Connections refused because their address had too many, those turned away included.
  public var refusedAddress: UInt64 = 0
  /// Those of the refused that were kept until they had heard why.
  public var turnedAway: UInt64 = 0
  /// Connections open now, outgoing ones included.
  public var connectionsOpen: Int = 0
  /// Those of them that were accepted and kept.
  public var acceptedOpen: Int = 0
  public var bytesIn: UInt64 = 0
  public var bytesOut: UInt64 = 0
  /// Mailbox messages run: calls and actor jobs.
  public var messages: UInt64 = 0
  /// Messages found waiting in the last turn, before its batch ran.
  public var mailboxDepth: Int = 0
  public var timersFired: UInt64 = 0
  /// Times another thread wrote the eventfd to wake this loop.
  public var wakeUps: UInt64 = 0
  /// The longest turn, waiting not counted, since the last report (or since the start, without reports).
  public var longestTurn: Duration = .zero

  public init() {}
}
