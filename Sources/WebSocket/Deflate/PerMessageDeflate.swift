// permessage-deflate (RFC 7692) for one connection, either end.
//
// Theory of operation
//
// A message is inflated as it arrives, straight into the buffer in which the machine puts messages together, so
// that the limits and the UTF-8 check apply to what came so far. Only its first bytes are gathered before: whoever
// begins a message and leaves it there is not worth a zlib stream, and most messages are inflated in one call.
//
// For each direction the handshake said whether the window lives on from message to message. Where it does, this
// object holds a zlib stream of its own. Where it does not, the stream is the pool's: borrowed for one call to
// compress, and to inflate a message from the piece that is not gathered any more to the last. So a connection at rest without context
// takeover holds nothing but this object.

/// What a connection with permessage-deflate holds between messages: this object, 64 bytes, and for each direction
/// with context takeover a zlib stream. To send with a window of n bits: 2^(n+2) + 2^(n+2) + 6 KB, 38 KB for the
/// default of 12 bits, 268 KB for 15. To receive: 2^n + 7 KB, 11 KB for 12 bits, 39 KB for 15. They are made for the
/// first message that is compressed.
public final class PerMessageDeflate: MessageExtension {
  public enum Role: Sendable { case server, client }

  private let pool: DeflatePool
  private let sendWindowBits: UInt8
  private let receiveWindowBits: UInt8
  private let keepsSendWindow: Bool
  private let keepsReceiveWindow: Bool
  private var deflater: Deflater?
  /// Our own with context takeover; else the pool's, while a message is under way.
  private var inflater: RawInflater?
  /// The beginning of a message, as it came, until there is an inflater.
  private var gathered: [UInt8] = []
  static let gatheredBytes = 4_096

  /// - Parameter pool: of the loop that the connection lives on; its settings say how to compress.
  public init(_ parameters: DeflateParameters, role: Role, pool: DeflatePool) {
    self.pool = pool
    let server = (parameters.serverMaxWindowBits, !parameters.serverNoContextTakeover)
    let client = (parameters.clientMaxWindowBits, !parameters.clientNoContextTakeover)
    let (sending, receiving) = role == .server ? (server, client) : (client, server)
    sendWindowBits = UInt8(clamping: min(sending.0, pool.settings.windowBits))
    // An inflater with a larger window takes what was made with a smaller one.
    receiveWindowBits = UInt8(clamping: max(receiving.0, DeflateParameters.windowBitsMinimum))
    keepsSendWindow = sending.1
    keepsReceiveWindow = receiving.1
  }

  public var heldBytes: Int {
    (deflater?.heldBytes ?? 0) + (inflater?.heldBytes ?? 0) + gathered.capacity
  }

  public func release() {
    deflater = nil
    inflater = nil
    gathered = []
  }

  // MARK: Receiving

  public func decode(
    _ piece: UnsafeRawBufferPointer, isLast: Bool, into message: inout AssemblyBuffer, limit: Int
  ) throws(RemoteError) {
    guard inflater != nil || isLast || gathered.count + piece.count > Self.gatheredBytes else {
      gathered.append(contentsOf: piece)
      return
    }
    guard let inflater = inflater ?? makeInflater() else { throw .messageTooBig }
    self.inflater = inflater
    do throws(RemoteError) {
      if !gathered.isEmpty {
        let beginning = gathered
        gathered = []
        try beginning.withUnsafeBufferPointer { (bytes) throws(RemoteError) in
          let bytes = UnsafeRawBufferPointer(bytes)
          try inflate(bytes, isLast: false, with: inflater, into: &message, limit: limit)
        }
      }
      try inflate(piece, isLast: isLast, with: inflater, into: &message, limit: limit)
    } catch {
      switch error {
      case .messageTooBig: pool.statistics.refusedSize &+= 1
      case .inflationRatio: pool.statistics.refusedRatio &+= 1
      default: pool.statistics.refusedData &+= 1
      }
      throw error
    }
  }

  private func inflate(
    _ piece: UnsafeRawBufferPointer, isLast: Bool, with inflater: RawInflater,
    into message: inout AssemblyBuffer, limit: Int
  ) throws(RemoteError) {
    let bounds = RawInflater.Bounds(messageBytes: limit, ratio: pool.settings.inflationRatio)
    try inflater.inflate(piece, into: &message, bounds)
    // Blocks that hold nothing could go on for ever.
    let wireBytes = inflater.messageBytesIn
    if wireBytes > WebSocketLimits.encodedBytes(messageBytes: limit) { throw .messageTooBig }
    guard isLast else { return }
    try inflater.finish(into: &message, bounds)
    pool.statistics.inflatedMessages &+= 1
    pool.statistics.inflatedBytesIn &+= UInt64(wireBytes)
    pool.statistics.inflatedBytesOut &+= UInt64(message.count)
    guard !keepsReceiveWindow else { return }
    self.inflater = nil
    pool.giveBack(inflater)
  }

  private func makeInflater() -> RawInflater? {
    keepsReceiveWindow ? RawInflater(windowBits: Int(receiveWindowBits)) : pool.takeInflater()
  }

  // MARK: Sending

  /// nil below the minimum, where compressing does not pay, and where the other end allows a window of 8 bits
  /// only, which zlib can't do: a message may always go as it is.
  public func encode(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
    guard keepsSendWindow else { return pool.compress(message, windowBits: Int(sendWindowBits)) }
    guard message.count >= pool.settings.minimumBytes,
      sendWindowBits >= DeflateParameters.windowBitsMinimum
    else { return nil }
    let deflater =
      deflater ?? Deflater(windowBits: Int(sendWindowBits), level: pool.settings.level)
    self.deflater = deflater
    return pool.count(message, deflater?.compress(message))
  }
}
