public import JSON

// How it works
//
// A reply is strict in its shape (one of `result` and `error`, an integer id that we sent) and free in what
// else it holds. In a batch every call gets its own outcome: replies come in any order, and a node that
// forgets one, says one twice or invents one spoils those calls alone.

extension JSONRPC {
  /// Why a call has no result.
  public enum CallError: Error, Hashable {
    /// The node answered with an error.
    case node(RPCError)
    /// The reply is not of the protocol's shape. (Ours is the reading, theirs the fault.)
    case malformed(String)
    /// The batch's reply has nothing for this call.
    case missing
    /// The batch's reply has two answers for this call: neither can be trusted.
    case duplicate
    /// The reply is to a call we did not make here.
    case foreignID

    /// The node's error, where it is one.
    public var node: RPCError? {
      if case .node(let error) = self { error } else { nil }
    }
  }

  public typealias Outcome = Result<JSONValue, CallError>

  /// What a batch brought.
  public struct BatchReply: Sendable {
    /// One outcome for each call, in the order of the calls.
    public let outcomes: [Outcome]
    /// The error with which the node turned down the whole batch; every outcome holds it too.
    public let refusal: RPCError?
    /// Replies that belong to none of the calls.
    public let foreignReplies: Int
  }

  /// The outcome of the one call that was sent.
  public static func outcome(of reply: JSONValue, id: Int) -> Outcome {
    guard let object = reply.object else {
      return .failure(.malformed("\(reply.kindDescription) instead of a reply"))
    }
    switch ReplyID(object) {
    case .integer(id): return outcome(of: object)
    // §5: the id is null where the node could not read ours. It is about our call, there was no other; yet
    // only an error can be.
    case .null:
      let outcome = outcome(of: object)
      if case .success = outcome { return .failure(.malformed("a result without an id")) }
      return outcome
    case .integer, .other: return .failure(.foreignID)
    }
  }

  /// The outcomes of a batch's calls.
  /// - Parameter ids: the calls' ids, each once.
  public static func outcomes(of reply: JSONValue, ids: [Int]) -> BatchReply {
    guard let replies = reply.array else { return refused(by: reply, ids: ids) }
    var found: [Int: Outcome] = [:]
    var foreign = 0
    // An error without an id, or one that says the batch is too large, speaks for the calls without an
    // answer.
    var errorForTheRest: RPCError?
    let wanted = Set(ids)
    for reply in replies {
      guard let object = reply.object else {
        foreign += 1
        continue
      }
      let outcome = outcome(of: object)
      if case .failure(.node(let error)) = outcome, error.kind == .batchTooLarge { errorForTheRest = error }
      switch ReplyID(object) {
      case .integer(let id) where wanted.contains(id):
        found[id] = found[id] == nil ? outcome : .failure(.duplicate)
      case .null:
        if case .failure(.node(let error)) = outcome { errorForTheRest = error } else { foreign += 1 }
      case .integer, .other: foreign += 1
      }
    }
    let rest: CallError = errorForTheRest.map { .node($0) } ?? .missing
    let outcomes = ids.map { found[$0] ?? .failure(rest) }
    let allRefused = outcomes.allSatisfy { outcome in
      if case .failure(.node(let error)) = outcome { error == errorForTheRest } else { false }
    }
    return BatchReply(
      outcomes: outcomes, refusal: allRefused ? errorForTheRest : nil, foreignReplies: foreign)
  }

  /// §6: a batch the node cannot take as one is answered with one object, an error whose id is null.
  private static func refused(by reply: JSONValue, ids: [Int]) -> BatchReply {
    let error: CallError
    if let object = reply.object, case .failure(let failure) = outcome(of: object) {
      error = failure
    } else {
      error = .malformed("\(reply.kindDescription) instead of a batch's replies")
    }
    return BatchReply(outcomes: ids.map { _ in .failure(error) }, refusal: error.node, foreignReplies: 0)
  }

  enum ReplyID {
    case integer(Int)
    /// Null or missing.
    case null
    case other

    init(_ reply: JSONObject) {
      switch reply["id"] {
      case nil, .null: self = .null
      case let value?: self = value.int.map { .integer($0) } ?? .other
      }
    }
  }

  /// The result or error of a reply, whatever its id.
  static func outcome(of reply: JSONObject) -> Outcome {
    if let version = reply["jsonrpc"], version != "2.0" {
      return .failure(.malformed("a JSON-RPC version that is not 2.0"))
    }
    let result = reply["result"]
    // §5 says one of both; some nodes send the other as null.
    let error = reply["error"].flatMap { $0.isNull ? nil : $0 }
    switch (result, error) {
    case (_?, nil): return .success(result ?? .null)
    case (nil, let error?), (.null, let error?): return .failure(failure(error))
    case (_?, _?): return .failure(.malformed("a result and an error at once"))
    case (nil, nil): return .failure(.malformed("neither a result nor an error"))
    }
  }

  private static func failure(_ error: JSONValue) -> CallError {
    guard let code = error["code"]?.int, let message = error["message"]?.string else {
      return .malformed("an error without a code and a message")
    }
    let data = (error["data"]?.string).flatMap { text -> [UInt8]? in
      guard text.utf8.count <= 2 + 2 * RPCError.dataLimit else { return nil }
      return try? Hex.decode(text)
    }
    return .node(RPCError(code: code, message: message, data: data))
  }

  /// Something a node sends over a WebSocket.
  public enum Incoming: Sendable {
    /// The answer to a single call.
    case reply(id: Int, Outcome)
    /// An event of a subscription: a head, a log.
    case notification(subscription: String, result: JSONValue)
    /// Answers to a batch, for ``JSONRPC/outcomes(of:ids:)``.
    case batch(JSONValue)
    /// An error that names no call.
    case error(CallError)
  }

  public static func incoming(_ message: JSONValue) -> Incoming {
    if message.array != nil { return .batch(message) }
    guard let object = message.object else {
      return .error(.malformed("\(message.kindDescription) instead of a message"))
    }
    if object["method"] != nil {
      guard let params = object["params"], let subscription = params["subscription"]?.string,
        let result = params["result"]
      else {
        return .error(.malformed("a notification that is no subscription's"))
      }
      return .notification(subscription: subscription, result: result)
    }
    let outcome = outcome(of: object)
    if case .integer(let id) = ReplyID(object) { return .reply(id: id, outcome) }
    if case .failure(let error) = outcome { return .error(error) }
    return .error(.malformed("a result without an id"))
  }
}

extension JSONRPC.CallError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .node(let error): "the node says: \(error)"
    case .malformed(let what): "the node's reply is malformed: \(what)"
    case .missing: "the node's reply leaves this call out"
    case .duplicate: "the node's reply answers this call twice"
    case .foreignID: "the node's reply is to another call"
    }
  }
}

// Reading results.
extension JSONRPC {
  /// A QUANTITY. Leading zeros, which some nodes send, are accepted.
  public static func quantity(_ result: JSONValue) throws(CallError) -> UInt256 {
    guard let text = result.string else {
      throw .malformed("\(result.kindDescription) instead of a quantity")
    }
    do throws(QuantityError) {
      return try UInt256(quantity: text, leadingZeros: true)
    } catch {
      throw .malformed("a quantity of which \(error)")
    }
  }

  /// A QUANTITY below 2^64: a height, a time, a chain id.
  public static func uint64(_ result: JSONValue) throws(CallError) -> UInt64 {
    guard let value = try quantity(result).uint64 else { throw .malformed("a quantity beyond 64 bits") }
    return value
  }

  /// DATA of any length.
  public static func data(_ result: JSONValue) throws(CallError) -> [UInt8] {
    guard let text = result.string else { throw .malformed("\(result.kindDescription) instead of data") }
    do throws(HexError) { return try Hex.decode(text) } catch { throw .malformed("data of which \(error)") }
  }

  /// DATA of 32 bytes.
  public static func bytes32(_ result: JSONValue) throws(CallError) -> Bytes32 {
    let data = try data(result)
    guard data.count == 32, let word = UInt256(bigEndian: data.span) else {
      throw .malformed("\(data.count) bytes instead of 32")
    }
    return Bytes32(word)
  }

  /// DATA of 20 bytes. Letter case is not looked at: nodes do not write checksums.
  public static func address(_ result: JSONValue) throws(CallError) -> Address {
    let data = try data(result)
    guard data.count == 20, let address = Address(bytes: data.span) else {
      throw .malformed("\(data.count) bytes instead of 20")
    }
    return address
  }
}
