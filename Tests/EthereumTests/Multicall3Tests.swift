import Ethereum
import Testing

@Suite struct Multicall3Tests {
  /// Encoded with eth_abi: four results, the last of them a revert with the reason "nope".
  private let reply =
    word(32) + word(4) + word(0x80) + word(0x100) + word(0x160) + word(0x220)
    + word(1) + word(0x40) + word(32) + word(25_000_000)
    + word(0) + word(0x40) + word(0)
    + word(1) + word(0x40) + word(96) + word(32) + word(14)
    + hex("44616920537461626c65636f696e000000000000000000000000000000000000")
    + word(0) + word(0x40) + word(100) + hex("08c379a0") + word(32) + word(4)
    + hex("6e6f706500000000000000000000000000000000000000000000000000000000")
    + [UInt8](repeating: 0, count: 28)

  /// Encoded with eth_abi.
  @Test func calls() throws {
    let owner = try Address(parsing: "0xd8da6bf26964af9d7eed9e03e53415d37aa96045")
    let token = try Address(parsing: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")
    let data = Multicall3.aggregate3([
      .init(target: token, data: ABI.balanceOf(owner)),
      .init(target: Multicall3.canonicalAddress, allowFailure: false, data: ABI.encode(.getBlockNumber)),
      .init(target: Chain.arbSys, data: []),
    ])
    let padding = [UInt8](repeating: 0, count: 28)
    var expected = hex("82ad56cb") + word(32) + word(3) + word(0x60) + word(0x120) + word(0x1c0)
    expected += token.word.bigEndianBytes + word(1) + word(0x60) + word(0x24)
    expected += hex("70a08231") + owner.word.bigEndianBytes + padding
    expected += Multicall3.canonicalAddress.word.bigEndianBytes + word(0) + word(0x60) + word(4)
    expected += hex("42cbb15c") + padding
    expected += word(0x64) + word(1) + word(0x60) + word(0)
    #expect(data == expected)
    #expect(Multicall3.aggregate3([]) == hex("82ad56cb") + word(32) + word(0))
  }

  @Test func theCanonicalAddress() {
    #expect(Multicall3.canonicalAddress.checksummed == "0xcA11bde05977b3631167028862bE2a173976CA11")
  }

  @Test func results() throws {
    #expect(reply.count == 832)
    let results = try Multicall3.decodeAggregate3(reply, count: 4, limit: 1024)
    #expect(results.map(\.success) == [true, false, true, false])
    #expect(results.map(\.data.count) == [32, 0, 96, 100])
    #expect(try ABIDecoder(results[0].data).uint256() == 25_000_000)
    #expect(TokenText.clean(try ABIDecoder(results[2].data).text(limit: 64), limit: 64) == "Dai Stablecoin")
    #expect(ABI.revertReason(Array(results[3].data), limit: 64) == "nope")
    // What follows is ignored, as Solidity does.
    #expect(try Multicall3.decodeAggregate3(reply + [1, 2, 3], count: 4, limit: 1024) == results)
    #expect(try Multicall3.decodeAggregate3(word(32) + word(0), count: 0, limit: 1024).isEmpty)
  }

  @Test func longAnswersAreCutOff() throws {
    let results = try Multicall3.decodeAggregate3(reply, count: 4, limit: 40)
    #expect(results.map(\.data.count) == [32, 0, 40, 40])
    #expect(results.map(\.success) == [true, false, true, false])
  }

  @Test func anotherNumberOfResultsIsRefused() {
    for count in [0, 3, 5, 1 << 40] {
      #expect(throws: ABIError.elementCount(found: 4, expected: count)) {
        try Multicall3.decodeAggregate3(reply, count: count, limit: 1024)
      }
    }
  }

  /// The last 28 bytes are padding, which may be missing; short of them every length is refused.
  @Test func truncatedAnywhere() {
    for end in 0..<(reply.count - 28) {
      #expect(throws: ABIError.self) {
        try Multicall3.decodeAggregate3(Array(reply[..<end]), count: 4, limit: 1024)
      }
    }
    for end in (reply.count - 28)...reply.count {
      #expect(throws: Never.self) {
        try Multicall3.decodeAggregate3(Array(reply[..<end]), count: 4, limit: 1024)
      }
    }
  }

  /// Every word replaced by numbers that overflow, point outside or count too much: refused, or read inside
  /// the data.
  @Test func hostileWords() {
    let hostile: [[UInt8]] = [
      maximumWord, word(.max), word(UInt64(Int.max)), word(1 << 63), word(1 << 32), word(UInt64(reply.count)),
      word(UInt64(reply.count) - 32), word(UInt64(reply.count) - 31), word(0), word(1), word(31), word(33),
    ]
    for position in stride(from: 0, through: reply.count - 32, by: 32) {
      for replacement in hostile {
        var data = reply
        data.replaceSubrange(position..<(position + 32), with: replacement)
        do throws(ABIError) {
          let results = try Multicall3.decodeAggregate3(data, count: 4, limit: 1024)
          #expect(results.allSatisfy { $0.data.count <= data.count })
          for result in results { _ = try? ABIDecoder(result.data).text(limit: 64) }
        } catch {
          #expect(!error.description.isEmpty)
        }
      }
    }
  }

  /// A count that fits the caller's expectation but not the data allocates nothing.
  @Test func hugeCounts() {
    for count in [1 << 20, 1 << 40, Int.max] {
      #expect(throws: ABIError.outOfBounds) {
        try Multicall3.decodeAggregate3(word(32) + word(UInt64(count)), count: count, limit: 1024)
      }
    }
  }

  /// Many results that share their bytes are slices, not copies.
  @Test func sharedTails() throws {
    let count = 1000
    var data = word(32) + word(UInt64(count))
    for _ in 0..<count { data += word(UInt64(count) * 32) }
    data += word(1) + word(0x40) + word(3200) + [UInt8](repeating: 7, count: 3200)
    let results = try Multicall3.decodeAggregate3(data, count: count, limit: 4096)
    #expect(results.count == count)
    #expect(results.allSatisfy { $0.data.startIndex == results[0].data.startIndex && $0.data.count == 3200 })
  }
}
