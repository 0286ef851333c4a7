import Ethereum
import Ledger
import WebSocket

/// The bounds and habits of every client connection.
public struct PushSettings: Sendable {
  /// What `hello` calls us: `walletpush/0.1.0`.
  public var serverName: String
  /// Wallets and tokens together.
  public var walletsPerConnection: Int
  public var messageBytes: Int
  /// Frames that one message may come in.
  public var messageFrames: Int
  public var operationsPerSecond: Double
  /// How many operations beyond the rate, pings and pongs a client may send ahead; they are forgiven at the rate.
  public var excess: Int
  /// Beyond it a client gets nothing more until it has drained.
  public var unsentBytes: Int
  public var pingInterval: Duration
  public var pongTimeout: Duration
  /// A client that takes nothing at all for so long is closed.
  public var slowTimeout: Duration
  /// How long a client may stay without an access token, where tokens are asked for.
  public var authorizationTimeout: Duration
  /// For the clients that negotiated permessage-deflate.
  public var compression = DeflateSettings.standard

  public init(
    serverName: String, walletsPerConnection: Int, messageBytes: Int, messageFrames: Int,
    operationsPerSecond: Double, excess: Int, unsentBytes: Int, pingInterval: Duration, pongTimeout: Duration,
    slowTimeout: Duration, authorizationTimeout: Duration
  ) {
    self.serverName = serverName
    self.walletsPerConnection = walletsPerConnection
    self.messageBytes = messageBytes
    self.messageFrames = messageFrames
    self.operationsPerSecond = operationsPerSecond
    self.excess = excess
    self.unsentBytes = unsentBytes
    self.pingInterval = pingInterval
    self.pongTimeout = pongTimeout
    self.slowTimeout = slowTimeout
    self.authorizationTimeout = authorizationTimeout
  }

  var webSocketLimits: WebSocketLimits {
    WebSocketLimits(messageBytes: messageBytes, fragments: messageFrames, replyBytes: 4_096)
  }

  /// What one operation takes of the rate.
  var operationCost: Duration { .seconds(1 / max(0.001, operationsPerSecond)) }

  /// Every part of a snapshot stays below 64 KiB, with room for rows that grow until they are sent.
  static let partBytes = 60_000
  /// A batch message is at most 64 KiB.
  static let batchBytes = 65_536
}

/// What a client may ask for that is not ours to do: reading the chain.
public protocol RefreshRequester: Sendable {
  /// Answers at once, whether a read begins; called back on any thread, exactly once.
  func requestRefresh(_ wallet: WalletKey, _ answer: @escaping @Sendable (RefreshAnswer) -> Void)
}

public enum RefreshAnswer: Sendable, Equatable {
  /// A read was begun, or joined.
  case accepted
  /// Refreshed so long ago; possible again in so long.
  case cooldown(agoMilliseconds: Int64, retryMilliseconds: Int64)
  case chainUnsupported(ChainCode)
  case serverFull(limit: Int)
  case `internal`
}
