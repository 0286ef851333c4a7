import Ethereum
import GRDB
import Ledger

extension Database: WalletStore {
  /// All or none. A registration's revision is not known yet: the ledger gives it once this has returned.
  public func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws {
    try await transaction { db in
      let insert = try RawStatement(
        """
        INSERT INTO wallets (id, chain, address, created_at)
        VALUES (?, ?, ?, CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER))
        """, on: db)
      for (id, key) in wallets {
        try insert.bind(1, id)
        try insert.bind(2, key.chain.description)
        try insert.bind(3, key.address.lowercase)
        try insert.run()
      }
    }
  }

  /// The wallet's rows go with it.
  public func delete(_ wallet: WalletID) async throws {
    try await transaction { db in
      try db.execute(sql: "DELETE FROM wallets WHERE id = ?", arguments: [wallet])
    }
  }

  /// Visibility is written here alone. The writer stores it with a new row and never changes it afterwards: a
  /// state that it took before this call must not undo it.
  public func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws {
    if try await updateVisible(isVisible, wallet: wallet, token: token) { return }
    // A row the ledger has had for less than the writer's interval.
    try await flushWriter()
    guard try await updateVisible(isVisible, wallet: wallet, token: token) else {
      throw StorageError.rowNotStored(wallet: wallet, token: token)
    }
  }

  /// - Returns: whether there is such a row.
  private func updateVisible(
    _ isVisible: Bool, wallet: WalletID, token: TokenID
  ) async throws(StorageError) -> Bool {
    try await transaction { db in
      let update = try RawStatement(
        "UPDATE wallet_tokens SET is_visible = ? WHERE wallet_id = ? AND token_id = ?", on: db)
      try update.bind(1, isVisible)
      try update.bind(2, wallet)
      try update.bind(3, Int64(token))
      try update.run()
      return update.changedRows > 0
    }
  }
}
