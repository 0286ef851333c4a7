import EventLoop
import Testing
import Upstream

@testable import Load

@Suite struct LoadPlanTests {
  private static func plan(_ url: String = "ws://127.0.0.1:1/ws") throws -> LoadPlan {
    var plan = LoadPlan(url: try WebSocketURL(url))
    plan.keys = try KeyPool(.wallets, parsing: "ETH:0x{n:40}", distinct: 4)
    return plan
  }

  typealias Change = @Sendable (inout LoadPlan) -> Void

  static let refused: [(String, Change)] = [
    ("--connections", { $0.connections = 0 }), ("--connections", { $0.connections = 1_000_001 }),
    ("--connections", { $0.connections = -5 }),
    ("--wallets-per-connection", { $0.keysPerConnection = 0 }),
    ("--wallets-per-connection", { $0.keysPerConnection = 1_001 }),
    ("--ramp", { $0.ramp = 0 }), ("--ramp", { $0.ramp = .nan }), ("--ramp", { $0.ramp = .infinity }),
    ("--rate", { $0.rate = 0 }), ("--rate", { $0.rate = -1 }), ("--rate", { $0.rate = .nan }),
    ("--duration", { $0.duration = .zero }), ("--duration", { $0.duration = .seconds(700_000) }),
    ("--slow-fraction", { $0.slowFraction = -0.1 }), ("--slow-fraction", { $0.slowFraction = 1.1 }),
    ("--slow-fraction", { $0.slowFraction = .nan }),
    ("--storms", { $0.storms = -1 }), ("--storms", { $0.storms = 1_001 }),
    ("--loops", { $0.loops = 0 }), ("--loops", { $0.loops = 257 }),
    ("--token", { $0.token = "" }), ("--token", { $0.token = "a\r\nX: y" }),
  ]

  @Test(arguments: refused) func whatIsOutOfRangeIsNamed(_ option: String, _ change: Change) throws {
    var plan = try Self.plan()
    change(&plan)
    do {
      try plan.check()
      Issue.record("was taken")
    } catch {
      #expect(error.description.hasPrefix(option + " is "), "\(error)")
    }
  }

  static let taken: [Change] = [
    { _ in }, { $0.connections = 1_000_000 }, { $0.slowFraction = 1 }, { $0.rate = 0.5 },
    { $0.storms = 1_000 },
    { $0.duration = .milliseconds(100) }, { $0.token = "eyJ.a.b" },
  ]

  @Test(arguments: taken) func whatIsInRangeIsTaken(_ change: Change) throws {
    var plan = try Self.plan()
    change(&plan)
    #expect(throws: Never.self) { try plan.check() }
  }

  @Test func wssNeedsSecurity() throws {
    let plan = try Self.plan("wss://localhost:1/ws")
    #expect(throws: LoadOptionError.self) { try plan.check() }
  }

  @Test func aRunNeedsKeys() throws {
    var plan = try Self.plan()
    plan.keys = .empty
    #expect(throws: LoadOptionError.self) { try LoadRun(plan: plan) { _ in } }
  }

  @Test(arguments: [
    (100, 0.1, 10), (100, 0, 0), (100, 1, 100), (7, 0.5, 3), (1_000, 0.333, 333), (3, 0.01, 0),
  ])
  func slowClientsAreSpread(_ connections: Int, _ fraction: Double, _ expected: Int) throws {
    var plan = try Self.plan()
    plan.slowFraction = fraction
    let slow = (0..<connections).filter { plan.isSlow($0) }
    #expect(slow.count == expected)
    // None beyond the first half alone.
    if expected > 1, fraction < 1 {
      #expect(slow[0] < connections / 2 && slow[expected - 1] >= connections / 2)
    }
  }

  @Test func theSubscribeSaysWhatIsWanted() throws {
    var plan = try Self.plan()
    plan.keys = try KeyPool(.tokens, parsing: "ETH:native,BSC:native", distinct: 1)
    plan.keysPerConnection = 2
    #expect(
      plan.subscribe(client: 1, since: nil)
        == #"{"op":"subscribe","id":1,"tokens":["ETH:native","BSC:native"]}"#)
    plan.rate = 0.5
    plan.isBatched = true
    #expect(
      plan.subscribe(client: 0, since: "e:7")
        == #"{"op":"subscribe","id":1,"tokens":["ETH:native","BSC:native"],"since":"e:7","rate":0.5,"batch":true}"#
    )
    plan.keys = try KeyPool(.wallets, parsing: "ETH:0x{n:40}", distinct: 1)
    #expect(plan.subscribe(client: 0, since: nil).contains(#""wallets":["ETH:0x0"#))
  }

  // MARK: - Sources

  static let sources: [(String, [String])] = [
    ("", []), ("127.0.0.1", ["127.0.0.1"]), ("127.0.0.1,127.0.0.3", ["127.0.0.1", "127.0.0.3"]),
    ("127.0.0.1-3", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
    ("127.0.0.2-127.0.0.3", ["127.0.0.2", "127.0.0.3"]),
    ("127.0.0.255-127.0.1.0", ["127.0.0.255", "127.0.1.0"]), ("10.0.0.1-1, ::1", ["10.0.0.1", "::1"]),
    ("255.255.255.254-255", ["255.255.255.254", "255.255.255.255"]),
  ]

  @Test(arguments: sources) func sourcesAreAddressesAndRanges(_ text: String, _ expected: [String]) throws {
    #expect(try SourceAddresses(parsing: text).addresses.map(\.host) == expected)
  }

  @Test(arguments: [
    "nonsense", "127.0.0.1,", ",", "127.0.0.5-2", "127.0.0.1-2-3", "127.0.0.1-", "-3", "127.0.0.1-256",
    "::1-2",
    "127.0.0.1-127.0.200.1", "127.0.0.1-::1",
  ])
  func whatIsNoSourceIsRefused(_ text: String) {
    #expect(throws: LoadOptionError.self) { try SourceAddresses(parsing: text) }
  }

  @Test func clientsTakeTurnsWithSources() throws {
    let sources = try SourceAddresses(parsing: "127.0.0.1-2")
    #expect((0..<3).map { sources.source(ofClient: $0)?.host } == ["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    #expect(SourceAddresses.none.source(ofClient: 0) == nil)
  }

  // MARK: - The machine

  @Test(arguments: [
    ("32768\t60999\n", 28_232), ("1024 65535", 64_512), ("5 5", 1), ("9 5", nil), ("", nil), ("a b", nil),
  ])
  func portsAreCounted(_ text: String, _ expected: Int?) { #expect(Resources.ports(in: text) == expected) }

  @Test func tooFewPortsAreSaidWithWhatHelps() throws {
    var plan = try Self.plan()
    plan.connections = 900_000
    do {
      try Resources.checkPorts(for: plan)
      Issue.record("was taken")
    } catch {
      #expect("\(error)".contains("--source 127.0.0.1-"))
    }
    plan.sources = try SourceAddresses(parsing: "127.0.0.1-127.0.4.0")
    #expect(throws: Never.self) { try Resources.checkPorts(for: plan) }
  }

  @Test func tooFewDescriptorsAreSaidWithWhatHelps() {
    do {
      try Resources.raiseDescriptors(for: Int(Int32.max))
    } catch {
      #expect("\(error)".contains("ulimit -n"))
    }
    #expect(throws: Never.self) { try Resources.raiseDescriptors(for: 10) }
  }
}
