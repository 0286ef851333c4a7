// What the tests of this room share: a folder of their own, a ledger without listeners, a file opened from
// outside.

import Ethereum
import GRDB
import Glibc
import Ledger
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Storage

extension TemporaryFolder {
  func file(_ name: String = "test.sqlite") -> String { path + "/" + name }

  /// What a crash would leave behind: the files as they are now, under another name.
  func crashCopy(of name: String = "test.sqlite", to copy: String) throws -> String {
    for suffix in ["", "-wal"] {
      let bytes = try #require(readFile(file(name + suffix)))
      try writeFile(file(copy + suffix), bytes)
    }
    return file(copy)
  }
}

func readFile(_ path: String) -> [UInt8]? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes.append(contentsOf: buffer[..<count])
  }
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  let file = try #require(fopen(path, "w"))
  defer { fclose(file) }
  #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

/// Nobody listens.
struct SilentPublisher: LedgerPublisher {
  func publish(_ batch: LedgerBatch) {}
  func deliver(_ reply: WatchReply, toShard shard: Int) {}
}

let ethereum = chain("ETH")

func chain(_ code: String) -> ChainCode {
  guard let code = try? ChainCode(parsing: code) else { fatalError("\(code) is no chain code") }
  return code
}

func address(_ number: Int) -> Address {
  Address(high: 0xABCD_0000_0000_0000, middle: 0, low: UInt32(truncatingIfNeeded: number))
}

func wallet(_ number: Int, on chain: ChainCode = ethereum) -> WalletKey {
  WalletKey(chain: chain, address: address(number))
}

func token(_ number: Int, on chain: ChainCode = ethereum) -> TokenKey {
  number == 0 ? .native(chain) : TokenKey(chain: chain, contract: address(1_000_000 + number))
}

func decimal(_ text: String) -> ExactDecimal {
  guard let decimal = ExactDecimal(parsing: text) else { fatalError("\(text) is no decimal") }
  return decimal
}

let quickSettings = StorageSettings(busyTimeout: .milliseconds(20), pageCacheKiB: 256, logKiB: 1024)

func openDatabase(_ path: String, random: UInt64 = 1) throws(StorageError) -> Storage.Database {
  try Database.open(
    path: path, random: random, settings: quickSettings,
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

/// A database with the ledger restored from it and the writer between them, its loop at rest unless started.
struct Rig {
  let database: Storage.Database
  let ledger: Ledger
  let writer: Writer

  init(_ path: String, random: UInt64 = 1, interval: Duration = .seconds(3600)) async throws {
    database = try openDatabase(path, random: random)
    ledger = Ledger(
      epoch: database.start.epoch, revision: database.start.revision, chains: [ethereum],
      publisher: SilentPublisher(), store: database,
      limits: LedgerLimits(wallets: 100_000, tokens: 10_000, tokensPerWallet: 1000),
      times: LedgerTimes(balance: 60_000, price: 60_000), clock: { 1_763_805_600_000 })
    await ledger.restore(try database.load())
    writer = Writer(
      database: database, ledger: ledger,
      settings: WriterSettings(interval: interval, retryPause: .milliseconds(20)))
  }

  /// Registers wallets `range`, and gives each the first `tokens` tokens.
  func fill(wallets range: Range<Int>, tokens count: Int, block: UInt64 = 100) async throws -> [WalletID] {
    let tokens = await ledger.internAll(
      (0..<count).map { (token($0), TokenInfo(symbol: "T\($0)", decimals: 18, isListed: true)) })
    let answers = await ledger.register(range.map { wallet($0) })
    var ids: [WalletID] = []
    for answer in answers { ids.append(try answer.get().id) }
    for id in ids {
      await ledger.accept(
        WalletReading(
          wallet: id, block: block, readAt: 1_763_805_600_000,
          outcomes: tokens.map { ($0, .balance(UInt256(UInt64(id) * 1000 + UInt64($0)))) }))
    }
    return ids
  }
}

/// Another program's connection to the same file.
struct Outsider {
  let queue: DatabaseQueue

  init(_ path: String) throws {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true  // Tests hold locks across calls.
    configuration.busyMode = .timeout(30)  // The writer under test may be writing just now.
    queue = try DatabaseQueue(path: path, configuration: configuration)
  }

  func execute(_ sql: String) throws { try queue.inDatabase { try $0.execute(sql: sql) } }

  func text(_ sql: String) throws -> String? {
    try queue.inDatabase { try String.fetchOne($0, sql: sql) }
  }

  func number(_ sql: String) throws -> Int { try queue.inDatabase { try Int.fetchOne($0, sql: sql) ?? -1 } }
}
