import EventLoop
import Testing

@testable import Upstream

/// What becomes of kept-alive connections.
struct ReuseTests {
  /// A server that answers the first request of a connection, and does `second` on the next one.
  private static func server(_ second: @escaping @Sendable (Int) -> [ScriptedServer.Step]) throws
    -> ScriptedServer
  {
    try ScriptedServer { $0.number == 1 ? [.respond("first")] : second($0.connection) }
  }

  @Test(arguments: [[ScriptedServer.Step.close], [.abort]])
  func aDeadOneIsNoticedAndTheRequestSentOnceMore(_ steps: [ScriptedServer.Step]) async throws {
    let server = try Self.server { _ in steps }
    try await withClient(.testing(connections: 1), server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      let response = try await client.send(.get(server.url("/2")))
      #expect(response.text == "first")
      #expect(!response.reusedConnection)
    }
    #expect(server.targets == ["/1", "/2", "/2"])
    #expect(server.acceptedCount == 2)
  }

  @Test func whatMustNotBeDoneTwiceIsNotSentTwice() async throws {
    let server = try Self.server { _ in [.close] }
    try await withClient(.testing(connections: 1), server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      let failure = await client.failure(try .get(server.url("/2"), isIdempotent: false))
      #expect(failure == .closedBeforeResponse)
    }
    #expect(server.targets == ["/1", "/2"])
  }

  @Test func itIsSentOnceMoreAndNotForEver() async throws {
    let server = try ScriptedServer { $0.head.target == "/1" ? [.respond("")] : [.close] }
    try await withClient(.testing(connections: 1), server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      let failure = await client.failure(try .get(server.url("/2")))
      #expect(failure == .closedBeforeResponse)
    }
    #expect(server.targets == ["/1", "/2", "/2"])
  }

  @Test func aResponseThatHasBegunIsNotRepeated() async throws {
    let server = try Self.server { _ in [.send("HTTP/1.1 200"), .close] }
    try await withClient(.testing(connections: 1), server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      let failure = await client.failure(try .get(server.url("/2")))
      #expect(failure == .malformedResponse(.closedEarly))
    }
    #expect(server.targets == ["/1", "/2"])
  }

  @Test func aResponseThatBreaksIsNotRepeated() async throws {
    let server = try ScriptedServer { request in
      switch request.head.target {
      case "/1": [.respond("")]
      case "/2": [.send("HTTP/1.1 200 X\r\n")]
      default: [.abortOther(connection: 1), .respond("")]
      }
    }
    try await withClient(.testing(connections: 1), server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      let request = try HTTPClientRequest.get(server.url("/2"))
      let task = Task { await client.failure(request) }
      await server.wait(for: .requested(connection: 1, target: "/2"))
      _ = try await client.send(.get(server.url("/reset", host: "localhost")))
      guard case .connectionBroken? = await task.value else {
        Issue.record("no connectionBroken")
        return
      }
    }
    #expect(server.targets == ["/1", "/2", "/reset"])
  }

  /// With a limit of one connection, and several in the pool's hands: the dead one gives its place away.
  @Test func resendingKeepsToTheLimit() async throws {
    let server = try ScriptedServer { $0.number == 3 ? [.abort] : [.respond($0.head.target)] }
    try await withClient(.testing(connections: 2), server: server) { client in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<60 {
          let request = try HTTPClientRequest.get(server.url("/\(index)"))
          group.addTask { try await client.send(request).text == request.url.target }
        }
        for try await isRight in group { #expect(isRight) }
      }
    }
    #expect(server.openMost <= 3, "the server may learn of a close a moment after the next connection")
    #expect(Set(server.targets).count == 60)
  }

  @Test func theServersCloseOfAnIdleOneIsNoticed() async throws {
    let server = try ScriptedServer { _ in [.respond(""), .close] }
    try await withClient(server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      await server.wait(for: .closed(connection: 1))
      // The connection has gone on both sides: this would fail on it, as nothing may be sent twice.
      _ = try await client.send(.get(server.url("/2"), isIdempotent: false))
    }
    #expect(server.acceptedCount == 2)
  }

  @Test func bytesThatNobodyAskedForEndTheConnection() async throws {
    let server = try ScriptedServer { request in
      request.head.target == "/poison"
        ? [.sendTo(connection: 1, "HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\nx"), .respond("")]
        : [.respond(request.head.target)]
    }
    try await withClient(server: server) { client in
      _ = try await client.send(.get(server.url("/1")))
      // Another origin, and so another connection.
      _ = try await client.send(.get(server.url("/poison", host: "localhost")))
      await server.wait(for: .closed(connection: 1))
      let response = try await client.send(.get(server.url("/2"), isIdempotent: false))
      #expect(response.text == "/2")
    }
    #expect(server.acceptedCount == 3)
  }

  @Test(arguments: [
    HTTPClientConfiguration.testing(idle: .milliseconds(10)), .testing(lifetime: .milliseconds(10)),
  ])
  func theirTimeEnds(_ configuration: HTTPClientConfiguration) async throws {
    let server = try ScriptedServer { _ in [.respond("")] }
    try await withClient(configuration, server: server) { client in
      _ = try await client.send(.get(server.url()))
      await server.wait(for: .closed(connection: 1))
    }
  }

  @Test func originsDoNotShare() async throws {
    let server = try ScriptedServer { _ in [.respond("")] }
    try await withClient(server: server) { client in
      _ = try await client.send(.get(server.url()))
      _ = try await client.send(.get(server.url(host: "localhost")))
      _ = try await client.send(.get(server.url(host: "LOCALHOST")))
    }
    #expect(server.acceptedCount == 2)
  }

  @Test func nothingIsKept() async throws {
    let server = try ScriptedServer {
      switch $0.head.target {
      case "/held": []
      case "/dead": $0.number == 1 ? [.respond("")] : [.abort]
      case "/broken": [.send("x\r\n")]
      default: [.respond("")]
      }
    }
    let kept = try await Self.useAndForget(server)
    server.stop()
    #expect(kept.clients.isEmpty && kept.origins.isEmpty)
  }

  private struct Kept {
    weak var client: ClientLoop?
    weak var origin: Origin?
    var clients: [ClientLoop] { client.map { [$0] } ?? [] }
    var origins: [Origin] { origin.map { [$0] } ?? [] }
  }

  private static func useAndForget(_ server: ScriptedServer) async throws -> Kept {
    let fixture = try ClientFixture()
    for target in ["/", "/dead", "/dead", "/broken"] {
      _ = await fixture.client.failure(try .get(server.url(target)))
    }
    _ = await fixture.client.failure(try .get(server.url("/held"), total: .milliseconds(20)))
    let client = try #require(fixture.client.clients.first)
    nonisolated(unsafe) var origin: Origin?
    _ = await fixture.client.failure(try .get(server.url("/")))
    try await client.loop.perform { origin = client.allOrigins.first }
    try #require(origin != nil)
    defer { origin = nil }
    await fixture.stop()
    return Kept(client: client, origin: origin)
  }
}
