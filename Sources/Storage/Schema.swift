import GRDB

/// The tables, and how older files come to have them.
enum Schema {
  /// Marks the file as ours in SQLite's header (`PRAGMA application_id`): "WPsh".
  static let applicationID: Int32 = 0x5750_7368

  /// Migrations are only ever added; one that has been released never changes, and a file of its version is kept among
  /// the tests. Each is a transaction of its own: one that fails leaves the file at the version before.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: version1)
    }
    return migrator
  }

  /// - `tokens.id` is the ledger's token number, dense from 0; rows are never deleted.
  ///   `address` is empty for the chain's own coin.
  /// - `tokens.current_price_usd` and its neighbours change only when a price has moved enough
  /// (`StoredPrice`);
  ///   they are for people and reports. `ledger_prices` holds the exact last cells, for the next start.
  /// - `wallets.registered_revision` is null until the ledger's writer has seen the wallet.
  /// - `wallet_tokens.balance` is a decimal integer in base units, null while unknown; `state` is
  ///   `CellState.rawValue`. 256 bits fit no SQLite number, so it is text.
  /// - Times are Unix milliseconds.
  private static let version1 = """
    CREATE TABLE chains (
      code TEXT NOT NULL PRIMARY KEY,
      chain_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      symbol TEXT NOT NULL,
      is_active INTEGER NOT NULL DEFAULT 1
    ) WITHOUT ROWID;

    CREATE TABLE tokens (
      id INTEGER NOT NULL PRIMARY KEY,
      chain TEXT NOT NULL,
      address TEXT NOT NULL,
      symbol TEXT,
      name TEXT,
      decimals INTEGER,
      logo_url TEXT,
      is_listed INTEGER NOT NULL DEFAULT 0,
      is_active INTEGER NOT NULL DEFAULT 1,
      current_price_usd TEXT,
      price_change_24h TEXT,
      last_updated INTEGER,
      UNIQUE (chain, address)
    );

    CREATE TABLE wallets (
      id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      chain TEXT NOT NULL,
      address TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      block INTEGER,
      read_at INTEGER,
      is_complete INTEGER NOT NULL DEFAULT 0,
      registered_revision INTEGER,
      UNIQUE (chain, address)
    );

    CREATE TABLE wallet_tokens (
      wallet_id INTEGER NOT NULL REFERENCES wallets (id) ON DELETE CASCADE,
      token_id INTEGER NOT NULL,
      position INTEGER NOT NULL,
      balance TEXT,
      is_known INTEGER NOT NULL,
      state INTEGER NOT NULL,
      block INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      row_revision INTEGER NOT NULL,
      is_visible INTEGER NOT NULL DEFAULT 1,
      PRIMARY KEY (wallet_id, token_id)
    ) WITHOUT ROWID;

    CREATE TABLE ledger_prices (
      token_id INTEGER NOT NULL PRIMARY KEY,
      price TEXT NOT NULL,
      change_hundredths INTEGER,
      accepted_at INTEGER,
      source_time INTEGER NOT NULL,
      revision INTEGER NOT NULL
    );

    CREATE TABLE meta (
      key TEXT NOT NULL PRIMARY KEY,
      value TEXT NOT NULL
    ) WITHOUT ROWID;
    """
}
