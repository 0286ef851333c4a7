import Glibc
import JSON
import TestSupport
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

extension StorageFailureTests {
  /// The page of the wallets' table is lost between two starts.
  @Test func aDamagedFileIsSetAsideAndTheWalletsAreThere() async throws {
    try await withScene { scene in
      _ = try await scene.watcher()
      let before = try await expectReadiness(scene, 200, "ready")
      #expect(before["damagedFiles"] == nil)
      await scene.stop()
      try damage(scene.settings.storage.path, where: scene.wallet.address.lowercase)
      try await scene.start()
      let after = try await expectReadiness(scene, 200, "ready")
      #expect(after["damagedFiles"] == 1)
      let metrics = try await scene.call("GET", "/metrics")
      #expect(metrics.text.contains("\nwalletpush_storage_damaged_files 1\n"))
      let path = "/api/v1/wallets/\(scene.wallet)/balances"
      #expect(try await scene.call("GET", path).status == 200, "nobody has registered it anew")
      // Until then a snapshot is of what was stored, and what is read comes row by row.
      try await eventually("the wallet to be read") {
        try await scene.call("GET", path).text.contains(#""state":"fresh""#)
      }
      _ = try await scene.watcher()
    }
  }
}

/// Fills the first page that holds a text with nonsense.
private func damage(_ path: String, where text: String) throws {
  var bytes = try SmallFile.read(path, limit: 64 << 20)
  let page = try #require(
    stride(from: 4_096, to: bytes.count, by: 4_096).first { start in
      bytes[start..<start + 4_096].contains(Array(text.utf8))
    })
  for index in page..<page + 4_096 { bytes[index] = 0xA5 }
  let descriptor = open(path, O_WRONLY)
  defer { close(descriptor) }
  try #require(write(descriptor, bytes, bytes.count) == bytes.count)
}

@discardableResult
private func expectReadiness(_ scene: Scene, _ status: Int, _ word: String) async throws -> JSONValue {
  try await eventually("\(status) of /readyz") {
    let answer = try await scene.call("GET", "/readyz")
    return answer.status == status && answer.json["status"]?.string == word ? answer.json : nil
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
