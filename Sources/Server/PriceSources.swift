import Ethereum
import Pricing
import Upstream

extension Settings.Prices {
  /// The sources that are set, in their order.
  func makeSources(
    client: HTTPClient, chains configurations: [ChainConfiguration]
  ) throws(HTTPURLError) -> [any PriceSource] {
    let chains = configurations.map { configuration in
      var chain = configuration.chain
      chain.chainlinkFeeds = configuration.chainlinkFeeds + chain.chainlinkFeeds
      return chain
    }
    var made: [any PriceSource] = []
    for source in sources {
      switch source {
      case .defiLlama:
        made.append(
          Pricing.DefiLlama(
            base: try HTTPURL(defiLlama.url), client: client, chains: chains,
            requestsPerMinute: defiLlama.requestsPerMinute))
      case .coinGecko:
        made.append(
          Pricing.CoinGecko(
            base: try HTTPURL(coinGecko.url), key: coinGecko.apiKey, client: client, chains: chains,
            requestsPerMinute: coinGecko.requestsPerMinute))
      case .chainlink:
        made.append(
          try Pricing.Chainlink(
            chains: chains, client: client, requestsPerMinute: chainlink.requestsPerMinute))
      }
    }
    return made
  }
}
