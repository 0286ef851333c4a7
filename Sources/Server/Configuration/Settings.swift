import Ethereum
import Upstream
import WebSocket

/// Everything that can be set, as it is in force: checked, with paths resolved and times as `Duration`.
///
/// The values written here are the defaults. What may be set, and within which bounds, is in
/// ``SettingDefinition``.
public struct Settings: Sendable, Equatable {
  public var http = HTTP()
  public var storage = Storage()
  /// The chains that are served, in the order of `chains.enabled`.
  public var chains: [ChainConfiguration] = ChainRegistry.chains.map { ChainConfiguration(chain: $0) }
  public var prices = Prices()
  public var refresh = Refresh()
  public var cache = Cache()
  /// Nil: no tokens are asked for.
  public var auth: Auth?
  public var limits = Limits()
  public var compression = Compression()
  public var log = Log()

  /// The built-in defaults.
  public init() {}
}

/// A chain that is served.
public struct ChainConfiguration: Sendable, Equatable {
  /// What the registry knows, with what is set (`rpc`, `chainId`, `multicall3`) in its place.
  public var chain: Chain
  /// Endpoints that announce new blocks: `ws:` or `wss:`.
  public var ws: [String]
  /// Absolute paths, or `http:` and `https:` URLs. Empty: the registry's tokens.
  public var tokenLists: [String]
  /// Whether every new block is looked at. If not, the chain is read when a cache expires or a refresh asks.
  public var followBlocks: Bool
  /// How often the head is asked for where no endpoint announces it.
  public var poll: Duration
  /// Of Chainlink's, before the registry's: what both price is priced by these.
  public var chainlinkFeeds: [ChainlinkFeed]
  /// The age at which the newest block says that the chain stands still; zero: it never does. Nil: ``staleHeadInForce``.
  public var staleHead: Duration?

  public init(
    chain: Chain, ws: [String] = [], tokenLists: [String] = [], followBlocks: Bool = true,
    poll: Duration = .seconds(12), chainlinkFeeds: [ChainlinkFeed] = []
  ) {
    self.chain = chain
    self.ws = ws
    self.tokenLists = tokenLists
    self.followBlocks = followBlocks
    self.poll = poll
    self.chainlinkFeeds = chainlinkFeeds
  }

  public var code: ChainCode { chain.code }
  /// `http:` or `https:`, the best first.
  public var rpc: [String] { chain.rpc }
  public var multicall3: Address { chain.multicall3 }

  /// Chains of the registry make blocks by the clock: two minutes without one are a standstill. What only the settings
  /// know, has another chain's id, or runs on this machine may be a test chain, which makes them on demand.
  public var staleHeadInForce: Duration? {
    if let staleHead { return staleHead > .zero ? staleHead : nil }
    guard ChainRegistry.chain(code)?.chainID == chain.chainID else { return nil }
    let hosts = chain.rpc.compactMap { try? HTTPURL($0).host }
    let isHere = hosts.allSatisfy { $0 == "localhost" || $0.hasPrefix("127.") || $0 == "::1" }
    return isHere ? nil : .seconds(120)
  }
}

extension Settings {
  public struct HTTP: Sendable, Equatable {
    /// An address literal without brackets, or a name.
    public var host = "127.0.0.1"
    /// 0 lets the system pick one.
    public var port: UInt16 = 8080
    /// Event loops; 0 is one for each core.
    public var loops = 0
    /// Nil: plain HTTP.
    public var tls: TLS?
    /// Names and addresses beside loopback's, or `*`. Empty: on loopback without access tokens and TLS none, else all.
    public var allowedHosts: [String] = []
    /// Empty: the same origin only.
    public var allowedOrigins: [String] = []
    public var trustedProxies: [AddressRange] = []
    /// The folder of the web client; nil: wherever the server finds it.
    public var webRoot: String?

    public init() {}
  }

  /// Absolute paths of PEM files.
  public struct TLS: Sendable, Equatable {
    public var certificate: String
    public var key: String

    public init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  public struct Storage: Sendable, Equatable {
    /// `:memory:`, or a path: relative only in the built-in defaults.
    public var path = Storage.defaultPath
    /// A damaged file is set aside for a new one with what can be read of it; otherwise it stops the start.
    public var replacesDamaged = true

    public static let defaultPath = "walletpush.sqlite"
    public static let inMemory = ":memory:"

    public init() {}
  }

  public struct Prices: Sendable, Equatable {
    public enum Source: String, Sendable, CaseIterable {
      case defiLlama = "defillama"
      case coinGecko = "coingecko"
      case chainlink
    }

    public struct DefiLlama: Sendable, Equatable {
      public var url = "https://coins.llama.fi"
      /// 0: 300, and any number where the host is not DefiLlama's own.
      public var requestsPerMinute = 0

      public init() {}
    }

    public struct CoinGecko: Sendable, Equatable {
      public var url = "https://api.coingecko.com/api/v3"
      public var apiKey = ""
      /// 0: 10 without a key, 30 with a free one, 250 with a paid one; any number where the host is not CoinGecko's own.
      public var requestsPerMinute = 0

      public init() {}
    }

    public struct Chainlink: Sendable, Equatable {
      public var requestsPerMinute = 60

      public init() {}
    }

    /// The best first.
    public var sources: [Source] = [.defiLlama]
    public var interval: Duration = .seconds(15)
    /// Prices that their source saw longer ago are none.
    public var maximumAge: Duration = .seconds(14_400)
    public var defiLlama = DefiLlama()
    public var coinGecko = CoinGecko()
    public var chainlink = Chainlink()

    public init() {}
  }

  public struct Refresh: Sendable, Equatable {
    /// May be zero.
    public var cooldown: Duration = .seconds(10)
    public var timeout: Duration = .seconds(10)
    /// Of each endpoint; a second's worth at once.
    public var requestsPerSecond: Double = 100

    public init() {}
  }

  public struct Cache: Sendable, Equatable {
    public var balance: Duration = .seconds(300)
    public var zeroBalance: Duration = .seconds(86_400)
    public var tokenList: Duration = .seconds(300)
    public var price: Duration = .seconds(60)
    public var metadata: Duration = .seconds(86_400)
    /// What is remembered of when balances were read; the balances themselves are not part of it.
    public var maximumBytes = 67_108_864

    public init() {}
  }

  public struct Auth: Sendable, Equatable {
    /// The absolute path of a JSON Web Key Set (RFC 7517 §5).
    public var keys: String
    /// Empty: any.
    public var issuer = ""
    /// Empty: any.
    public var audience = ""
    public var walletsClaim = "wallets"

    public init(keys: String) { self.keys = keys }
  }

  public struct Limits: Sendable, Equatable {
    public var connections = 100_000
    /// 0 is no limit.
    public var connectionsPerAddress = 0
    /// Of one address or connection: requests to the API and for the metrics.
    public var requestsPerSecond: Double = 1_000
    public var walletsPerConnection = 100
    public var messageBytes = 65_536
    /// Frames that one message may come in.
    public var messageFrames = 1_024
    public var opsPerSecond: Double = 20
    /// How many operations beyond ``opsPerSecond``, pings and pongs a client may send ahead before it is closed; they are
    /// forgiven at the rate of `opsPerSecond`.
    public var excessMessages = 1_000
    public var wallets = 1_000_000
    public var tokens = 200_000
    public var tokensPerWallet = 5_000
    public var unsentBytes = 65_536
    /// Of one request's head.
    public var headBytes = 16_384
    /// Of one request's body.
    public var bodyBytes = 65_536
    /// Header lines of one request.
    public var headerCount = 100
    /// From the connection to the end of its first request's head; for a later head from its first byte, and for a
    /// body from the end of the head.
    public var handshake: Duration = .seconds(10)
    /// Between two requests.
    public var keepAlive: Duration = .seconds(60)
    public var idlePing: Duration = .seconds(25)
    public var pong: Duration = .seconds(10)
    public var slow: Duration = .seconds(30)
    public var drain: Duration = .seconds(10)

    public init() {}
  }

  public struct Compression: Sendable, Equatable {
    /// Whether permessage-deflate is accepted when a client offers it.
    public var enabled = true
    /// Shorter messages are sent as they are.
    public var minimumBytes = DeflateSettings.standard.minimumBytes
    /// Whether windows may be kept from message to message: smaller messages, for memory of each connection.
    public var contextTakeover = DeflateSettings.standard.contextTakeover
    /// Our sending window, as a power of two.
    public var windowBits = DeflateSettings.standard.windowBits
    /// zlib's: 1 is fast, 9 is small.
    public var level = DeflateSettings.standard.level
    /// How many times its length a message above 64 KiB may inflate to.
    public var inflationRatio = DeflateSettings.standard.inflationRatio

    public init() {}

    var deflate: DeflateSettings {
      DeflateSettings(
        minimumBytes: minimumBytes, contextTakeover: contextTakeover, windowBits: windowBits, level: level,
        inflationRatio: inflationRatio)
    }
  }

  public struct Log: Sendable, Equatable {
    public enum Level: String, Sendable, CaseIterable {
      case trace, debug, info, notice, warning, error, critical
    }

    public var level = Level.info

    public init() {}
  }
}
