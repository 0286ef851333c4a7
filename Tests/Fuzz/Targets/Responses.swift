// HTTP/1.1 responses as a client reads them (RFC 9112), to GET or to HEAD.
//
// Invariant: bytes, and then the peer's closing, give one response or one `HTTPError`, nothing else, and the
// same however they are cut; what lies behind the response is left alone. A body is no longer than the limit.
// A response that was read, written by our encoder and read again, is the same.

import HTTP1

private struct Reading: Equatable {
  var transcript = MessageTranscript<ResponseHead>()
  var isReusable = false
  var left: [UInt8] = []
}

func fuzzResponses(_ input: FuzzInput) throws {
  var input = input
  let choice = input.choice()
  let method = choice & 1 == 0 ? "GET" : "HEAD"
  let limits =
    choice & 2 != 0
    ? HTTPLimits(lineBytes: 64, headBytes: 256, headerCount: 4, bodyBytes: 100)
    : HTTPLimits(lineBytes: 8_192, headBytes: 16_384, headerCount: 100, bodyBytes: 65_536)
  let cuts = input.cuts()
  var whole = try read(Cuts.whole(input.rest), method, limits)
  var cut = try read(cuts.pieces(of: input.rest), method, limits)
  if case .bodyTooLarge = whole.transcript.error {
    // How much of it came before it was too long depends on the cut.
    for index in whole.transcript.messages.indices { whole.transcript.messages[index].body = [] }
    for index in cut.transcript.messages.indices { cut.transcript.messages[index].body = [] }
  }
  try requireEqual(whole, cut, "the cut makes a difference")
  guard whole.transcript.error == nil, let message = whole.transcript.messages.first else { return }
  try require(whole.transcript.messages.count == 1, "\(whole.transcript.messages.count) responses")
  try require(message.isComplete, "neither an end nor an error")
  try require(message.body.count <= limits.bodyBytes, "a body of \(message.body.count) bytes")
  try writeAgain(message, method)
}

private func read(_ pieces: [[UInt8]], _ method: String, _ limits: HTTPLimits) throws -> Reading {
  var parser = ResponseParser(method: method, limits: limits)
  var reading = Reading()
  for piece in pieces {
    try piece.withUnsafeBytes { bytes in
      var rest = bytes
      do throws(HTTPError) {
        while let event = try parser.next(&rest) { note(event, in: &reading.transcript) }
      } catch {
        return try note(error, in: &reading.transcript)
      }
      try require(rest.isEmpty || parser.isComplete, "\(rest.count) bytes were left")
      reading.left += rest
    }
  }
  do throws(HTTPError) {
    if let event = try parser.inputEnded() { note(event, in: &reading.transcript) }
  } catch {
    try note(error, in: &reading.transcript)
  }
  reading.isReusable = parser.isReusable
  return reading
}

private func note(_ error: HTTPError, in transcript: inout MessageTranscript<ResponseHead>) throws {
  try require(transcript.error ?? error == error, "first \(transcript.error!), then \(error)")
  transcript.error = error
}

private func note(_ event: ResponseParser.Event, in transcript: inout MessageTranscript<ResponseHead>) {
  let last = transcript.messages.count - 1
  switch event {
  case .head(let head): transcript.messages.append(.init(head: head))
  case .body(let piece): transcript.messages[last].body += piece
  case .end: transcript.messages[last].isComplete = true
  }
}

private func writeAgain(_ message: MessageTranscript<ResponseHead>.Message, _ method: String) throws {
  var message = message
  var bytes: [UInt8] = []
  try ResponseEncoder.encode(message.head, into: &bytes)
  // A response to HEAD, and one without content, may speak of a chunked body that is not there.
  if message.head.headers.contains("Transfer-Encoding"), method != "HEAD", hasContent(message.head) {
    ChunkedEncoding.append(message.body, into: &bytes)
    ChunkedEncoding.end(into: &bytes)
  } else {
    bytes += message.body
  }
  let limits = HTTPLimits(lineBytes: 1 << 16, headBytes: 1 << 17, headerCount: 100, bodyBytes: 1 << 16)
  let again = try read([bytes], method, limits)
  try require(again.transcript.error == nil, "written again it is refused: \(again.transcript.error!)")
  try requireEqual(again.transcript.messages, [message], "written again it is something else")
}

private func hasContent(_ head: ResponseHead) -> Bool {
  head.status >= 200 && head.status != 204 && head.status != 304
}
