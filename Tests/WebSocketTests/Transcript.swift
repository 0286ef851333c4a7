import WebSocket

/// An event with its payload copied, so that it outlives the machine.
enum Recorded: Equatable {
  case text([UInt8])
  case binary([UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(UInt16?, String)
  case error(RemoteError)

  init(_ event: borrowing WebSocketConnection.Event) {
    switch copy event {
    case .message(.text, let payload): self = .text(Array(payload))
    case .message(.binary, let payload): self = .binary(Array(payload))
    case .ping(let payload): self = .ping(Array(payload))
    case .pong(let payload): self = .pong(Array(payload))
    case .close(let code, let reason): self = .close(code?.rawValue, reason)
    }
  }

  static func text(_ text: String) -> Recorded { .text(Array(text.utf8)) }
}

/// All that came out of a machine: what it told, what it owes, where it stands.
struct Transcript: Equatable {
  var events: [Recorded] = []
  var output: [UInt8] = []
  var state = WebSocketConnection.State.open
}

let roomy = WebSocketLimits(messageBytes: 1 << 20, fragments: 1000, replyBytes: 4096)

extension WebSocketConnection {
  /// Feeds one chunk, from memory of its own, and adds what came out to `events`.
  mutating func feed(_ chunk: [UInt8], _ events: inout [Recorded]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: chunk)
    var input = memory
    do throws(RemoteError) {
      while let event = try next(&input) { events.append(Recorded(event)) }
    } catch {
      events.append(.error(error))
    }
    if !input.isEmpty { events.append(.text("\(input.count) bytes were not consumed")) }
  }

  mutating func feed(_ chunk: [UInt8]) -> [Recorded] {
    var events: [Recorded] = []
    feed(chunk, &events)
    return events
  }
}

/// The transcript of a fresh server fed `chunks`.
func serve(
  _ chunks: [[UInt8]], limits: WebSocketLimits = roomy,
  messageExtension: (any MessageExtension)? = nil
) -> Transcript {
  var connection = WebSocketConnection(
    role: .server, limits: limits, messageExtension: messageExtension)
  return transcript(of: &connection, chunks)
}

/// The transcript of a fresh client fed `chunks`.
func receiveAsClient(_ chunks: [[UInt8]], limits: WebSocketLimits = roomy) -> Transcript {
  var connection = WebSocketConnection(role: .client(maskingSeed: 7), limits: limits)
  return transcript(of: &connection, chunks)
}

func transcript(of connection: inout WebSocketConnection, _ chunks: [[UInt8]]) -> Transcript {
  var transcript = Transcript()
  for chunk in chunks { connection.feed(chunk, &transcript.events) }
  transcript.output = connection.takeOutput()
  transcript.state = connection.state
  return transcript
}

/// A frame put together by hand, right or wrong; not by the code under test.
struct RawFrame {
  var firstByte: UInt8
  var payload: [UInt8]
  /// 7, 16 or 64 bits of length; nil: the shortest form.
  var lengthBits: Int?
  /// Declared instead of the payload's own length.
  var declaredLength: UInt64?
  var key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]

  init(_ firstByte: UInt8, _ payload: [UInt8] = []) {
    self.firstByte = firstByte
    self.payload = payload
  }

  init(_ firstByte: UInt8, _ text: String) {
    self.init(firstByte, Array(text.utf8))
  }

  func length(bits: Int) -> RawFrame {
    var frame = self
    frame.lengthBits = bits
    return frame
  }

  func declaring(_ length: UInt64) -> RawFrame {
    var frame = self
    frame.declaredLength = length
    return frame
  }

  var unmasked: RawFrame {
    var frame = self
    frame.key = nil
    return frame
  }

  var bytes: [UInt8] {
    let length = declaredLength ?? UInt64(payload.count)
    let bits = lengthBits ?? (length < 126 ? 7 : length < 65536 ? 16 : 64)
    let mask: UInt8 = key == nil ? 0 : 0x80
    var bytes = [firstByte]
    switch bits {
    case 7: bytes.append(mask | UInt8(length))
    case 16:
      bytes.append(mask | 126)
      bytes += [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
    default:
      bytes.append(mask | 127)
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(56 - 8 * $0)) }
    }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }
}

/// The Close a server answers with.
func serverClose(_ code: UInt16, _ reason: String = "") -> [UInt8] {
  let payload = [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8)
  return [0x88, UInt8(payload.count)] + payload
}

func bytes(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
