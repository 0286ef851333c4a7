import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Upstream

/// Each limit on time, cancellation, and what cannot be reached. A test here fails by the wrong error, not by
/// taking long.
struct TimeoutTests {
  @Test func theFirstByte() async throws {
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url(), firstByte: .milliseconds(20)))
      #expect(failure == .timedOut(.firstByte))
      await server.wait(for: .closed(connection: 1))
    }
    #expect(server.requests.count == 1)
  }

  @Test func theWholeCallWhileTheServerDrips() async throws {
    let server = try ScriptedServer { _ in [.send("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nx")] }
    try await withClient(server: server) { client in
      let failure = await client.failure(
        try .get(server.url(), firstByte: .seconds(20), total: .milliseconds(500)))
      #expect(failure == .timedOut(.total))
      await server.wait(for: .closed(connection: 1))
    }
  }

  @Test func theWholeCallWhileItWaitsForAConnection() async throws {
    let server = try ScriptedServer { $0.head.target == "/held" ? [] : [.respond("")] }
    try await withClient(.testing(connections: 1), server: server) { client in
      let held = try HTTPClientRequest.get(server.url("/held"))
      let task = Task { await client.failure(held) }
      await server.wait(for: .requested(connection: 1, target: "/held"))
      let failure = await client.failure(try .get(server.url("/waiting"), total: .milliseconds(20)))
      #expect(failure == .timedOut(.total))
      let part = try #require(client.clients.first)
      let waiting = try await part.loop.perform { part.allOrigins.map(\.waitingCount) }
      #expect(waiting == [0])
      task.cancel()
      #expect(await task.value == .cancelled)
    }
    #expect(server.targets == ["/held"])
  }

  @Test func connecting() async throws {
    let full = try FullListener()
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let failure = await client.failure(
        try .get("http://127.0.0.1:\(full.port)/", connect: .milliseconds(50)))
      #expect(failure == .timedOut(.connect))
    }
  }

  @Test func refused() async throws {
    let gone = try RefusingPort()
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get("http://127.0.0.1:\(gone.number)/"))
      #expect(failure == .connectFailed(SystemError(.connect, code: ECONNREFUSED)))
      // All those that wait for it learn at once, though only few connections are tried.
      try await withThrowingTaskGroup(of: UpstreamError?.self) { group in
        for _ in 0..<50 {
          let request = try HTTPClientRequest.get("http://127.0.0.1:\(gone.number)/")
          group.addTask { await client.failure(request) }
        }
        for try await failure in group {
          #expect(failure == .connectFailed(SystemError(.connect, code: ECONNREFUSED)))
        }
      }
    }
  }

  @Test func aNameThatIsNone() async throws {
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get("http://no-such-host.invalid/"))
      guard case .nameNotResolved = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
    }
  }

  @Test func theNextAddressIsTried() async throws {
    let gone = try RefusingPort()
    let full = try FullListener()
    let server = try ScriptedServer { _ in [.respond("here", headers: "Connection: close\r\n")] }
    let fixture = try ClientFixture()
    let client = try #require(fixture.client.clients.first)
    let addresses = [gone.number, full.port, server.port].map { SocketAddress(127, 0, 0, 1, port: $0) }
    try await client.loop.perform { client.addresses.keep(addresses, host: "several.test", port: 80) }
    for _ in 0..<2 {
      let response = try await fixture.client.send(
        .get("http://several.test/", connect: .milliseconds(500)))
      #expect(response.text == "here")
    }
    // The one that works has come to the front.
    let ports = try await client.loop.perform {
      var ports: [UInt16] = []
      client.addresses.find(host: "several.test", port: 80) { ports = ((try? $0.get()) ?? []).map(\.port) }
      return ports
    }
    #expect(ports == [server.port, gone.number, full.port])
    await fixture.stop()
    server.stop()
    #expect(server.requests.first?.head.host == "several.test")
  }

  // MARK: - Cancellation

  @Test func cancelledWhileRunning() async throws {
    let server = try ScriptedServer { _ in [] }
    try await withClient(server: server) { client in
      let request = try HTTPClientRequest.get(server.url("/x"))
      let task = Task { await client.failure(request) }
      await server.wait(for: .requested(connection: 1, target: "/x"))
      task.cancel()
      #expect(await task.value == .cancelled)
      await server.wait(for: .closed(connection: 1))
    }
  }

  @Test func cancelledBeforeItBegan() async throws {
    let server = try ScriptedServer { _ in [.respond("")] }
    try await withClient(server: server) { client in
      let request = try HTTPClientRequest.get(server.url())
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await client.failure(request)
      }
      #expect(await task.value == .cancelled)
    }
    #expect(server.requests.isEmpty)
  }

  @Test func oneThatWaitsIsCancelledAlone() async throws {
    let server = try ScriptedServer { $0.head.target == "/held" ? [] : [.respond("")] }
    try await withClient(.testing(connections: 1), server: server) { client in
      let held = try HTTPClientRequest.get(server.url("/held"))
      let holding = Task { await client.failure(held) }
      await server.wait(for: .requested(connection: 1, target: "/held"))
      let waiting = try HTTPClientRequest.get(server.url("/waiting"))
      let task = Task { await client.failure(waiting) }
      task.cancel()
      #expect(await task.value == .cancelled)
      #expect(server.openMost == 1)
      holding.cancel()
      #expect(await holding.value == .cancelled)
      _ = try await client.send(.get(server.url("/after")))
    }
    #expect(server.targets == ["/held", "/after"])
    #expect(server.acceptedCount == 2, "no connection is opened for the one that is gone")
  }

  // MARK: - Shutdown

  @Test func shutdownEndsEverything() async throws {
    let server = try ScriptedServer { $0.head.target == "/idle" ? [.respond("")] : [] }
    let fixture = try ClientFixture(.testing(connections: 2))
    let client = fixture.client
    _ = try await client.send(.get(server.url("/idle")))
    let request = try HTTPClientRequest.get(server.url("/held"))
    let tasks = (0..<5).map { _ in Task { await client.failure(request) } }
    await server.wait(for: .requested(connection: 1, target: "/held"))
    await client.shutdown()
    for task in tasks { #expect(await task.value == .stopped) }
    #expect(await client.failure(request) == .stopped)
    await server.wait(for: .closed(connection: 1))
    await fixture.stop()
    server.stop()
  }

  @Test func originsAreForgotten() async throws {
    let server = try ScriptedServer { _ in [.respond("", headers: "Connection: close\r\n")] }
    let fixture = try ClientFixture()
    let client = try #require(fixture.client.clients.first)
    _ = try await fixture.client.send(.get(server.url()))
    let count = try await client.loop.perform { client.allOrigins.count }
    #expect(count == 0)
    await fixture.stop()
    server.stop()
  }
}

/// A listening socket whose queue is full: connections to it are neither accepted nor refused.
private final class FullListener {
  let port: UInt16
  private var descriptors: [Int32]

  init() throws {
    let type = Int32(SOCK_STREAM.rawValue)
    let listener = socket(AF_INET, type, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let size = length
    let (isBound, isNamed) = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        (bind(listener, $0, size) == 0 && listen(listener, 0) == 0, getsockname(listener, $0, &length) == 0)
      }
    }
    try #require(isBound && isNamed)
    port = UInt16(bigEndian: address.sin_port)
    descriptors = [listener]
    for _ in 0..<4 {
      let filler = socket(AF_INET, type | Int32(SOCK_NONBLOCK.rawValue), 0)
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, size) }
      }
      descriptors.append(filler)
    }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
