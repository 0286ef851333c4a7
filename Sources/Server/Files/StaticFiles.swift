import Glibc

/// The web client's files, all in memory: an event loop never waits for a disk.
struct StaticFile: Sendable {
  var bytes: [UInt8]
  var contentType: String
  /// Strong: made of the content.
  var etag: String
}

struct StaticFiles: Sendable {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let files: [String: StaticFile]

  static let empty = StaticFiles(files: [:])

  private init(files: [String: StaticFile]) { self.files = files }

  var count: Int { files.count }

  /// Reads a folder and those below it. Left out: names that begin with a dot, `test` folders, symbolic links (they could
  /// lead out of the folder), and whatever is no file.
  static func load(folder: String, totalBytes: Int, fileCount: Int) throws(Failure) -> StaticFiles {
    var reader = Reader(bytesLeft: totalBytes, filesLeft: fileCount)
    try reader.read(folder, prefix: "", depth: 0)
    guard reader.files["index.html"] != nil else {
      throw Failure(description: "there is no index.html in \(folder)")
    }
    return StaticFiles(files: reader.files)
  }

  /// - Parameter segments: of the path, decoded; empty: the front page. A page is found without its `.html` too.
  func lookup(pathSegments segments: [String]) -> StaticFile? {
    // Only what was read is there: a path that tries to climb finds nothing.
    let path = segments.filter { !$0.isEmpty }.joined(separator: "/")
    return files[path.isEmpty ? "index.html" : path] ?? files[path + ".html"]
  }

  static let securityHeaders: [(name: String, value: String)] = [
    (
      "Content-Security-Policy",
      "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' https: data:; style-src 'self'; "
        + "script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
  ]

  private struct Reader {
    var files: [String: StaticFile] = [:]
    var bytesLeft: Int
    var filesLeft: Int

    mutating func read(_ folder: String, prefix: String, depth: Int) throws(Failure) {
      guard let stream = opendir(folder) else {
        throw Failure(description: "\(folder): \(String(cString: strerror(errno)))")
      }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard !name.hasPrefix("."), depth < 8 else { continue }
        try take(folder + "/" + name, name: name, prefix: prefix, depth: depth)
      }
    }

    private mutating func take(_ path: String, name: String, prefix: String, depth: Int) throws(Failure) {
      var status = stat()
      guard lstat(path, &status) == 0 else { return }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        if name != "test" { try read(path, prefix: prefix + name + "/", depth: depth + 1) }
      case S_IFREG:
        filesLeft -= 1
        bytesLeft -= Int(status.st_size)
        guard filesLeft >= 0, bytesLeft >= 0 else {
          throw Failure(description: "too many or too large files; is it the right folder?")
        }
        do {
          let bytes = try SmallFile.read(path, limit: Int(status.st_size) + 1)
          files[prefix + name] = StaticFile(
            bytes: bytes, contentType: ContentType.of(name), etag: "\"\(Digest.hex(bytes))\"")
        } catch {
          throw Failure(description: "\(path): \(error)")
        }
      default: return
      }
    }
  }
}

enum ContentType {
  static func of(_ name: String) -> String {
    switch name.split(separator: ".").last.map({ $0.lowercased() }) ?? "" {
    case "html": "text/html; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "json", "map": "application/json; charset=utf-8"
    case "webmanifest": "application/manifest+json"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "ico": "image/x-icon"
    case "woff2": "font/woff2"
    case "txt", "md", "ts": "text/plain; charset=utf-8"
    default: "application/octet-stream"
    }
  }
}
