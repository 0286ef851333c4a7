/// How a server is reached, best first.
public enum TransportKind: Sendable, Hashable, CaseIterable {
  /// One connection for all wallets and tokens.
  case webSocket
  /// Server-Sent Events: a response of HTTP that does not end, for each wallet.
  case eventStream
  /// Requests of HTTP that wait for changes.
  case polling
}
