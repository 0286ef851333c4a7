import Ethereum
import EventLoop
import Synchronization
import Testing
import Upstream

@testable import Server

/// Importing wallets into a running server.
@Suite(.serialized) struct WalletImportTests {
  private func wallets(_ count: Int, chain: String = "ETH") throws -> [WalletKey] {
    try (1...count).map { number in
      let digits = String(number, radix: 16)
      return try WalletKey(parsing: "\(chain):0x\(String(repeating: "0", count: 40 - digits.count))\(digits)")
    }
  }

  private func importer(_ scene: Scene, token: String? = nil) throws -> WalletImport {
    WalletImport(server: try HTTPURL("http://127.0.0.1:\(try scene.port)/"), token: token)
  }

  @Test("all are registered; again, all are known; progress never goes back")
  func registers() async throws {
    try await withScene { scene in
      let wallets = try wallets(120)
      let seen = Seen()
      let first = try await importer(scene).run(wallets) { seen.note($0.done) }
      #expect((first.registered, first.known, first.refused) == (120, 0, 0))
      #expect(seen.calls == 120 && seen.highest == 120)
      let again = try await importer(scene).run(wallets)
      #expect((again.registered, again.known) == (0, 120))
      let listed = try await scene.call("GET", "/api/v1/wallets?limit=1000").json["wallets"]?.array ?? []
      #expect(Set(listed.compactMap { $0["wallet"]?.string }) == Set(wallets.map(\.description)))
    }
  }

  @Test("what the server does not take is told, and the rest goes on")
  func refused() async throws {
    try await withScene { scene in
      let mixed = try wallets(30) + wallets(40, chain: "NOPE") + wallets(31).suffix(1)
      let result = try await importer(scene).run(mixed)
      #expect((result.registered, result.refused) == (31, 40))
      #expect(result.refusals.count == WalletImport.refusalsTold)
      #expect(result.refusals.allSatisfy { $0.hasPrefix("NOPE:0x") && $0.contains("is not served here") })
    }
  }

  @Test("a server that is asked too often is waited for")
  func rate() async throws {
    try await withScene({ $0.limits.requestsPerSecond = 4 }) { scene in
      let result = try await importer(scene).run(try wallets(60))
      #expect(result.registered == 60)
    }
  }

  @Test("what would be the same for all ends it")
  func ends() async throws {
    try await withScene({ $0.limits.wallets = 5 }) { scene in
      let error = await #expect(throws: WalletImportError.self) {
        try await importer(scene).run(try wallets(50))
      }
      #expect(error.map { "\($0)".contains("says 403") } == true, "\(String(describing: error))")
    }
    let issuer = try Issuer()
    try await withScene({ $0.auth = issuer.settings }) { scene in
      let error = await #expect(throws: WalletImportError.self) {
        try await importer(scene).run(try wallets(2))
      }
      #expect(error.map { "\($0)".contains("WALLETPUSH_TOKEN") } == true, "\(String(describing: error))")
      // One that is bound to wallets may register those.
      let mine = try wallets(2)
      let token = try issuer.token(.es256, wallets: [mine[0]], lifetime: 3_600)
      let result = try await importer(scene, token: token).run(mine)
      #expect((result.registered, result.refused) == (1, 1))
    }
  }

  @Test func nobodyAnswers() async throws {
    try await withScene { scene in
      let importer = try importer(scene)
      await scene.stop()
      let error = await #expect(throws: WalletImportError.self) {
        try await importer.run(try wallets(3))
      }
      #expect(error.map { "\($0)".hasPrefix("no server answers at http://127.0.0.1:") } == true)
    }
  }

  @Test(arguments: [(nil, 1), ("x", 1), ("0", 1), ("-4", 1), ("7", 7), ("999999", 60)] as [(String?, Int)])
  func pauses(_ text: String?, _ seconds: Int) {
    #expect(WalletImport.pause(text) == .seconds(seconds))
  }
}

private final class Seen: Sendable {
  private let state = Mutex((calls: 0, highest: 0))

  var calls: Int { state.withLock { $0.calls } }
  var highest: Int { state.withLock { $0.highest } }

  func note(_ done: Int) {
    state.withLock { state in
      state.calls += 1
      state.highest = max(state.highest, done)
    }
  }
}
