import Ethereum
import Testing

@Suite struct HexTests {
  @Test(
    arguments: [("0x", []), ("0x00", [0]), ("0xDeadBEEF", [0xDE, 0xAD, 0xBE, 0xEF])] as [(String, [UInt8])])
  func data(text: String, bytes: [UInt8]) throws {
    #expect(try Hex.decode(text) == bytes)
    #expect(Hex.encode(bytes) == text.lowercased())
  }

  @Test(
    arguments: [
      ("", .missingPrefix), ("0", .missingPrefix), ("00", .missingPrefix), ("0x0", .oddLength),
      ("0xg0", .invalidDigit(offset: 2)), ("0x0g", .invalidDigit(offset: 3)),
      ("0x00é", .invalidDigit(offset: 4)),
      ("0x:/", .invalidDigit(offset: 2)), ("0x@`", .invalidDigit(offset: 2)),
    ] as [(String, HexError)])
  func whatIsNoData(text: String, error: HexError) {
    #expect(throws: error) { try Hex.decode(text) }
    #expect(!error.description.isEmpty)
  }

  @Test func everyByteIsADigitOrNot() {
    for byte in UInt8.min...UInt8.max {
      let character = Character(Unicode.Scalar(byte))
      let expected = byte < 128 ? character.hexDigitValue.map { UInt8($0) } : nil
      #expect(Hex.nibble(byte) == expected)
    }
  }
}
