// swift-tools-version: 6.2
// The house, ground floor first: a target imports only targets listed above it.
// What each room is for, and why the walls stand where they do: Sources/Server/Server.docc/Architecture.md
import PackageDescription

// Exclusivity checks were 35 % of the instructions of a connection loop; the debug build and the
// sanitizer runs keep them. Only where the server is built: a package with such flags can't be depended upon by its
// version.
#if os(Linux)
  let releaseSettings: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
  ]
#else
  let releaseSettings: [SwiftSetting] = []
#endif

let swiftSettings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + releaseSettings

/// One room of the house.
func room(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: swiftSettings)
}

extension Target.Dependency {
  static func onLinux(_ room: String) -> Target.Dependency {
    .target(name: room, condition: .when(platforms: [.linux]))
  }
}

/// What the fuzz targets of Tests/Fuzz look into.
let fuzzedRooms: [Target.Dependency] = [
  "JSON", "WebSocket", "HTTP1", "Ethereum", "Access", "Ledger", "Upstream", "Refresh", "Pricing", "Push",
  "Server",
]

let package = Package(
  name: "walletpush",
  // For the client library: UTF8Span and InlineArray came with these. The server is for Linux.
  platforms: [.macOS(.v26), .iOS(.v26)],
  products: [
    .executable(name: "walletpush", targets: ["walletpush"]),
    .library(name: "WalletPushClient", targets: ["WalletPushClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // Without its JSON trait, which needs the whole of Foundation and loses the text of numbers.
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["CommandLineArguments"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    room(
      "Jobs",
      [.product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics")]),
    room("JSON", []),
    room("HTTP1", []),
    room("WebSocket", ["COpenSSL", "CZlib", "HTTP1"]),
    room("Ethereum", ["JSON"]),
    room("Access", ["COpenSSL", "JSON", "Ethereum"]),
    room(
      "EventLoop",
      ["CLinux", "COpenSSL", .product(name: "Metrics", package: "swift-metrics")]),
    room("Ledger", ["JSON", "Ethereum", .product(name: "Metrics", package: "swift-metrics")]),
    room(
      "Storage",
      [
        "Jobs", "Ledger", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Upstream",
      [
        "CZlib", "WebSocket", "EventLoop", "HTTP1",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Refresh",
      [
        "Jobs", "JSON", "Ethereum", "Ledger", "Upstream",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Pricing",
      [
        "Jobs", "JSON", "Ethereum", "Ledger", "Upstream", .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Push",
      [
        "JSON", "HTTP1", "Ethereum", "EventLoop", "WebSocket", "Ledger",
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Server",
      [
        "COpenSSL", "Jobs", "JSON", "HTTP1", "WebSocket", "Ethereum", "Access", "EventLoop", "Ledger",
        "Storage",
        "Upstream", "Refresh", "Pricing", "Push",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    room(
      "Load",
      [
        "CLinux", "JSON", "WebSocket", "HTTP1", "Ethereum", "EventLoop", "Upstream",
        .product(name: "Logging", package: "swift-log"),
      ]),
    room("Devnet", ["JSON", "Ethereum", "HTTP1", "EventLoop"]),
    // For apps on Apple's systems too: what is for Linux alone stays out of it there.
    room(
      "WalletPushClient",
      [
        "JSON", "HTTP1", "Ethereum", "Ledger", .onLinux("WebSocket"), .onLinux("EventLoop"),
        .onLinux("Upstream"),
        .product(name: "Logging", package: "swift-log", condition: .when(platforms: [.linux])),
      ]),
    .executableTarget(
      name: "walletpush",
      dependencies: [
        "JSON", "EventLoop", "Ethereum", "Ledger", "Upstream", "Load", "Server", "Devnet", "WalletPushClient",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),

    .target(
      name: "TestSupport", dependencies: ["COpenSSL", "JSON"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests("JobsTests", ["Jobs"]),
    tests("JSONTests", ["JSON"]),
    tests("WebSocketTests", ["WebSocket", "HTTP1"]),
    tests("HTTP1Tests", ["HTTP1"]),
    tests("EthereumTests", ["Ethereum"]),
    tests("AccessTests", ["Access"]),
    tests("EventLoopTests", ["COpenSSL", "EventLoop"]),
    tests("LedgerTests", ["Ledger"]),
    tests("StorageTests", ["Storage"]),
    tests("UpstreamTests", ["COpenSSL", "Upstream"]),
    tests("RefreshTests", ["Refresh", "Devnet"]),
    tests("PricingTests", ["Pricing", "Devnet"]),
    tests("PushTests", ["Push"]),
    tests("LoadTests", ["Load"]),
    tests("DevnetTests", ["Devnet"]),
    tests("ServerTests", ["Server"]),
    tests("WalletPushClientTests", ["WalletPushClient"]),
    tests("IntegrationTests", ["Server", "Devnet", "Load", "WalletPushClient"]),
    tests(
      "walletpushTests", ["walletpush", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .testTarget(
      name: "FuzzTests", dependencies: fuzzedRooms, path: "Tests/Fuzz",
      exclude: ["Driver.swift", "corpus", "dictionaries", "found"],
      sources: ["Targets", "ReplayTests.swift"],
      swiftSettings: swiftSettings),
  ]
)

// For the thread sanitizer: tells it what Swift's Mutex does. .ci/sanitize asks for it.
if Context.environment["WALLETPUSH_TSAN"] != nil {
  package.targets.append(.target(name: "ThreadSanitizer", path: "Tests/ThreadSanitizer"))
  for target in package.targets where target.name == "TestSupport" {
    target.dependencies.append("ThreadSanitizer")
  }
}

// The client library as Apple's systems have it, and a program that uses it, where .ci/test-urlsession asks for them.
if Context.environment["WALLETPUSH_URLSESSION"] != nil {
  let kept: Set = ["JSON", "HTTP1", "Ethereum", "Ledger", "WalletPushClient"]
  package.products = []
  package.targets.removeAll { !kept.contains($0.name) }
  for target in package.targets where target.name == "WalletPushClient" {
    target.dependencies = ["JSON", "HTTP1", "Ethereum", "Ledger", "URLSessionBytes"]
    target.swiftSettings = swiftSettings + [.define("WALLETPUSH_URLSESSION")]
  }
  package.targets += [
    .target(name: "URLSessionBytes", path: "Tests/URLSession/Bytes", swiftSettings: swiftSettings),
    .executableTarget(
      name: "urlsession", dependencies: ["Ethereum", "Ledger", "WalletPushClient"],
      path: "Tests/URLSession/Program", swiftSettings: swiftSettings),
  ]
}

// Where .ci/sanitize asks for the tests of some rooms alone.
if let rooms = Context.environment["WALLETPUSH_TESTS"] {
  let wanted = Set(rooms.split(separator: " ").map { "\($0)Tests" })
  package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}

// The fuzzers instead of all that, where .ci/fuzz asks for them: the rooms they need, with counters in them.
if Context.environment["WALLETPUSH_FUZZ"] != nil {
  let instrumented: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // Optimised, and yet with the checks that a debug build has.
    .unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing", "-assert-config", "Debug"]),
  ]
  let left: Set = ["Storage", "Devnet", "Load", "WalletPushClient", "walletpush", "TestSupport"]
  package.products = []
  package.targets.removeAll { $0.type == .test || left.contains($0.name) }
  for target in package.targets where !target.name.hasPrefix("C") { target.swiftSettings = instrumented }
  // Of the Server the settings alone: the rest would bring the database.
  for target in package.targets where target.name == "Server" {
    target.path = "Sources/Server/Configuration"
    target.dependencies = [
      "JSON", "WebSocket", "Ethereum", "Upstream",
      .product(name: "Configuration", package: "swift-configuration"),
    ]
  }
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: fuzzedRooms, path: "Tests/Fuzz",
      exclude: ["ReplayTests.swift", "corpus", "dictionaries", "found"],
      sources: ["Targets", "Driver.swift"],
      swiftSettings: instrumented + [.unsafeFlags(["-parse-as-library"])],
      // Not gold: it stumbles over libFuzzer's own main, which SwiftPM puts ours before.
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
