import Glibc
import Logging

/// Where the web client's files are.
enum WebRoot {
  static let folderName = "web-client-sample"

  /// The configured folder; else the one beside the working folder or above the executable (a checkout). Without any,
  /// the server serves no page, and says so.
  static func load(_ configured: String?, logger: Logger) throws(StartError) -> StaticFiles {
    if let configured {
      do {
        return try StaticFiles.load(folder: configured, totalBytes: 16 << 20, fileCount: 500)
      } catch {
        throw StartError("http.webRoot: \(configured): \(error)")
      }
    }
    for candidate in candidates() where access(candidate + "/index.html", R_OK) == 0 {
      if let files = try? StaticFiles.load(folder: candidate, totalBytes: 16 << 20, fileCount: 500) {
        return files
      }
    }
    logger.warning("no web client found: set http.webRoot to the web-client-sample folder")
    return .empty
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
