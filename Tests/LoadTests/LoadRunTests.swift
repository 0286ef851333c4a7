import EventLoop
import Glibc
import Synchronization
import Testing
import Upstream
import WebSocket

@testable import Load

/// The engine against servers that do as they are told.
@Suite(.serialized) struct LoadRunTests {
  private typealias Server = ScriptedServer

  /// Runs a plan against a server with that answer, and gives its report and the server, stopped.
  private func run(
    _ answer: ScriptedServer.Answer, connections: Int = 3,
    _ change: (inout LoadPlan) throws -> Void = { _ in }
  ) async throws -> (LoadReport, ScriptedServer) {
    let server = try ScriptedServer(answer)
    defer { server.stop() }
    var plan = LoadPlan(url: try WebSocketURL("ws://127.0.0.1:\(server.port)/ws"))
    plan.keys = try KeyPool(.wallets, parsing: "ETH:0x{n:40}", distinct: connections)
    plan.connections = connections
    plan.duration = .milliseconds(200)
    plan.patience = .seconds(120)
    try change(&plan)
    let report = try await LoadRun(plan: plan) { _ in }.run()
    return (report, server)
  }

  private static func messages(_ messages: [String]) -> ScriptedServer.Answer {
    .messages { _, _ in messages }
  }

  @Test func aServerThatKeepsItsPromisesIsWell() async throws {
    let (report, server) = try await run(
      Self.messages([Server.ok, Server.heartbeat(10), Server.price(11), Server.price(12)]))
    #expect(report.isWell, "\(report.table)")
    #expect(report.counters.ready == 3 && report.counters.opened == 3 && report.openAtEnd == 3)
    #expect(report.times.connect.count == 3 && report.times.subscribed.count == 3)
    #expect(report.times.snapshot.count == 3)
    #expect(Set(server.subscribes).count == 3)
    #expect(server.subscribes.allSatisfy { $0.hasPrefix(#"{"op":"subscribe","id":1,"wallets":["ETH:0x0"#) })
  }

  static let breaches: [(Violation, [String])] = [
    (.revisionDescended, [ScriptedServer.heartbeat(10), ScriptedServer.price(12), ScriptedServer.price(11)]),
    (.belowHeartbeat, [ScriptedServer.heartbeat(10), ScriptedServer.price(9)]),
    (
      .heartbeatBehind,
      [ScriptedServer.heartbeat(10), ScriptedServer.price(12), ScriptedServer.heartbeat(11)]
    ),
    (.epochChanged, [ScriptedServer.heartbeat(10, epoch: "f")]),
    (.malformedFrame, [ScriptedServer.heartbeat(10), "no JSON"]),
    (.malformedFrame, [ScriptedServer.heartbeat(10), #"{"type":"price"}"#]),
  ]

  @Test(arguments: breaches) func aBrokenPromiseIsCaught(_ violation: Violation, _ messages: [String])
    async throws
  {
    // A heartbeat behind it: when that is there, so was the breach.
    let (report, _) = try await run(Self.messages([Server.ok] + messages + [Server.heartbeat(99)]))
    #expect(report.counters.violations[violation]?.count == 3, "\(report.table)")
    #expect(report.violations == 3)
    #expect(!report.isWell)
    #expect(report.table.contains("VIOLATION     \(violation.rawValue): 3"))
  }

  static let failures: [(String, ScriptedServer.Answer)] = [
    ("http_503", .refuses("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")),
    ("handshake_malformed", .refuses("SMTP\r\n\r\n")),
    ("connection_lost", .refuses("")),
    (
      "server_unauthorized",
      .messages { _, _ in [#"{"type":"error","id":1,"code":"unauthorized","message":"x"}"#] }
    ),
    (
      "refused_bad_wallet",
      .messages { _, _ in
        [#"{"type":"ok","id":1,"wallets":[],"failed":[{"wallet":"x","code":"bad_wallet"}]}"#]
      }
    ),
    ("close_4001", .messagesAndClose([], .unauthorized)),
  ]

  @Test(arguments: failures) func failuresAreCountedByKind(_ kind: String, _ answer: ScriptedServer.Answer)
    async throws
  {
    let (report, _) = try await run(answer)
    #expect(report.counters.errors.mapValues(\.count) == [kind: 3], "\(report.table)")
    #expect(report.counters.failed == 3 && report.counters.ready == 0)
    #expect(!report.isWell)
  }

  @Test func nobodyListeningIsAFailure() async throws {
    let server = try ScriptedServer(.silent)
    server.stop()
    var plan = LoadPlan(url: try WebSocketURL("ws://127.0.0.1:\(server.port)/ws"))
    plan.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
    plan.connections = 2
    let report = try await LoadRun(plan: plan) { _ in }.run()
    #expect(report.counters.errors.mapValues(\.count) == ["connect_refused": 2])
  }

  @Test func closesAreCountedByCode() async throws {
    let (report, _) = try await run(.messagesAndClose([Server.ok, Server.heartbeat(10)], .drain))
    #expect(report.counters.closes == [4_100: 3])
    #expect(report.counters.ready == 3 && report.counters.lost == 3)
    #expect(!report.isWell)
  }

  @Test func aSilentServerIsGivenUp() async throws {
    let (report, _) = try await run(.silent) { $0.patience = .milliseconds(50) }
    #expect(report.counters.ready == 0)
    #expect(!report.isWell)
  }

  /// Each client says whence it resumes, and gets there.
  @Test func stormsResumeFromTheLastRevision() async throws {
    let resumed = #"{"type":"ok","id":1,"wallets":[],"failed":[],"resumed":true,"changed":0}"#
    let answer = ScriptedServer.Answer.messages { _, subscribe in
      subscribe.contains("since")
        ? [resumed, Server.heartbeat(20), Server.price(21)]
        : [Server.ok, Server.heartbeat(10), Server.price(11), Server.heartbeat(11)]
    }
    let (report, server) = try await run(answer) {
      $0.storms = 2
      $0.loops = 2
    }
    #expect(report.isWell, "\(report.table)")
    #expect(report.storms.map(\.dropped) == [3, 3] && report.storms.map(\.returned) == [3, 3])
    #expect(report.storms.map(\.resumed) == [3, 3] && report.storms.map(\.failed) == [0, 0])
    #expect(report.storms.allSatisfy { $0.times.count == 3 && $0.time > .zero })
    let since = server.subscribes.compactMap {
      $0.split(separator: "\"since\":\"").dropFirst().first?.prefix(4)
    }
    #expect(since.count { $0 == "e:10" || $0 == "e:11" } == 3)
    #expect(since.count { $0 == "e:20" || $0 == "e:21" } == 3)
    // Once each, however often they came back.
    #expect(report.counters.ready == 3 && report.counters.opened == 3)
  }

  @Test func whoDoesNotComeBackHasFailed() async throws {
    let answer = ScriptedServer.Answer.messages { _, subscribe in
      subscribe.contains("since")
        ? [#"{"type":"error","id":1,"code":"internal","message":"x"}"#] : [Server.ok, Server.heartbeat(10)]
    }
    let (report, _) = try await run(answer) { $0.storms = 1 }
    #expect(report.storms.map(\.failed) == [3])
    #expect(report.counters.errors.mapValues(\.count) == ["server_internal": 3])
    #expect(!report.isWell)
  }

  /// The witness is told of revision 30; the slow one, of 12 and that it has everything.
  @Test func aSlowClientWithoutTheNewestIsCaught() async throws {
    let answer = ScriptedServer.Answer.messages { connection, _ in
      connection == 0
        ? [Server.ok, Server.price(12), Server.heartbeat(40)]
        : [Server.ok, Server.price(30), Server.heartbeat(40)]
    }
    let (report, _) = try await run(answer, connections: 1) {
      $0.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
      $0.slowFraction = 1
    }
    #expect(report.slow.missing == 1 && report.slow.clients == 1, "\(report.table)")
    #expect(report.counters.violations[.newestMissing]?.count == 1)
    #expect(!report.isWell)
  }

  @Test func aSlowClientWithTheNewestIsWell() async throws {
    let answer = Self.messages([Server.ok, Server.price(30), Server.heartbeat(40)])
    let (report, server) = try await run(answer, connections: 4) {
      $0.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
      $0.slowFraction = 0.5
    }
    #expect(report.slow.newest == 2 && report.slow.clients == 2, "\(report.table)")
    #expect(report.isWell)
    // Four clients, two witnesses.
    #expect(server.subscribes.count == 6)
  }

  @Test func clientsComeFromTheirSources() async throws {
    let (report, server) = try await run(Self.messages([Server.ok, Server.heartbeat(10)]), connections: 4) {
      $0.sources = try SourceAddresses(parsing: "127.0.0.2-3")
      $0.token = "secret"
    }
    #expect(report.isWell, "\(report.table)")
    #expect(server.peers.sorted() == ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"])
    #expect(
      server.heads.allSatisfy { $0.headers.pairs.contains { $0 == ("Authorization", "Bearer secret") } })
  }

  @Test func aRunIsInterrupted() async throws {
    let server = try ScriptedServer(Self.messages([Server.ok, Server.heartbeat(10)]))
    defer { server.stop() }
    var plan = LoadPlan(url: try WebSocketURL("ws://127.0.0.1:\(server.port)/ws"))
    plan.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
    plan.connections = 2
    plan.duration = .seconds(86_400)
    // The first progress comes when it measures at the latest.
    let box = Mutex<LoadRun?>(nil)
    let run = try LoadRun(plan: plan) { progress in
      if progress.phase == .measure { box.withLock { $0?.stop() } }
    }
    box.withLock { $0 = run }
    let report = try await run.run()
    #expect(report.isInterrupted && report.isWell)
    #expect(report.table.contains("interrupted"))
    #expect(report.counters.ready == 2)
  }
}
