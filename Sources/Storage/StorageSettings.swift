/// The bounds of the database's patience and memory.
public struct StorageSettings: Sendable {
  /// How long a transaction waits for another program's lock before it fails. Registrations wait as long.
  public var busyTimeout: Duration
  /// SQLite's page cache.
  public var pageCacheKiB: Int
  /// What is left of the write-ahead log on disk after a checkpoint.
  public var logKiB: Int

  public init(busyTimeout: Duration, pageCacheKiB: Int, logKiB: Int) {
    self.busyTimeout = busyTimeout
    self.pageCacheKiB = pageCacheKiB
    self.logKiB = logKiB
  }

  /// What a server uses unless told otherwise.
  public static let standard = StorageSettings(
    busyTimeout: .seconds(2), pageCacheKiB: 1024, logKiB: 8192)
}
