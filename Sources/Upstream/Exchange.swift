import EventLoop
import HTTP1

/// A request that was sent, and its response as it comes in.
struct Exchange {
  enum Progress {
    case incomplete
    case complete(HTTPClientResponse)
    case failed(UpstreamError)
  }

  let call: Call
  private let isReused: Bool
  private var parser: ResponseParser
  private var head: ResponseHead?
  private var body: BodyCollector
  private var hasBytes = false

  init(_ call: Call, limits: HTTPLimits, isReused: Bool) {
    self.call = call
    self.isReused = isReused
    parser = ResponseParser(method: call.request.method, limits: limits)
    body = BodyCollector(limit: call.request.responseBytesLimit)
  }

  var isReusable: Bool { parser.isReusable }

  /// Whether it looks as if the request had never arrived, and it would do no harm if it had. At most once in a
  /// call: the second time, the connection is a fresh one.
  var mayBeResent: Bool { isReused && !hasBytes && call.request.isIdempotent }

  /// What is left of `input` lies behind the response.
  mutating func receive(_ input: inout UnsafeRawBufferPointer) -> Progress {
    if !hasBytes {
      hasBytes = true
      call.receivedFirstByte()
    }
    do throws(UpstreamError) {
      while let event = try next(&input) {
        if let response = try take(event) { return .complete(response) }
      }
      return .incomplete
    } catch {
      return .failed(error)
    }
  }

  /// The peer has ended its side.
  mutating func inputEnded() -> Progress {
    do throws(UpstreamError) {
      guard let event = try endOfInput(), let response = try take(event) else {
        return .failed(.closedBeforeResponse)
      }
      return .complete(response)
    } catch {
      return .failed(error)
    }
  }

  private mutating func next(
    _ input: inout UnsafeRawBufferPointer
  ) throws(UpstreamError) -> ResponseParser.Event? {
    do { return try parser.next(&input) } catch { throw Self.upstream(error) }
  }

  private mutating func endOfInput() throws(UpstreamError) -> ResponseParser.Event? {
    do { return try parser.inputEnded() } catch { throw Self.upstream(error) }
  }

  private mutating func take(_ event: ResponseParser.Event) throws(UpstreamError) -> HTTPClientResponse? {
    switch event {
    case .head(let head):
      self.head = head
      try body.begin(head.headers, isStream: call.stream != nil)
      call.stream?.began(head)
      return nil
    case .body(let piece):
      guard let stream = call.stream else {
        try body.append(piece)
        return nil
      }
      if !stream.received(piece) { call.pauseReading() }
      return nil
    case .end:
      guard let head else { return nil }
      let decoded = try body.finish()
      return HTTPClientResponse(
        status: head.status, headers: head.headers, body: decoded, wireBodyBytes: body.wireBytes,
        reusedConnection: isReused)
    }
  }

  private static func upstream(_ error: HTTPError) -> UpstreamError {
    switch error {
    case .bodyTooLarge(let limit): .responseTooLarge(limit: limit)
    case .closedBeforeResponse: .closedBeforeResponse
    default: .malformedResponse(error)
    }
  }
}
