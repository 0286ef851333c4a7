import Glibc
import Ledger

/// Damaged database files, kept beside the one that took their place: `walletpush.sqlite.damaged-20261126T0210Z`. They are
/// never opened for writing and never removed; whoever runs the server does that.
struct DamagedFiles {
  let path: String

  /// As many may lie there: a disk that damages every file would fill up with them.
  static let maximum = 3

  private static let mark = ".damaged-"
  /// What SQLite keeps beside a database: the write-ahead log and its index, and the journal of one that has no log.
  private static let companions = ["-wal", "-shm", "-journal"]

  var exists: Bool { access(path, F_OK) == 0 }

  /// Those that lie beside the file, the oldest first.
  var names: [String] {
    let (folder, name) = Self.split(path)
    guard let entries = opendir(folder) else { return [] }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      let found = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      let isCompanion = Self.companions.contains { found.hasSuffix($0) }
      if found.hasPrefix(name + Self.mark), !isCompanion { names.append(folder + "/" + found) }
    }
    return names.sorted()
  }

  /// Whether the file says that it is ours, in the header's application id (fileformat.html §1.3): what merely cannot be
  /// read as a database is somebody's, and is left where it is.
  var isOurs: Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: 72)
    guard pread(descriptor, &header, header.count, 0) == header.count else { return false }
    let application = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return application == UInt32(bitPattern: Schema.applicationID)
  }

  /// Moves the file and its companions away.
  ///
  /// - Returns: where it is now.
  func setAside(now: UnixMilliseconds) throws(StorageError) -> String {
    let stamped = path + Self.mark + Self.stamp(now)
    var target = stamped
    var number = 2
    while access(target, F_OK) == 0 {
      target = stamped + "-\(number)"
      number += 1
    }
    try Self.rename(path, to: target)
    // The name goes first: to a database that is not there SQLite knows no log.
    try moveCompanions(to: target)
    return target
  }

  /// After a crash in the middle of ``setAside(now:)``: a log that was left behind would be taken for the new file's.
  func finishSettingAside() throws(StorageError) {
    if let last = names.last { try moveCompanions(to: last) }
  }

  private func moveCompanions(to target: String) throws(StorageError) {
    for companion in Self.companions where access(path + companion, F_OK) == 0 {
      try Self.rename(path + companion, to: target + companion)
    }
  }

  /// Makes an empty file as accessible as this one, and no more, in the place of what an earlier try has left there, which
  /// nobody has ever served from.
  func begin(_ file: String) throws(StorageError) {
    for name in [""] + Self.companions { unlink(file + name) }
    var status = stat()
    let descriptor = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .notPermitted(path: file, reason: Self.text(ofError: errno)) }
    defer { close(descriptor) }
    guard stat(path, &status) == 0 else { return }
    fchmod(descriptor, status.st_mode & 0o777)
    // Only the superuser gives files away.
    _ = fchown(descriptor, status.st_uid, status.st_gid)
  }

  /// Puts a finished file in the place of the one that was set aside, durably.
  func replace(by file: String) throws(StorageError) {
    try Self.rename(file, to: path)
    let folder = open(Self.split(path).folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = fsync(folder)
    close(folder)
  }

  private static func rename(_ old: String, to new: String) throws(StorageError) {
    guard Glibc.rename(old, new) == 0 else {
      throw .notPermitted(path: old, reason: "moving it to \(new): \(text(ofError: errno))")
    }
  }

  private static func text(ofError code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }

  /// `20261126T0210Z`
  static func stamp(_ time: UnixMilliseconds) -> String {
    var seconds = time_t(time / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ value: Int32, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return digits(parts.tm_year + 1_900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2) + "T"
      + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + "Z"
  }
}
