/// Takes the framing off a body (RFC 9112 §6, §7). Pieces are handed out where they lie in the input.
struct BodyDecoder {
  enum Event {
    case piece(Bytes)
    case end
  }

  private enum State {
    case length(remaining: Int)
    case untilClose
    case chunkSize
    case chunkData(remaining: Int)
    case chunkEnd(carriageReturnSeen: Bool)
    case trailers(FieldSection)
    case done
  }

  private var state: State
  private var received = 0
  private var extensionBytes = 0

  init(_ framing: BodyFraming) {
    switch framing {
    case .none: state = .done
    case .length(let length): state = length == 0 ? .done : .length(remaining: length)
    case .chunked: state = .chunkSize
    case .untilClose: state = .untilClose
    }
  }

  /// Whether the peer's closing is this body's regular end.
  var endsAtClose: Bool {
    if case .untilClose = state { true } else { false }
  }

  /// Whether only `end` is left to be told.
  var isDone: Bool {
    if case .done = state { true } else { false }
  }

  /// nil: the input is used up.
  mutating func next(
    _ input: inout Bytes, _ lines: inout LineReader, _ limits: HTTPLimits
  ) throws(HTTPError) -> Event? {
    while true {
      switch state {
      case .done:
        return .end
      case .untilClose:
        guard !input.isEmpty else { return nil }
        try count(input.count, limits)
        return .piece(input.takeFirst(input.count))
      case .length(let remaining):
        guard let piece = take(&input, remaining) else { return nil }
        state = piece.count == remaining ? .done : .length(remaining: remaining - piece.count)
        return .piece(piece)
      case .chunkSize:
        guard try readChunkSize(&input, &lines, limits) else { return nil }
      case .chunkData(let remaining):
        guard let piece = take(&input, remaining) else { return nil }
        state =
          piece.count == remaining
          ? .chunkEnd(carriageReturnSeen: false) : .chunkData(remaining: remaining - piece.count)
        return .piece(piece)
      case .chunkEnd(let carriageReturnSeen):
        guard try readChunkEnd(&input, carriageReturnSeen) else { return nil }
      case .trailers(var section):
        guard let line = try section.next(&input, &lines, limits) else { return nil }
        // §7.1.2: trailers may be dropped; nothing here merges them into the headers.
        if case .end = line { state = .done } else { state = .trailers(section) }
      }
    }
  }

  private func take(_ input: inout Bytes, _ remaining: Int) -> Bytes? {
    input.isEmpty ? nil : input.takeFirst(remaining)
  }

  private mutating func count(_ bytes: Int, _ limits: HTTPLimits) throws(HTTPError) {
    guard bytes <= limits.bodyBytes - received else { throw .bodyTooLarge(limit: limits.bodyBytes) }
    received += bytes
  }

  private mutating func readChunkSize(
    _ input: inout Bytes, _ lines: inout LineReader, _ limits: HTTPLimits
  ) throws(HTTPError) -> Bool {
    let tooLong = HTTPError.chunkLineTooLong(limit: limits.lineBytes)
    guard
      let header = try lines.next(
        &input, limit: limits.lineBytes, tooLong: tooLong, ChunkHeader.parse)
    else { return false }
    // §7.1.1: their total is limited too, or a peer could talk for ever with one byte a chunk.
    guard header.extensionBytes <= limits.lineBytes - extensionBytes else {
      throw .chunkExtensionsTooLong(limit: limits.lineBytes)
    }
    extensionBytes += header.extensionBytes
    try count(header.size, limits)
    state =
      header.size == 0
      ? .trailers(FieldSection(limits, keepsFields: false)) : .chunkData(remaining: header.size)
    return true
  }

  private mutating func readChunkEnd(
    _ input: inout Bytes, _ carriageReturnSeen: Bool
  ) throws(HTTPError) -> Bool {
    guard let byte = input.takeFirst(1).first else { return false }
    let expected = carriageReturnSeen ? Grammar.lineFeed : Grammar.carriageReturn
    guard byte == expected else { throw .chunkNotTerminated }
    state = carriageReturnSeen ? .chunkSize : .chunkEnd(carriageReturnSeen: true)
    return true
  }
}
