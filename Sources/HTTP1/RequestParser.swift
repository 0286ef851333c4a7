// Theory of operation
//
// The caller owns the bytes. It calls `next` again and again with what it has read, until `next` gives nil:
// then everything was taken, and a line that is not complete yet waits inside. Events come in the order
//
//     head  body*  end   head  body*  end   …
//
// A body's pieces are slices of the caller's own buffer; nothing of a body is stored here. `next` takes
// no byte behind the end of the message it is in. So after the `end` of a request that asked for an
// upgrade, `input` begins with the first byte of the new protocol, and after any other `end`
// the next call begins the next request (pipelining).
//
// Whether and how a request fails depends on its bytes only, not on how they were cut into pieces.
// After a failure the framing of whatever follows is unknown (RFC 9112 §6.3), so the parser is dead:
// it throws the same error for ever, and the caller answers and closes.

/// HTTP/1.1 requests out of bytes: the server's side (RFC 9112). Holds no heap memory between requests.
public struct RequestParser {
  /// A part of a request.
  public enum Event {
    case head(RequestHead)
    /// A piece of the body, chunk framing taken off, never empty. Points into the caller's input, so it
    /// is valid until the caller reuses that buffer.
    case body(UnsafeRawBufferPointer)
    case end
  }

  private enum Phase {
    case start(emptyLineSeen: Bool)
    case fields
    case body(BodyDecoder)
  }

  public let limits: HTTPLimits
  private var phase = Phase.start(emptyLineSeen: false)
  private var lines = LineReader()
  private var section: FieldSection
  /// The head whose header lines are being read.
  private var head: RequestHead?
  private var failure: HTTPError?

  public init(limits: HTTPLimits) {
    self.limits = limits
    section = FieldSection(limits, keepsFields: true)
  }

  /// Whether no byte of a request has come since the last one ended: silence is patience here, and
  /// anywhere else a peer to be timed out.
  public var isIdle: Bool {
    if case .start = phase { lines.isEmpty && failure == nil } else { false }
  }

  /// Takes the next event out of `input` and moves `input` behind what was taken. nil: all was taken.
  /// - Throws: the peer's breach, with the status to answer; the same again in all calls that follow.
  public mutating func next(_ input: inout UnsafeRawBufferPointer) throws(HTTPError) -> Event? {
    if let failure { throw failure }
    do throws(HTTPError) {
      return try step(&input)
    } catch {
      failure = error
      head = nil
      _ = section.takeHeaders()
      lines.release()
      throw error
    }
  }

  private mutating func step(_ input: inout Bytes) throws(HTTPError) -> Event? {
    while true {
      switch phase {
      case .start(let emptyLineSeen):
        guard try readRequestLine(&input, emptyLineSeen: emptyLineSeen) else { return nil }
      case .fields:
        guard let line = try section.next(&input, &lines, limits) else { return nil }
        if case .end = line, let head = try finishHead() { return .head(head) }
      case .body(var decoder):
        let event = try decoder.next(&input, &lines, limits)
        phase = .body(decoder)
        switch event {
        case nil: return nil
        case .piece(let piece): return .body(piece)
        case .end:
          phase = .start(emptyLineSeen: false)
          lines.release()
          return .end
        }
      }
    }
  }

  /// false: the input is used up.
  private mutating func readRequestLine(
    _ input: inout Bytes, emptyLineSeen: Bool
  ) throws(HTTPError) -> Bool {
    // A TLS greeting or noise is refused at its first byte instead of after `lineBytes` of it.
    if lines.isEmpty, let first = input.first, !Grammar.isToken(first), first != Grammar.carriageReturn {
      throw first == Grammar.lineFeed ? .bareLineFeed : .malformedMethod
    }
    section = FieldSection(limits, keepsFields: true)
    let limit = section.lineLimit(limits)
    let tooLong = HTTPError.requestLineTooLong(limit: limit)
    guard let line = try lines.next(&input, limit: limit, tooLong: tooLong, RequestLine.parse) else {
      return false
    }
    guard let line else {
      // RFC 9112 §2.2: at least one empty line before a request is ignored; old clients sent it after a body.
      guard !emptyLineSeen else { throw .emptyLinesBeforeRequest }
      phase = .start(emptyLineSeen: true)
      return true
    }
    section.spend(lines.lastLineBytes)
    head = line
    phase = .fields
    return true
  }

  private mutating func finishHead() throws(HTTPError) -> RequestHead? {
    guard var head = head.take() else { return nil }
    head.headers = section.takeHeaders()
    lines.release()
    try Self.checkHost(head)
    let framing = try BodyFraming.declared(head.headers, minorVersion: head.minorVersion) ?? .none
    // RFC 9110 §15.5.14: refused before the first byte of the body, and before a 100 Continue.
    if case .length(let length) = framing, length > limits.bodyBytes {
      throw .bodyTooLarge(limit: limits.bodyBytes)
    }
    try Self.checkExpectation(head)
    phase = .body(BodyDecoder(framing))
    return head
  }

  /// RFC 9112 §3.2: 400 without Host in HTTP/1.1, with more than one, or with an invalid one.
  private static func checkHost(_ head: RequestHead) throws(HTTPError) {
    guard let isValid = head.headers.withFirst("Host", Authority.isValid) else {
      if head.minorVersion > 0 { throw .missingHost }
      return
    }
    guard head.headers.count(of: "Host") == 1 else { throw .repeatedHost }
    guard isValid else { throw .malformedHost }
  }

  /// RFC 9110 §10.1.1: 417 for what is not `100-continue`; HTTP/1.0 expectations are ignored.
  private static func checkExpectation(_ head: RequestHead) throws(HTTPError) {
    guard head.minorVersion > 0 else { return }
    for value in head.headers.all("Expect") {
      guard Grammar.equalIgnoringCase(value.utf8, "100-continue".utf8) else {
        throw .unknownExpectation
      }
    }
  }
}
