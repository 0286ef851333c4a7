/// A message **we** were about to send is not one: nothing was written. A fault of ours, or of data that
/// was put into a header without a check.
public enum HTTPLocalError: Error, Sendable, Equatable {
  /// The method is not a token.
  case malformedMethod
  /// The target is empty or holds anything but visible ASCII, or a `#`.
  case malformedTarget
  /// The minor version is neither 0 nor 1.
  case unsupportedVersion
  /// The status code is outside 100…999.
  case malformedStatus
  /// The reason phrase holds a control character.
  case malformedReason
  /// A header name is empty or not a token.
  case malformedFieldName
  /// A header value holds CR, LF, NUL or another control character.
  case malformedFieldValue
  /// A request for HTTP/1.1 without exactly one Host (RFC 9112 §3.2).
  case missingHost
  /// The head already says how long the body is, and so does the body that came with it; or the status
  /// allows no body (RFC 9112 §6.3).
  case conflictingLength
  /// An event's `event` or `id` holds a line break (or the `id` a NUL), or `retry` is negative.
  case malformedEvent
}
