/// The server's one revision counter: raised once for each accepted change of one price, one balance,
/// or the state or metadata of one. Always below 2^53, so that JavaScript can hold it.
public typealias Revision = UInt64

/// Where a client stands: everything up to `revision` of the counter whose life is named by `epoch`.
/// Text form `epoch:revision`, as in `"since":"k3f9:8121"`.
public struct ResumePoint: Sendable, Hashable {
  public var epoch: String
  public var revision: Revision

  public init(epoch: String, revision: Revision) {
    self.epoch = epoch
    self.revision = revision
  }

  /// `nil` unless the text is `epoch:revision` with a 1–16 character epoch and a decimal revision below 2^53.
  public init?(parsing text: String) {
    // Bytes, not Characters: one of those may be as long as the text, and costs the square of that to compare.
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...16).contains(parts[0].count), (1...16).contains(parts[1].count),
      parts[1].allSatisfy({ (48...57).contains($0) }), let revision = Revision(Substring(parts[1])),
      revision < 1 << 53
    else { return nil }
    self.init(epoch: String(Substring(parts[0])), revision: revision)
  }

  public var description: String { "\(epoch):\(revision)" }
}

/// A short random name for one life of the counter: four characters, 1.6 million names, chosen from `random`.
public func makeEpoch(random: UInt64) -> String {
  let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz".unicodeScalars)
  var rest = random
  var text = ""
  for _ in 0..<4 {
    text.unicodeScalars.append(alphabet[Int(rest % 36)])
    rest /= 36
  }
  return text
}

/// Milliseconds since 1970, UTC.
public typealias UnixMilliseconds = Int64
