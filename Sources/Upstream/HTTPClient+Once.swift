import EventLoop
import Logging

extension HTTPClient {
  /// For a command that asks a few things and ends: a client on a loop of its own, which is gone when `body` returns.
  ///
  /// - Parameter security: for `https:` URLs.
  public static func once<Answer>(
    userAgent: String, security: (any TransportSecurity)?, _ body: (HTTPClient) async throws -> Answer
  ) async throws -> Answer {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    let group = try EventLoopGroup(count: 1, name: "ask", configuration: configuration)
    let resolver = try Resolver(threads: 1, queueMaximum: 4)
    defer { resolver.stop() }
    try group.start()
    defer {
      group.stop()
      group.join()
    }
    let client = HTTPClient(
      loops: group, resolver: resolver, configuration: .standard(userAgent: userAgent, security: security),
      logger: Logger(label: userAgent, factory: { _ in SwiftLogNoOpLogHandler() }))
    do {
      let answer = try await body(client)
      await client.shutdown()
      return answer
    } catch {
      await client.shutdown()
      throw error
    }
  }
}
