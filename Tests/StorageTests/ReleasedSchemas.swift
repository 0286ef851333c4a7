// Files as released versions left them, in SQL. Never changed: what they hold is what people's files hold.

import Ethereum
import Ledger
import Testing

/// A file of one schema version, with rows of every kind.
struct ReleasedSchema: Sendable, CustomTestStringConvertible {
  /// The last migration it has.
  let version: String
  let sql: String
  var testDescription: String { version }

  static let all = [version1]
}

extension ReleasedSchema {
  /// A clean stop at revision 4711 of the epoch `frozen-1`. Ten wallets were registered and eight deleted.
  private static let version1 = ReleasedSchema(
    version: "v1",
    sql: """
      PRAGMA journal_mode = WAL;
      PRAGMA application_id = 1464890216;
      BEGIN;
      CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
      INSERT INTO grdb_migrations VALUES ('v1');

      CREATE TABLE chains (
        code TEXT NOT NULL PRIMARY KEY,
        chain_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        symbol TEXT NOT NULL,
        is_active INTEGER NOT NULL DEFAULT 1
      ) WITHOUT ROWID;
      INSERT INTO chains VALUES ('ETH', 1, 'Ethereum', 'ETH', 1), ('FTM', 250, 'Fantom Opera', 'FTM', 0);

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
      INSERT INTO tokens VALUES
        (0, 'ETH', '', 'ETH', 'Ether', 18, NULL, 1, 1, '3011.52', '-1.20', 1763805600123),
        (1, 'ETH', '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', 'USDC', 'USD Coin', 6,
          'https://logos.example/usdc.png', 1, 1, NULL, NULL, NULL),
        (2, 'ETH', '0x00000000000000000000000000000000000000aa', NULL, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL);

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
      INSERT INTO wallets VALUES
        (10, 'ETH', '0x00000000000000000000000000000000000000b1', 1763800000000, NULL, NULL, 0, NULL);
      INSERT INTO wallets VALUES
        (2, 'ETH', '0x00000000000000000000000000000000000000b2', 1763700000000, 21000000, 1763805600000, 1, 17);

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
      INSERT INTO wallet_tokens VALUES
        (2, 0, 0, '1230000000000000000', 1, 0, 21000000, 4700, 18, 1),
        (2, 1, 2, '115792089237316195423570985008687907853269984665640564039457584007913129639935',
          1, 1, 20999999, 4600, 19, 0),
        (2, 2, 1, NULL, 0, 3, 0, 20, 20, 1);

      CREATE TABLE ledger_prices (
        token_id INTEGER NOT NULL PRIMARY KEY,
        price TEXT NOT NULL,
        change_hundredths INTEGER,
        accepted_at INTEGER,
        source_time INTEGER NOT NULL,
        revision INTEGER NOT NULL
      );
      INSERT INTO ledger_prices VALUES
        (0, '3011.520', -120, 1763805600123, 1763805590000, 4710), (1, '0.00000010', NULL, NULL, 0, 25);

      CREATE TABLE meta (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
      ) WITHOUT ROWID;
      INSERT INTO meta VALUES ('clean', '1'), ('epoch', 'frozen-1'), ('revision', '4711');
      COMMIT;
      """)
}
