/// Where a frame or message that came in pieces is put together. Owns its memory, has a stable address
/// between changes, and owns none while empty.
///
/// It grows by what arrived, at most to twice of it: a header that declares a long payload makes nothing
/// grow, so that many connections with one byte each cannot be made expensive.
public struct AssemblyBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var count32: UInt32 = 0
  private var capacity32: UInt32 = 0

  init() {
    base = nil
  }

  deinit {
    base?.deallocate()
  }

  public var count: Int { Int(count32) }
  var capacity: Int { Int(capacity32) }
  var isEmpty: Bool { count32 == 0 }

  /// The bytes held; valid until the next change.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: count)
  }

  /// Appends what `fill` writes into the memory behind the bytes. There is room for one byte at least, unless
  /// `limit` bytes are held; memory is taken for no more than `limit`.
  ///
  /// - Parameters:
  ///   - expected: how much there might be, in bytes.
  ///   - limit: below 2³².
  ///   - fill: says how many bytes it wrote, from the front.
  mutating func appendInPlace(
    expected: Int, upTo limit: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
  ) {
    if count == capacity, count < limit {
      reallocate(min(limit, base == nil ? max(256, expected) : 2 * capacity))
    }
    let room = UnsafeMutableRawBufferPointer(
      start: base?.advanced(by: count), count: max(0, min(capacity, limit) - count))
    count32 += UInt32(min(room.count, max(0, fill(room))))
  }

  /// Appends a copy of `chunk`. `expected` more bytes are declared to follow: room for them is made
  /// only as far as it doubles what is there.
  ///
  /// The caller keeps `count` below 2³¹ (its limits are).
  public mutating func append(_ chunk: UnsafeRawBufferPointer, expected: Int) {
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
    reallocate(min(wanted, Int(UInt32.max)))
  }

  private mutating func reallocate(_ target: Int) {
    let grown = UnsafeMutableRawPointer.allocate(byteCount: target, alignment: 16)
    if let base {
      grown.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = grown
    capacity32 = UInt32(target)
  }
}
