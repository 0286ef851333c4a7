import Ethereum
import JSON

/// The files of all `tokenLists`, read and checked.
struct TokenListFiles: Sendable {
  static let tokensMaximum = 20_000
  static let bytesMaximum = 32 << 20

  private var lists: [ChainCode: [String: TokenList]] = [:]

  init() {}

  /// - Parameter faults: gets what is wrong with those that can't be used.
  init(_ chains: [ChainConfiguration], faults: inout [StartError]) {
    for chain in chains {
      for source in chain.tokenLists where !Self.isAddress(source) {
        do throws(StartError) {
          try read(source, of: chain.chain)
        } catch {
          faults.append(error)
        }
      }
    }
  }

  /// By path.
  func lists(of chain: ChainCode) -> [String: TokenList] { lists[chain] ?? [:] }

  /// A list on the web, which is fetched while the server runs.
  static func isAddress(_ source: String) -> Bool { source.contains("://") }

  private mutating func read(_ path: String, of chain: Chain) throws(StartError) {
    let setting = "chains.\(chain.code).tokenLists"
    let bytes = try SmallFile.read(
      path, of: setting, limit: Self.bytesMaximum, expected: "a token list (tokenlists.org)")
    do throws(StartError) {
      lists[chain.code, default: [:]][path] = try Self.list(Self.parse(bytes), of: chain)
    } catch {
      throw StartError(
        "\(setting): \(path): expected a token list, {\"tokens\":[…]} (tokenlists.org): \(error)")
    }
  }

  static func parse(_ bytes: [UInt8]) throws(StartError) -> JSONValue {
    do {
      return try JSONParser.parse(bytes, limits: JSONLimits(depth: 32, numberBytes: 128))
    } catch {
      throw StartError("\(error)")
    }
  }

  static func list(_ value: JSONValue, of chain: Chain) throws(StartError) -> TokenList {
    do {
      return try TokenList(value, chain: chain, limit: tokensMaximum)
    } catch {
      throw StartError("\(error)")
    }
  }
}
