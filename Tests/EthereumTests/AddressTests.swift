import Ethereum
import Testing

/// The examples of EIP-55.
let checksummed = [
  "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
  "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
  "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]

@Suite struct AddressTests {
  @Test(arguments: checksummed) func eip55(text: String) throws {
    let address = try Address(parsing: text)
    #expect(address.checksummed == text)
    #expect(address.lowercase == text.lowercased())
    #expect(try Address(parsing: text.lowercased()) == address)
    #expect(try Address(parsing: "0X" + text.dropFirst(2).uppercased()) == address)
    #expect(try Address(parsing: "0X" + text.dropFirst(2)) == address)
  }

  /// Any single letter in the wrong case is noticed, unless the text is left without mixed case.
  @Test(arguments: checksummed) func aWrongChecksumIsRefused(text: String) {
    for offset in 2..<42 {
      var bytes = Array(text.utf8)
      guard bytes[offset] >= 0x41 else { continue }
      bytes[offset] ^= 0x20
      let wrong = String(decoding: bytes, as: UTF8.self)
      let digits = wrong.dropFirst(2)
      guard digits.contains(where: \.isUppercase), digits.contains(where: \.isLowercase) else { continue }
      #expect(throws: AddressError.badChecksum) { try Address(parsing: wrong) }
    }
  }

  @Test(
    arguments: [
      ("", .missingPrefix), ("0", .missingPrefix),
      ("d8da6bf26964af9d7eed9e03e53415d37aa96045", .missingPrefix),
      ("1xd8da6bf26964af9d7eed9e03e53415d37aa96045", .missingPrefix), ("0x", .wrongLength(digits: 0)),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa9604", .wrongLength(digits: 39)),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa960455", .wrongLength(digits: 41)),
      ("0xg8da6bf26964af9d7eed9e03e53415d37aa96045", .invalidDigit(offset: 2)),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa9604 ", .invalidDigit(offset: 41)),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa960é", .invalidDigit(offset: 40)),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa960\0\0", .invalidDigit(offset: 40)),
    ] as [(String, AddressError)])
  func whatIsNoAddress(text: String, error: AddressError) {
    #expect(throws: error) { try Address(parsing: text) }
  }

  @Test func words() throws {
    let text = "0xd8da6bf26964af9d7eed9e03e53415d37aa96045"
    let address = try Address(parsing: text)
    let padded = hex("000000000000000000000000d8da6bf26964af9d7eed9e03e53415d37aa96045")
    #expect(address.word.bigEndianBytes == padded)
    #expect(address.bytes == Array(padded[12...]))
    #expect(Address(word: address.word) == address)
    #expect(Address(bytes: padded.span, at: 12) == address)
    #expect(Address(bytes: padded.span, at: 13) == nil)
    #expect(Address(bytes: padded.span, at: -1) == nil)
    #expect(Address(bytes: padded.span, at: .max) == nil)
    #expect(Address(word: .max) == nil)
    #expect(Address(word: UInt256(0, 1 << 32, 0, 0)) == nil)
    #expect(Address(word: UInt256(1, 0, 0, 0)) == nil)
    #expect(try Address(parsing: "0x" + String(repeating: "0", count: 40)) == .zero)
  }

  @Test func theOrderIsThatOfTheText() throws {
    let texts = checksummed.map { $0.lowercased() }
    let addresses = try texts.map { try Address(parsing: $0) }
    #expect(addresses.sorted().map(\.lowercase) == texts.sorted())
  }
}
