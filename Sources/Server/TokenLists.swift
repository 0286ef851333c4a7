// Which tokens are listed.
//
// Lists in files are read at the start, where a bad one is an error, and on SIGHUP. Lists on the web are fetched once
// the server runs, again when their time is up, and on SIGHUP. Until one has come, and whenever it fails, what was
// listed stays listed: the database keeps it over a restart. A chain without lists has the tokens of the registry.

import Ethereum
import JSON
import Jobs
import Ledger
import Logging
import Metrics
import Upstream

actor TokenLists {
  static let tokensMaximum = 20_000
  static let bytesMaximum = 32 << 20
  static let retryMinimum = Duration.seconds(15)

  private let ledger: Ledger
  private let client: HTTPClient
  /// From one fetch of a list to the next.
  private let period: Duration
  private let timeout: Duration
  private let logger: Logger
  /// Called when a list from the web has changed what is listed.
  private var changed: @Sendable (ChainCode) async -> Void = { _ in }
  private var chains: [ChainConfiguration] = []
  /// What each address gave last, by chain.
  private var fetched: [String: [ChainCode: [ListedToken]]] = [:]
  private let jobs: JobBoard
  private var fetches: [JobLoop] = []
  private let succeeded = Counter(label: "token_list_fetches_total")
  private let failed = Counter(label: "token_list_fetch_failures_total")

  init(
    ledger: Ledger, client: HTTPClient, period: Duration, timeout: Duration, logger: Logger, jobs: JobBoard
  ) {
    self.jobs = jobs
    self.ledger = ledger
    self.client = client
    self.period = period
    self.timeout = timeout
    self.logger = logger
  }

  /// Applies the lists in files, or none of them.
  func load(_ chains: [ChainConfiguration]) async throws(StartError) {
    var lists: [(chain: ChainConfiguration, tokens: [ListedToken])] = []
    for chain in chains { lists.append((chain, try tokens(of: chain))) }
    self.chains = chains
    for list in lists { await apply(list.tokens, of: list.chain) }
  }

  func start(changed: @escaping @Sendable (ChainCode) async -> Void) {
    self.changed = changed
    fetch()
  }

  /// The same lists, or others, of the chains that are served.
  func reload(_ chains: [ChainConfiguration]) async throws(StartError) {
    let served = Set(self.chains.map(\.chain.code))
    try await load(chains.filter { served.contains($0.chain.code) })
    fetch()
  }

  /// Begins to fetch the lists on the web, each once for all its chains.
  private func fetch() {
    for fetch in fetches { fetch.cancel() }
    fetches = []
    let addresses = Set(chains.flatMap(\.tokenLists).filter(Self.isAddress))
    fetched = fetched.filter { addresses.contains($0.key) }
    for address in addresses.sorted() {
      guard let url = try? HTTPURL(address) else { continue }
      let fetch = JobLoop("token_list", on: jobs) { [weak self] turns in
        await self?.follow(address, url, turns)
      }
      fetches.append(fetch)
      fetch.start()
    }
  }

  func stop() async {
    for fetch in fetches { await fetch.stop() }
    fetches = []
  }

  // MARK: Lists on the web

  private static func isAddress(_ source: String) -> Bool { source.contains("://") }

  private func follow(_ address: String, _ url: HTTPURL, _ turns: JobRecord) async {
    var failures = 0
    while !Task.isCancelled {
      var pause = period
      do throws(StartError) {
        try await turns.run { () async throws(StartError) in
          try await self.take(address, try await self.download(url))
        }
        failures = 0
        succeeded.increment()
      } catch {
        guard !Task.isCancelled else { return }
        failed.increment()
        logger.warning("token list not fetched", metadata: ["host": "\(url.host)", "reason": "\(error)"])
        pause = min(period, Self.retryMinimum * (1 << min(failures, 12)))
        failures += 1
      }
      try? await Task.sleep(for: pause * Double.random(in: 0.9...1.1))
    }
  }

  private func download(_ url: HTTPURL) async throws(StartError) -> [UInt8] {
    let response: HTTPClientResponse
    do throws(UpstreamError) {
      response = try await client.send(
        HTTPClientRequest(
          method: "GET", url: url, headers: [("Accept", "application/json")],
          timeouts: .init(connect: timeout, firstByte: timeout, total: max(timeout, .seconds(60))),
          responseBytesLimit: Self.bytesMaximum, isIdempotent: true))
    } catch {
      throw StartError("\(error)")
    }
    guard response.isSuccess else {
      let target = (300..<400).contains(response.status) ? response.headers.first("Location") : nil
      throw StartError(
        "HTTP status \(response.status)" + (target.map { ": redirects are not followed, \($0)" } ?? ""))
    }
    return response.body
  }

  private func take(_ address: String, _ bytes: [UInt8]) async throws(StartError) {
    let value = try Self.parse(bytes)
    var lists: [ChainCode: [ListedToken]] = [:]
    let users = chains.filter { $0.tokenLists.contains(address) }
    for chain in users { lists[chain.chain.code] = try read(value, chain: chain.chain, source: address) }
    guard !Task.isCancelled else { return }
    let known = fetched.updateValue(lists, forKey: address)
    for chain in users where known?[chain.chain.code] != lists[chain.chain.code] {
      do {
        await apply(try tokens(of: chain), of: chain)
      } catch {
        // A file went bad since the start; SIGHUP says so.
        await apply(lists[chain.chain.code] ?? [], of: chain, isWhole: false)
      }
      await changed(chain.chain.code)
    }
  }

  // MARK: Lists

  private func apply(_ tokens: [ListedToken], of chain: ChainConfiguration, isWhole: Bool = true) async {
    let isComplete = isWhole && chain.tokenLists.allSatisfy { !Self.isAddress($0) || fetched[$0] != nil }
    let code = chain.chain.code
    await ledger.applyList(Self.entries(tokens, of: chain.chain), whole: isComplete ? code : nil)
  }

  /// The tokens of all lists that are there.
  private func tokens(of configuration: ChainConfiguration) throws(StartError) -> [ListedToken] {
    guard !configuration.tokenLists.isEmpty else { return configuration.chain.tokens }
    var tokens: [ListedToken] = []
    for source in configuration.tokenLists {
      if Self.isAddress(source) {
        tokens += fetched[source]?[configuration.chain.code] ?? []
        continue
      }
      do {
        let bytes: [UInt8]
        do {
          bytes = try SmallFile.read(source, limit: Self.bytesMaximum)
        } catch {
          throw StartError("\(error)")
        }
        tokens += try read(try Self.parse(bytes), chain: configuration.chain, source: source)
      } catch {
        throw StartError("chains.\(configuration.chain.code).tokenLists: \(source): \(error)")
      }
    }
    return tokens
  }

  private static func parse(_ bytes: [UInt8]) throws(StartError) -> JSONValue {
    do {
      return try JSONParser.parse(bytes, limits: JSONLimits(depth: 32, numberBytes: 128))
    } catch {
      throw StartError("\(error)")
    }
  }

  private func read(_ value: JSONValue, chain: Chain, source: String) throws(StartError) -> [ListedToken] {
    let list: TokenList
    do {
      list = try TokenList(value, chain: chain, limit: Self.tokensMaximum)
    } catch {
      throw StartError("\(error)")
    }
    for (reason, count) in list.skipped where count > 0 {
      logger.warning(
        "token list entries skipped",
        metadata: ["list": "\(source)", "reason": "\(reason.rawValue)", "count": "\(count)"])
    }
    return list.tokens
  }

  /// The native coin first. Where two lists name a token, the first one is right.
  private static func entries(
    _ tokens: [ListedToken], of chain: Chain
  ) -> [(key: TokenKey, info: TokenInfo)] {
    let coin = chain.nativeCoin
    let native = TokenInfo(
      symbol: coin.symbol, name: coin.name, decimals: UInt8(coin.decimals), isListed: true)
    var entries: [(key: TokenKey, info: TokenInfo)] = [(.native(chain.code), native)]
    var seen: Set<Address> = []
    for token in tokens where chain.mayBeToken(token.address) && seen.insert(token.address).inserted {
      let info = TokenInfo(
        symbol: token.symbol, name: token.name, decimals: UInt8(token.decimals), logo: token.logo,
        isListed: true)
      entries.append((TokenKey(chain: chain.code, contract: token.address), info))
    }
    return entries
  }
}
