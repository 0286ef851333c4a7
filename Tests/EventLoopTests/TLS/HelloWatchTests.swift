import TestSupport
import Testing

@testable import EventLoop

@Suite struct HelloWatchTests {
  private func allows(_ pieces: [ArraySlice<UInt8>]) -> Bool {
    var watch = HelloWatch()
    for piece in pieces {
      guard piece.withUnsafeBytes({ watch.allows($0) }) else { return false }
    }
    return true
  }

  @Test(
    arguments: [
      ([0x16, 3, 1, 0, 4, 1, 0, 0x40, 0], true), ([0x16, 3, 1, 0, 4, 1, 0, 0x40, 1], false),
      // A record without content, and one of another type, between the pieces of the message's header.
      ([0x16, 3, 1, 0, 2, 1, 0, 0x16, 3, 1, 0, 0, 0x14, 3, 3, 0, 1, 1, 0x16, 3, 1, 0, 2, 0xFF, 0xFF], false),
      // Two messages in a record: the second one is too long.
      ([0x16, 3, 1, 0, 9, 1, 0, 0, 1, 7, 1, 1, 0, 0], false),
      // Not a record of the handshake: whatever is in it is no message.
      ([0x17, 3, 3, 0, 4, 1, 0xFF, 0xFF, 0xFF], true),
    ] as [([UInt8], Bool)])
  func lengths(_ bytes: [UInt8], _ expected: Bool) {
    #expect(allows([bytes[...]]) == expected)
    #expect(allows(bytes.indices.map { bytes[$0...$0] }) == expected)
  }

  /// Where the bytes are cut makes no difference, and none of them traps.
  @Test func anyBytesInAnyPieces() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
      // Short records of few types, so that many are whole.
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let count = UInt8.random(in: 0...12, using: &generator)
        bytes += [UInt8.random(in: 0x14...0x17, using: &generator), 3, 3, 0, count]
        for _ in 0..<count { bytes.append(UInt8.random(in: 0...2, using: &generator)) }
      }
      var pieces: [ArraySlice<UInt8>] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...7, using: &generator))
        pieces.append(piece)
        rest = rest.dropFirst(piece.count)
      }
      #expect(allows([bytes[...]]) == allows(pieces), "\(bytes)")
    }
  }
}
