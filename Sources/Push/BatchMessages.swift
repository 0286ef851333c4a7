import WebSocket

/// What clients that want batches are to get of a turn, which may be longer than a chunk.
///
/// A selection is what was picked of the chunks of this turn so far: a mask of one chunk behind a selection of earlier
/// ones. Clients with the same history have the same selection, and share its messages.
struct BatchSelections {
  typealias ID = Int

  private struct Step: Hashable {
    var before: ID?
    var chunk: Int
    var mask: UInt64
  }
  private struct Rendering: Hashable {
    var selection: ID
    /// nil: not compressed.
    var windowBits: UInt8?
  }

  private var known: [Step: ID] = [:]
  private var selections: [(frames: [[UInt8]], bytes: Int)] = []
  private var rendered: [Rendering: [[UInt8]]] = [:]
  private var chunk = 0

  /// The next marks are those of another chunk.
  mutating func beginChunk() { chunk += 1 }

  /// The turn is over.
  mutating func removeAll() {
    guard !selections.isEmpty else { return }
    known.removeAll(keepingCapacity: true)
    selections.removeAll(keepingCapacity: true)
    rendered.removeAll(keepingCapacity: true)
    chunk = 0
  }

  /// - Parameter before: what was selected of earlier chunks.
  mutating func select(_ mask: UInt64, of open: Chunk, after before: ID?) -> ID {
    let step = Step(before: before, chunk: chunk, mask: mask)
    if let id = known[step] { return id }
    let added = open.selection(mask)
    var (frames, bytes) = before.map { selections[$0] } ?? ([], 0)
    frames += added
    bytes += added.reduce(0) { $0 + $1.count }
    let id = selections.count
    selections.append((frames, bytes))
    known[step] = id
    return id
  }

  /// Whether it fills a message.
  func isFull(_ id: ID) -> Bool { selections[id].bytes >= PushSettings.batchBytes }

  /// Whole text frames, for all who have the selection.
  mutating func messages(_ id: ID, windowBits: UInt8?, _ pool: DeflatePool) -> [[UInt8]] {
    let rendering = Rendering(selection: id, windowBits: windowBits)
    if let known = rendered[rendering] { return known }
    var built = BatchFrames.build(selections[id].frames)
    if let windowBits {
      built = built.map { WebSocketFrame.compressed($0, windowBits: Int(windowBits), pool: pool) }
    }
    rendered[rendering] = built
    return built
  }
}

/// `{"type":"batch","frames":[…]}` messages of at most 64 KiB made of whole text frames.
enum BatchFrames {
  static func build(_ frames: [[UInt8]]) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var body: [UInt8] = []
    for frame in frames {
      let json = frame[WebSocketFrame.payloadStart(of: frame)...]
      if !body.isEmpty, body.count + json.count + 3 > PushSettings.batchBytes { close(&body, &messages) }
      if body.isEmpty { body.append("{\"type\":\"batch\",\"frames\":[") } else { body.append(44) }
      body.append(contentsOf: json)
    }
    if !body.isEmpty { close(&body, &messages) }
    return messages
  }

  private static func close(_ body: inout [UInt8], _ messages: inout [[UInt8]]) {
    body.append("]}")
    messages.append(WebSocketFrame.text(body))
    body = []
  }
}
