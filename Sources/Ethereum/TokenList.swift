public import JSON

/// The tokens of one chain from a list in the Uniswap Token List format:
/// `{name, timestamp, version, tokens:[{chainId, address, name, symbol, decimals, logoURI}]}`.
///
/// A list is written by strangers too: each entry is checked by itself, and a bad one costs only itself.
public struct TokenList: Sendable, Hashable {
  public let name: String
  public let tokens: [ListedToken]
  /// Entries for other chains: not an error, most lists cover many.
  public let otherChains: Int
  /// Entries of this chain left out, by reason.
  public let skipped: [SkipReason: Int]

  public enum SkipReason: String, Sendable, Hashable, CaseIterable {
    case notAnObject = "not an object"
    case badChainID = "no chainId"
    case badAddress = "a bad address"
    case badChecksum = "an address with a wrong checksum"
    case badSymbol = "no symbol"
    case badName = "no name"
    case badDecimals = "decimals that are not 0 … 77"
    case nativeCoin = "the native coin as a token"
    case repeated = "a repeated address"
    /// More tokens than the limit allows; counted, not looked at.
    case tooMany = "too many tokens"
  }

  /// Longest logo address kept; a longer one is left out, its token is not.
  public static let logoLimit = 2048

  /// - Parameters:
  ///   - limit: tokens kept; those beyond are counted as ``SkipReason/tooMany``.
  public init(_ value: JSONValue, chain: Chain, limit: Int) throws(TokenListError) {
    guard let object = value.object else { throw .notAnObject }
    guard let entries = object["tokens"]?.array else { throw .noTokens }
    name = object["name"]?.string.flatMap { TokenText.clean($0, limit: TokenText.nameLimit) } ?? ""
    var tokens: [ListedToken] = []
    var seen: Set<Address> = []
    var skipped: [SkipReason: Int] = [:]
    var otherChains = 0
    for entry in entries {
      switch Self.read(entry, chain: chain) {
      case .success(nil): otherChains += 1
      case .failure(let failure): skipped[failure.reason, default: 0] += 1
      case .success(let token?):
        if tokens.count >= limit {
          skipped[.tooMany, default: 0] += 1
        } else if seen.insert(token.address).inserted {
          tokens.append(token)
        } else {
          skipped[.repeated, default: 0] += 1
        }
      }
    }
    self.tokens = tokens
    self.otherChains = otherChains
    self.skipped = skipped
  }

  private struct Skip: Error {
    let reason: SkipReason
  }

  /// The token of an entry; nil where it is another chain's.
  private static func read(_ entry: JSONValue, chain: Chain) -> Result<ListedToken?, Skip> {
    func skip(_ reason: SkipReason) -> Result<ListedToken?, Skip> { .failure(Skip(reason: reason)) }
    guard let entry = entry.object else { return skip(.notAnObject) }
    guard let chainID = entry["chainId"]?.number?.uint64 else { return skip(.badChainID) }
    guard chainID == chain.chainID else { return .success(nil) }
    guard let text = entry["address"]?.string else { return skip(.badAddress) }
    let address: Address
    do throws(AddressError) {
      address = try Address(parsing: text)
    } catch {
      return skip(error == .badChecksum ? .badChecksum : .badAddress)
    }
    guard chain.mayBeToken(address) else { return skip(.nativeCoin) }
    guard let symbol = Self.text(entry["symbol"], limit: TokenText.symbolLimit) else {
      return skip(.badSymbol)
    }
    guard let name = Self.text(entry["name"], limit: TokenText.nameLimit) else { return skip(.badName) }
    guard let decimals = entry["decimals"]?.int, (0...77).contains(decimals) else {
      return skip(.badDecimals)
    }
    return .success(
      ListedToken(
        address: address, symbol: symbol, name: name, decimals: decimals, logo: logo(entry["logoURI"])))
  }

  private static func text(_ value: JSONValue?, limit: Int) -> String? {
    value?.string.flatMap { TokenText.clean($0, limit: limit) }
  }

  /// A browser will load it: only schemes that cannot run anything, and nothing that could end an attribute.
  private static func logo(_ value: JSONValue?) -> String? {
    guard let text = value?.string, text.utf8.count <= logoLimit else { return nil }
    let isPlain = text.utf8.allSatisfy { byte in
      byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "<")
        && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "\\")
    }
    guard isPlain else { return nil }
    let start = text.prefix(8).lowercased()
    return ["https://", "http://", "ipfs://"].contains { start.hasPrefix($0) } ? text : nil
  }
}

/// Why a text is no token list at all.
public enum TokenListError: Error, Hashable {
  case notAnObject
  case noTokens
}

extension TokenListError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnObject: "a token list is a JSON object"
    case .noTokens: "a token list has an array \"tokens\""
    }
  }
}
