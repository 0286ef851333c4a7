/// The error object a node answered with (JSON-RPC 2.0 §5.1).
public struct RPCError: Error, Hashable {
  /// Characters of the message that are kept.
  public static let messageLimit = 300
  /// Bytes of revert data that are kept.
  public static let dataLimit = 4096

  public let code: Int
  /// One line, at most ``messageLimit`` characters.
  public let message: String
  /// What a reverting contract returned, where the node passes it on in hexadecimal.
  public let data: [UInt8]?

  public init(code: Int, message: String, data: [UInt8]? = nil) {
    self.code = code
    self.message = TokenText.clean(message, limit: Self.messageLimit) ?? ""
    self.data = data
  }

  /// What an error means to the one who asked. Codes are shared by unlike things (−32005 is a rate limit, too
  /// large a batch, or too many logs), so the text decides first.
  public enum Kind: Sendable, Hashable, CaseIterable {
    /// The contract reverted: asking another node changes nothing.
    case reverted
    /// The call cost more gas, or more time, than the node grants: ask for less at once.
    case outOfGas
    case timedOut
    /// Ask later, or elsewhere.
    case rateLimited
    /// Fewer requests in a batch.
    case batchTooLarge
    /// A smaller range of logs.
    case tooManyResults
    case methodNotFound
    /// The node does not have that block, or no longer its state.
    case headerNotFound
    case other
  }

  public var kind: Kind {
    let text = message.lowercased()
    func says(_ phrases: [String]) -> Bool { phrases.contains { text.contains($0) } }
    if code == 3 || text.hasPrefix("execution reverted") || says(["vm execution error", "reverted"]) {
      return .reverted
    }
    let limiting = says(["rate limit", "ratelimit", "rate-limit"])
    if !limiting, text.contains("batch"), says(Self.tooLarge) { return .batchTooLarge }
    if says(["out of gas", "gas required exceeds", "exceeds block gas limit"]) { return .outOfGas }
    if says(["timeout", "timed out"]) { return .timedOut }
    if !limiting, says(Self.tooManyResults) { return .tooManyResults }
    if code == 429 || code == -32005 || limiting || says(Self.rateLimited) { return .rateLimited }
    if code == -32601 || says(["method not found", "does not exist/is not available", "unsupported method"]) {
      return .methodNotFound
    }
    if says(Self.headerNotFound) { return .headerNotFound }
    return .other
  }

  private static let tooLarge = [
    "too large", "too big", "too many", "limit", "maximum", "exceed", "more than", "not supported",
    "not allowed",
  ]
  private static let tooManyResults = [
    "query returned more than", "too many results", "block range", "response size exceeded",
    "range is too large", "range too large",
  ]
  private static let rateLimited = [
    "too many requests", "compute units", "throughput", "quota", "request limit", "limit exceeded",
    "capacity exceeded",
  ]
  private static let headerNotFound = [
    "header not found", "block not found", "unknown block", "header for hash not found", "missing trie node",
    "state not available", "state is not available", "out of range block", "after last accepted block",
  ]
}

extension RPCError: CustomStringConvertible {
  public var description: String { "\(message) (\(code))" }
}
