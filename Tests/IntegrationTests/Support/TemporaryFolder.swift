import Glibc

/// A folder that is gone when nobody holds it any more.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/walletpush-folder-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw NothingCame(description: "a temporary folder") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress ?? $0[...].base.baseAddress!) }
  }

  func write(_ name: String, _ text: String) throws {
    let descriptor = open("\(path)/\(name)", O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw NothingCame(description: "the file \(name)") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw NothingCame(description: "the file \(name)")
    }
  }

  deinit {
    // `rm -r`, as nftw(3) does it: the deepest first.
    nftw(path, { name, _, _, _ in name.map { remove($0) } ?? 0 }, 16, FTW_DEPTH | FTW_PHYS)
  }
}
