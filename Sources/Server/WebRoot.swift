import Glibc
import Logging

/// Where the web client's files are.
enum WebRoot {
  static let folderName = "web-client-sample"

  /// The folder of `http.webRoot`.
  static func load(_ folder: String) throws(StartError) -> StaticFiles {
    do throws(StaticFiles.Failure) {
      return try read(folder)
    } catch {
      throw StartError("http.webRoot: \(folder): \(error); expected the \(folderName) folder")
    }
  }

  /// The folder beside the working folder or above the executable (a checkout). Without any, the server serves no page,
  /// and says so.
  static func find(_ logger: Logger) -> StaticFiles {
    for candidate in candidates() where access(candidate + "/index.html", R_OK) == 0 {
      if let files = try? read(candidate) { return files }
    }
    logger.warning("no web client found: set http.webRoot to the web-client-sample folder")
    return .empty
  }

  private static func read(_ folder: String) throws(StaticFiles.Failure) -> StaticFiles {
    try StaticFiles.load(folder: folder, totalBytes: 16 << 20, fileCount: 500)
  }

  private static func candidates() -> [String] {
    var result = [folderName]
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return result }
    var parts = String(decoding: buffer[..<count], as: UTF8.self).split(separator: "/")
    for _ in 0..<6 where !parts.isEmpty {
      parts.removeLast()
      result.append("/" + parts.joined(separator: "/") + "/" + folderName)
    }
    result.append("/usr/share/walletpush/web")
    return result
  }
}
