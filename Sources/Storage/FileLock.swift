import Glibc
import Synchronization

/// The right to serve from one database file, held by one process at a time.
///
/// An exclusive `flock` on `<path>.lock`. The kernel drops it when its holder dies, however it dies, so the
/// file itself is never removed: removing it would let two processes hold locks on two files of one name. It
/// holds the number of the process, for the other's error message.
///
/// SQLite's own locks are not enough: they come and go with each transaction, and two servers that take turns
/// would both hand out revisions of one epoch.
final class FileLock: Sendable {
  /// −1 once released.
  private let descriptor: Atomic<Int32>

  /// - Throws: `noFolder`, `notPermitted` or `inUse`.
  init(guarding path: String) throws(StorageError) {
    let descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.openFailure(errno, path: path, file: path + ".lock") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let process = Self.readProcess(descriptor)
      close(descriptor)
      if code == EWOULDBLOCK { throw .inUse(path: path, process: process) }
      throw .failed(path: path + ".lock", detail: Self.text(ofError: code))
    }
    Self.writeProcess(descriptor)
    self.descriptor = Atomic(descriptor)
  }

  deinit { release() }

  func release() {
    let held = descriptor.exchange(-1, ordering: .sequentiallyConsistent)
    if held >= 0 { close(held) }
  }

  /// Checks what shows without touching the file, be it somebody else's who has it open: whether it is one, or can be
  /// created. Who may write it shows only to the user that opens it.
  static func checkPlace(_ path: String) throws(StorageError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
    } else if errno == ENOENT || errno == ENOTDIR {
      let folder = folder(of: path)
      guard access(folder + "/.", F_OK) == 0 || errno == EACCES else {
        throw .noFolder(path: path, folder: folder)
      }
    }
  }

  /// Checks what SQLite would report less clearly: what kind of file it is, and whether it may be written.
  static func checkFile(_ path: String) throws(StorageError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }  // A missing file is created; other reasons show below.
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
    // Closing a descriptor drops the process's POSIX locks on the file, SQLite's among them: only while
    // nothing in this process has it open, which the lock above has just made sure of.
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw openFailure(errno, path: path, file: path) }
    defer { close(descriptor) }
    guard status.st_size > 0 else { return }
    var header = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &header, header.count, 0)
    // https://www.sqlite.org/fileformat.html §1.3.1
    guard count == 16, header == Array("SQLite format 3\0".utf8) else { throw .notADatabase(path: path) }
  }

  /// The path with links resolved, so that two links to one file share one lock.
  static func resolve(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func openFailure(_ code: Int32, path: String, file: String) -> StorageError {
    switch code {
    case ENOENT, ENOTDIR: .noFolder(path: path, folder: folder(of: path))
    case EISDIR: .notAFile(path: file)
    default: .notPermitted(path: file, reason: text(ofError: code))
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func text(ofError code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }

  private static func writeProcess(_ descriptor: Int32) {
    let text = Array("\(getpid())\n".utf8)
    // Only for a message: a lock without it locks as well.
    guard ftruncate(descriptor, 0) == 0 else { return }
    _ = pwrite(descriptor, text, text.count, 0)
  }

  private static func readProcess(_ descriptor: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let digits = bytes.prefix(max(0, count)).prefix { (48...57).contains($0) }
    return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
  }
}
