import CLinux

/// What a connection has to send: shared arrays, in order, the first one partly sent. No storage while empty.
struct WriteQueue {
  private var chunks: ContiguousArray<[UInt8]> = []
  private var firstChunk = 0
  private var firstOffset = 0

  var isEmpty: Bool { chunks.isEmpty }

  /// Appends an array that is not empty, of which `offset` bytes are sent. `spare` gives the storage.
  mutating func append(
    _ bytes: [UInt8], from offset: Int, spare: inout ContiguousArray<ContiguousArray<[UInt8]>>
  ) {
    if chunks.isEmpty {
      if let storage = spare.popLast() { chunks = storage }
      firstOffset = offset
    }
    chunks.append(bytes)
  }

  /// Describes the unsent bytes to the kernel: at most `maximum` chunks and about `byteLimit` bytes.
  ///
  /// The pointers are good until the queue changes: it keeps the arrays alive, and nobody else can change
  /// what is shared.
  func describe(
    to vectors: UnsafeMutablePointer<iovec>, maximum: Int, byteLimit: Int
  ) -> (count: Int, bytes: Int) {
    var count = 0
    var total = 0
    var offset = firstOffset
    var index = firstChunk
    while index < chunks.count, count < maximum, total < byteLimit {
      chunks[index].withUnsafeBytes { bytes in
        let length = min(bytes.count - offset, byteLimit - total)
        vectors[count] = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress?.advanced(by: offset)),
          iov_len: length)
        total += length
      }
      count += 1
      index += 1
      offset = 0
    }
    return (count, total)
  }

  /// Drops `count` bytes, which must be there, from the front.
  mutating func drop(_ count: Int, spare: inout ContiguousArray<ContiguousArray<[UInt8]>>) {
    var left = count
    while left > 0, firstChunk < chunks.count {
      let unsent = chunks[firstChunk].count - firstOffset
      guard left >= unsent else {
        firstOffset += left
        break
      }
      left -= unsent
      chunks[firstChunk] = []
      firstChunk += 1
      firstOffset = 0
    }
    if firstChunk == chunks.count {
      removeAll(spare: &spare)
    } else if firstChunk >= 64, firstChunk * 2 >= chunks.count {
      chunks.removeFirst(firstChunk)
      firstChunk = 0
    }
  }

  mutating func removeAll(spare: inout ContiguousArray<ContiguousArray<[UInt8]>>) {
    chunks.removeAll(keepingCapacity: chunks.capacity <= 64 && spare.count < 256)
    firstChunk = 0
    firstOffset = 0
    guard chunks.capacity > 0 else { return }
    var storage: ContiguousArray<[UInt8]> = []
    swap(&storage, &chunks)
    spare.append(storage)
  }
}
