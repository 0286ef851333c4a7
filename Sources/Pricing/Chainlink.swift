// Chainlink's feeds, read on the chain itself: no key, and no other service than a node.
//
// One eth_call to Multicall3 reads all feeds of a chain: latestRoundData(), decimals() and description() of each, so
// that none is believed for what it is not, beside the chain's id and the block's time. A feed speaks when its price has
// moved by its threshold, or when its heartbeat is up, which is a day at the most. In between what it said last is the
// price: it is told with the time of the block it was read at, and not believed once a heartbeat was missed.

import Ethereum
import JSON
import Ledger
import Synchronization
import Upstream

public final class Chainlink: PriceSource {
  /// A chain with feeds, and its nodes, the best first.
  private struct Network {
    var chain: Chain
    var nodes: [PriceAPI]
  }

  public let name = "chainlink"
  public let requestsPerMinute: Int
  public let requestsPerBatch = 1
  private let networks: [String: Network]
  private let feeds: [CoinName: ChainlinkFeed]
  /// Which feed prices what.
  private let names: [TokenKey: CoinName]
  /// By chain: the node that answered last.
  private let preferred = Mutex<[String: Int]>([:])

  /// Feeds in one call: three calls each, far below what a node grants one in gas.
  static let feedsMaximum = 50
  /// Seconds: the longest heartbeat, and an hour for it to arrive.
  static let silenceMaximum: UInt64 = 90_000

  /// - Parameter chains: with their feeds; their `rpc` is asked in its order.
  public init(
    chains: [Chain], client: HTTPClient, requestsPerMinute: Int, timeout: Duration = .seconds(10)
  ) throws(HTTPURLError) {
    self.requestsPerMinute = requestsPerMinute
    var networks: [String: Network] = [:]
    var feeds: [CoinName: ChainlinkFeed] = [:]
    for chain in chains where !chain.chainlinkFeeds.isEmpty {
      var network = Network(chain: chain, nodes: [])
      for url in chain.rpc {
        network.nodes.append(PriceAPI(base: try HTTPURL(url), client: client, timeout: timeout))
      }
      networks[chain.code.description.lowercased()] = network
      for feed in chain.chainlinkFeeds { feeds[Self.name(chain, feed)] = feed }
    }
    self.networks = networks
    self.feeds = feeds
    names = Self.names(chains)
  }

  private static func name(_ chain: Chain, _ feed: ChainlinkFeed) -> CoinName {
    "\(chain.code.description.lowercased()):\(feed.address.lowercase)"
  }

  /// What the feeds price on their own chains, the first that is named for something; then native coins that have no
  /// feed on their own chain, by the feed of the same coin elsewhere.
  private static func names(_ chains: [Chain]) -> [TokenKey: CoinName] {
    var names: [TokenKey: CoinName] = [:]
    var coins: [String: CoinName] = [:]
    for chain in chains {
      for feed in chain.chainlinkFeeds {
        for contract in chain.contracts(pricedBy: feed) {
          let key = TokenKey(chain: chain.code, contract: contract)
          if names[key] == nil { names[key] = name(chain, feed) }
        }
      }
      guard let id = chain.nativeCoin.coinGeckoID, coins[id] == nil else { continue }
      coins[id] = names[.native(chain.code)]
    }
    for chain in chains where names[.native(chain.code)] == nil {
      names[.native(chain.code)] = chain.nativeCoin.coinGeckoID.flatMap { coins[$0] }
    }
    return names
  }

  public func coin(for token: Token) -> CoinName? { names[token.key] }

  /// Each chain's feeds apart.
  public func batches(_ coins: [CoinName]) -> [[CoinName]] {
    PriceAPI.grouped(coins).flatMap { PriceAPI.cut($0.coins, count: Self.feedsMaximum, bytes: .max) }
  }

  /// Each node in turn, beginning with the one that answered last.
  public func quotes(
    for batch: [CoinName], now: UnixMilliseconds
  ) async throws(PriceSourceError) -> Quotes {
    guard let first = batch.first, let prefix = first.split(separator: ":").first.map(String.init),
      let network = networks[prefix]
    else { return Quotes() }
    let asked = batch.compactMap { coin in feeds[coin].map { (coin, $0) } }
    let body = JSONRPC.encode(
      .call(
        id: 1, to: network.chain.multicall3,
        data: Multicall3.aggregate3(Self.calls(asked.map(\.1), network.chain))))
    let start = preferred.withLock { $0[prefix] ?? 0 }
    var last = PriceSourceError.unreachable("\(network.chain.code) has no node")
    for offset in network.nodes.indices {
      let index = (start + offset) % network.nodes.count
      do throws(PriceSourceError) {
        let reply = try PriceAPI.json(try await network.nodes[index].post(body))
        let quotes = try Self.parse(reply, asked, chainID: network.chain.chainID)
        preferred.withLock { $0[prefix] = index }
        return quotes
      } catch {
        last = error
      }
      if Task.isCancelled { break }
    }
    throw last
  }

  // MARK: - Formats

  private static let callsPerFeed = 3

  private static func calls(_ feeds: [ChainlinkFeed], _ chain: Chain) -> [Multicall3.Call] {
    [ABI.Selector.getChainId, .getCurrentBlockTimestamp].map {
      Multicall3.Call(target: chain.multicall3, data: ABI.encode($0))
    }
      + feeds.flatMap { feed in
        [ABI.Selector.latestRoundData, .decimals, .description].map {
          Multicall3.Call(target: feed.address, data: ABI.encode($0))
        }
      }
  }

  /// A reply to the call of `feeds`. A feed that reverts, is none, or is about something else is nonsense.
  static func parse(
    _ reply: JSONValue, _ feeds: [(coin: CoinName, feed: ChainlinkFeed)], chainID: UInt64
  ) throws(PriceSourceError) -> Quotes {
    let results: [Multicall3.Result]
    let found: UInt64
    let time: UInt64
    do {
      results = try Multicall3.decodeAggregate3(
        JSONRPC.data(JSONRPC.outcome(of: reply, id: 1).get()), count: 2 + feeds.count * callsPerFeed,
        limit: 256)
      found = try ABIDecoder(results[0].data).uint64()
      time = try ABIDecoder(results[1].data).uint64()
    } catch {
      throw .malformed("\(error)")
    }
    guard found == chainID else { throw .malformed("chain id \(found) instead of \(chainID)") }
    guard time <= 9_999_999_999 else { throw .malformed("a block's time of \(time)") }
    var quotes = Quotes()
    for (index, (coin, feed)) in feeds.enumerated() {
      let answers = results[(2 + index * callsPerFeed)...].prefix(callsPerFeed)
      if let price = price(Array(answers), of: feed, at: time) {
        quotes.quotes[coin] = Quote(price: price, change: nil, time: Int64(time) * 1_000)
      } else {
        quotes.nonsense += 1
      }
    }
    return quotes
  }

  /// - Parameter answers: those of `latestRoundData()`, `(uint80 roundId, int256 answer, uint256 startedAt, uint256
  ///   updatedAt, uint80 answeredInRound)`, of `decimals()` and of `description()`.
  private static func price(
    _ answers: [Multicall3.Result], of feed: ChainlinkFeed, at time: UInt64
  ) -> ExactDecimal? {
    guard answers.count == callsPerFeed, answers.allSatisfy(\.success) else { return nil }
    let round = ABIDecoder(answers[0].data)
    guard let answer = try? round.uint256(at: 32), let updated = try? round.uint64(at: 96),
      let decimals = try? ABIDecoder(answers[1].data).uint64(), decimals <= 77,
      let description = try? ABIDecoder(answers[2].data).text(limit: 64)
    else { return nil }
    // An int256: the highest bit is its sign.
    guard answer.w3 >> 63 == 0, updated <= time, time - updated <= silenceMaximum,
      description.elementsEqual("\(feed.base) / USD".utf8),
      let price = ExactDecimal(magnitude: answer, scale: Int(decimals))
    else { return nil }
    return QuoteNumber.price(price)
  }
}
