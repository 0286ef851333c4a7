import EventLoop
import HTTP1
import Synchronization
import Testing

@testable import Upstream

/// Responses that are read as they come in.
struct ResponseStreamTests {
  private static let head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n"

  private func text(_ stream: HTTPResponseStream, until end: String) async throws -> String {
    var text = ""
    while !text.hasSuffix(end), let bytes = try await stream.next() {
      text += String(decoding: bytes, as: UTF8.self)
    }
    return text
  }

  /// What was sent is here before there is more, and the end of the connection is that of the body.
  @Test func piecesComeAsTheyAreSent() async throws {
    let server = try ScriptedServer {
      $0.head.target == "/more" ? [.sendTo(connection: 1, "two"), .respond("")] : [.send(Self.head + "one")]
    }
    try await withClient(server: server) { client in
      let stream = try client.stream(.get(server.url("/a"), headers: [("Accept", "text/event-stream")]))
      let head = try await stream.head()
      #expect(head.status == 200 && head.headers.first("Content-Type") == "text/event-stream")
      #expect(try await text(stream, until: "one") == "one")
      _ = try await client.send(.get(server.url("/more")))
      #expect(try await text(stream, until: "two") == "two")
      stream.cancel()
      await server.wait(for: .closed(connection: 1))
      await #expect(throws: UpstreamError.cancelled) { try await stream.next() }
    }
    #expect(server.requests[0].head.headers.first("Accept-Encoding") == "identity")
  }

  @Test func theEndOfTheBodyIsTold() async throws {
    let server = try ScriptedServer {
      switch $0.head.target {
      case "/length": [.respond("whole")]
      case "/empty": [.respond("")]
      default: [.send(Self.head + "whole"), .close]
      }
    }
    try await withClient(server: server) { client in
      for (target, body) in [("/length", "whole"), ("/close", "whole"), ("/empty", "")] {
        let stream = try client.stream(.get(server.url(target)))
        #expect(try await text(stream, until: "none") == body, "\(target)")
        #expect(try await stream.next() == nil)
        #expect(try await stream.head().status == 200)
      }
      // A whole response leaves its connection to the next one.
      #expect(server.acceptedCount == 2)
    }
  }

  @Test func failuresAreTold() async throws {
    let server = try ScriptedServer {
      switch $0.head.target {
      case "/coded": [.respond("x", headers: "Content-Encoding: gzip\r\n")]
      case "/short": [.send("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nabc"), .close]
      case "/long": [.respond("0123456789")]
      default: [.close]
      }
    }
    try await withClient(server: server) { client in
      await #expect(throws: UpstreamError.closedBeforeResponse) {
        try await client.stream(.get(server.url())).head()
      }
      await #expect(throws: UpstreamError.unknownContentCoding) {
        try await client.stream(.get(server.url("/coded"))).head()
      }
      await #expect(throws: UpstreamError.responseTooLarge(limit: 9)) {
        let stream = try client.stream(.get(server.url("/long"), limit: 9))
        while try await stream.next() != nil {}
      }
      let short = try client.stream(.get(server.url("/short")))
      #expect(try await text(short, until: "abc") == "abc")
      await #expect(throws: UpstreamError.malformedResponse(.closedEarly)) { try await short.next() }
    }
  }

  @Test func aCancelledTaskEndsIt() async throws {
    let server = try ScriptedServer { $0.head.target == "/silent" ? [] : [.send(Self.head)] }
    try await withClient(server: server) { client in
      for (connection, target) in [(1, "/silent"), (2, "/quiet")] {
        let stream = try client.stream(.get(server.url(target)))
        let reader = Task { try await stream.next() }
        await server.wait(for: .requested(connection: connection, target: target))
        reader.cancel()
        await #expect(throws: UpstreamError.cancelled) { try await reader.value }
        await server.wait(for: .closed(connection: connection))
      }
    }
  }

  /// The last byte is the one too many: reading was paused, and the response is whole.
  @Test func aResponseNobodyReadsKeepsNoConnectionFromTheNext() async throws {
    let body = [UInt8](repeating: 7, count: HTTPResponseStream.queueBytes + 1)
    let server = try ScriptedServer {
      $0.head.target == "/next"
        ? [.respond("next")]
        : [.send("HTTP/1.1 200 X\r\nContent-Length: \(body.count)\r\n\r\n"), .sendBytes(body)]
    }
    try await withClient(.testing(connections: 1), server: server) { client in
      let stream = try client.stream(.get(server.url(), limit: body.count))
      #expect(try await client.send(.get(server.url("/next"))).text == "next")
      #expect(stream.waitingBytes == body.count && server.acceptedCount == 1)
    }
  }

  /// What waits for a slow reader is bounded: the server has to wait. Nothing is lost.
  @Test func aSlowReaderIsTheServersPace() async throws {
    let body = [UInt8](repeating: 7, count: 16 << 20)
    let server = try ScriptedServer { _ in
      [.send("HTTP/1.1 200 X\r\nContent-Length: \(body.count)\r\n\r\n"), .sendBytes(body)]
    }
    try await withClient(server: server) { client in
      let stream = try client.stream(.get(server.url(), limit: body.count))
      _ = try await stream.head()
      while stream.waitingBytes <= HTTPResponseStream.queueBytes { await Task.yield() }
      // Time for the loop to read on, if it did.
      for _ in 0..<200 { try await client.clients[0].loop.perform {} }
      var count = 0
      while let bytes = try await stream.next() {
        // What was read at once may go beyond it.
        #expect(bytes.count <= HTTPResponseStream.queueBytes + (1 << 20))
        count += bytes.count
      }
      #expect(count == body.count)
    }
  }
}
