import GRDB
import GRDBSQLite
import Ledger

/// Why the database can't be opened, read or written. Each says, in one sentence, which file it is about and
/// what would be right.
public enum StorageError: Error, Sendable, Hashable {
  /// The folder that should hold the file is not there.
  case noFolder(path: String, folder: String)
  /// The path names something else than a regular file.
  case notAFile(path: String)
  /// The operating system refuses to open or create a file; `reason` is its own text.
  case notPermitted(path: String, reason: String)
  case notADatabase(path: String)
  /// An SQLite database that another program made.
  case foreignDatabase(path: String)
  /// A newer version of this program has changed the tables.
  case newerSchema(path: String, migrations: [String])
  /// Another process serves from this file; `process` is its number where it is known.
  case inUse(path: String, process: String?)
  /// The content contradicts itself.
  case damaged(path: String, detail: String)
  /// Another connection held the write lock for longer than the busy timeout.
  case busy(path: String)
  case diskFull(path: String)
  /// Visibility was set on a row that the database does not hold.
  case rowNotStored(wallet: WalletID, token: TokenID)
  /// The database was closed before.
  case closed(path: String)
  /// Anything else; `detail` is SQLite's or the system's text.
  case failed(path: String, detail: String)
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noFolder(let path, let folder):
      "the database \(path) cannot be created because the folder \(folder) does not exist: create it first"
    case .notAFile(let path):
      "the database path \(path) is not a regular file: name a file, which is created when it is missing"
    case .notPermitted(let path, let reason):
      "\(path) cannot be opened for reading and writing (\(reason)): the database, its folder and the file"
        + " ending in .lock beside it must be writable for the user that runs the server"
    case .notADatabase(let path):
      "\(path) is not an SQLite database: name another file, or move this one away"
    case .foreignDatabase(let path):
      "\(path) is a database of another program: name another file"
    case .newerSchema(let path, let migrations):
      "\(path) was written by a newer version of walletpush (it has the migration"
        + " \(migrations.joined(separator: ", "))): run that version, or name another file"
    case .inUse(let path, let process):
      "\(path) is in use by another walletpush\(process.map { " (process \($0))" } ?? ""): stop that one,"
        + " or give each server a file of its own"
    case .damaged(let path, let detail):
      "\(path) is damaged (\(detail)): restore it from a backup, or move it away to begin with an empty one"
    case .busy(let path):
      "\(path) is locked for writing by another program: end that program's transaction"
    case .diskFull(let path):
      "\(path) cannot grow because its disk is full: free some space"
    case .rowNotStored(let wallet, let token):
      "the database has no row of wallet \(wallet) for token \(token)"
    case .closed(let path):
      "\(path) is closed: the server is stopping"
    case .failed(let path, let detail):
      "\(path) cannot be read or written: \(detail)"
    }
  }
}

/// What SQLite answered when a statement was stepped or a value bound outside GRDB.
struct SQLiteFailure: Error {
  var code: Int32
  var message: String
}

extension StorageError {
  /// Any error of GRDB, of SQLite or of this room, as what it means for the file at `path`.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as StorageError: self = error
    case let error as SQLiteFailure: self.init(code: error.code, message: error.message, path: path)
    case let error as DatabaseError:
      self.init(
        code: error.extendedResultCode.rawValue, message: error.message ?? "no reason given", path: path)
    default: self = .failed(path: path, detail: "\(error)")
    }
  }

  /// An SQLite result code, extended or not (https://www.sqlite.org/rescode.html).
  private init(code: Int32, message: String, path: String) {
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED: self = .busy(path: path)
    case SQLITE_FULL: self = .diskFull(path: path)
    case SQLITE_NOTADB: self = .notADatabase(path: path)
    case SQLITE_CORRUPT: self = .damaged(path: path, detail: message)
    case SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN: self = .notPermitted(path: path, reason: message)
    default: self = .failed(path: path, detail: "\(message) (SQLite code \(code))")
    }
  }
}
