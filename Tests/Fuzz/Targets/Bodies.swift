// Compressed bodies of upstream answers: gzip (RFC 1952), zlib and bare deflate (RFC 1950, 1951).
//
// Invariant: bytes give a body no longer than the limit, or one of two failures, nothing else, and the same
// however they are cut. Nothing is leaked (the leak detector watches).

@testable import Upstream

private struct Inflated: Equatable {
  var bytes: [UInt8] = []
  var failure: Inflater.Failure?
  var isComplete = false
}

func fuzzBodies(_ input: FuzzInput) throws {
  var input = input
  let choice = input.choice()
  let limit = 16 << Int(choice & 15)
  let format = choice & 16 == 0 ? Inflater.Format.gzip : .deflate
  let cuts = input.cuts()
  var whole = try inflate(Cuts.whole(input.rest), format, limit)
  var cut = try inflate(cuts.pieces(of: input.rest), format, limit)
  // How much came out before a failure depends on the cut, and nobody looks at it.
  if whole.failure != nil { (whole.bytes, cut.bytes) = ([], []) }
  try requireEqual(whole, cut, "the cut makes a difference")
}

private func inflate(_ pieces: [[UInt8]], _ format: Inflater.Format, _ limit: Int) throws -> Inflated {
  let inflater = Inflater(format)
  var result = Inflated()
  for piece in pieces {
    result.failure = piece.withUnsafeBytes { bytes in
      do throws(Inflater.Failure) {
        try inflater.inflate(bytes, into: &result.bytes, limit: limit)
        return nil
      } catch {
        return error
      }
    }
    if result.failure != nil { break }
    try require(result.bytes.count <= limit, "\(result.bytes.count) bytes of \(limit)")
  }
  if result.failure == nil { result.isComplete = inflater.isComplete }
  return result
}
