import Ethereum
import GRDB

/// A chain as the table `chains` describes it.
public struct ChainRecord: Sendable, Hashable {
  public var code: ChainCode
  public var chainID: UInt64
  public var name: String
  /// Of the chain's own coin.
  public var symbol: String

  public init(code: ChainCode, chainID: UInt64, name: String, symbol: String) {
    self.code = code
    self.chainID = chainID
    self.name = name
    self.symbol = symbol
  }
}

extension Database {
  /// Adds the chains that are missing; those that are there stay as they are. Blocks: call it before serving.
  ///
  /// - Returns: the chains that somebody has switched off (`is_active = 0`).
  public func syncChains(_ chains: [ChainRecord]) throws(StorageError) -> Set<ChainCode> {
    try blockingTransaction { db in
      let insert = try RawStatement(
        "INSERT INTO chains (code, chain_id, name, symbol) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", on: db
      )
      for chain in chains {
        try insert.bind(1, chain.code.description)
        try insert.bind(2, bits: chain.chainID)
        try insert.bind(3, chain.name)
        try insert.bind(4, chain.symbol)
        try insert.run()
      }
      let inactive = try String.fetchAll(db, sql: "SELECT code FROM chains WHERE is_active = 0")
      return Set(inactive.compactMap { try? ChainCode(parsing: $0) })
    }
  }
}
