import HTTP1
import TestSupport
import Testing

/// Everything that came out of a parser, body pieces joined, so that it doesn't depend on the cutting.
enum Step: Equatable {
  case request(RequestHead)
  case response(ResponseHead)
  case body(String)
  case end
  case failed(HTTPError)
}

extension [Step] {
  mutating func appendBody(_ piece: UnsafeRawBufferPointer) {
    let text = String(decoding: piece, as: UTF8.self)
    #expect(!piece.isEmpty)
    if case .body(let before) = last {
      self[count - 1] = .body(before + text)
    } else {
      append(.body(text))
    }
  }
}

extension HTTPLimits {
  /// Roomy enough for every case that is not about a limit.
  static let test = HTTPLimits(lineBytes: 512, headBytes: 2048, headerCount: 20, bodyBytes: 4096)
}

/// Bytes behind a message that make neither an event nor an error.
let trailingBytes = Array("GET /next HT".utf8)

/// All events of all requests in the chunks. Expects that a parser that threw stays dead.
func readRequests(_ chunks: [[UInt8]], limits: HTTPLimits = .test) -> [Step] {
  var parser = RequestParser(limits: limits)
  var steps: [Step] = []
  do throws(HTTPError) {
    for chunk in chunks { try feed(chunk, to: &parser, &steps) }
  } catch {
    steps.append(.failed(error))
    #expect(throws: error) { try feed(Array("GET / HTTP/1.1\r\n".utf8), to: &parser, &steps) }
    #expect(!parser.isIdle)
  }
  return steps
}

private func feed(
  _ chunk: [UInt8], to parser: inout RequestParser, _ steps: inout [Step]
) throws(HTTPError) {
  try chunk.withUnsafeBufferPointer { buffer throws(HTTPError) in
    var input = UnsafeRawBufferPointer(buffer)
    while let event = try parser.next(&input) {
      switch event {
      case .head(let head): steps.append(.request(head))
      case .body(let piece): steps.appendBody(piece)
      case .end: steps.append(.end)
      }
    }
    #expect(input.isEmpty, "nil means that all was taken")
  }
}

/// What came out of one response, and the bytes behind it that were not taken.
struct ResponseTranscript: Equatable {
  var steps: [Step] = []
  var leftover = ""
  var isReusable = false
}

/// - Parameter closes: whether the peer closes behind the chunks.
func readResponse(
  _ chunks: [[UInt8]], to method: String = "GET", closes: Bool = false, limits: HTTPLimits = .test
) -> ResponseTranscript {
  var parser = ResponseParser(method: method, limits: limits)
  var result = ResponseTranscript()
  do throws(HTTPError) {
    for chunk in chunks { try feed(chunk, to: &parser, &result) }
    if closes, try parser.inputEnded() != nil { result.steps.append(.end) }
  } catch {
    result.steps.append(.failed(error))
    #expect(throws: error) { try feed([0x20], to: &parser, &result) }
    #expect(throws: error) { _ = try parser.inputEnded() }
  }
  result.isReusable = parser.isReusable
  return result
}

private func feed(
  _ chunk: [UInt8], to parser: inout ResponseParser, _ result: inout ResponseTranscript
) throws(HTTPError) {
  try chunk.withUnsafeBufferPointer { buffer throws(HTTPError) in
    var input = UnsafeRawBufferPointer(buffer)
    while let event = try parser.next(&input) {
      switch event {
      case .head(let head): result.steps.append(.response(head))
      case .body(let piece): result.steps.appendBody(piece)
      case .end: result.steps.append(.end)
      }
    }
    #expect(input.isEmpty || parser.isComplete, "nil means that all was taken")
    result.leftover += String(decoding: input, as: UTF8.self)
  }
}
