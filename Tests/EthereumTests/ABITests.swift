import Ethereum
import Testing

@Suite struct ABITests {
  /// As published; balanceOf and the rest of ERC-20 in every block explorer.
  @Test(
    arguments: [
      (ABI.Selector.balanceOf, 0x70a0_8231), (.decimals, 0x313c_e567), (.symbol, 0x95d8_9b41),
      (.name, 0x06fd_de03),
      (.totalSupply, 0x1816_0ddd), (.arbBlockNumber, 0xa3b1_b31d), (.latestRoundData, 0xfeaf_968c),
      (.description, 0x7284_e416), (.error, 0x08c3_79a0), (.panic, 0x4e48_7b71), (.aggregate3, 0x82ad_56cb),
      (.getEthBalance, 0x4d23_01cc), (.getBlockNumber, 0x42cb_b15c), (.getLastBlockHash, 0x27e8_6d6e),
      (.getCurrentBlockTimestamp, 0x0f28_c97d), (.getChainId, 0x3408_e470),
      // The Contract ABI specification's own example.
      (ABI.Selector("baz(uint32,bool)"), 0xcdcd_77c0),
    ] as [(ABI.Selector, UInt32)])
  func selectors(selector: ABI.Selector, code: UInt32) {
    #expect(selector.code == code)
    #expect(ABI.encode(selector) == Array(word(UInt64(code))[28...]))
  }

  @Test func topics() {
    #expect(
      ABI.Topic.transfer.description == "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
    #expect(
      ABI.Topic.deposit.description == "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c")
    #expect(
      ABI.Topic.withdrawal.description
        == "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65")
  }

  /// The specification's example: `baz(69, true)`.
  @Test func staticArguments() {
    #expect(
      ABI.encode(ABI.Selector("baz(uint32,bool)"), 69, 1)
        == hex("cdcd77c0") + word(69) + word(1))
  }

  @Test func balanceOf() throws {
    let owner = try Address(parsing: "0xd8da6bf26964af9d7eed9e03e53415d37aa96045")
    let expected = "70a08231000000000000000000000000d8da6bf26964af9d7eed9e03e53415d37aa96045"
    #expect(ABI.balanceOf(owner) == hex(expected))
    #expect(Array(Multicall3.getEthBalance(owner)[4...]) == owner.word.bigEndianBytes)
  }

  @Test func aWordIsTheFirstThirtyTwoBytes() throws {
    #expect(try ABIDecoder(word(7)).uint256() == 7)
    #expect(try ABIDecoder(word(7) + word(9)).uint256() == 7)
    #expect(try ABIDecoder(word(7) + word(9)).uint256(at: 32) == 9)
    for count in 0..<32 {
      #expect(throws: ABIError.truncated(needed: 32, available: count)) {
        try ABIDecoder([UInt8](repeating: 1, count: count)).uint256()
      }
    }
    #expect(throws: ABIError.self) { try ABIDecoder(word(7)).uint256(at: 1) }
    #expect(throws: ABIError.self) { try ABIDecoder(word(7)).uint256(at: .max) }
    #expect(throws: ABIError.self) { try ABIDecoder(word(7)).uint256(at: -1) }
  }

  @Test func narrowTypesKeepToTheirWidth() throws {
    #expect(try ABIDecoder(word(0)).bool() == false)
    #expect(try ABIDecoder(word(1)).bool() == true)
    #expect(throws: ABIError.outOfRange) { try ABIDecoder(word(2)).bool() }
    #expect(throws: ABIError.outOfRange) { try ABIDecoder(maximumWord).bool() }
    #expect(throws: ABIError.outOfRange) { try ABIDecoder(maximumWord).uint64() }
    #expect(throws: ABIError.outOfRange) { try ABIDecoder(maximumWord).address() }
    #expect(try ABIDecoder(word(5)).address() == Address(high: 0, middle: 0, low: 5))
    #expect(try ABIDecoder(maximumWord).bytes32() == Bytes32(.max))
  }

  @Test(
    arguments: [
      (word(32) + word(3) + [0x44, 0x41, 0x49] + [UInt8](repeating: 0, count: 29), "DAI"),
      // Padding that is missing, and bytes that follow.
      (word(32) + word(3) + [0x44, 0x41, 0x49], "DAI"), (word(32) + word(3) + Array("DAIxyz".utf8), "DAI"),
      (word(32) + word(0), ""), (word(0) + word(9), ""),
      (word(64) + word(9) + word(3) + Array("DAI".utf8), "DAI"),
      // bytes32, as MKR has it.
      (hex("4d4b520000000000000000000000000000000000000000000000000000000000"), "MKR"),
      ([UInt8](repeating: 0x41, count: 32), String(repeating: "A", count: 32)), (word(0), ""),
    ] as [([UInt8], String)])
  func texts(data: [UInt8], expected: String) throws {
    #expect(Array(try ABIDecoder(data).text(limit: 64)) == Array(expected.utf8))
    // The same in the middle of something larger.
    let slice = ([1, 2, 3] + data)[3...]
    #expect(Array(try ABIDecoder(slice).text(limit: 64)) == Array(expected.utf8))
  }

  @Test(
    arguments: [
      [], [0x44], [UInt8](repeating: 0, count: 31), [UInt8](repeating: 0x41, count: 33),
      maximumWord + word(3),
      word(64) + word(3), word(33) + word(3), word(32) + word(1), word(32) + maximumWord,
      word(32) + word(UInt64(Int.max)) + word(0), word(32) + word(1 << 63) + word(0),
      word(UInt64(Int.max)) + word(1),
      word(.max) + word(1), word(32) + word(4) + [0x44, 0x41, 0x49],
    ] as [[UInt8]])
  func brokenTexts(data: [UInt8]) {
    #expect(throws: ABIError.self) { try ABIDecoder(data).text(limit: 64) }
  }

  @Test func anOffsetNeedsAWholeWordBehindIt() {
    for offset: UInt64 in [33, 63, 64, 65] {
      #expect(throws: ABIError.outOfBounds) { try ABIDecoder(word(offset) + word(0)).dynamicBytes() }
    }
    for (head, base) in [(0, -1), (0, 65), (0, Int.max), (0, 64)] {
      #expect(throws: ABIError.outOfBounds) {
        try ABIDecoder(word(32) + word(0)).dynamicBytes(head: head, base: base)
      }
    }
  }

  @Test func longTextsAreRefused() {
    let data = word(32) + word(65) + [UInt8](repeating: 0x41, count: 96)
    #expect(throws: ABIError.tooLong(found: 65, limit: 64)) { try ABIDecoder(data).text(limit: 64) }
  }

  @Test func revertReasons() {
    let text = word(32) + word(4) + Array("nope".utf8)
    #expect(ABI.revertReason(hex("08c379a0") + text, limit: 100) == "nope")
    #expect(ABI.revertReason(hex("4e487b71") + word(0x11), limit: 100) == "panic 0x11")
    for data in [[], [8], hex("08c379a0"), hex("08c379a0") + maximumWord + word(0), hex("4e487b71"), text] {
      #expect(ABI.revertReason(data, limit: 100) == nil)
    }
  }

  @Test func chainlinkRounds() throws {
    func round(_ answer: [UInt8], _ updatedAt: UInt64) -> [UInt8] {
      word(7) + answer + word(1) + word(updatedAt) + word(7)
    }
    let data = round(word(301_152_000_000), 1_763_805_600)
    let decoded = try ABI.ChainlinkRound(decoding: data[...])
    #expect(decoded == ABI.ChainlinkRound(answer: 301_152_000_000, updatedAt: 1_763_805_600))
    for end in data.indices {
      #expect(throws: ABIError.self) { try ABI.ChainlinkRound(decoding: data[..<end]) }
    }
    for bad in [round(word(0), 1), round(maximumWord, 1), round(word(1), 0)] {
      #expect(throws: ABIError.outOfRange) { try ABI.ChainlinkRound(decoding: bad[...]) }
    }
  }
}
