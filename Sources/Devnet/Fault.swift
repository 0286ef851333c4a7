/// How a simulated node or price source fails.
public enum Fault: Sendable, Hashable {
  /// An HTTP status with a page of HTML.
  case status(Int)
  /// Status 429, with `Retry-After` where there are seconds.
  case rateLimited(retryAfter: Int?)
  /// Status 200 with a body that is no JSON.
  case garbage
  /// No answer, ever; the connection stays open.
  case silence
  /// Calls of this method are not answered, ever; others are. Only of a node; no fault to a price source.
  case silenceAbout(method: String)
  /// The connection is closed instead of an answer.
  case disconnect
  /// Every call is answered with this JSON-RPC error. Only of a node; no fault to a price source.
  case rpcError(code: Int, message: String)
  /// The node says it is of this chain. Only of a node, likewise.
  case chainID(UInt64)
  /// Batches of more calls are refused; 0: all batches, with status 400. Only of a node, likewise.
  case batchesOver(Int)
}

/// A fault and how often it is still to happen.
struct FaultSwitch {
  private var fault: Fault?
  private var left: Int?

  mutating func set(_ fault: Fault?, requests: Int?) {
    self.fault = fault
    left = requests
  }

  /// The fault of the next request.
  mutating func take() -> Fault? {
    guard let fault else { return nil }
    guard let left else { return fault }
    guard left > 0 else {
      self.fault = nil
      return nil
    }
    self.left = left - 1
    return fault
  }
}
