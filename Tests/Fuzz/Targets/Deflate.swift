// permessage-deflate (RFC 7692): the parameters of its handshake, and compressed messages.
//
// Invariant: any bytes as the payload of a compressed message give a message within the limit or one
// `RemoteError`, nothing else; what is held stays within the limits. How they are cut into frames and the frames
// into pieces makes no difference, but for which of two errors comes first, and for the two breaches that
// ``RawInflater`` says it may overlook. Messages that one end compressed, with windows kept or not, are the same at
// the other. Any parameters are refused or written again the same, and what a server answers to offers, a client
// that made them takes with the same meaning.

@testable import WebSocket

func fuzzDeflate(_ input: FuzzInput) throws {
  var input = input
  let choice = input.choice()
  let cuts = input.cuts()
  let options = DeflateOptions(choice)
  try checkDecoding(input.rest, cuts, options)
  try checkRoundTrip(input.rest, cuts, options)
  try checkParameters(String(decoding: input.rest, as: UTF8.self), options)
}

private struct DeflateOptions {
  let parameters: DeflateParameters
  let settings: DeflateSettings
  let limits: WebSocketLimits
  /// May go unseen, depending on the cut. Nothing reaches beyond the whole window, nor inflates to more than 1,032
  /// times its size.
  let mayBeOverlooked: [RemoteError]

  init(_ choice: UInt8) {
    let bits = 9 + Int(choice & 3) * 2
    let ratio = choice & 64 == 0 ? 1_032 : 20
    mayBeOverlooked = (bits < 15 ? [.extensionDataInvalid] : []) + (ratio < 1_032 ? [.inflationRatio] : [])
    parameters = DeflateParameters(
      serverNoContextTakeover: choice & 4 != 0, clientNoContextTakeover: choice & 8 != 0,
      serverMaxWindowBits: bits, clientMaxWindowBits: bits)
    settings = DeflateSettings(
      minimumBytes: 0, contextTakeover: choice & 16 == 0, windowBits: bits, level: 1, inflationRatio: ratio)
    limits = WebSocketLimits(
      messageBytes: choice & 32 == 0 ? 1 << 20 : 1_000, fragments: 1 << 16, replyBytes: 256)
  }

  func machine(_ role: PerMessageDeflate.Role) -> WebSocketConnection {
    WebSocketConnection(
      role: role == .server ? .server : .client(maskingSeed: 3), limits: limits,
      messageExtension: PerMessageDeflate(parameters, role: role, pool: DeflatePool(settings)))
  }

  /// Twice the longest message, the windows of both directions, and the replies.
  var heldBytesMaximum: Int { 2 * limits.messageBytes + 400_000 }
}

private struct Received: Equatable {
  var messages: [[UInt8]] = []
  var error: RemoteError?
}

/// As a client: its peer's frames are not masked.
private func receive(_ pieces: [[UInt8]], _ options: DeflateOptions) throws -> Received {
  var machine = options.machine(.client)
  var received = Received()
  for var piece in pieces {
    piece.withUnsafeMutableBytes { bytes in
      var rest = bytes
      do throws(RemoteError) {
        while let event = try machine.next(&rest) {
          if case .message(_, let payload) = event { received.messages.append(Array(payload)) }
        }
      } catch {
        received.error = error
      }
    }
    _ = machine.takeOutput()
    try require(machine.heldBytes <= options.heldBytesMaximum, "\(machine.heldBytes) bytes are held")
  }
  for message in received.messages {
    try require(message.count <= options.limits.messageBytes, "a message of \(message.count) bytes")
  }
  return received
}

private func frames(_ fragments: [[UInt8]]) -> [UInt8] {
  var bytes: [UInt8] = []
  for (index, fragment) in fragments.enumerated() {
    FrameHeader.encodeHeader(
      opcode: index == 0 ? .binary : .continuation, fin: index == fragments.count - 1, rsv1: index == 0,
      length: fragment.count, into: &bytes)
    bytes += fragment
  }
  return bytes
}

private func checkDecoding(_ payload: ArraySlice<UInt8>, _ cuts: Cuts, _ options: DeflateOptions) throws {
  let whole = try receive([frames([Array(payload)])], options)
  let fragments = payload.isEmpty ? [[]] : cuts.pieces(of: payload)
  let stream = frames(fragments)
  for (cut, what) in [([stream], "fragments"), (cuts.pieces(of: stream[...]), "cut")] {
    let other = try receive(cut, options)
    if options.mayBeOverlooked.contains(where: { $0 == other.error || $0 == whole.error }) { continue }
    // A long frame is refused by its header, before its bytes can be found wrong.
    if other.error != nil, whole.error != nil, [other.error, whole.error].contains(.messageTooBig) {
      try requireEqual(other.messages, whole.messages, "the \(what) make a difference")
      continue
    }
    try requireEqual(other, whole, "the \(what) make a difference")
  }
}

private func checkRoundTrip(_ bytes: ArraySlice<UInt8>, _ cuts: Cuts, _ options: DeflateOptions) throws {
  var sender = options.machine(.server)
  var stream: [UInt8] = []
  var messages: [[UInt8]] = []
  for message in bytes.split(separator: 0xFF, omittingEmptySubsequences: false)
  where message.count <= options.limits.messageBytes {
    try message.withUnsafeBytes { try sender.send(.binary, $0, into: &stream) }
    messages.append(Array(message))
  }
  let received = try receive(cuts.pieces(of: stream[...]), options)
  // Text that repeats is a bomb by a ratio of 20.
  if received.error == .inflationRatio, options.mayBeOverlooked.contains(.inflationRatio) { return }
  try require(received.error == nil, "what we sent is refused: \(received.error!)")
  try requireEqual(received.messages, messages, "what we sent is something else")
}

private func checkParameters(_ text: String, _ options: DeflateOptions) throws {
  guard let offers = ExtensionOffer.list(in: ["Sec-WebSocket-Extensions": text]) else { return }
  for offer in offers {
    guard let parsed = try? DeflateOffer(offer) else { continue }
    try requireEqual(try DeflateOffer(parsed.extensionOffer), parsed, "written again it is something else")
    guard let agreement = options.settings.accept([parsed.extensionOffer]) else { continue }
    let agreed = try parsed.agreed([agreement.answer])
    try require(agreed != nil, "the answer is not understood: \(agreement.answer.headerValue)")
    if let agreed {
      // Where it may use a larger window than it does, it need not say so.
      try require(
        agreed.serverMaxWindowBits >= agreement.parameters.serverMaxWindowBits, "the server's window")
      try require(
        agreed.clientMaxWindowBits <= agreement.parameters.clientMaxWindowBits, "the client's window")
      try requireEqual(
        [agreed.serverNoContextTakeover, agreed.clientNoContextTakeover],
        [agreement.parameters.serverNoContextTakeover, agreement.parameters.clientNoContextTakeover],
        "context takeover")
    }
  }
  _ = options.settings.accept(offers)
  _ = try? DeflateOffer().agreed(offers)
}
