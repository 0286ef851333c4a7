import HTTP1
import Ledger
import WebSocket

// Frames as events of an event stream: built out of the WebSocket frames that the loop has anyway, when the first
// stream asks for them, and shared by all that do.

extension ServerSentEventEncoder {
  private static let typePrefix = Array("{\"type\":\"".utf8)

  /// A whole text frame as one event, by its type.
  /// - Parameter id: where a client stands that has had it.
  static func append(frame: [UInt8], id: ResumePoint?, into out: inout [UInt8]) {
    let json = frame[WebSocketFrame.payloadStart(of: frame)...]
    let type = frameType(of: frame)
    // It fails only for a type or an epoch that we would never use.
    try? encode(
      event: type.isEmpty ? nil : String(decoding: type, as: UTF8.self), id: id?.description, data: json,
      into: &out)
  }

  /// The value of `type`, which every frame of ours begins with.
  static func frameType(of frame: [UInt8]) -> ArraySlice<UInt8> {
    let json = frame[WebSocketFrame.payloadStart(of: frame)...]
    guard json.starts(with: typePrefix) else { return [] }
    return json.dropFirst(typePrefix.count).prefix { $0 != 34 }
  }
}

/// What of a chunk was made into events.
struct EventSelections {
  struct Selection: Hashable {
    var mask: UInt64
    /// Whether clients may resume from these frames.
    var hasIDs: Bool
  }
  fileprivate var known: [Selection: [UInt8]] = [:]

  mutating func removeAll() {
    if !known.isEmpty { known.removeAll(keepingCapacity: true) }
  }
}

extension Chunk {
  /// The frames of the mask as events, laid end to end in their order.
  /// - Parameter epoch: where clients may resume from these frames: of their ids.
  mutating func events(for mask: UInt64, epoch: String?) -> [UInt8] {
    let selection = EventSelections.Selection(mask: mask, hasIDs: epoch != nil)
    if let known = events.known[selection] { return known }
    var out: [UInt8] = []
    if mask & (mask &- 1) == 0 {
      let index = mask.trailingZeroBitCount
      let id = epoch.map { ResumePoint(epoch: $0, revision: revisions[index]) }
      ServerSentEventEncoder.append(frame: frames[index], id: id, into: &out)
    } else {
      var rest = mask
      while rest != 0 {
        out += events(for: rest & (~rest &+ 1), epoch: epoch)
        rest &= rest &- 1
      }
    }
    events.known[selection] = out
    return out
  }
}

extension Subscription.Since {
  /// - Parameter text: as a request gives it; nil or empty: not at all.
  init(_ text: String?) {
    guard let text, !text.isEmpty else {
      self = .absent
      return
    }
    self = ResumePoint(parsing: text).map { .point($0) } ?? .foreign
  }
}
