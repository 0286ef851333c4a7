// One end of a WebSocket connection (RFC 6455) after its handshake: bytes in, events out, for either
// role. It holds no socket, clock or source of randomness; a driver brings the bytes, takes the replies
// and closes the transport.
//
// Theory of operation
//
// `next` looks at the caller's bytes and takes a frame's header from them, straight from the input when
// it is whole, by way of the 14 bytes of `header` when it is cut. What the two first bytes can break is
// checked when they are there, the rest when the header is complete, so an error does not depend on how
// the bytes were cut.
//
// A payload is unmasked where it lies. If it is all there and is a message by itself, the event points
// into the caller's buffer and nothing was copied: the usual case. Otherwise it is put together in
// `buffer`: first the bytes of the message under way (what an extension encoded is decoded into it as it
// arrives), then, behind them, a control frame that came between its fragments and is cut itself. The
// control frame is removed again when it was delivered, the memory is given back when the message was. So
// a connection at rest holds nothing.
//
//         header cut          payload cut
//   ┌─── header[..<n] ──┐  ┌── frame.remaining ──┐
//   next → readHeader → openFrame → readControl ─→ deliverControl → event
//                                 └ readData (readEncoded) → finishMessage ─→ event
//
// The machine's own replies (a pong for a ping, the echo of a Close, the Close that answers a broken
// rule) wait in `output` until the driver takes them.
//
// States (§7.1): open → closing (our Close sent) → closed (both sent); open → closed when theirs came
// first, for the echo is queued at once; any → failed when the peer broke a rule.

/// What an application message is (RFC 6455 §5.6).
public enum MessageKind: UInt8, Sendable {
  case text = 1
  case binary = 2

  var opcode: Opcode { self == .text ? .text : .binary }
}

/// One end of a WebSocket connection after its handshake. Sans-I/O; see the head of this file.
///
/// ```
/// while let event = try connection.next(&input) { … }
/// if connection.hasOutput { write(connection.takeOutput()) }
/// ```
public struct WebSocketConnection: ~Copyable {
  /// Which end this is: it decides who masks (§5.1).
  public enum Role: Sendable {
    case server
    /// A client. Its masking keys come from a generator seeded here. §5.3 wants keys that a script
    /// running inside the client cannot foresee: take the seed from the system's random source, a new
    /// one for each connection.
    case client(maskingSeed: UInt64)
  }

  /// Where the closing handshake stands (§7.1).
  public enum State: UInt8, Sendable {
    /// Messages pass both ways.
    case open
    /// Our Close was sent; the peer's messages are still delivered, its pings no longer answered.
    case closing
    /// Both Close frames were sent: a server closes the transport now, a client waits for that (§7.1.1).
    case closed
    /// The peer broke a rule; when the output was written, close the transport (§7.1.7).
    case failed
  }

  /// What the peer sent. Payloads are valid until the next call of `next`.
  public enum Event {
    /// A whole message, all fragments together; text is valid UTF-8.
    case message(MessageKind, UnsafeRawBufferPointer)
    /// At most 125 bytes. The pong is already in the output.
    case ping(UnsafeRawBufferPointer)
    /// At most 125 bytes.
    case pong(UnsafeRawBufferPointer)
    /// The peer's Close, the last event. The echo is already in the output. No code: its payload was
    /// empty (§7.1.5 calls that 1005).
    case close(CloseCode?, reason: String)
  }

  /// What an event left in `buffer`, to be removed by the next call.
  enum Delivered: UInt8 {
    case nothing
    /// The control frame at the end, `frame.controlLength` bytes.
    case controlFrame
    /// The whole buffer.
    case message
  }

  /// The frame whose payload is being read.
  struct Frame {
    var maskingKey = MaskingKey(0)
    /// Bytes of the payload that have not come yet.
    var remaining: UInt32 = 0
    var firstByte: UInt8 = 0
    /// The whole payload of a control frame; 0 in others.
    var controlLength: UInt8 = 0
    /// Whether the header was read, and the payload not to its end.
    var isOpen = false

    var isFinal: Bool { firstByte & FrameHeader.finBit != 0 }
    var opcodeBits: UInt8 { firstByte & FrameHeader.opcodeBits }
    var isControl: Bool { opcodeBits & 0x8 != 0 }
  }

  /// The message whose fragments are being read; `kind` nil: none.
  struct Message {
    var frames: UInt32 = 0
    var kind: MessageKind?
    /// Whether RSV1 was set: the extension decodes it.
    var isEncoded = false
    /// Bytes at the end of `buffer` that begin an unfinished scalar.
    var unfinishedBytes: UInt8 = 0
  }

  // In an order without gaps: 96 bytes in all, for there is one per client.
  let messageExtension: (any MessageExtension)?
  var output: [UInt8] = []
  var buffer = AssemblyBuffer()
  var maskingState: UInt64
  let limits: WebSocketLimits
  var frame = Frame()
  var headerCount: UInt8 = 0
  var message = Message()
  var header = InlineArray<14, UInt8>(repeating: 0)
  var delivered = Delivered.nothing
  let isClient: Bool

  public internal(set) var state = State.open

  /// - Parameter messageExtension: what the handshake negotiated; nil: RSV1 is refused.
  public init(
    role: Role, limits: WebSocketLimits, messageExtension: (any MessageExtension)? = nil
  ) {
    self.limits = limits
    self.messageExtension = messageExtension
    switch role {
    case .server:
      isClient = false
      maskingState = 0
    case .client(let seed):
      isClient = true
      maskingState = seed
    }
  }

  /// Whether there are replies to take.
  public var hasOutput: Bool { !output.isEmpty }

  /// The replies the machine owes (pongs, the Close that answers a Close or a broken rule). They are to
  /// be written before anything that is sent later.
  public mutating func takeOutput() -> [UInt8] {
    let taken = output
    output = []
    return taken
  }

  /// How many bytes of memory the machine holds beside itself. 0 between frames, when the output was
  /// taken and no fragmented message is under way; what an extension keeps from message to message comes on top.
  public var heldBytes: Int {
    buffer.capacity + output.capacity + (messageExtension?.heldBytes ?? 0)
  }
}
