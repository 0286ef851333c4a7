import Synchronization
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(10)))
struct WebSocketFeedTests {
  /// A feed, and what it reports as short texts.
  private final class Listener: Sendable {
    let events: AsyncStream<String>
    let feed: WebSocketFeed

    init(_ urls: [WebSocketURL], _ fixture: ClientFixture) {
      let (events, sink) = AsyncStream<String>.makeStream()
      self.events = events
      feed = WebSocketFeed(
        urls, client: fixture.client, greeting: "hello",
        pause: ReconnectPause(minimum: .milliseconds(10), maximum: .milliseconds(50))
      ) { event in
        switch event {
        case .opened: sink.yield("opened")
        case .text(let bytes): sink.yield(String(decoding: bytes, as: UTF8.self))
        case .lost: sink.yield("lost")
        }
      }
      feed.start()
    }

    func next(_ count: Int) async -> [String] {
      var taken: [String] = []
      for await event in events {
        taken.append(event)
        if taken.count == count { break }
      }
      return taken
    }
  }

  private func withFixture(_ body: (ClientFixture) async throws -> Void) async throws {
    let fixture = try ClientFixture()
    do {
      try await body(fixture)
    } catch {
      await fixture.stop()
      throw error
    }
    await fixture.stop()
  }

  @Test func greetsAndHears() async throws {
    let server = try WebSocketServer()
    defer { server.stop() }
    try await withFixture { fixture in
      let listener = Listener([try server.url()], fixture)
      #expect(await listener.next(2) == ["opened", "hello"])
      listener.feed.stop()
    }
  }

  @Test func comesBackWhenItWasLost() async throws {
    let server = try WebSocketServer(.drops)
    defer { server.stop() }
    try await withFixture { fixture in
      let listener = Listener([try server.url()], fixture)
      #expect(await listener.next(6) == ["opened", "lost", "opened", "lost", "opened", "lost"])
      listener.feed.stop()
    }
  }

  @Test func triesTheNextAddress() async throws {
    let (refusing, echoing) = (
      try WebSocketServer(.answers("HTTP/1.1 404 No\r\n\r\n")), try WebSocketServer()
    )
    defer { for server in [refusing, echoing] { server.stop() } }
    try await withFixture { fixture in
      let listener = Listener([try refusing.url(), try echoing.url()], fixture)
      #expect(await listener.next(3) == ["lost", "opened", "hello"])
      listener.feed.stop()
    }
  }

  @Test func pausesGrowAndStaySpread() {
    var pause = ReconnectPause(minimum: .seconds(1), maximum: .seconds(60))
    let longest = (0..<8).map { _ in pause.next(random: 0) }
    #expect(longest == [1, 2, 4, 8, 16, 32, 60, 60].map { Duration.seconds($0) })
    pause.reset()
    let shortest = pause.next(random: .max)
    #expect(shortest >= .milliseconds(500) && shortest < .milliseconds(501))
    for _ in 0..<100 { _ = pause.next(random: 1) }
    #expect(pause.next(random: 0) == .seconds(60))
  }
}
