// The names clients use. Input comes in any letter case; output is canonical: the chain in upper case, the
// address in lower case.

/// A wallet on a chain: `ETH:0xd8da…`.
public struct WalletKey: Sendable, Hashable {
  public let chain: ChainCode
  public let address: Address

  @inlinable
  public init(chain: ChainCode, address: Address) {
    self.chain = chain
    self.address = address
  }

  public init(parsing text: String) throws(KeyError) {
    let text = text.utf8.span
    let colon = try KeyParser.colon(text)
    chain = try KeyParser.chain(text.extracting(..<colon))
    address = try KeyParser.address(text.extracting((colon + 1)...))
  }

  /// The bytes that hold an address differ most: they come first, so that unequal keys part early.
  public static func == (left: WalletKey, right: WalletKey) -> Bool {
    left.address == right.address && left.chain == right.chain
  }

  /// Appends the canonical text.
  public func append(to output: inout [UInt8]) {
    chain.append(to: &output)
    output.append(UInt8(ascii: ":"))
    address.append(to: &output)
  }
}

/// A token on a chain, or the chain's own coin: `ETH:0xa0b8…`, `ETH:native`.
public struct TokenKey: Sendable, Hashable {
  public let chain: ChainCode
  /// The token's contract; nil is the chain's own coin.
  public let contract: Address?

  @inlinable
  public init(chain: ChainCode, contract: Address?) {
    self.chain = chain
    self.contract = contract
  }

  @inlinable
  public static func native(_ chain: ChainCode) -> TokenKey { TokenKey(chain: chain, contract: nil) }

  @inlinable
  public var isNative: Bool { contract == nil }

  public init(parsing text: String) throws(KeyError) {
    let text = text.utf8.span
    let colon = try KeyParser.colon(text)
    chain = try KeyParser.chain(text.extracting(..<colon))
    contract = try KeyParser.contract(text.extracting((colon + 1)...))
  }

  /// What stands behind the colon: `native` or an address.
  public static func contract(parsing text: String) throws(KeyError) -> Address? {
    try KeyParser.contract(text.utf8.span)
  }

  public static func == (left: TokenKey, right: TokenKey) -> Bool {
    left.contract == right.contract && left.chain == right.chain
  }

  /// Appends the canonical text.
  public func append(to output: inout [UInt8]) {
    chain.append(to: &output)
    output.append(UInt8(ascii: ":"))
    if let contract { contract.append(to: &output) } else { output.append(contentsOf: "native".utf8) }
  }
}

extension WalletKey: CustomStringConvertible {
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(64)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}

extension TokenKey: CustomStringConvertible {
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(64)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}

extension WalletKey: Comparable {
  public static func < (left: WalletKey, right: WalletKey) -> Bool {
    left.chain == right.chain ? left.address < right.address : left.chain < right.chain
  }
}

extension TokenKey: Comparable {
  /// A chain's own coin comes before its tokens.
  public static func < (left: TokenKey, right: TokenKey) -> Bool {
    guard left.chain == right.chain else { return left.chain < right.chain }
    guard let right = right.contract else { return false }
    guard let left = left.contract else { return true }
    return left < right
  }
}

/// Why a text is no wallet key or token key. It is always the writer of the text who broke the rule.
public enum KeyError: Error, Hashable {
  /// There is no colon between a chain and the rest.
  case missingColon
  case chain(ChainCodeError)
  case address(AddressError)

  /// Whether the key is fine but for EIP-55's checksum.
  public var isBadChecksum: Bool { self == .address(.badChecksum) }
}

extension KeyError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingColon: "a key is written CHAIN:0x…, with a colon"
    case .chain(let error): error.description
    case .address(let error): error.description
    }
  }
}

private enum KeyParser {
  static func colon(_ text: Span<UInt8>) throws(KeyError) -> Int {
    for offset in 0..<text.count where text[offset] == UInt8(ascii: ":") { return offset }
    throw .missingColon
  }

  static func chain(_ text: Span<UInt8>) throws(KeyError) -> ChainCode {
    do throws(ChainCodeError) { return try ChainCode(parsing: text) } catch { throw .chain(error) }
  }

  static func address(_ text: Span<UInt8>) throws(KeyError) -> Address {
    do throws(AddressError) { return try Address(parsing: text) } catch { throw .address(error) }
  }

  static func contract(_ text: Span<UInt8>) throws(KeyError) -> Address? {
    isNative(text) ? nil : try address(text)
  }

  private static func isNative(_ text: Span<UInt8>) -> Bool {
    let word: StaticString = "native"
    guard text.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<text.count where text[offset] | 0x20 != word.utf8Start[offset] { return false }
    return true
  }
}
