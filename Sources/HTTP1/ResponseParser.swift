/// One HTTP/1.1 response out of bytes: the client's side (RFC 9112). One parser per request.
///
/// Works like ``RequestParser``: call `next` until nil. It takes nothing behind its response: what is
/// left in `input` then belongs to the protocol that a 101 switched to, or is a breach the caller
/// sees by it. Interim responses (1xx but 101) are read and dropped.
public struct ResponseParser {
  /// A part of a response.
  public enum Event {
    case head(ResponseHead)
    /// A piece of the body, chunk framing taken off, never empty. Points into the caller's input.
    case body(UnsafeRawBufferPointer)
    case end
  }

  private enum Phase {
    case statusLine
    case fields
    case body(BodyDecoder)
    case complete
  }

  public let limits: HTTPLimits
  private let answersHead: Bool
  private var phase = Phase.statusLine
  private var lines = LineReader()
  /// One budget for the interim responses and the final one, so that a peer can't send 100s for ever.
  private var section: FieldSection
  private var head: ResponseHead?
  private var persistent = false
  private var failure: HTTPError?

  /// - Parameter method: of the request. A response to HEAD has no body whatever its headers say.
  public init(method: String, limits: HTTPLimits) {
    self.limits = limits
    self.answersHead = method == "HEAD"
    self.section = FieldSection(limits, keepsFields: true)
  }

  /// Whether the whole response has been read.
  public var isComplete: Bool {
    if case .complete = phase { true } else { false }
  }

  /// Whether the connection may carry another request: the response is complete, and neither its headers
  /// nor its framing ask for closing (RFC 9112 §9.3). Never after a 101.
  public var isReusable: Bool { isComplete && persistent && failure == nil }

  /// Takes the next event out of `input` and moves `input` behind what was taken. nil: all was taken, or
  /// the response is complete.
  /// - Throws: the peer's breach; the same again in all calls that follow.
  public mutating func next(_ input: inout UnsafeRawBufferPointer) throws(HTTPError) -> Event? {
    if let failure { throw failure }
    do throws(HTTPError) {
      return try step(&input)
    } catch {
      throw fail(error)
    }
  }

  /// The peer has closed its side. `.end` if that is how this response ends; nil if it had ended before.
  /// - Throws: `closedBeforeResponse` if not a byte had come, `closedEarly` if some had
  ///   (RFC 9112 §8: an incomplete message must not pass for a whole one).
  public mutating func inputEnded() throws(HTTPError) -> Event? {
    if let failure { throw failure }
    switch phase {
    case .complete:
      return nil
    case .body(let decoder) where decoder.endsAtClose || decoder.isDone:
      phase = .complete
      return .end
    case .statusLine where lines.isEmpty && section.bytesLeft == limits.headBytes:
      throw fail(.closedBeforeResponse)
    case .statusLine, .fields, .body:
      throw fail(.closedEarly)
    }
  }

  private mutating func fail(_ error: HTTPError) -> HTTPError {
    failure = error
    head = nil
    _ = section.takeHeaders()
    lines.release()
    return error
  }

  private mutating func step(_ input: inout Bytes) throws(HTTPError) -> Event? {
    while true {
      switch phase {
      case .complete:
        return nil
      case .statusLine:
        guard try readStatusLine(&input) else { return nil }
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
          phase = .complete
          lines.release()
          return .end
        }
      }
    }
  }

  /// false: the input is used up.
  private mutating func readStatusLine(_ input: inout Bytes) throws(HTTPError) -> Bool {
    let limit = section.lineLimit(limits)
    let isFirst = section.bytesLeft == limits.headBytes
    let tooLong: HTTPError =
      isFirst || limit == limits.lineBytes
      ? .statusLineTooLong(limit: limit) : .headTooLarge(limit: limits.headBytes)
    guard let line = try lines.next(&input, limit: limit, tooLong: tooLong, StatusLine.parse) else {
      return false
    }
    section.spend(lines.lastLineBytes)
    head = line
    phase = .fields
    return true
  }

  /// nil: an interim response, now forgotten.
  private mutating func finishHead() throws(HTTPError) -> ResponseHead? {
    guard var head = head.take() else { return nil }
    head.headers = section.takeHeaders()
    // RFC 9110 §15.2: any number of interim responses may come first.
    if head.status < 200, head.status != 101 {
      phase = .statusLine
      return nil
    }
    lines.release()
    let framing = try framing(of: head)
    persistent = head.keepAlive && framing != .untilClose && head.status != 101
    phase = .body(BodyDecoder(framing))
    return head
  }

  /// RFC 9112 §6.3.
  private func framing(of head: ResponseHead) throws(HTTPError) -> BodyFraming {
    // Item 1: no body, whatever the headers say.
    if answersHead || head.status < 200 || head.status == 204 || head.status == 304 { return .none }
    // Item 8: without any length, until the connection closes.
    let framing = try BodyFraming.declared(head.headers, minorVersion: head.minorVersion) ?? .untilClose
    if case .length(let length) = framing, length > limits.bodyBytes {
      throw .bodyTooLarge(limit: limits.bodyBytes)
    }
    return framing
  }
}

/// The first line of a response (RFC 9112 §4).
enum StatusLine {
  static func parse(_ line: Bytes) throws(HTTPError) -> ResponseHead {
    guard let space = line.firstIndex(of: Grammar.space) else { throw .malformedStatusLine }
    let minorVersion = try HTTPVersion.minor(line.cut(from: 0, to: space))
    let code = line.cut(from: space + 1, to: space + 4)
    guard code.count == 3, let status = Grammar.decimal(code), status >= 100 else {
      throw .malformedStatusLine
    }
    // §4: a server sends the space even if the reason is empty. Some don't; nothing hangs on it.
    let rest = line.cut(from: space + 4, to: line.count)
    guard rest.isEmpty || rest.first == Grammar.space else { throw .malformedStatusLine }
    guard rest.allSatisfy(Grammar.isFieldText) else { throw .malformedStatusLine }
    let reason = String(decoding: rest.dropFirst(), as: UTF8.self)
    return ResponseHead(status: status, reason: reason, minorVersion: minorVersion)
  }
}
