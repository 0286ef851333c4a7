/// A wallet or token of a list that stands alone in having failed.
struct FailedKey: Sendable {
  var text: String
  var isToken: Bool
  var refusal: Refusal
}

/// What failed of a message's lists. Each is named with its reason, which is many times longer than the shortest key: so
/// many are named, the rest is counted.
struct FailedKeys: Sendable {
  /// More than whole wallet keys fit into a message of 64 KiB: of those every one is named.
  static let namedMost = 1_500

  private(set) var named: [FailedKey] = []
  private(set) var unnamed = 0

  var count: Int { named.count + unnamed }

  mutating func append(_ text: String, isToken: Bool, _ refusal: @autoclosure () -> Refusal) {
    guard named.count < Self.namedMost else { return unnamed += 1 }
    named.append(FailedKey(text: text.clipped(to: 120), isToken: isToken, refusal: refusal()))
  }

  mutating func append(_ other: FailedKeys) {
    let room = Self.namedMost - named.count
    named.append(contentsOf: other.named.prefix(room))
    unnamed += other.unnamed + max(0, other.named.count - room)
  }
}
