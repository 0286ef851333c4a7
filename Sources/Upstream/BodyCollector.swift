import HTTP1

/// A response's body as it comes in: inflated where the headers say so, and never longer than the limit.
struct BodyCollector {
  private let limit: Int
  private var bytes: [UInt8] = []
  private var inflater: Inflater?
  private(set) var wireBytes = 0

  init(limit: Int) { self.limit = limit }

  /// Reads the coding off the headers (RFC 9110 §8.4). Several codings on top of each other are refused:
  /// nobody asked for them. In a stream any is: it is handed on as it comes.
  mutating func begin(_ headers: HTTPHeaders, isStream: Bool) throws(UpstreamError) {
    let codings = headers.all("Content-Encoding").flatMap { value in
      value.split(separator: ",").map { $0.trimmingBlanks.lowercased() }
    }.filter { !$0.isEmpty && $0 != "identity" }
    guard let coding = codings.first else { return }
    guard codings.count == 1, !isStream else { throw .unknownContentCoding }
    switch coding {
    // RFC 9110 §8.4.1.3: x-gzip is the same.
    case "gzip", "x-gzip": inflater = Inflater(.gzip)
    case "deflate": inflater = Inflater(.deflate)
    default: throw .unknownContentCoding
    }
  }

  mutating func append(_ piece: UnsafeRawBufferPointer) throws(UpstreamError) {
    // The parser holds the body on the wire to the limit.
    wireBytes += piece.count
    guard let inflater else {
      bytes.append(contentsOf: piece)
      return
    }
    do {
      try inflater.inflate(piece, into: &bytes, limit: limit)
    } catch {
      switch error {
      case .tooLong: throw .responseTooLarge(limit: limit)
      case .damaged: throw .malformedContentCoding
      }
    }
  }

  /// The whole body. Throws when the compressed data has no end. An empty body is empty whatever the headers
  /// say: that of a response to HEAD, for one.
  mutating func finish() throws(UpstreamError) -> [UInt8] {
    if let inflater, wireBytes > 0, !inflater.isComplete { throw .malformedContentCoding }
    return bytes
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var text = self
    while text.first == " " || text.first == "\t" { text = text.dropFirst() }
    while text.last == " " || text.last == "\t" { text = text.dropLast() }
    return text
  }
}
