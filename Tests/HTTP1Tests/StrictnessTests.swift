import HTTP1
import TestSupport
import Testing

/// The table of the documentation, at the parser: whatever the cutting, the same error or none.
@Suite struct StrictnessTests {
  /// The server's defaults.
  private static let limits = HTTPLimits(
    lineBytes: 16_384, headBytes: 16_384, headerCount: 100, bodyBytes: 65_536)

  @Test(arguments: StrictnessFamily.all.flatMap(\.cases))
  func threeFeeds(_ row: StrictnessCase) {
    let run = { (chunks: [[UInt8]]) in readRequests(chunks, limits: Self.limits) }
    let steps = run([row.bytes])
    switch steps.last {
    case .failed(let error):
      #expect(error.status == row.status, "\(row.title)")
      #expect(row.fate == .closed, "\(row.title)")
    case .end:
      // It is for the routes to refuse; the framing is sound.
      break
    default:
      // What follows a handshake is not a request.
      if case .webSocket = row.fate { return }
      Issue.record("\(row.title): neither read to its end nor refused")
    }
    // A request behind a refused one makes no event; behind a good one this piece of one doesn't either.
    expectThreeFeeds(row.bytes, giving: steps, trailing: trailingBytes, run: run)
  }
}
