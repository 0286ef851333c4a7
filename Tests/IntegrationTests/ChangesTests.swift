import Ethereum
import JSON
import TestSupport
import Testing

@testable import Server

/// `/changes`, asked at once and waited for, on a whole server.
@Suite(.serialized) struct ChangesTests {
  private func path(_ scene: Scene, _ query: String = "") -> String {
    "/api/v1/wallets/\(scene.wallet)/changes\(query)"
  }

  private func changes(_ scene: Scene, _ query: String = "") async throws -> Answer {
    let answer = try await scene.call("GET", path(scene, query))
    #expect(answer.status == 200, "\(answer)")
    return answer
  }

  private func point(_ answer: Answer) throws -> String {
    "\(try #require(answer.json["epoch"]?.string)):\(try #require(answer.json["rev"]?.int))"
  }

  /// A fresh wallet whose prices nobody moves, and where it stands.
  private func settled(_ scene: Scene) async throws -> String {
    let answer = try await eventually("fresh, priced balances") {
      let answer = try await changes(scene)
      let snapshot = answer.json["changes"]?[0]
      return snapshot?["state"] == "fresh" && snapshot?["unpriced"]?.int == 0 ? answer : nil
    }
    // What is still to come of the first read and its prices comes.
    var here = try point(answer)
    return try await eventually("nothing new") {
      let answer = try await changes(scene, "?since=\(here)&wait=0.3")
      let there = try point(answer)
      if answer.json["changes"]?.array?.isEmpty == true {
        #expect(there == here)
        return here
      }
      here = there
      return nil
    }
  }

  /// Waits for a change on a connection of its own.
  private func waiting(_ scene: Scene, _ query: String, headers: String = "") async throws -> Wire {
    let before = try await opened(scene)
    let wire = try await Wire.connect(port: try scene.port)
    wire.write("GET \(path(scene, query)) HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
    try await eventually("the poll to wait") { try await opened(scene) > before }
    return wire
  }

  private func opened(_ scene: Scene) async throws -> UInt64 {
    await (try scene.server).services.pushStatistics().total.pollsOpened
  }

  private func answer(_ wire: Wire) async throws -> Answer {
    try await eventually("the answer") {
      var bytes = wire.bytes
      return Answer.take(from: &bytes)
    }
  }

  @Test("without a point, with a foreign one, or one before the first whole read: the snapshot")
  func snapshots() async throws {
    try await withScene({ $0.prices.interval = .seconds(600) }) { scene in
      try await scene.devnet.setChainLatency(.seconds(1))
      let cold = try await changes(scene)
      #expect(cold[header: "Cache-Control"] == "no-store")
      #expect(cold.json["changes"]?[0]?["type"] == "snapshot")
      #expect(cold.json["changes"]?[0]?["state"] == "loading")
      let before = try point(cold)
      // Still nothing to go on from.
      let again = try await changes(scene, "?since=\(before)")
      #expect(again.json["changes"]?[0]?["type"] == "snapshot")
      // Waiting for the read is better than asking for it again and again.
      let waited = try await changes(scene, "?since=\(before)&wait=60")
      #expect(waited.json["changes"]?[0]?["type"] == "snapshot")
      #expect(waited.json["changes"]?[0]?["state"] == "fresh")
      #expect(waited.json["changes"]?[0]?.balances == (try await scene.balances(scene.wallet)))

      let here = try await settled(scene)
      for since in [before, "zzzz:1", "nonsense", "", here + "0"] {
        let answer = try await changes(scene, "?since=\(since)&wait=60")
        #expect(answer.json["changes"]?.array?.count == 1, "\(since)")
        #expect(answer.json["changes"]?[0]?["type"] == "snapshot", "\(since)")
      }
    }
  }

  @Test("a change wakes it; nothing leaves the revision as it was")
  func waits() async throws {
    try await withScene { scene in
      var here = try await settled(scene)
      let wire = try await waiting(scene, "?since=\(here)&wait=3600")
      try await scene.setPrice("3500.25")
      let woken = try await answer(wire)
      let price = woken.json["changes"]?.array?.first { $0["token"] == "ETH:native" }
      #expect(price?["type"] == "price" && price?["price_usd"] == "3500.25", "\(woken)")
      here = try await settled(scene)
      // On the same connection, with the next request already behind it.
      wire.forget()
      wire.write("GET \(path(scene, "?since=\(here)&wait=60")) HTTP/1.1\r\nHost: a\r\n\r\n")
      wire.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      try await scene.move(nil)
      _ = try await scene.call("POST", "/api/v1/wallets/\(scene.wallet)/refresh_balances")
      let (first, second) = try await eventually("two answers") { () -> (Answer, Answer)? in
        var bytes = wire.bytes
        guard let first = Answer.take(from: &bytes), let second = Answer.take(from: &bytes) else {
          return nil
        }
        return (first, second)
      }
      let row = first.json["changes"]?.array?.first { $0["type"] == "token" }
      #expect(row?["balance"]?.string == (try await scene.balances(scene.wallet))["ETH:native"])
      #expect(second.json["status"] == "ok")
    }
  }

  @Test("asked now and then, with nobody watching, values move")
  func plainPolling() async throws {
    try await withScene { scene in
      var here = try await settled(scene)
      for price in ["3500.25", "3500.26", "3500.27"] {
        try await scene.setPrice(price)
        try await eventually(price) {
          let answer = try await changes(scene, "?since=\(here)")
          here = try point(answer)
          let frames = answer.json["changes"]?.array ?? []
          return frames.contains { $0["type"] == "price" && $0["price_usd"]?.string == price }
        }
      }
    }
  }

  @Test("so they do for who asks for the balances now and then: the wallet counts as watched")
  func pollingBalances() async throws {
    try await withScene { scene in
      let path = "/api/v1/wallets/\(scene.wallet)/balances"
      for price in ["3500.25", "3500.26", "3500.27"] {
        try await scene.setPrice(price)
        try await eventually(price) {
          let rows = try await scene.call("GET", path).json["tokens"]?.array ?? []
          let coin = rows.first { $0["token"] == "ETH:native" }
          return coin?["price_usd"]?.string == price && coin?["price_state"] == "fresh"
        }
      }
      #expect(try await scene.call("GET", "/api/v1/stats").json["wallets_watched"]?.int == 1)
    }
  }

  @Test("a chain of polls ends on what a WebSocket ends on, while values move")
  func chain() async throws {
    try await withScene({ $0.prices.interval = .milliseconds(20) }) { scene in
      let client = try await scene.watcher()
      var here = try await settled(scene)
      var rows: [String: [String: JSONValue]] = [:]
      func merge(_ frame: JSONValue) {
        guard let token = frame["token"]?.string else { return }
        for name in ["price_usd", "balance"] {
          if let value = frame[name] { rows[token, default: [:]][name] = value }
        }
      }
      let first = try await changes(scene)
      here = try point(first)
      for row in first.json["changes"]?[0]?["tokens"]?.array ?? [] { merge(row) }
      async let moving: Void = {
        for step in 1...30 {
          try await scene.setPrice("\(3_000 + step).5")
          if step % 10 == 0 { try await scene.move(nil) }
          try await Task.sleep(for: .milliseconds(15))
        }
        try await scene.expectPrices(at: client, "4000.125")
        _ = try await scene.call("POST", "/api/v1/wallets/\(scene.wallet)/refresh_balances")
      }()
      var isOver = false
      while !isOver {
        let answer = try await changes(scene, "?since=\(here)&wait=0.3")
        let frames = answer.json["changes"]?.array ?? []
        frames.forEach(merge)
        here = try point(answer)
        isOver = frames.isEmpty && rows["ETH:native"]?["price_usd"] == "4000.125"
      }
      try await moving
      // What came of the last refresh.
      for frame in try await changes(scene, "?since=\(here)").json["changes"]?.array ?? [] { merge(frame) }
      client.send(#"{"op":"get","id":9,"wallet":"\#(scene.wallet)"}"#)
      let snapshot = try await client.next("snapshot")
      #expect(rows.count == snapshot["tokens"]?.array?.count)
      for row in snapshot["tokens"]?.array ?? [] {
        let held = rows[row["token"]?.string ?? ""]
        #expect(held?["balance"] == row["balance"] && held?["price_usd"] == row["price_usd"], "\(row)")
      }
    }
  }

  @Test("who leaves is not waited with, be it with a reset or with an end")
  func abandoned() async throws {
    try await withScene({ $0.prices.interval = .seconds(600) }) { scene in
      let here = try await settled(scene)
      let gone = try await waiting(scene, "?since=\(here)&wait=3600")
      let stats = try await scene.call("GET", "/api/v1/stats").json
      #expect(stats["connections"]?.int == 1 && stats["polls"]?.int == 1 && stats["streams"]?.int == 0)
      gone.abort()
      try await eventually("nobody to wait") {
        let stats = try await scene.call("GET", "/api/v1/stats").json
        return stats["connections"]?.int == 0 && stats["polls"]?.int == 0
      }
      let total = await (try scene.server).services.pushStatistics().total
      #expect(total.pollsAbandoned == 1)
    }
  }

  @Test("a deleted wallet and a drain end the wait with what there is")
  func ends() async throws {
    try await withScene({ $0.prices.interval = .seconds(600) }) { scene in
      var here = try await settled(scene)
      let told = try await waiting(scene, "?since=\(here)&wait=3600")
      #expect(try await scene.call("DELETE", "/api/v1/wallets/\(scene.wallet)").status == 204)
      let deleted = try await answer(told)
      #expect(deleted.json["changes"]?[0]?["state"] == "deleted", "\(deleted)")

      here = try await settled(scene)
      let waiting = try await waiting(scene, "?since=\(here)&wait=3600")
      await scene.stop()
      let answer = try await answer(waiting)
      #expect(answer.status == 200 && answer.json["changes"]?.array != nil)
      #expect(answer[header: "Connection"] == "close")
    }
  }

  @Test("the wait is bounded by the settings, and by the token")
  func bounds() async throws {
    try await withScene({
      $0.prices.interval = .seconds(600)
      $0.limits.longestWait = .milliseconds(100)
    }) { scene in
      let here = try await settled(scene)
      for wait in ["3600", "1e9", "99999999999999999999", "-1", "x", "", "0x10", "nan"] {
        let answer = try await scene.call("GET", path(scene, "?since=\(here)&wait=\(wait)"))
        if wait.allSatisfy(\.isNumber), !wait.isEmpty {
          #expect(answer.status == 200 && answer.json["changes"]?.array != nil, "\(wait)")
        } else {
          #expect(answer.status == 400 && answer.json["code"] == "bad_request", "\(wait): \(answer)")
        }
      }
      #expect(try await scene.call("HEAD", path(scene, "?since=\(here)&wait=60")).status == 200)
      #expect(try await scene.call("POST", path(scene)).status == 405)
      #expect(try await scene.call("GET", "/api/v1/wallets/9/changes").status == 404)
      let figures = try await scene.call("GET", "/metrics").text
      #expect(figures.contains("walletpush_push_polls_timed_out "))
    }
    let issuer = try Issuer()
    try await withScene({
      $0.prices.interval = .seconds(600)
      $0.auth = issuer.settings
      $0.limits.longestWait = .seconds(86_400)
    }) { scene in
      let (mine, other) = (scene.world.wallets[0], scene.world.wallets[1])
      #expect(try await scene.call("GET", path(scene)).status == 401)
      let bound = try issuer.bearer(wallets: [other])
      #expect(try await scene.call("GET", path(scene), headers: bound).status == 403)
      let headers = try issuer.bearer(wallets: [mine], lifetime: 3_600)
      let here = try await eventually("fresh") { () -> String? in
        let answer = try await scene.call("GET", path(scene), headers: headers)
        guard answer.json["changes"]?[0]?["state"] == "fresh",
          answer.json["changes"]?[0]?["unpriced"]?.int == 0
        else { return nil }
        return try point(answer)
      }
      // Nothing else would end this wait today.
      let short = try issuer.bearer(wallets: [mine], lifetime: 3)
      let answer = try await scene.call("GET", path(scene, "?since=\(here)&wait=86400"), headers: short)
      #expect([200, 401].contains(answer.status), "\(answer)")
    }
  }

  @Test("a page of a listed origin may read what it waited for")
  func listedOrigin() async throws {
    try await withScene({
      $0.prices.interval = .seconds(600)
      $0.http.allowedOrigins = ["https://app.example"]
    }) { scene in
      let here = try await settled(scene)
      let headers = [("Origin", "https://app.example")]
      for query in ["", "?since=\(here)", "?since=\(here)&wait=0.1"] {
        let answer = try await scene.call("GET", path(scene, query), headers: headers)
        #expect(answer[header: "Access-Control-Allow-Origin"] == "https://app.example")
      }
    }
  }
}
