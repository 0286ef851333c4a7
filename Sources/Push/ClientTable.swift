import EventLoop

/// What the fan-out touches of each client, side by side in memory: marking and sending a frame that is taken at once
/// costs one line of cache a client, and no client object is looked at, counted or locked for it.
///
/// By ``ConnectionID/index``, which belongs to a client until its connection has closed.
struct ClientTable: ~Copyable {
  struct Slot {
    /// Which frames of the open chunk the client is to get.
    var mask: UInt64 = 0
    /// When the client was last sent a message.
    var lastSent: LoopInstant
    /// It has everything up to the shard's revision: it is marked.
    var isLive = true
    /// It gets the frames' bytes as all others do: not compressed, not as batches.
    var isPlain: Bool
  }

  private var array = SlotArray<Slot>()
  private var clients: ContiguousArray<PushClient?> = []
  private(set) var count = 0

  var slots: UnsafeMutablePointer<Slot> { array.slots }

  subscript(index: Int) -> PushClient? { index < clients.count ? clients[index] : nil }

  var all: [PushClient] { clients.compactMap(\.self) }

  mutating func insert(_ client: PushClient, now: LoopInstant) {
    let index = client.index
    if index >= clients.count { grow(to: index + 1, now: now) }
    clients[index] = client
    slots[index] = Slot(lastSent: now, isPlain: client.isPlain)
    count += 1
  }

  /// - Returns: false when another client, or none, is there.
  mutating func remove(_ client: PushClient) -> Bool {
    guard self[client.index] === client else { return false }
    clients[client.index] = nil
    slots[client.index].mask = 0
    slots[client.index].isLive = false
    count -= 1
    return true
  }

  private mutating func grow(to needed: Int, now: LoopInstant) {
    array.grow(to: needed, filling: Slot(lastSent: now, isLive: false, isPlain: false))
    clients.append(contentsOf: repeatElement(nil, count: array.count - clients.count))
  }
}
