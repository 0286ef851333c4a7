/// What a peer may make one connection hold.
public struct WebSocketLimits: Hashable, Sendable {
  /// The longest message, in bytes, all fragments together (and after an extension decoded it).
  public var messageBytes: Int { Int(messageBytes32) }
  /// The largest number of frames one message may come in.
  public var fragments: Int { Int(fragments32) }
  /// How many bytes of pongs wait to be taken at most. Beyond it older ones are dropped, as
  /// RFC 6455 §5.5.3 allows: only the most recent ping needs an answer.
  public var replyBytes: Int { Int(replyBytes32) }

  /// How long a message of `messageBytes` may be on the wire while an extension encodes it, in bytes. A sender
  /// that compresses what can't be compressed makes it longer: by an eighth with fixed codes (RFC 1951 §3.2.6).
  static func encodedBytes(messageBytes: Int) -> Int { messageBytes + messageBytes / 8 + 1_024 }

  // 32 bits each: the machine is kept small, for there is one per connection.
  let messageBytes32: UInt32
  let fragments32: UInt32
  let replyBytes32: UInt32

  /// Each value is clamped to 0…2³¹−1 (`fragments` to 1 at least).
  public init(messageBytes: Int, fragments: Int, replyBytes: Int) {
    messageBytes32 = Self.clamp(messageBytes)
    fragments32 = max(1, Self.clamp(fragments))
    replyBytes32 = Self.clamp(replyBytes)
  }

  private static func clamp(_ value: Int) -> UInt32 {
    UInt32(min(max(0, value), Int(Int32.max)))
  }
}
