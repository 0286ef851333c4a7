/// The habits of a ``WalletPushClient``, and of a ``WalletPushAPI``.
public struct ClientOptions: Sendable {
  /// Goes with every subscribe.
  public var pacing: Pacing
  /// What the server may make it hold.
  public var limits: ClientLimits
  /// How long it waits for what.
  public var times: ClientTimes
  /// What a ``WalletPushAPI`` asks for messages in, as `Accept-Language` has it (RFC 9110 §12.5.4): `zh`. Nil: the
  /// system's on Apple's systems, English elsewhere.
  public var language: String?

  /// The defaults suit an app.
  public init(
    pacing: Pacing = Pacing(), limits: ClientLimits = ClientLimits(), times: ClientTimes = ClientTimes(),
    language: String? = nil
  ) {
    self.pacing = pacing
    self.limits = limits
    self.times = times
    self.language = language
  }
}

/// What a server may make a client hold.
public struct ClientLimits: Sendable, Hashable {
  /// Bytes of one message. Snapshots come in parts of 64 KiB.
  public var messageBytes: Int
  /// Bytes of one answer to an HTTP request: there, snapshots come in one piece.
  public var answerBytes: Int
  /// Rows of all wallets together. Further ones are left out, and ``Notice/tooManyRows(_:)`` says so.
  public var rows: Int
  /// Calls that wait for their answer. Further ones fail with ``ClientError/tooManyCalls``.
  public var calls: Int

  /// Values below what can work are raised to it: 1, or 0 rows.
  public init(
    messageBytes: Int = 1 << 20, answerBytes: Int = 16 << 20, rows: Int = 100_000, calls: Int = 1_000
  ) {
    self.messageBytes = max(1, messageBytes)
    self.answerBytes = max(1, answerBytes)
    self.rows = max(0, rows)
    self.calls = max(1, calls)
  }
}

/// How long a client waits for what.
public struct ClientTimes: Sendable, Hashable {
  /// From the attempt to the server's `hello`.
  public var greeting: Duration
  /// The first wait before it comes back; each further one is twice as long.
  public var backOffFirst: Duration
  /// The longest of these waits.
  public var backOffMax: Duration
  /// A connection that lived so long was a good one: the next back-off starts afresh.
  public var steady: Duration
  /// What the server may be late with its heartbeat, and with the answer to the ping that asks for one.
  public var grace: Duration
  /// The first wait before a WebSocket is tried beside another transport; each further one is twice as long.
  public var recoverFirst: Duration
  /// The longest of these waits.
  public var recoverMax: Duration
  /// Of one request of a ``WalletPushAPI``, to the end of its answer.
  public var answer: Duration

  /// The defaults suit an app.
  public init(
    greeting: Duration = .seconds(10), backOffFirst: Duration = .milliseconds(500),
    backOffMax: Duration = .seconds(30), steady: Duration = .seconds(10), grace: Duration = .seconds(5),
    recoverFirst: Duration = .seconds(15), recoverMax: Duration = .seconds(300),
    answer: Duration = .seconds(60)
  ) {
    self.greeting = greeting
    self.backOffFirst = backOffFirst
    self.backOffMax = backOffMax
    self.steady = steady
    self.grace = grace
    self.recoverFirst = recoverFirst
    self.recoverMax = recoverMax
    self.answer = answer
  }
}

/// Why a call was not carried out.
public enum ClientError: Error, Sendable, Hashable, CustomStringConvertible {
  /// There is no connection, or the access token is not accepted yet. Subscriptions need none: they are kept.
  case notConnected
  /// The connection ended before the answer came.
  case disconnected
  /// The server did not do it, and says why.
  case refused(ServerRefusal)
  /// ``ClientLimits/calls``
  case tooManyCalls

  /// For logs: what went wrong, in one line.
  public var description: String {
    switch self {
    case .notConnected: "not connected"
    case .disconnected: "the connection ended before the answer came"
    case .refused(let refusal): refusal.description
    case .tooManyCalls: "too many calls wait for their answers"
    }
  }
}
