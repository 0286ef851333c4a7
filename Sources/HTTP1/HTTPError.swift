/// The rule of RFC 9112 (or the limit of ours) that a **peer** broke. What we break ourselves when
/// writing a message is an ``HTTPLocalError``.
///
/// `status` is what a server answers with before it closes; `explanation` is a sentence for the answer's
/// body and the log. Neither repeats a byte of what the peer sent.
public enum HTTPError: Error, Sendable, Equatable {
  // Lines
  case bareLineFeed
  case bareCarriageReturn
  case emptyLinesBeforeRequest

  // The start line
  case malformedRequestLine
  case malformedMethod
  case methodTooLong
  case connectNotSupported
  case malformedTarget
  case malformedVersion
  case unsupportedVersion
  case requestLineTooLong(limit: Int)
  case malformedStatusLine
  case statusLineTooLong(limit: Int)

  // Header and trailer lines
  case foldedField
  case missingColon
  case emptyFieldName
  case whitespaceBeforeColon
  case malformedFieldName
  case malformedFieldValue
  case fieldLineTooLong(limit: Int)
  case headTooLarge(limit: Int)
  case tooManyFields(limit: Int)

  // What the header says
  case missingHost
  case repeatedHost
  case malformedHost
  case unknownExpectation
  case malformedContentLength
  case repeatedContentLength
  case contentLengthWithTransferEncoding
  case transferEncodingInHTTP10
  case malformedTransferEncoding
  case chunkedNotFinal
  case unknownTransferCoding

  // The body
  case bodyTooLarge(limit: Int)
  case malformedChunkSize
  case chunkSizeOverflow
  case malformedChunkExtension
  case chunkLineTooLong(limit: Int)
  case chunkExtensionsTooLong(limit: Int)
  case chunkNotTerminated

  // The connection (client role)
  /// The peer closed before the first byte of a response: an idempotent request may be tried again.
  case closedBeforeResponse
  /// The peer closed in the middle of a message.
  case closedEarly
}

extension HTTPError {
  /// The status to answer a request with. Faults that only a response can have say 502, which is what a
  /// gateway would tell its own client.
  public var status: Int {
    switch self {
    case .bareLineFeed, .bareCarriageReturn, .emptyLinesBeforeRequest, .malformedRequestLine,
      .malformedMethod, .malformedTarget, .malformedVersion, .foldedField, .missingColon,
      .emptyFieldName, .whitespaceBeforeColon, .malformedFieldName, .malformedFieldValue, .missingHost,
      .repeatedHost, .malformedHost, .malformedContentLength, .repeatedContentLength,
      .contentLengthWithTransferEncoding, .transferEncodingInHTTP10, .malformedTransferEncoding,
      .chunkedNotFinal, .malformedChunkSize, .chunkSizeOverflow, .malformedChunkExtension,
      .chunkLineTooLong, .chunkExtensionsTooLong, .chunkNotTerminated:
      400
    case .bodyTooLarge: 413
    case .requestLineTooLong: 414
    case .unknownExpectation: 417
    case .fieldLineTooLong, .headTooLarge, .tooManyFields: 431
    case .methodTooLong, .connectNotSupported, .unknownTransferCoding: 501
    case .malformedStatusLine, .statusLineTooLong, .closedBeforeResponse, .closedEarly: 502
    case .unsupportedVersion: 505
    }
  }
}
