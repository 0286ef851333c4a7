// A protocol parser must say the same however the network cuts its bytes. The three feeds are the
// cheapest proof: all bytes at once (the fast path), one byte at a time (every partial state), and
// with bytes of something else behind them (does it read past its end?).
//
// The checker knows nothing of any protocol. A test gives it `run`, which makes a fresh parser, hands
// it the chunks one after the other, and returns a transcript: an Equatable record of everything that
// came out, an error included. What a parser does with pieces (a body delivered in parts) is joined by
// `run` into what must not depend on the cutting.

import Testing

/// How the bytes of a test case are handed over.
public enum Feed: Equatable, Sendable, CustomStringConvertible {
  /// All at once.
  case whole
  /// One byte at a time.
  case byteByByte
  /// All at once, with other bytes behind them.
  case withTrailing([UInt8])
  /// In random pieces of at most so many bytes.
  case random(seed: UInt64, longest: Int)

  /// The pieces in which `bytes` are handed over.
  public func chunks(of bytes: [UInt8]) -> [[UInt8]] {
    switch self {
    case .whole:
      return [bytes]
    case .byteByByte:
      return bytes.map { [$0] }
    case .withTrailing(let trailing):
      return [bytes + trailing]
    case .random(let seed, let longest):
      var generator = SeededGenerator(seed: seed)
      var chunks: [[UInt8]] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...max(1, longest), using: &generator)
        chunks.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      return chunks
    }
  }

  public var description: String {
    switch self {
    case .whole: "whole"
    case .byteByByte: "byte by byte"
    case .withTrailing(let bytes): "with \(bytes.count) trailing bytes"
    case .random(let seed, let longest): "in random pieces (seed \(seed), longest \(longest))"
    }
  }
}

/// Feeds `bytes` whole, byte by byte and with trailing data, and expects the same transcript each time.
///
/// - Parameters:
///   - bytes: what the peer sends.
///   - expected: the transcript of `bytes`.
///   - trailing: bytes of something else (they must not make a complete event), put behind `bytes` in
///     the third feed. Empty: the third feed is left out.
///   - expectedWithTrailing: the transcript of the third feed, where it differs: a transcript that tells
///     of leftover bytes, for example. nil: the same as `expected`.
///   - run: makes a fresh parser, feeds it the chunks, returns the transcript.
public func expectThreeFeeds<Transcript: Equatable>(
  _ bytes: [UInt8], giving expected: Transcript, trailing: [UInt8],
  withTrailing expectedWithTrailing: Transcript? = nil,
  sourceLocation: SourceLocation = #_sourceLocation,
  run: (_ chunks: [[UInt8]]) throws -> Transcript
) rethrows {
  var feeds: [Feed] = [.whole, .byteByByte]
  if !trailing.isEmpty { feeds.append(.withTrailing(trailing)) }
  for feed in feeds {
    let transcript = try run(feed.chunks(of: bytes))
    var wanted = expected
    if case .withTrailing = feed, let expectedWithTrailing { wanted = expectedWithTrailing }
    #expect(transcript == wanted, "fed \(feed)", sourceLocation: sourceLocation)
  }
}

/// Feeds `bytes` in random pieces, once per seed, and expects the same transcript each time.
public func expectRandomFeeds<Transcript: Equatable>(
  _ bytes: [UInt8], giving expected: Transcript, seeds: Range<UInt64>, longest: Int,
  sourceLocation: SourceLocation = #_sourceLocation,
  run: (_ chunks: [[UInt8]]) throws -> Transcript
) rethrows {
  for seed in seeds {
    let feed = Feed.random(seed: seed, longest: longest)
    let transcript = try run(feed.chunks(of: bytes))
    #expect(transcript == expected, "fed \(feed)", sourceLocation: sourceLocation)
  }
}
