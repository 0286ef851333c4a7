/// A loop's connections, by index and generation.
struct ConnectionTable {
  private struct Slot {
    var connection: Connection?
    var generation: UInt32
    var nextFree: UInt32
    /// See ``ConnectionTable/openDescriptor(at:)``.
    var openDescriptor: Int32 = -1
  }
  private static let none = UInt32.max
  private var slots: ContiguousArray<Slot> = []
  private var firstFree = none
  private(set) var count = 0

  /// The connection of that name; nil when it is gone, though its slot may be another's now.
  @inline(__always) subscript(id: ConnectionID) -> Connection? {
    let index = id.index
    guard index < slots.count, slots[index].generation == UInt32(id.rawValue >> 32) else { return nil }
    return slots[index].connection
  }

  /// The connection at that place; nil when there is none.
  func connection(at index: Int) -> Connection? { index < slots.count ? slots[index].connection : nil }

  /// The descriptor of a connection that may be sent to at once: open, without a filter, nothing queued. Else -1.
  @inline(__always) func openDescriptor(at index: Int) -> Int32 {
    index < slots.count ? slots[index].openDescriptor : -1
  }

  mutating func setOpenDescriptor(_ descriptor: Int32, at index: Int) {
    slots[index].openDescriptor = descriptor
  }

  /// Takes a slot for the connection that `make` returns.
  mutating func insert(_ make: (ConnectionID) -> Connection) -> Connection {
    if firstFree == Self.none {
      slots.append(Slot(connection: nil, generation: 1, nextFree: Self.none))
      firstFree = UInt32(slots.count - 1)
    }
    let index = firstFree
    let connection = make(ConnectionID(index: index, generation: slots[Int(index)].generation))
    firstFree = slots[Int(index)].nextFree
    slots[Int(index)].connection = connection
    count += 1
    return connection
  }

  /// Frees the slot. The next connection in it has another generation; 0 marks sources and is left out.
  mutating func remove(_ id: ConnectionID) {
    let index = id.index
    guard self[id] != nil else { return }
    slots[index].connection = nil
    slots[index].openDescriptor = -1
    slots[index].generation = max(1, slots[index].generation &+ 1)
    slots[index].nextFree = firstFree
    firstFree = UInt32(index)
    count -= 1
  }

  /// All that are open now.
  var all: [Connection] { slots.compactMap(\.connection) }
}
