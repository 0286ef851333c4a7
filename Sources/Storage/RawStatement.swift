import Ethereum
import GRDB
import GRDBSQLite

/// A statement compiled by GRDB, bound, stepped and read through SQLite's own functions: for a hundred
/// thousand rows GRDB's rows and arguments would cost several times the query.
///
/// Only on the database's queue, and only until the closure that got the connection ends. Parameters count
/// from 1, columns from 0, as SQLite's do.
struct RawStatement {
  private let statement: Statement
  private let handle: OpaquePointer

  init(_ sql: String, on db: GRDB.Database) throws {
    statement = try db.makeStatement(sql: sql)
    handle = statement.sqliteStatement
  }

  // MARK: Writing

  func bind(_ index: Int32, _ value: Int64?) throws {
    try check(value.map { sqlite3_bind_int64(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
  }

  /// 64 bits go in and come out as they are; a number above `Int64.max` shows as a negative one in SQL.
  func bind(_ index: Int32, bits value: UInt64?) throws {
    try bind(index, value.map { Int64(bitPattern: $0) })
  }

  func bind(_ index: Int32, _ value: Bool) throws { try bind(index, value ? 1 : 0) }

  func bind(_ index: Int32, _ text: String?) throws {
    guard var text else { return try bind(index, nil as Int64?) }
    try text.withUTF8 { try bind(index, utf8: $0) }
  }

  func bind(_ index: Int32, utf8 text: [UInt8]) throws {
    try text.withUnsafeBufferPointer { try bind(index, utf8: $0) }
  }

  private func bind(_ index: Int32, utf8 text: UnsafeBufferPointer<UInt8>) throws {
    // SQLITE_TRANSIENT: SQLite copies the text.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let code = text.withMemoryRebound(to: CChar.self) { chars in
      // An empty buffer may have no address, which SQLite would take for NULL.
      chars.baseAddress.map { sqlite3_bind_text64(handle, index, $0, UInt64(chars.count), transient, 1) }
        ?? sqlite3_bind_text64(handle, index, "", 0, transient, 1)
    }
    try check(code)
  }

  /// What another statement stands on, as it is; that may be one of another connection.
  func bind(_ index: Int32, column: Int32, of other: RawStatement) throws {
    try check(sqlite3_bind_value(handle, index, sqlite3_column_value(other.handle, column)))
  }

  /// Runs a statement that returns no rows, and makes it ready for the next parameters.
  func run() throws {
    let code = sqlite3_step(handle)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
    try check(sqlite3_reset(handle))
  }

  /// Rows changed by the last `run`, cascades not counted.
  var changedRows: Int { Int(sqlite3_changes(sqlite3_db_handle(handle))) }

  // MARK: Reading

  /// - Returns: whether there is another row; the columns are then valid until the next call.
  func step() throws -> Bool {
    let code = sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure(code)
    }
  }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

  func bool(_ column: Int32) -> Bool { integer(column) != 0 }

  /// The UTF-8 of a text column in SQLite's own memory; `nil` for null. A number in the column shows as its
  /// text.
  func withText<Result>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result? {
    guard let start = sqlite3_column_text(handle, column) else { return nil }
    return body(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
  }

  func text(_ column: Int32) -> String? { withText(column) { String(decoding: $0, as: UTF8.self) } }

  // MARK: Errors

  private func check(_ code: Int32) throws {
    guard code == SQLITE_OK else { throw failure(code) }
  }

  private func failure(_ code: Int32) -> SQLiteFailure {
    let message = sqlite3_errmsg(sqlite3_db_handle(handle)).map { String(cString: $0) }
    return SQLiteFailure(code: code, message: message ?? "no reason given")
  }
}

extension UInt256 {
  /// Decimal digits, without sign or leading zeros; `nil` for anything else and beyond 256 bits.
  init?(decimalUTF8 digits: UnsafeBufferPointer<UInt8>) {
    guard (1...78).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0") else {
      return nil
    }
    var value = UInt256.zero
    var offset = 0
    while offset < digits.count {
      // As many digits at a time as fit 64 bits: most balances take one turn or two.
      let end = min(offset + 19, digits.count)
      var chunk: UInt64 = 0
      var scale: UInt64 = 1
      for index in offset..<end {
        let digit = digits[index] &- UInt8(ascii: "0")
        guard digit <= 9 else { return nil }
        chunk = chunk &* 10 &+ UInt64(digit)  // at most 10^19 − 1
        scale = scale &* 10
      }
      offset = end
      let (high, product) = value.multipliedFullWidth(by: scale)
      let (sum, overflow) = product.addingReportingOverflow(UInt256(chunk))
      guard high == 0, !overflow else { return nil }
      value = sum
    }
    self = value
  }
}
