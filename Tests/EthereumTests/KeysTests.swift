import Ethereum
import JSON
import Testing

@Suite struct KeysTests {
  private let wallet = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"

  @Test(arguments: [
    "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045", "eth:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045",
    "Eth:0XD8DA6BF26964AF9D7EED9E03E53415D37AA96045",
  ])
  func walletsInAnyLetterCase(text: String) throws {
    let key = try WalletKey(parsing: text)
    #expect(key.description == wallet)
    #expect(try WalletKey(parsing: key.description) == key)
    #expect(try TokenKey(parsing: text).description == wallet)
  }

  @Test(arguments: ["BSC:native", "bsc:NATIVE", "Bsc:Native"])
  func nativeCoins(text: String) throws {
    let key = try TokenKey(parsing: text)
    #expect(key.isNative)
    #expect(key == .native(try ChainCode(parsing: "BSC")))
    #expect(key.description == "BSC:native")
  }

  @Test(
    arguments: [
      ("", .missingColon), ("ETH", .missingColon),
      ("0xd8da6bf26964af9d7eed9e03e53415d37aa96045", .missingColon),
      (":0xd8da6bf26964af9d7eed9e03e53415d37aa96045", .chain(.empty)),
      ("E-H:0xd8da6bf26964af9d7eed9e03e53415d37aa96045", .chain(.invalidCharacter(offset: 1))),
      ("ETH:", .address(.missingPrefix)), ("ETH:0xZZ", .address(.wrongLength(digits: 2))),
      ("ETH::0xd8da6bf26964af9d7eed9e03e53415d37aa96045", .address(.missingPrefix)),
      ("ETH: 0xd8da6bf26964af9d7eed9e03e53415d37aa96045", .address(.missingPrefix)),
      ("ETH:0xd8Da6BF26964aF9D7eEd9e03E53415D37aA96045", .address(.badChecksum)),
      ("ETH:nativ", .address(.missingPrefix)), ("ETH:nativf", .address(.missingPrefix)),
    ] as [(String, KeyError)])
  func whatIsNoKey(text: String, error: KeyError) {
    #expect(throws: error) { try WalletKey(parsing: text) }
    #expect(throws: error) { try TokenKey(parsing: text) }
    #expect(!error.description.isEmpty)
    #expect(error.isBadChecksum == (error == .address(.badChecksum)))
  }

  @Test func aWalletIsNotNative() {
    #expect(throws: KeyError.address(.missingPrefix)) { try WalletKey(parsing: "ETH:native") }
  }

  @Test(arguments: [
    "E", "ETH", "ETH_SEPOLIA", "A1_", "EIGHTLET", "NINE_LETT", String(repeating: "Z", count: 32),
  ])
  func chainCodes(text: String) throws {
    let code = try ChainCode(parsing: text)
    #expect(code.description == text)
    #expect(try ChainCode(parsing: text.lowercased()) == code)
    #expect(try ChainCode(parsing: text.lowercased()).hashValue == code.hashValue)
  }

  @Test(
    arguments: [
      ("", .empty), ("1ETH", .invalidCharacter(offset: 0)), ("_ETH", .invalidCharacter(offset: 0)),
      ("ETH ", .invalidCharacter(offset: 3)), ("ÉTH", .invalidCharacter(offset: 0)),
      ("ETH\0", .invalidCharacter(offset: 3)), (String(repeating: "Z", count: 33), .tooLong),
    ] as [(String, ChainCodeError)])
  func whatIsNoChainCode(text: String, error: ChainCodeError) {
    #expect(throws: error) { try ChainCode(parsing: text) }
  }

  @Test func theCoinOfATestNetwork() throws {
    #expect(try ChainCode(parsing: "ETH_SEPOLIA").coinName == "ETH")
    #expect(try ChainCode(parsing: "BSC").coinName == "BSC")
  }

  @Test func keysThatDifferAreDifferent() throws {
    let keys = try [
      "ETH:native", "ETH:0x0000000000000000000000000000000000000000",
      "ETH:0x0000000000000000000000000000000000000001", "ETH_SEPOLIA:native",
      "ETH_SEPOLIA:0x0000000000000000000000000000000000000000",
    ].map { try TokenKey(parsing: $0) }
    #expect(Set(keys).count == keys.count)
    #expect(keys.reversed().sorted() == keys)
    let wallets = try ["A:\(Address.zero)", "B:\(Address.zero)"].map { try WalletKey(parsing: $0) }
    #expect(wallets[0] != wallets[1] && wallets[0] < wallets[1])
  }

  @Test func theWriterWritesThemStraight() throws {
    var writer = JSONWriter(reserving: 64)
    writer.beginArray()
    let key = try WalletKey(parsing: wallet)
    writer.string(key)
    writer.string(TokenKey.native(key.chain))
    writer.string(key.address)
    writer.string(UInt256.max)
    writer.endArray()
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == #"["\#(wallet)","ETH:native","\#(key.address)","\#(UInt256.max)"]"#)
  }
}
