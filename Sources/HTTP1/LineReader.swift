/// Cuts CRLF lines out of pieces of any size.
///
/// A line that lies whole in the input is handed on where it lies. Only a line that straddles two inputs
/// is gathered here, and the memory is given back at the end of the head, so an idle parser holds none.
///
/// Where a line goes wrong must not depend on how it was cut into pieces: the length is judged first (as
/// soon as `limit` bytes have come without LF), the bytes afterwards (once the LF is there).
struct LineReader {
  private var partial: [UInt8] = []
  /// The length of the line handed out last, its CRLF included.
  private(set) var lastLineBytes = 0

  /// Whether nothing of a line has come yet.
  var isEmpty: Bool { partial.isEmpty }

  /// Gives `parse` the next line without its CRLF. nil: the input is used up, its bytes are kept.
  /// - Parameter limit: the longest line, CRLF included. The same for all pieces of a line.
  mutating func next<Line>(
    _ input: inout Bytes, limit: Int, tooLong: HTTPError,
    _ parse: (Bytes) throws(HTTPError) -> Line
  ) throws(HTTPError) -> Line? {
    let room = max(limit - partial.count, 0)
    guard let feed = input.cut(from: 0, to: room).firstIndex(of: Grammar.lineFeed) else {
      if input.count >= room { throw tooLong }
      partial.append(contentsOf: input.takeFirst(input.count))
      return nil
    }
    let ending = input.takeFirst(feed + 1)
    if partial.isEmpty {
      lastLineBytes = ending.count
      return try parse(Self.content(of: ending))
    }
    partial.append(contentsOf: ending)
    lastLineBytes = partial.count
    defer { partial.removeAll(keepingCapacity: true) }
    return try partial.withUnsafeBufferPointer { line throws(HTTPError) in
      try parse(Self.content(of: Bytes(line)))
    }
  }

  /// Gives the memory back.
  mutating func release() {
    partial = []
  }

  /// The line without its CRLF. RFC 9112 §2.2 lets a recipient accept a bare LF, and turn a bare CR into a
  /// space; two parsers that choose differently see different messages, so both are refused.
  private static func content(of line: Bytes) throws(HTTPError) -> Bytes {
    guard line.count >= 2, line[line.count - 2] == Grammar.carriageReturn else {
      throw .bareLineFeed
    }
    let content = line.cut(from: 0, to: line.count - 2)
    guard content.firstIndex(of: Grammar.carriageReturn) == nil else { throw .bareCarriageReturn }
    return content
  }
}
