/// One thing that is fuzzed. Its invariant stands at the top of its file.
struct FuzzTarget: Sendable {
  /// Also the name of its folders in `corpus` and `found`.
  let name: String
  let run: @Sendable (FuzzInput) throws -> Void

  init(_ name: String, _ run: @escaping @Sendable (FuzzInput) throws -> Void) {
    self.name = name
    self.run = run
  }

  static let all: [FuzzTarget] = [
    FuzzTarget("frames", fuzzFrames), FuzzTarget("requests", fuzzRequests),
    FuzzTarget("messages", fuzzMessages), FuzzTarget("json", fuzzJSON),
    FuzzTarget("responses", fuzzResponses), FuzzTarget("event-streams", fuzzEventStreams),
    FuzzTarget("handshakes", fuzzHandshakes), FuzzTarget("replies", fuzzReplies),
    FuzzTarget("abi", fuzzABIResults), FuzzTarget("texts", fuzzTexts), FuzzTarget("prices", fuzzPrices),
    FuzzTarget("token-lists", fuzzTokenLists), FuzzTarget("bodies", fuzzBodies), FuzzTarget("urls", fuzzURLs),
    FuzzTarget("settings", fuzzSettingsFiles), FuzzTarget("deflate", fuzzDeflate),
    FuzzTarget("tokens", fuzzTokens),
  ]

  static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
