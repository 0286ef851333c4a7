import Ethereum
import Testing

@testable import Server

/// Where the age of the newest block says that the chain stands still.
struct StaleHeadTests {
  private static let cases: [(chain: String, seconds: Int?)] = [
    (#""ETH": {}"#, 120),
    (#""ETH": {"rpc": ["http://127.0.0.1:8545", "https://node.example"]}"#, 120),
    // It may be a test chain, which makes blocks on demand.
    (#""ETH": {"rpc": ["http://127.0.0.1:8545"]}"#, nil),
    (#""ETH": {"rpc": ["http://localhost:8545", "http://[::1]:8545"]}"#, nil),
    (#""ETH": {"chainId": 31337, "rpc": ["https://node.example"]}"#, nil),
    (#""ETH_SEPOLIA": {"chainId": 11155111, "rpc": ["https://node.example"]}"#, nil),
    // Who sets it knows.
    (#""ETH_SEPOLIA": {"chainId": 11155111, "rpc": ["https://node.example"], "staleHeadSeconds": 60}"#, 60),
    (#""ETH": {"rpc": ["http://127.0.0.1:8545"], "staleHeadSeconds": 30}"#, 30),
    (#""ETH": {"staleHeadSeconds": 0}"#, nil),
  ]

  @Test(arguments: cases)
  func countsWhereBlocksComeByTheClock(chain: String, seconds: Int?) throws {
    let code = chain.split(separator: "\"")[0]
    let json = #"{"chains": {"enabled": ["\#(code)"], \#(chain)}}"#
    let settings = try Load(json: json).settings()
    #expect(settings.chains.map(\.staleHeadInForce) == [seconds.map { .seconds($0) }])
  }
}
