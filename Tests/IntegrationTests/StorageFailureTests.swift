import Glibc
import JSON
import Testing

@testable import Server

/// A disk that takes nothing any more under a running server.
@Suite(.serialized) struct StorageFailureTests {
  /// In a process of its own, of which all files may grow no further.
  @Test func servingGoesOnAndNothingIsLost() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      try await withScene { scene in
        let client = try await scene.watcher()
        try await scene.expectPrices(at: client, "3500.25")
        try await expectReadiness(scene, 200, "ready")
        try limitFileSize(1)
        // Prices and balances are pushed as ever.
        try await scene.expectPrices(at: client, "3501.75")
        try await scene.move(nil)
        client.send(#"{"op":"refresh","wallet":"\#(scene.wallet)"}"#)
        let balance = try await scene.balances(scene.wallet)["ETH:native"]
        try await client.frame("the new balance") {
          $0["type"] == "balance" && $0["token"] == "ETH:native" && $0["balance"]?.string == balance
        }
        try await expectReadiness(scene, 503, "degraded")
        // What must be stored before it is answered is refused, and says so.
        let path = "/api/v1/wallets/\(scene.wallet)/tokens/native"
        let refused = try await scene.call("PATCH", path, body: #"{"is_visible":false}"#)
        #expect(refused.status == 500, "\(refused)")
        try limitFileSize(nil)
        try await expectReadiness(scene, 200, "ready")
        let hello = try await scene.client().next("hello")
        await scene.stop()
        // Nothing can be read any more: what comes is what was stored.
        try await scene.devnet.setChainFault(.silence)
        try await scene.devnet.setPriceFault(.silence)
        try await scene.start()
        let next = try await scene.client("/ws?wallet=\(scene.wallet)")
        #expect(try await next.next("hello")["epoch"] == hello["epoch"])
        let snapshot = try await next.next("snapshot")
        #expect(snapshot.balances["ETH:native"] == balance)
        let native = snapshot["tokens"]?.array?.first { $0["token"] == "ETH:native" }
        #expect(native?["price_usd"] == "3501.75")
      }
    }
  }
}

private func expectReadiness(_ scene: Scene, _ status: Int, _ word: String) async throws {
  try await eventually("\(status) of /readyz") {
    let answer = try await scene.call("GET", "/readyz")
    return answer.status == status && answer.json["status"]?.string == word ? answer : nil
  }
}

/// - Parameter bytes: nil: as far as it may be.
private func limitFileSize(_ bytes: rlim_t?) throws {
  let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
  var limit = rlimit()
  try #require(getrlimit(resource, &limit) == 0)
  limit.rlim_cur = bytes ?? limit.rlim_max
  try #require(setrlimit(resource, &limit) == 0)
}
