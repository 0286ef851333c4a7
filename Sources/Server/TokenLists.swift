// Which tokens are listed.
//
// Lists in files are read before the start, where a bad one is an error, and on SIGHUP. Lists on the web are fetched once
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
  private var files = TokenListFiles()
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

  func load(_ chains: [ChainConfiguration], _ files: TokenListFiles) async {
    self.chains = chains
    self.files = files
    for chain in chains {
      for (path, list) in files.lists(of: chain.chain.code) { sayWhatIsSkipped(list, source: path) }
      await apply(chain)
    }
  }

  func start(changed: @escaping @Sendable (ChainCode) async -> Void) {
    self.changed = changed
    fetch()
  }

  /// The same lists, or others, of the chains that are served.
  ///
  /// - Throws: what is wrong with those in files; then none of them is applied.
  func reload(_ chains: [ChainConfiguration]) async throws(StartError) {
    let served = Set(self.chains.map(\.chain.code))
    let chains = chains.filter { served.contains($0.chain.code) }
    var faults: [StartError] = []
    let files = TokenListFiles(chains, faults: &faults)
    guard faults.isEmpty else { throw StartError(faults.map(\.description).joined(separator: "; ")) }
    await load(chains, files)
    fetch()
  }

  /// Begins to fetch the lists on the web, each once for all its chains.
  private func fetch() {
    for fetch in fetches { fetch.cancel() }
    fetches = []
    let addresses = Set(chains.flatMap(\.tokenLists).filter(TokenListFiles.isAddress))
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
          responseBytesLimit: TokenListFiles.bytesMaximum, isIdempotent: true))
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
    let value = try TokenListFiles.parse(bytes)
    var lists: [ChainCode: [ListedToken]] = [:]
    let users = chains.filter { $0.tokenLists.contains(address) }
    for chain in users {
      let list = try TokenListFiles.list(value, of: chain.chain)
      sayWhatIsSkipped(list, source: address)
      lists[chain.chain.code] = list.tokens
    }
    guard !Task.isCancelled else { return }
    let known = fetched.updateValue(lists, forKey: address)
    for chain in users where known?[chain.chain.code] != lists[chain.chain.code] {
      await apply(chain)
      await changed(chain.chain.code)
    }
  }

  private func sayWhatIsSkipped(_ list: TokenList, source: String) {
    for (reason, count) in list.skipped where count > 0 {
      logger.warning(
        "token list entries skipped",
        metadata: ["list": "\(source)", "reason": "\(reason.rawValue)", "count": "\(count)"])
    }
  }

  // MARK: Lists

  private func apply(_ chain: ChainConfiguration) async {
    let code = chain.chain.code
    let isComplete = chain.tokenLists.allSatisfy { !TokenListFiles.isAddress($0) || fetched[$0] != nil }
    await ledger.applyList(Self.entries(tokens(of: chain), of: chain.chain), whole: isComplete ? code : nil)
  }

  /// The tokens of all lists that are there.
  private func tokens(of configuration: ChainConfiguration) -> [ListedToken] {
    guard !configuration.tokenLists.isEmpty else { return configuration.chain.tokens }
    let code = configuration.chain.code
    let inFiles = files.lists(of: code)
    return configuration.tokenLists.flatMap { inFiles[$0]?.tokens ?? fetched[$0]?[code] ?? [] }
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
