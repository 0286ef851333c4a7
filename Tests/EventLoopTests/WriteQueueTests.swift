import Glibc
import Testing

@testable import EventLoop

@Suite struct WriteQueueTests {
  /// Against one flat array: random appends, and drops of whatever was described.
  @Test(arguments: 1...10) func agreesWithAFlatArray(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var queue = WriteQueue()
    var spare: ContiguousArray<ContiguousArray<[UInt8]>> = []
    var model: [UInt8] = []
    let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: 64)
    defer { vectors.deallocate() }
    for round in 0..<2_000 {
      let chunk = pattern(Int(generator.next() % 50) + 1, seed: generator.next())
      let offset = queue.isEmpty ? Int(generator.next() % UInt64(chunk.count)) : 0
      queue.append(chunk, from: offset, spare: &spare)
      model += chunk[offset...]
      guard round % 500 > 150 || generator.next() % 3 == 0 else { continue }
      let limit = Int(generator.next() % 300) + 1
      let (count, bytes) = queue.describe(to: vectors, maximum: 64, byteLimit: limit)
      let described = UnsafeBufferPointer(start: vectors, count: count)
        .flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) }
      #expect(described == Array(model.prefix(bytes)))
      #expect(bytes == min(limit, model.count) || count == 64)
      let dropped = Int(generator.next() % UInt64(bytes + 1))
      queue.drop(dropped, spare: &spare)
      model.removeFirst(dropped)
      #expect(queue.isEmpty == model.isEmpty)
    }
    #expect(spare.count <= 256)
  }
}
