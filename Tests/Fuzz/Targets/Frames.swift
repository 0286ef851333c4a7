// WebSocket frames (RFC 6455), in either role.
//
// Invariant: bytes give events or one `RemoteError`, nothing else, and the same ones however they are cut.
// What is held stays within the limits, and nothing is held at rest. A message that was delivered, sent
// again by the other role, is delivered again the same.

@testable import WebSocket

private struct FrameOptions {
  let isClient: Bool
  let limits: WebSocketLimits
  /// Take the replies only at the end of a piece, so that they pile up.
  let takesLate: Bool

  init(_ choice: UInt8) {
    isClient = choice & 1 != 0
    takesLate = choice & 2 != 0
    let messageBytes = choice & 4 == 0 ? 65_536 : 300
    limits = WebSocketLimits(
      messageBytes: messageBytes, fragments: choice & 8 == 0 ? 1_000 : 3, replyBytes: 256)
  }

  func machine(isClient: Bool) -> WebSocketConnection {
    WebSocketConnection(role: isClient ? .client(maskingSeed: 7) : .server, limits: limits)
  }

  /// Twice the longest message with a control frame behind it, the replies, and an array's rounding up.
  var heldBytesMaximum: Int { 2 * (limits.messageBytes + 125) + 2 * (limits.replyBytes + 139) + 64 }
}

/// An event with its own copy of the payload.
enum FrameEvent: Equatable {
  case message(MessageKind, [UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(CloseCode?, String)

  init(_ event: WebSocketConnection.Event) {
    switch event {
    case .message(let kind, let payload): self = .message(kind, Array(payload))
    case .ping(let payload): self = .ping(Array(payload))
    case .pong(let payload): self = .pong(Array(payload))
    case .close(let code, let reason): self = .close(code, reason)
    }
  }
}

struct FrameTranscript: Equatable {
  var events: [FrameEvent] = []
  var error: RemoteError?
  var replies: [UInt8] = []
}

func fuzzFrames(_ input: FuzzInput) throws {
  var input = input
  let options = FrameOptions(input.choice())
  let cuts = input.cuts()
  let whole = try receive(Cuts.whole(input.rest), options)
  var cut = try receive(cuts.pieces(of: input.rest), options)
  // Which pongs give way to newer ones depends on when they are taken.
  if options.takesLate { cut.replies = whole.replies }
  try requireEqual(whole, cut, "the cut makes a difference")
  try sendAgain(whole.events, options)
}

private func receive(_ pieces: [[UInt8]], _ options: FrameOptions) throws -> FrameTranscript {
  var machine = options.machine(isClient: options.isClient)
  var transcript = FrameTranscript()
  for var piece in pieces {
    try piece.withUnsafeMutableBytes { bytes in
      var rest = bytes
      do throws(RemoteError) {
        while let event = try machine.next(&rest) {
          transcript.events.append(FrameEvent(event))
          if !options.takesLate { transcript.replies += machine.takeOutput() }
        }
      } catch {
        try require(transcript.error == nil, "a second error: \(error)")
        try require(machine.state == .failed, "an error, and the state is \(machine.state)")
        transcript.error = error
      }
      try require(rest.isEmpty, "\(rest.count) bytes were left")
    }
    try require(machine.heldBytes <= options.heldBytesMaximum, "\(machine.heldBytes) bytes are held")
    transcript.replies += machine.takeOutput()
  }
  if machine.state == .closed || machine.state == .failed {
    try require(machine.heldBytes == 0, "\(machine.heldBytes) bytes are held at the end")
  }
  return transcript
}

private func sendAgain(_ events: [FrameEvent], _ options: FrameOptions) throws {
  var sender = options.machine(isClient: !options.isClient)
  var bytes: [UInt8] = []
  for event in events {
    switch event {
    case .message(let kind, let payload):
      try payload.withUnsafeBytes { try sender.send(kind, $0, into: &bytes) }
    case .ping(let payload): try sender.ping(payload, into: &bytes)
    case .pong(let payload): try sender.pong(payload, into: &bytes)
    case .close(let code, let reason): try sender.close(code, reason: reason, into: &bytes)
    }
  }
  let again = try receive([bytes], options)
  try requireEqual(again.events, events, "sent again it is something else")
  try require(again.error == nil, "sent again it is refused: \(String(describing: again.error))")
}
