import Glibc

/// A folder that is gone, with all that is in it, when nobody holds it any more.
public final class TemporaryFolder: Sendable {
  public let path: String

  /// Of a name nobody had: a process that was killed leaves its folders behind, and numbers of processes come again.
  public init() throws {
    var template = Array("/tmp/walletpush-folder-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw TemporaryFolderError(description: "a folder in /tmp") }
    path = String(cString: made)
  }

  deinit { Self.remove(path) }

  public func folder(_ name: String) { mkdir("\(path)/\(name)", 0o700) }
  public func link(_ name: String, to target: String) { symlink(target, "\(path)/\(name)") }

  public func write(_ name: String, _ text: String) throws {
    let descriptor = open("\(path)/\(name)", O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw TemporaryFolderError(description: "the file \(name)") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw TemporaryFolderError(description: "the file \(name)")
    }
  }

  private static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR, let stream = opendir(path) else {
      unlink(path)
      return
    }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { remove("\(path)/\(name)") }
    }
    closedir(stream)
    rmdir(path)
  }
}

/// A test's folder could not be made.
public struct TemporaryFolderError: Error {
  public let description: String
}
