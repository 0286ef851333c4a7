/// Why a call of a ``WalletPushAPI`` brought nothing.
public enum APIError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The server's answer is no success: its status, and what it says of it. The code is the protocol's (`cooldown`,
  /// `not_found`, `unauthorized` …); `http_502` and the like where something in between answered without one.
  case refused(status: Int, ServerRefusal)
  /// There is no connection, or it ended before the whole answer was here.
  case unreachable(String)
  /// ``ClientTimes/answer``
  case timedOut
  /// The answer is a success, but not one of this protocol. What is wrong with it.
  case malformed(String)
  /// ``ClientLimits/answerBytes``, which are these.
  case tooLarge(bytes: Int)
  /// Whoever was asked for an access token threw this.
  case noToken(String)
  /// The task that made the call was cancelled.
  case cancelled

  /// When asking again may help, where the server said so.
  public var retry: Duration? {
    if case .refused(_, let refusal) = self { refusal.retry } else { nil }
  }

  /// For logs: what went wrong, in one line.
  public var description: String {
    switch self {
    case .refused(let status, let refusal): "\(status) \(refusal)"
    case .unreachable(let reason): "the server can't be reached: \(reason)"
    case .timedOut: "no whole answer in time"
    case .malformed(let fault): "the answer is none of this protocol: \(fault)"
    case .tooLarge(let bytes): "an answer of more than \(bytes) bytes"
    case .noToken(let reason): "no access token to be had: \(reason)"
    case .cancelled: "the call was cancelled"
    }
  }
}
