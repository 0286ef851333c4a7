/// Where a frame or message that came in pieces is put together. Owns its memory, has a stable address
/// between changes, and owns none while empty.
///
/// It grows by what arrived, at most to twice of it: a header that declares a long payload makes nothing
/// grow, so that many connections with one byte each cannot be made expensive.
struct AssemblyBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var count32: UInt32 = 0
  private var capacity32: UInt32 = 0

  init() {
    base = nil
  }

  deinit {
    base?.deallocate()
  }

  var count: Int { Int(count32) }
  var capacity: Int { Int(capacity32) }
  var isEmpty: Bool { count32 == 0 }

  /// The bytes held; valid until the next change.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: count)
  }

  /// Appends a copy of `chunk`. `expected` more bytes are declared to follow: room for them is made
  /// only as far as it doubles what is there.
  ///
  /// The caller keeps `count` below 2³¹ (its limits are).
  mutating func append(_ chunk: UnsafeRawBufferPointer, expected: Int) {
    guard let source = chunk.baseAddress, !chunk.isEmpty else { return }
    let needed = count + chunk.count
    if needed > capacity { grow(needed: needed, expected: expected) }
    base?.advanced(by: count).copyMemory(from: source, byteCount: chunk.count)
    count32 = UInt32(needed)
  }

  mutating func removeLast(_ bytes: Int) {
    count32 -= UInt32(min(bytes, count))
  }

  /// Gives the memory back.
  mutating func release() {
    base?.deallocate()
    base = nil
    count32 = 0
    capacity32 = 0
  }

  private mutating func grow(needed: Int, expected: Int) {
    // The first time no more than declared; then by doubling, so that many small pieces cost little.
    let wanted = base == nil ? min(needed + expected, max(256, 2 * needed)) : max(needed, 2 * capacity)
    let target = min(wanted, Int(UInt32.max))
    let grown = UnsafeMutableRawPointer.allocate(byteCount: target, alignment: 16)
    if let base {
      grown.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = grown
    capacity32 = UInt32(target)
  }
}
