import Ethereum
import JSON
import Ledger
import Logging

/// The tokens that a chain's lists name; a chain without lists has those of the registry.
enum TokenListFiles {
  static let tokensMaximum = 20_000
  static let bytesMaximum = 32 << 20

  /// The native coin first.
  static func entries(
    of configuration: ChainConfiguration, logger: Logger
  ) throws(StartError) -> [(key: TokenKey, info: TokenInfo)] {
    let chain = configuration.chain
    var entries: [(key: TokenKey, info: TokenInfo)] = [
      (
        .native(chain.code),
        TokenInfo(
          symbol: chain.nativeCoin.symbol, name: chain.nativeCoin.name,
          decimals: UInt8(chain.nativeCoin.decimals), isListed: true)
      )
    ]
    var listed = configuration.tokenLists.isEmpty ? chain.tokens : []
    for source in configuration.tokenLists {
      listed += try read(source, chain: chain, logger: logger)
    }
    for token in listed where chain.mayBeToken(token.address) {
      entries.append(
        (
          TokenKey(chain: chain.code, contract: token.address),
          TokenInfo(
            symbol: token.symbol, name: token.name, decimals: UInt8(token.decimals), logo: token.logo,
            isListed: true)
        ))
    }
    return entries
  }

  private static func read(
    _ path: String, chain: Chain, logger: Logger
  ) throws(StartError) -> [ListedToken] {
    guard !path.hasPrefix("http://"), !path.hasPrefix("https://") else {
      throw StartError(
        "chains.\(chain.code).tokenLists: \(path): lists from URLs are not built into this version; save it as a file"
      )
    }
    let bytes: [UInt8]
    do {
      bytes = try SmallFile.read(path, limit: bytesMaximum)
    } catch {
      throw StartError("chains.\(chain.code).tokenLists: \(path): \(error)")
    }
    do {
      let value = try JSONParser.parse(bytes, limits: JSONLimits(depth: 32, numberBytes: 128))
      let list = try TokenList(value, chain: chain, limit: tokensMaximum)
      for (reason, count) in list.skipped where count > 0 {
        logger.warning(
          "token list entries skipped",
          metadata: ["list": "\(path)", "reason": "\(reason.rawValue)", "count": "\(count)"])
      }
      return list.tokens
    } catch {
      throw StartError("chains.\(chain.code).tokenLists: \(path): \(error)")
    }
  }
}
