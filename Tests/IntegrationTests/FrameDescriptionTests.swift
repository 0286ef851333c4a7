import Ethereum
import JSON
import TestSupport
import Testing

@testable import Server

/// Over a WebSocket the server sends what its description says, and all that it says can be seen.
@Suite(.serialized) struct FrameDescriptionTests {
  @Test func everyFrameIsDescribed() async throws {
    let issuer = try Issuer()
    try await withScene { scene in
      let described = try await Described(of: scene)
      try await operations(scene, described)
      try await changes(scene, described)
      try await troubles(scene, described)
      try await lag(described)
      try await tokens(issuer, described)
      try await drain(scene, described)
      #expect(described.frames == described.describedFrames)
    }
  }

  private func operations(_ scene: Scene, _ described: Described) async throws {
    let client = try await scene.client("/ws?wallet=\(scene.wallet)&wallet=ETH:0x1")
    _ = try await client.freshSnapshot()
    let wallet = scene.wallet
    var ops: Set<String> = []
    for (id, operation) in [
      #""op":"subscribe","wallets":["\#(wallet)","ETH:0x12"],"rate":100,"batch":true"#,
      #""op":"subscribe","tokens":["ETH:native","ETH:x"],"since":"x:1""#,
      #""op":"subscribe","wallets":[],"since":null"#,
      #""op":"list""#, #""op":"get","wallet":"\#(wallet)""#, #""op":"refresh","wallet":"\#(wallet)""#,
      #""op":"set","rate":null,"batch":false"#, #""op":"auth","token":"x""#, #""op":"ping""#,
      #""op":"unsubscribe","wallets":["\#(wallet)","\#(scene.world.wallets[1])"]"#,
      #""op":"unsubscribe","tokens":["ETH:native"]"#,
    ].enumerated() {
      let reply = try await described.ask(client, id + 1, operation)
      #expect(reply["type"] != "error", "\(reply)")
      ops.insert(operation.split(separator: "\"").dropFirst(2).first.map(String.init) ?? "?")
    }
    #expect(ops == described.describedOps)
    for message in ["{", "[]", #"{"op":"nope"}"#, #"{"op":"get","wallet":"x"}"#, #"{"op":"get"}"#] {
      client.send(message)
      try await client.next("error")
    }
    described.expect(framesOf: client)
  }

  private func changes(_ scene: Scene, _ described: Described) async throws {
    let client = try await scene.watcher()
    try await scene.expectPrices(at: client, "371.5")
    let heartbeat = try #require(client.frames.last { $0["type"] == "heartbeat" })
    let since = "\(heartbeat["epoch"]?.string ?? ""):\(heartbeat["rev"]?.int ?? 0)"
    try await scene.move(nil)
    _ = try await described.ask(client, 2, #""op":"refresh","wallet":"\#(scene.wallet)""#)
    try await client.next("balance")
    try await client.frame("the end of the refresh") { $0["refreshing"] == "done" }
    // Rows that changed come whole to those who resume.
    let late = try await scene.client()
    let ok = try await described.ask(
      late, 1, #""op":"subscribe","wallets":["\#(scene.wallet)"],"since":"\#(since)","batch":true"#)
    #expect(ok["resumed"] == true && (ok["changed"]?.int ?? 0) > 0)
    try await late.frame("a row") { frame in
      ([frame] + (frame["frames"]?.array ?? [])).contains { $0["type"] == "token" }
    }
    try await scene.setPrice("372.25")
    try await late.next("batch")
    let single = try await scene.client()
    _ = try await described.ask(
      single, 1, #""op":"subscribe","wallets":["\#(scene.wallet)"],"since":"\#(since)""#)
    try await single.next("token")
    #expect(try await scene.call("DELETE", "/api/v1/wallets/\(scene.wallet)").status == 204)
    try await client.frame("the end of the subscription") { $0["state"] == "deleted" }
    for client in [client, late, single] { described.expect(framesOf: client) }
  }

  private func troubles(_ scene: Scene, _ described: Described) async throws {
    let client = try await scene.watcher(scene.world.wallets[1])
    try await scene.devnet.setChainFault(.status(503))
    try await scene.devnet.setPriceFault(.status(500))
    for _ in 0..<2 { client.send(#"{"op":"refresh","wallet":"\#(scene.world.wallets[1])"}"#) }
    try await eventually("a chain and prices that are down") {
      let frames = client.frames
      return frames.contains { $0["chain"] == "ETH" && $0["state"] == "down" }
        && frames.contains { $0["prices"] == "stale" } && frames.contains { $0["refreshing"] == "failed" }
    }
    let stranger = try await scene.client("/ws?wallet=\(scene.world.wallets[2])")
    try await stranger.frame("nothing known") { $0["type"] == "snapshot" && $0["state"] == "unknown" }
    try await scene.devnet.setChainFault(nil)
    try await scene.devnet.setPriceFault(nil)
    try await client.frame("all is well") { $0["chain"] == "ETH" && $0["state"] == "up" }
    try await eventually("prices") { client.frames.contains { $0["prices"] == "live" } }
    for client in [client, stranger] { described.expect(framesOf: client) }
  }

  /// A client for which there is no room.
  private func lag(_ described: Described) async throws {
    try await withScene({ $0.limits.unsentBytes = 1 }) { scene in
      let client = try await scene.client()
      _ = try await described.ask(client, 1, #""op":"subscribe","wallets":["\#(scene.wallet)"],"batch":true"#)
      _ = try await client.freshSnapshot()
      try await scene.setPrice("411.25")
      try await client.next("lag")
      described.expect(framesOf: client)
    }
  }

  private func tokens(_ issuer: Issuer, _ described: Described) async throws {
    try await withScene({ $0.auth = issuer.settings }) { scene in
      let client = try await scene.client()
      let (mine, other) = (scene.world.wallets[0], scene.world.wallets[1])
      let early = try await described.ask(client, 1, #""op":"list""#)
      #expect(early["code"] == "unauthorized")
      let token = try issuer.token(wallets: [mine, other])
      _ = try await described.ask(client, 2, #""op":"auth","token":"\#(token)""#)
      _ = try await described.ask(client, 3, #""op":"subscribe","wallets":["\#(mine)","\#(other)"]"#)
      let narrower = try issuer.token(wallets: [mine], lifetime: 40)
      _ = try await described.ask(client, 4, #""op":"auth","token":"\#(narrower)""#)
      try await client.frame("the end of a subscription") { $0["state"] == "forbidden" }
      try await client.frame("the token's end") { $0["auth"] == "expiring" }
      let refused = try await described.ask(client, 5, #""op":"get","wallet":"\#(other)""#)
      #expect(refused["code"] == "forbidden")
      described.expect(framesOf: client)
      let stranger = try await scene.client(headers: [("Authorization", "Bearer x")])
      #expect(described.closeCodes.contains(try await stranger.ended().code ?? 0))
    }
  }

  private func drain(_ scene: Scene, _ described: Described) async throws {
    let client = try await scene.client()
    try await client.next("hello")
    await scene.stop()
    let ended = try await client.ended()
    #expect(ended.code == 4100 && described.closeCodes.contains(4_100))
    described.expect(framesOf: client)
    #expect(client.frames.last?["type"] == "reconnect")
  }
}
