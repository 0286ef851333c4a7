import Ledger
import WebSocket

/// How messages to a client are compressed.
enum ClientCompression {
  case none
  /// Each by itself: the bytes serve all clients with the same window.
  case shared(windowBits: UInt8)
  /// With what was sent before (context takeover): for this client alone.
  case own

  init(_ parameters: DeflateParameters?) {
    guard let parameters else {
      self = .none
      return
    }
    self =
      parameters.serverNoContextTakeover
      ? .shared(windowBits: UInt8(clamping: parameters.serverMaxWindowBits)) : .own
  }
}

extension PushClient {
  /// The frames of the open chunk that the mask selects, as this client gets them.
  func frames(_ mask: UInt64) -> [UInt8] {
    switch compression {
    case .none: shard.chunk.bytes(for: mask)
    case .shared(let bits): shard.chunk.bytes(for: mask, windowBits: bits, shard.deflatePool)
    case .own: shard.chunk.selection(mask).reduce(into: []) { $0 += compressed($1) }
    }
  }

  /// The same as `batch` messages.
  func batches(_ selection: BatchSelections.ID) -> [[UInt8]] {
    switch compression {
    case .none: shard.batches.messages(selection, windowBits: nil, shard.deflatePool)
    case .shared(let bits): shard.batches.messages(selection, windowBits: bits, shard.deflatePool)
    case .own: shard.batches.messages(selection, windowBits: nil, shard.deflatePool).map { compressed($0) }
    }
  }

  /// A whole text frame as this client gets it. To be written in the order of the calls: with context takeover
  /// each message may refer to those before it.
  func compressed(_ frame: [UInt8]) -> [UInt8] {
    switch compression {
    case .none: return frame
    case .shared(let bits):
      return WebSocketFrame.compressed(frame, windowBits: Int(bits), pool: shard.deflatePool)
    case .own:
      let start = WebSocketFrame.payloadStart(of: frame)
      // Without RSV1 it is valid as it is (RFC 7692 §6).
      guard frame.count - start >= shard.settings.compression.minimumBytes else { return frame }
      var out: [UInt8] = []
      frame.withUnsafeBytes {
        // It only fails after a Close, when nothing may follow.
        try? machine.send(.text, UnsafeRawBufferPointer(rebasing: $0[start...]), into: &out)
      }
      return out
    }
  }
}

/// What of a chunk was compressed, for clients that share it.
struct CompressedSelections {
  struct Selection: Hashable {
    var mask: UInt64
    var windowBits: UInt8
  }
  fileprivate var frames: [Selection: [UInt8]] = [:]
  /// The frames that are long enough to be compressed, of the first `examined`.
  fileprivate var long: UInt64 = 0
  fileprivate var examined = 0

  mutating func removeAll() {
    if !frames.isEmpty { frames.removeAll(keepingCapacity: true) }
    long = 0
    examined = 0
  }
}

extension Chunk {
  /// ``bytes(for:)`` with each frame compressed that pays; without one they are the same bytes.
  mutating func bytes(for mask: UInt64, windowBits: UInt8, _ pool: DeflatePool) -> [UInt8] {
    examineLengths(pool.settings.minimumBytes)
    guard mask & compressed.long != 0 else { return bytes(for: mask) }
    let selection = CompressedSelections.Selection(mask: mask, windowBits: windowBits)
    if let known = compressed.frames[selection] { return known }
    var out: [UInt8] = []
    if mask & (mask &- 1) == 0 {
      out = WebSocketFrame.compressed(
        frames[mask.trailingZeroBitCount], windowBits: Int(windowBits), pool: pool)
    } else {
      var rest = mask
      while rest != 0 {
        let bit = rest & (~rest &+ 1)
        out += bytes(for: bit, windowBits: windowBits, pool)
        rest ^= bit
      }
    }
    compressed.frames[selection] = out
    return out
  }

  private mutating func examineLengths(_ minimumBytes: Int) {
    while compressed.examined < frames.count {
      let frame = frames[compressed.examined]
      if frame.count - WebSocketFrame.payloadStart(of: frame) >= minimumBytes {
        compressed.long |= 1 << UInt64(compressed.examined)
      }
      compressed.examined += 1
    }
  }
}
