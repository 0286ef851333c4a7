/// The line before a chunk's data: its size, and extensions that are checked and dropped (RFC 9112 §7.1).
struct ChunkHeader: Equatable {
  var size: Int
  /// Length of everything behind the size.
  var extensionBytes: Int

  static func parse(_ line: Bytes) throws(HTTPError) -> ChunkHeader {
    var size = 0
    var index = 0
    while index < line.count, let digit = Grammar.hexValue(line[index]) {
      let (product, overflowed) = size.multipliedReportingOverflow(by: 16)
      guard !overflowed else { throw .chunkSizeOverflow }
      size = product | Int(digit)
      index += 1
    }
    guard index > 0 else { throw .malformedChunkSize }
    let rest = line.cut(from: index, to: line.count)
    try checkExtensions(rest)
    return ChunkHeader(size: size, extensionBytes: rest.count)
  }

  /// §7.1.1: `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, and nothing behind it.
  private static func checkExtensions(_ bytes: Bytes) throws(HTTPError) {
    var rest = bytes
    while !rest.isEmpty {
      skipBlanks(&rest)
      guard let mark = rest.first else { throw .malformedChunkSize }
      // Not an extension at all: "5 5", "5x", "0x5", "5,".
      guard mark == Grammar.semicolon else { throw .malformedChunkSize }
      _ = rest.takeFirst(1)
      skipBlanks(&rest)
      guard takeToken(&rest) else { throw .malformedChunkExtension }
      let behindName = rest
      skipBlanks(&rest)
      guard rest.first == Grammar.equals else {
        rest = behindName
        continue
      }
      _ = rest.takeFirst(1)
      skipBlanks(&rest)
      guard rest.first == Grammar.quote ? takeQuoted(&rest) : takeToken(&rest) else {
        throw .malformedChunkExtension
      }
    }
  }

  private static func skipBlanks(_ rest: inout Bytes) {
    _ = rest.takeFirst(rest.firstIndex { !Grammar.isBlank($0) } ?? rest.count)
  }

  private static func takeToken(_ rest: inout Bytes) -> Bool {
    !rest.takeFirst(rest.firstIndex { !Grammar.isToken($0) } ?? rest.count).isEmpty
  }

  private static func takeQuoted(_ rest: inout Bytes) -> Bool {
    var index = 1
    while index < rest.count {
      let byte = rest[index]
      guard Grammar.isFieldText(byte) else { return false }
      if byte == Grammar.quote {
        _ = rest.takeFirst(index + 1)
        return true
      }
      // RFC 9110 §5.6.4: a backslash takes the sense from the byte behind it, which is checked all the same.
      if byte == Grammar.backslash {
        index += 1
        guard index < rest.count, Grammar.isFieldText(rest[index]) else { return false }
      }
      index += 1
    }
    return false
  }
}
