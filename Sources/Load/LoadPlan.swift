import EventLoop
import Upstream

/// What a load test does, found to be possible. Made once, before anything is opened.
public struct LoadPlan: Sendable {
  public var url: WebSocketURL
  public var connections = 100
  /// Nobody's, until they are set.
  public var keys = KeyPool.empty
  public var keysPerConnection = 1
  /// Connections opened a second.
  public var ramp: Double = 1_000
  /// The protocol's `rate`: ticks a second of each connection; nil: unlimited.
  public var rate: Double?
  /// The protocol's `batch`.
  public var isBatched = false
  /// Whether permessage-deflate is offered.
  public var isCompressed = false
  /// How long is measured, from when all clients are there.
  public var duration = Duration.seconds(10)
  /// The share of clients that stop reading while the others are measured: 0…1.
  public var slowFraction: Double = 0
  /// How often all clients drop and resume at once, spread over the duration.
  public var storms = 0
  public var sources = SourceAddresses.none
  /// An access token, sent as `Authorization: Bearer`.
  public var token: String?
  /// For `wss:`.
  public var security: (any TransportSecurity)?
  public var loops = 1
  /// How long is waited for clients among which nothing happens any more.
  public var patience = Duration.seconds(30)

  /// A plan with the defaults.
  public init(url: WebSocketURL) { self.url = url }

  public static let connectionsMaximum = 1_000_000
  /// So that a subscribe stays below the 64 KiB that a server takes by default.
  public static let keysPerConnectionMaximum = 1_000
  /// A week, in seconds.
  public static let durationMaximum = 604_800
  public static let stormsMaximum = 1_000
  public static let loopsMaximum = 256

  /// - Throws: what is out of its range, or can't go together.
  public func check() throws(LoadOptionError) {
    try Self.require(connections, in: 1...Self.connectionsMaximum, "--connections")
    try Self.require(keysPerConnection, in: 1...Self.keysPerConnectionMaximum, "--wallets-per-connection")
    try Self.require(storms, in: 0...Self.stormsMaximum, "--storms")
    try Self.require(loops, in: 1...Self.loopsMaximum, "--loops")
    guard ramp > 0, ramp <= 1_000_000 else { throw .outOfRange("--ramp", "above 0, up to 1000000 a second") }
    if let rate {
      guard rate > 0, rate <= 1_000 else { throw .outOfRange("--rate", "above 0, up to 1000 a second") }
    }
    guard duration >= .milliseconds(100), duration <= .seconds(Self.durationMaximum) else {
      throw .outOfRange("--duration", "0.1 to \(Self.durationMaximum) seconds")
    }
    guard slowFraction >= 0, slowFraction <= 1 else { throw .outOfRange("--slow-fraction", "0 to 1") }
    if let token, !token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) || token.isEmpty {
      throw .outOfRange("--token", "an access token: visible ASCII without blanks")
    }
    if url.isSecure, security == nil { throw .securityMissing }
  }

  private static func require(
    _ value: Int, in range: ClosedRange<Int>, _ option: String
  ) throws(LoadOptionError) {
    guard range.contains(value) else {
      throw .outOfRange(option, "\(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// Whether that client is one of the slow ones: they are spread evenly.
  func isSlow(_ client: Int) -> Bool {
    Int(Double(client + 1) * slowFraction) > Int(Double(client) * slowFraction)
  }
}

/// What is wrong with how a load test was asked for.
public enum LoadOptionError: Error, Sendable {
  case badURL(String, String)
  case outOfRange(String, String)
  /// Options of which only one may be given.
  case together(String)
  case badPattern(String, String)
  case badKey(String, KeyPool.Kind, String)
  case badKeyFile(String)
  case noKeys(KeyPool.Kind)
  case badSource(String)
  case tooManySources(Int)
  case securityMissing
  /// Neither wallets nor tokens were given, and the server could not be asked for some.
  case noWallets(String)
  case tooFewDescriptors(wanted: Int, allowed: Int)
  case tooFewPorts(connections: Int, perSource: Int, sources: Int)
}

extension LoadOptionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badURL(let url, let fault): "\"\(url)\": \(fault)"
    case .outOfRange(let option, let range): "\(option) is \(range)"
    case .together(let options): options
    case .badPattern(let text, let fault): "\"\(text)\" is no pattern: \(fault)"
    case .badKey(let key, let kind, let fault): "\"\(key)\" is no \(kind.word) key: \(fault)"
    case .badKeyFile(let fault): "the file holds neither a key on each line nor a JSON list of them: \(fault)"
    case .noKeys(let kind): "there is no \(kind.word) key"
    case .badSource(let text):
      "--source: \"\(text)\" is no address, and no range of IPv4 addresses such as 127.0.0.1-8"
    case .tooManySources(let maximum): "--source: at most \(maximum) addresses"
    case .securityMissing: "wss:// needs TLS, and there is none"
    case .noWallets(let why): "\(why): give --wallets, --wallet-file or --tokens"
    case .tooFewDescriptors(let wanted, let allowed):
      "so many connections need \(wanted) open files, and this process may have \(allowed): raise it with"
        + " `ulimit -n \(wanted)`, or LimitNOFILE"
    case .tooFewPorts(let connections, let perSource, let sources):
      "\(connections) connections, but \(sources) source \(sources == 1 ? "address has" : "addresses have")"
        + " \(perSource * sources) ports: give \((connections + perSource - 1) / max(1, perSource)) addresses,"
        + " such as --source 127.0.0.1-\((connections + perSource - 1) / max(1, perSource))"
    }
  }
}
