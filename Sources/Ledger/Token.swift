import Ethereum
import JSON

/// A token's number within this server; dense, and the same in the database.
public typealias TokenID = UInt32

/// What is known of a token besides its price: immutable, shared by every room and loop.
/// A change of metadata makes a new object with the same `id`.
public final class Token: Sendable {
  public let id: TokenID
  public let key: TokenKey
  public let info: TokenInfo
  /// `"token":…,"symbol":…,"name":…,"decimals":…,"logo":…,"listed":…` as it stands in every row,
  /// built once.
  let rowPrefix: [UInt8]
  /// The canonical key's UTF-8 (`ETH:native`, `ETH:0xa0b8…`).
  public let keyText: [UInt8]

  init(id: TokenID, key: TokenKey, info: TokenInfo) {
    self.id = id
    self.key = key
    self.info = info
    self.keyText = Array(key.description.utf8)
    self.rowPrefix = Self.makeRowPrefix(key: self.keyText, info: info)
  }

  private static func makeRowPrefix(key: [UInt8], info: TokenInfo) -> [UInt8] {
    var out: [UInt8] = []
    out.append("\"token\":\"")
    out.append(contentsOf: key)
    out.append("\",\"symbol\":")
    out.append(json: info.symbol)
    out.append(",\"name\":")
    out.append(json: info.name)
    out.append(",\"decimals\":")
    if let decimals = info.decimals { out.append(decimal: UInt64(decimals)) } else { out.append("null") }
    out.append(",\"logo\":")
    out.append(json: info.logo)
    out.append(info.isListed ? ",\"listed\":true" : ",\"listed\":false")
    return out
  }
}

/// Metadata of a token. Unknown members are `nil`, never guessed: a missing `decimals` is not 18.
public struct TokenInfo: Sendable, Hashable {
  public var symbol: String?
  public var name: String?
  /// 0…77.
  public var decimals: UInt8?
  /// An address of an image, from a token list.
  public var logo: String?
  /// Some token list names it.
  public var isListed: Bool
  /// Inactive tokens are neither read nor priced.
  public var isActive: Bool

  public init(
    symbol: String? = nil, name: String? = nil, decimals: UInt8? = nil, logo: String? = nil,
    isListed: Bool, isActive: Bool = true
  ) {
    self.symbol = symbol
    self.name = name
    self.decimals = decimals
    self.logo = logo
    self.isListed = isListed
    self.isActive = isActive
  }

  /// What a contract says never replaces what a list said; it only fills what is missing.
  public func filled(from other: TokenInfo) -> TokenInfo {
    var result = self
    result.symbol = symbol ?? other.symbol
    result.name = name ?? other.name
    result.decimals = decimals ?? other.decimals
    result.logo = logo ?? other.logo
    return result
  }

  public var isComplete: Bool { symbol != nil && name != nil && decimals != nil }
}
