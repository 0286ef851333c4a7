import EventLoop
import HTTP1
import Logging
import TestSupport
import Testing

@testable import Upstream

/// Responses without sockets: however the network cuts them.
struct ExchangeTests {
  private struct Transcript: Equatable {
    var outcome: String
    var leftover = 0
    var isReusable = false
  }

  private static func run(
    _ chunks: [[UInt8]], _ client: ClientLoop, ended: Bool = false, limit: Int = 100
  ) throws -> Transcript {
    let request = try HTTPClientRequest.get("http://a/", limit: limit)
    let call = Call(request, bytes: [], client: client)
    var exchange = Exchange(call, limits: client.configuration.limits(bodyBytes: limit), isReused: false)
    var finished: Transcript?
    for chunk in chunks {
      if finished != nil {
        finished?.leftover += chunk.count
        continue
      }
      let (progress, leftover) = chunk.withUnsafeBytes { bytes in
        var input = bytes
        return (exchange.receive(&input), input.count)
      }
      finished = transcript(progress, exchange, leftover)
    }
    if finished == nil, ended { finished = transcript(exchange.inputEnded(), exchange, 0) }
    return finished ?? Transcript(outcome: "incomplete")
  }

  private static func transcript(_ progress: Exchange.Progress, _ exchange: Exchange, _ leftover: Int)
    -> Transcript?
  {
    switch progress {
    case .incomplete: nil
    case .failed(let error): Transcript(outcome: "\(error)")
    case .complete(let response):
      Transcript(
        outcome: "\(response.status) \(response.text)", leftover: leftover, isReusable: exchange.isReusable)
    }
  }

  private static func client() throws -> ClientLoop {
    ClientLoop(
      loop: try EventLoop(name: "never started", configuration: .testing),
      resolver: try Resolver(threads: 1, queueMaximum: 1), configuration: .testing(),
      logger: Logger(label: "test"))
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 abc", true),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200 abc", true),
    ("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", "404 ", true),
    ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", "200 abc", false),
  ])
  func complete(_ text: String, _ outcome: String, _ isReusable: Bool) throws {
    let client = try Self.client()
    try expectThreeFeeds(
      Array(text.utf8), giving: Transcript(outcome: outcome, isReusable: isReusable), trailing: [1, 2],
      withTrailing: Transcript(outcome: outcome, leftover: 2, isReusable: isReusable)
    ) { try Self.run($0, client) }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", UpstreamError.responseTooLarge(limit: 100)),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", .unknownContentCoding),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", .malformedContentCoding),
    ("NOT HTTP\r\n", .malformedResponse(.malformedVersion)),
  ])
  func failed(_ text: String, _ error: UpstreamError) throws {
    let client = try Self.client()
    try expectThreeFeeds(Array(text.utf8), giving: Transcript(outcome: "\(error)"), trailing: [1, 2]) {
      // Bytes behind a failure are nobody's.
      var transcript = try Self.run($0, client)
      transcript.leftover = 0
      return transcript
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\n\r\nabc", "200 abc"), ("HTTP/1.1 200 OK\r\n\r\n", "200 "),
    ("", "\(UpstreamError.closedBeforeResponse)"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "\(UpstreamError.malformedResponse(.closedEarly))"),
  ])
  func ended(_ text: String, _ outcome: String) throws {
    let client = try Self.client()
    try expectThreeFeeds(Array(text.utf8), giving: Transcript(outcome: outcome), trailing: []) {
      try Self.run($0, client, ended: true)
    }
  }
}
