/// What request and response encoders share. Everything is checked before the first byte is written.
enum HeadEncoding {
  static func checkVersion(_ minorVersion: Int) throws(HTTPLocalError) {
    guard minorVersion == 0 || minorVersion == 1 else { throw .unsupportedVersion }
  }

  /// A head that is about to get a Content-Length must not speak of lengths itself.
  static func checkNoLength(_ headers: HTTPHeaders) throws(HTTPLocalError) {
    guard !headers.contains("Content-Length"), !headers.contains("Transfer-Encoding") else {
      throw .conflictingLength
    }
  }

  static func append(_ name: String, _ value: String, into output: inout [UInt8]) {
    output.append(contentsOf: name.utf8)
    output.append(contentsOf: ": ".utf8)
    output.append(contentsOf: value.utf8)
    appendLineEnd(into: &output)
  }

  static func appendLineEnd(into output: inout [UInt8]) {
    output.append(Grammar.carriageReturn)
    output.append(Grammar.lineFeed)
  }
}
