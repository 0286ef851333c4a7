import Devnet
import JSON
import TestSupport
import Testing

@testable import Server

/// The dashboard in docker/ asks for what there is.
@Suite(.timeLimit(.minutes(2)))
struct DashboardTests {
  private static let path =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    + "/docker/grafana/dashboards/walletpush.json"

  /// The questions of all panels.
  private static func expressions() throws -> [String] {
    let bytes = try SmallFile.read(path, limit: 1 << 20)
    let board = try JSONParser.parse(bytes, limits: JSONLimits(depth: 32, numberBytes: 64))
    let panels = try #require(board["panels"]?.array)
    return panels.flatMap { $0["targets"]?.array ?? [] }.compactMap { $0["expr"]?.string }
  }

  @Test func everyMetricIsExposed() async throws {
    let names = Set(
      try Self.expressions().flatMap { text in
        text.matches(of: /\b(walletpush|process)_[a-z0-9_]+/).map { String($0.output.0) }
      })
    #expect(names.count > 40)
    try await withScene { scene in
      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "402.75")
      // Failures have a name once there is one.
      try await scene.devnet.setChainFault(.status(500))
      #expect(try await scene.call("POST", "/api/v1/wallets/1/refresh_balances").status == 502)
      try await scene.devnet.setChainFault(nil)
      let text = try await scene.call("GET", "/metrics").text
      let exposed = Set(
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
          String($0.prefix { $0 != "{" && $0 != " " })
        })
      #expect(names.subtracting(exposed).sorted() == [])
    }
  }
}
