// Event streams, `text/event-stream` (WHATWG HTML §9.2.6), as a client reads them.
//
// Invariant: bytes give events or the one error that an event is too long, nothing else, and the same ones
// however they are cut. No event's data is longer than the limit. A message that was read, written by our
// encoder and read again, is the same.

import HTTP1

private struct Reading: Equatable {
  var events: [ServerSentEventParser.Event] = []
  var error: ServerSentEventError?
  var lastEventID = ""
}

func fuzzEventStreams(_ input: FuzzInput) throws {
  var input = input
  let eventBytesMax = 16 << Int(input.choice() & 7)
  let cuts = input.cuts()
  let whole = try read(Cuts.whole(input.rest), eventBytesMax)
  let cut = try read(cuts.pieces(of: input.rest), eventBytesMax)
  try requireEqual(whole, cut, "the cut makes a difference")
  for event in whole.events {
    guard case .message(let type, let data, let id) = event else { continue }
    // A byte that is no UTF-8 becomes three.
    try require(data.utf8.count <= 3 * eventBytesMax, "data of \(data.utf8.count) bytes")
    var bytes: [UInt8] = []
    try ServerSentEventEncoder.encode(ServerSentEvent(event: type, id: id, data: data), into: &bytes)
    let again = try read([bytes], 1 << 16)
    try requireEqual(again.events, [event], "written again it is something else")
  }
}

private func read(_ pieces: [[UInt8]], _ eventBytesMax: Int) throws -> Reading {
  var parser = ServerSentEventParser(eventBytesMax: eventBytesMax)
  var reading = Reading()
  for piece in pieces {
    try piece.withUnsafeBytes { bytes in
      var rest = bytes
      do throws(ServerSentEventError) {
        while let event = try parser.next(&rest) { reading.events.append(event) }
      } catch {
        reading.error = error
      }
      try require(rest.isEmpty || reading.error != nil, "\(rest.count) bytes were left")
    }
  }
  reading.lastEventID = parser.lastEventID
  return reading
}
