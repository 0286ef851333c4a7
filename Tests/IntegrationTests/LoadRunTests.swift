import EventLoop
import JSON
import Load
import Server
import TestSupport
import Testing
import Upstream

/// Our own load test against our own server, small.
@Suite(.serialized) struct LoadRunTests {
  /// Runs it while prices move, and gives what `--json` would.
  private func load(
    _ scene: Scene, tls: TLSClient? = nil, _ change: (inout LoadPlan) throws -> Void = { _ in }
  ) async throws -> JSONValue {
    let scheme = tls == nil ? "ws" : "wss"
    let url = try WebSocketURL("\(scheme)://127.0.0.1:\(try scene.port)/ws")
    var plan = LoadPlan(url: url)
    plan.connections = 20
    plan.duration = .seconds(1)
    plan.patience = .seconds(120)
    plan.security = tls
    plan.keys = try await KnownWallets.ask(url, token: nil, security: tls, count: 20)
    #expect(plan.keys.count == 1)
    try change(&plan)
    let moving = Task {
      var cents = 0
      while !Task.isCancelled {
        cents += 1
        try await scene.setPrice("3000.\(cents)1")
        // The server takes what there is every 100 ms.
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    defer { moving.cancel() }
    let report = try await LoadRun(plan: plan) { _ in }.run()
    if !report.isWell { Issue.record("\(report.table)") }
    return try JSONParser.parse(report.json, limits: JSONLimits(depth: 8, numberBytes: 64))
  }

  /// With a wallet that it knows, read and seen.
  private func withKnownWallet(
    _ configure: (inout Settings) -> Void = { _ in }, tls: TLSClient? = nil,
    _ body: (Scene) async throws -> Void
  ) async throws {
    try await withScene(configure) { scene in
      let watcher = try await scene.watcher(tls: tls)
      try await body(scene)
      watcher.abort()
    }
  }

  private func count(_ value: JSONValue?, _ names: String...) -> Int {
    names.reduce(value) { $0?[$1] }?.int ?? -1
  }

  @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
  func everyClientGetsItsWallet(_ isBatched: Bool, _ isCompressed: Bool) async throws {
    try await withKnownWallet { scene in
      let result = try await load(scene) {
        $0.isBatched = isBatched
        $0.isCompressed = isCompressed
        $0.loops = 2
      }
      #expect(count(result, "connections", "ready") == 20)
      #expect(count(result, "connect_ms", "count") == 20 && count(result, "snapshot_ms", "count") == 20)
      #expect(count(result, "frames", "snapshot") >= 20 && count(result, "frames", "heartbeat") >= 20)
    }
  }

  /// Until prices have come: how many in a second is not for a test to say.
  @Test func pricesAreMeasured() async throws {
    try await withKnownWallet { scene in
      try await eventually("prices while it is measured") { () -> Bool? in
        let result = try await load(scene) {
          $0.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
        }
        #expect(count(result, "negative_delivery_times") == 0)
        return count(result, "delivery_ms", "count") > 0 && count(result, "delivery", "frames") > 0
      }
    }
  }

  @Test func slowClientsEndOnTheNewestValues() async throws {
    try await withKnownWallet { scene in
      let result = try await load(scene) { $0.slowFraction = 0.25 }
      #expect(count(result, "slow", "clients") == 5 && count(result, "slow", "newest") == 5)
    }
  }

  @Test func stormsResume() async throws {
    try await withKnownWallet { scene in
      let result = try await load(scene) {
        $0.storms = 2
        $0.slowFraction = 0.1
      }
      #expect(result["storms"]?.array?.count == 2)
      for storm in result["storms"]?.array ?? [] {
        #expect(
          count(storm, "dropped") == 18 && count(storm, "returned") == 18 && count(storm, "resumed") == 18)
      }
    }
  }

  @Test func pacedClientsAreWellToo() async throws {
    try await withKnownWallet { scene in
      let result = try await load(scene) {
        $0.rate = 10
        $0.slowFraction = 0.1
      }
      #expect(count(result, "slow", "newest") == 2)
    }
  }

  @Test func itSpeaksTLS() async throws {
    let files = try CertificateFiles()
    try await withKnownWallet({ $0.http.tls = files.settings }, tls: files.client) { scene in
      let result = try await load(scene, tls: files.client) { $0.storms = 1 }
      #expect(count(result, "connections", "ready") == 20)
    }
  }

  /// Of a wallet that nobody has asked for: it is read meanwhile.
  @Test func newWalletsAreRead() async throws {
    try await withKnownWallet { scene in
      let result = try await load(scene) {
        $0.keys = try KeyPool(.wallets, parsing: "\(scene.wallet.chain):0x{h:40}", distinct: 20)
      }
      #expect(count(result, "connections", "ready") == 20)
    }
  }

  @Test func aServerThatKnowsNoWalletsSaysSo() async throws {
    try await withScene { scene in
      let url = try WebSocketURL("ws://127.0.0.1:\(try scene.port)/ws")
      await #expect(throws: LoadOptionError.self) {
        try await KnownWallets.ask(url, token: nil, security: nil, count: 5)
      }
    }
  }
}
