import Glibc

/// Reading a file whole, before serving.
public enum SmallFile {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter limit: in bytes; a longer file is refused.
  public static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(description: reason(errno)) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(description: reason(errno)) }
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else {
        throw Failure(description: "longer than \(limit) bytes")
      }
      bytes.append(contentsOf: piece[..<count])
    }
  }

  /// Reads a file that a setting names.
  ///
  /// - Parameter expected: what it should be.
  static func read(
    _ path: String, of setting: String, limit: Int, expected: String
  ) throws(StartError) -> [UInt8] {
    do throws(Failure) {
      return try read(path, limit: limit)
    } catch {
      throw StartError(
        "\(setting): \(path): cannot be read: \(error); expected \(expected) the server may read")
    }
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
