import EventLoop
import HTTP1
import Testing

@testable import Upstream

struct HTTPClientTests {
  @Test func sendsWhatItWasGiven() async throws {
    let server = try ScriptedServer { _ in [.respond("hello", headers: "X-A: b\r\n")] }
    try await withClient(server: server) { client in
      let request = try HTTPClientRequest.get(
        server.url("/rpc?x=1"), method: "POST", headers: [("Content-Type", "application/json")],
        body: Array("{}".utf8))
      let response = try await client.send(request)
      #expect(response.status == 200)
      #expect(response.text == "hello")
      #expect(response.headers.first("x-a") == "b")
      #expect(!response.reusedConnection)
    }
    let request = try #require(server.requests.first)
    #expect(request.head.method == "POST")
    #expect(request.head.target == "/rpc?x=1")
    #expect(request.head.host == "127.0.0.1:\(server.port)")
    #expect(request.head.headers.first("User-Agent") == "test/1")
    #expect(request.head.headers.first("Accept-Encoding") == "gzip")
    #expect(request.head.headers.first("Content-Length") == "2")
    #expect(request.body == Array("{}".utf8))
  }

  @Test(arguments: [("GET", nil), ("HEAD", nil), ("POST", "0"), ("PUT", "0")])
  func tellsALengthOfZeroOnlyWhereABodyIsExpected(_ method: String, _ length: String?) async throws {
    let server = try ScriptedServer {
      $0.head.method == "HEAD" ? [.send("HTTP/1.1 200 X\r\n\r\n")] : [.respond("")]
    }
    try await withClient(server: server) { client in
      _ = try await client.send(.get(server.url(), method: method))
    }
    #expect(server.requests.first?.head.headers.first("Content-Length") == length)
  }

  @Test(arguments: [
    ("GET", [("A", "b\r\nC: d")], HTTPLocalError.malformedFieldValue), ("G T", [], .malformedMethod),
    ("GET", [("A b", "c")], .malformedFieldName), ("GET", [("Host", "x")], .missingHost),
    ("GET", [("Content-Length", "3")], .conflictingLength),
    ("POST", [("Content-Length", "3")], .conflictingLength),
    ("CONNECT", [], .malformedMethod),
  ])
  func refusesWhatIsNoRequest(
    _ method: String, _ headers: [(String, String)], _ error: HTTPLocalError
  ) async throws {
    let server = try ScriptedServer { _ in [.respond("")] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url(), method: method, headers: headers))
      #expect(failure == .invalidRequest(error))
    }
    #expect(server.acceptedCount == 0)
  }

  @Test(arguments: [200, 204, 301, 404, 500, 999])
  func returnsEveryStatus(_ status: Int) async throws {
    let server = try ScriptedServer { _ in
      status == 204
        ? [.send("HTTP/1.1 204 X\r\n\r\n")] : [.respond("", status: status, headers: "Location: /x\r\n")]
    }
    try await withClient(server: server) { client in
      let response = try await client.send(.get(server.url()))
      #expect(response.status == status)
    }
    #expect(server.requests.count == 1)
  }

  struct Framing: Sendable, CustomTestStringConvertible {
    var name: String
    var method = "GET"
    var steps: [ScriptedServer.Step]
    var body: String
    var reuses: Bool
    var testDescription: String { name }
  }

  @Test(arguments: [
    Framing(name: "length", steps: [.respond("abc")], body: "abc", reuses: true),
    Framing(
      name: "chunked",
      steps: [
        .send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"), .send("2\r\nab\r\n"),
        .send("1;x=y\r\nc\r\n0\r\nA: b\r\n\r\n"),
      ], body: "abc", reuses: true),
    Framing(
      name: "until close", steps: [.send("HTTP/1.1 200 X\r\n\r\nabc"), .close], body: "abc", reuses: false),
    Framing(
      name: "HEAD", method: "HEAD", steps: [.send("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n")], body: "",
      reuses: true),
    Framing(
      name: "interim", steps: [.send("HTTP/1.1 103 X\r\nLink: x\r\n\r\n"), .respond("abc")], body: "abc",
      reuses: true),
    Framing(
      name: "asked to close", steps: [.respond("abc", headers: "Connection: close\r\n")], body: "abc",
      reuses: false),
    Framing(
      name: "1.0", steps: [.send("HTTP/1.0 200 X\r\nContent-Length: 3\r\n\r\nabc")], body: "abc",
      reuses: false),
    Framing(name: "leftover", steps: [.respond("abc"), .send("x")], body: "abc", reuses: false),
  ])
  func readsEveryFraming(_ framing: Framing) async throws {
    let server = try ScriptedServer { _ in framing.steps }
    try await withClient(.testing(connections: 1), server: server) { client in
      for index in 0..<3 {
        let response = try await client.send(.get(server.url(), method: framing.method))
        #expect(response.text == framing.body)
        #expect(response.reusedConnection == (framing.reuses && index > 0))
      }
    }
    #expect(server.acceptedCount == (framing.reuses ? 1 : 3))
  }

  @Test(arguments: [
    ("GARBAGE\r\n\r\n", HTTPError.malformedStatusLine), ("HTTP/2.0 200 X\r\n\r\n", .unsupportedVersion),
    ("HTTP/1.1 200 X\r\nA b\r\n\r\n", .missingColon),
    (
      "HTTP/1.1 200 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      .contentLengthWithTransferEncoding
    ),
    ("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .malformedChunkSize),
    (
      "HTTP/1.1 200 X\r\nA: " + String(repeating: "x", count: 5_000) + "\r\n\r\n",
      .fieldLineTooLong(limit: 4_096)
    ),
  ])
  func reportsWhatIsNoResponse(_ text: String, _ error: HTTPError) async throws {
    let server = try ScriptedServer { _ in [.send(text)] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url()))
      #expect(failure == .malformedResponse(error))
    }
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [
    "HTTP/1.1 2", "HTTP/1.1 200 X\r\nA: b\r\n", "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nabc",
    "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
  ])
  func halfAResponseIsNone(_ text: String) async throws {
    let server = try ScriptedServer { _ in [.send(text), .close] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url()))
      #expect(failure == .malformedResponse(.closedEarly))
    }
    #expect(server.requests.count == 1, "a request whose response had begun is not sent again")
  }

  @Test func aFreshConnectionThatClosesIsNotTriedAgain() async throws {
    let server = try ScriptedServer { _ in [.close] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url()))
      #expect(failure == .closedBeforeResponse)
    }
    #expect(server.requests.count == 1)
  }

  @Test func aResetIsReported() async throws {
    let server = try ScriptedServer { _ in [.abort] }
    try await withClient(server: server) { client in
      guard case .connectionBroken? = await client.failure(try .get(server.url())) else {
        Issue.record("no connectionBroken")
        return
      }
    }
  }

  // MARK: - Limits

  @Test(arguments: [
    "HTTP/1.1 200 X\r\nContent-Length: 101\r\n\r\n",
    "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n",
    "HTTP/1.1 200 X\r\n\r\n" + String(repeating: "x", count: 101),
  ])
  func stopsAtTheLimit(_ text: String) async throws {
    let server = try ScriptedServer { _ in [.send(text)] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url(), limit: 100))
      #expect(failure == .responseTooLarge(limit: 100))
      await server.wait(for: .closed(connection: 1))
    }
  }

  @Test func takesABodyOfExactlyTheLimit() async throws {
    let server = try ScriptedServer { _ in [.respond(String(repeating: "x", count: 100))] }
    try await withClient(server: server) { client in
      let response = try await client.send(.get(server.url(), limit: 100))
      #expect(response.body.count == 100)
    }
  }

  @Test func carriesLargeBodiesBothWays() async throws {
    let server = try ScriptedServer { request in
      [.send("HTTP/1.1 200 X\r\nContent-Length: \(request.body.count)\r\n\r\n"), .sendBytes(request.body)]
    }
    let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try await withClient(server: server) { client in
      let response = try await client.send(
        .get(server.url(), method: "POST", body: body, limit: body.count))
      #expect(response.body == body)
    }
  }

  @Test func manyRequestsShareFewConnections() async throws {
    let server = try ScriptedServer { [.respond($0.head.target)] }
    try await withClient(.testing(connections: 4), server: server) { client in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<200 {
          let request = try HTTPClientRequest.get(server.url("/\(index)"))
          group.addTask { try await client.send(request).text == request.url.target }
        }
        for try await isRight in group { #expect(isRight) }
      }
    }
    #expect(Set(server.targets).count == 200)
    #expect(server.requests.count == 200)
    #expect(server.acceptedCount <= 4)
  }

  @Test func refusesWhenTooManyWait() async throws {
    let server = try ScriptedServer { $0.head.target == "/held" ? [] : [.respond("")] }
    try await withClient(.testing(connections: 1, waiting: 0), server: server) { client in
      let held = try HTTPClientRequest.get(server.url("/held"))
      let task = Task { await client.failure(held) }
      await server.wait(for: .requested(connection: 1, target: "/held"))
      let failure = await client.failure(try .get(server.url("/more")))
      #expect(failure == .overloaded)
      task.cancel()
      #expect(await task.value == .cancelled)
    }
  }

  @Test func securityIsNeededForHTTPS() async throws {
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url(scheme: "https")))
      #expect(failure == .securityNotConfigured)
    }
    #expect(server.acceptedCount == 0)
  }
}
