// HTTP/1.1 requests as a server reads them (RFC 9112): heads, bodies, chunks, pipelines, targets.
//
// Invariant: bytes give events or one `HTTPError`, nothing else, and the same ones however they are cut; an
// error is given again by every later call. A body is no longer than the limit. A request that was read,
// written by our encoder and read again, is the same. A target has segments and a query, or a typed error;
// no segment leads upwards; what percent-encoding took off, put on again, comes off the same.

import HTTP1

struct MessageTranscript<Head: Equatable>: Equatable {
  struct Message: Equatable {
    var head: Head
    var body: [UInt8] = []
    var isComplete = false
  }
  var messages: [Message] = []
  var error: HTTPError?
}

func fuzzRequests(_ input: FuzzInput) throws {
  var input = input
  let isTight = input.choice() & 1 != 0
  let limits =
    isTight
    ? HTTPLimits(lineBytes: 64, headBytes: 256, headerCount: 4, bodyBytes: 100)
    : HTTPLimits(lineBytes: 8_192, headBytes: 16_384, headerCount: 100, bodyBytes: 65_536)
  let cuts = input.cuts()
  let whole = try readRequests(Cuts.whole(input.rest), limits)
  let cut = try readRequests(cuts.pieces(of: input.rest), limits)
  try requireEqual(whole, cut, "the cut makes a difference")
  for message in whole.messages {
    try require(message.body.count <= limits.bodyBytes, "a body of \(message.body.count) bytes")
    try checkTarget(message.head)
    if message.isComplete { try writeAgain(message) }
  }
}

private func readRequests(
  _ pieces: [[UInt8]], _ limits: HTTPLimits
) throws -> MessageTranscript<RequestHead> {
  var parser = RequestParser(limits: limits)
  var transcript = MessageTranscript<RequestHead>()
  for piece in pieces {
    try piece.withUnsafeBytes { bytes in
      var rest = bytes
      do throws(HTTPError) {
        while let event = try parser.next(&rest) { note(event, in: &transcript) }
      } catch {
        try require(transcript.error ?? error == error, "first \(transcript.error!), then \(error)")
        try require((400...599).contains(error.status), "\(error) is answered with \(error.status)")
        transcript.error = error
      }
      try require(rest.isEmpty || transcript.error != nil, "\(rest.count) bytes were left")
    }
  }
  let isBetween = transcript.messages.last?.isComplete ?? true
  if parser.isIdle { try require(isBetween && transcript.error == nil, "idle within a request") }
  return transcript
}

private func note(_ event: RequestParser.Event, in transcript: inout MessageTranscript<RequestHead>) {
  let last = transcript.messages.count - 1
  switch event {
  case .head(let head): transcript.messages.append(.init(head: head))
  case .body(let piece): transcript.messages[last].body += piece
  case .end: transcript.messages[last].isComplete = true
  }
}

private func writeAgain(_ message: MessageTranscript<RequestHead>.Message) throws {
  var message = message
  // It is written in origin form, whatever it came in.
  message.head.targetAuthority = nil
  var bytes: [UInt8] = []
  try RequestEncoder.encode(message.head, into: &bytes)
  if message.head.headers.contains("Transfer-Encoding") {
    ChunkedEncoding.append(message.body, into: &bytes)
    ChunkedEncoding.end(into: &bytes)
  } else {
    bytes += message.body
  }
  // Each colon gets a blank behind it, and so a head may grow.
  let limits = HTTPLimits(lineBytes: 1 << 16, headBytes: 1 << 17, headerCount: 100, bodyBytes: 1 << 16)
  let again = try readRequests([bytes], limits)
  try require(again.error == nil, "written again it is refused: \(again.error!)")
  try requireEqual(again.messages, [message], "written again it is something else")
}

private func checkTarget(_ head: RequestHead) throws {
  if let segments = try? head.pathSegments() {
    for segment in segments {
      try require(segment != "..", "a segment leads upwards: \(head.target)")
      try require(!segment.utf8.contains(UInt8(ascii: "/")), "a segment with a slash: \(head.target)")
      let encoded = PercentEncoding.encode(segment)
      let again = try PercentEncoding.decode(encoded.utf8.span, plusIsSpace: true)
      try requireEqual(Array(again.utf8), Array(segment.utf8), "percent-encoding")
    }
  }
  _ = try? head.queryItems()
  _ = (head.keepAlive, head.expectContinue, head.host, head.asksToUpgrade(to: "websocket"))
}
