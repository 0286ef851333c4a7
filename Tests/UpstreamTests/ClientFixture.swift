import EventLoop
import Logging

@testable import Upstream

/// A client on loops of its own.
struct ClientFixture {
  let loops: EventLoopGroup
  let resolver: Resolver
  let client: HTTPClient

  init(_ configuration: HTTPClientConfiguration = .testing()) throws {
    loops = try EventLoopGroup(count: 1, name: "client", configuration: .testing)
    resolver = try Resolver(threads: 1, queueMaximum: 100)
    client = HTTPClient(
      loops: loops, resolver: resolver, configuration: configuration, logger: Logger(label: "test"))
    try loops.start()
  }

  func stop() async {
    await client.shutdown()
    loops.stop()
    loops.join()
    resolver.stop()
  }
}

/// A client and a server, both gone afterwards.
func withClient(
  _ configuration: HTTPClientConfiguration = .testing(), server: ScriptedServer,
  _ body: (HTTPClient) async throws -> Void
) async throws {
  let fixture = try ClientFixture(configuration)
  do {
    try await body(fixture.client)
  } catch {
    await fixture.stop()
    server.stop()
    throw error
  }
  await fixture.stop()
  server.stop()
}

extension HTTPClientConfiguration {
  static func testing(
    connections: Int = 4, waiting: Int = 1_000, idle: Duration = .seconds(60),
    lifetime: Duration = .seconds(600), security: (any TransportSecurity)? = nil
  ) -> HTTPClientConfiguration {
    HTTPClientConfiguration(
      connectionsPerOrigin: connections, waitingPerOrigin: waiting, idleTimeout: idle,
      connectionLifetime: lifetime, addressLifetime: .seconds(30), lineBytes: 4_096, headBytes: 16_384,
      headerCount: 50, userAgent: "test/1", security: security)
  }
}

extension HTTPClientRequest {
  /// With time limits that no slow machine comes to.
  static func get(
    _ url: String, method: String = "GET", headers: [(String, String)] = [], body: [UInt8] = [],
    connect: Duration = .seconds(300), firstByte: Duration = .seconds(300), total: Duration = .seconds(300),
    limit: Int = 1 << 20, isIdempotent: Bool = true
  ) throws -> HTTPClientRequest {
    HTTPClientRequest(
      method: method, url: try HTTPURL(url), headers: headers, body: body,
      timeouts: Timeouts(connect: connect, firstByte: firstByte, total: total), responseBytesLimit: limit,
      isIdempotent: isIdempotent)
  }
}

extension HTTPClientResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}

extension HTTPClient {
  /// The error of a call that must fail.
  func failure(_ request: HTTPClientRequest) async -> UpstreamError? {
    do {
      _ = try await send(request)
      return nil
    } catch {
      return error
    }
  }
}
