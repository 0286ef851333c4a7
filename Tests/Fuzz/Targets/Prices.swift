// What a price source answers, and token lists in the Uniswap format.
//
// Invariant: JSON gives quotes, changes and tokens, or typed errors, nothing else. A price is above zero and
// its text reads itself; a change and a time are within belief; entries that are no price are counted. Tokens
// are within the limit, each once, with clean texts; no entry is lost from the counts.

import Ethereum
import JSON
import Ledger
import Upstream

@testable import Pricing

func fuzzPrices(_ input: FuzzInput) throws {
  guard let value = try? JSONParser.parse(input.rest, limits: JSONLimits(depth: 16, numberBytes: 512)) else {
    return
  }
  let entries = value["coins"]?.object?.count ?? 0
  if let answer = try? DefiLlama.parsePrices(value) {
    try require(answer.quotes.count + answer.nonsense <= entries, "more quotes than entries")
    for quote in answer.quotes.values { try check(quote) }
  }
  var changed = Quotes()
  for member in value["coins"]?.object ?? JSONObject() {
    if let name = QuoteNumber.name(member.key) {
      changed.quotes[name] = Quote(price: .zero, change: nil, time: 0)
    }
  }
  let priced = changed.quotes.count
  DefiLlama.addChanges(value, to: &changed)
  try require(changed.quotes.count == priced, "a change made a quote")
  for change in changed.quotes.values.compactMap(\.change) {
    try require(change.value.magnitude < 100_000_000, "a change of \(change)")
  }
  let response = HTTPClientResponse(status: 200, headers: [:], body: Array(input.rest))
  if let answer = try? CoinGecko.parse(response, platform: "ethereum") {
    try require(
      answer.quotes.count + answer.nonsense <= value.object?.count ?? 0, "more quotes than members")
    for quote in answer.quotes.values { try check(quote) }
  }
  for status in [400, 414] {
    let refusal = HTTPClientResponse(status: status, headers: [:], body: Array(input.rest))
    if let fewer = CoinGecko.contractsAllowed(refusal, asked: 10) {
      try require((1..<10).contains(fewer), "\(fewer) contracts")
    }
  }
  _ = PriceAPI.retryAfter(value["retry"]?.string)
}

private func check(_ quote: Quote) throws {
  try require(!quote.price.isZero && !quote.price.isNegative, "a price of \(quote.price.plainText)")
  try requireEqual(ExactDecimal(parsing: quote.price.plainText), quote.price, "a price's text")
  try require((0...9_999_999_999_000).contains(quote.time), "a time of \(quote.time)")
}

func fuzzTokenLists(_ input: FuzzInput) throws {
  guard let value = try? JSONParser.parse(input.rest, limits: JSONLimits(depth: 16, numberBytes: 128)),
    let chain = ChainRegistry.chains.first
  else { return }
  let limit = 3
  guard let list = try? TokenList(value, chain: chain, limit: limit) else { return }
  let entries = value["tokens"]?.array?.count ?? 0
  let skipped = list.skipped.values.reduce(0, +)
  try require(list.tokens.count <= limit, "\(list.tokens.count) tokens")
  try require(list.tokens.count + list.otherChains + skipped == entries, "an entry is lost")
  try require(Set(list.tokens.map(\.address)).count == list.tokens.count, "a token twice")
  for token in list.tokens {
    try requireClean(token.name, limit: TokenText.nameLimit)
    try requireClean(token.symbol, limit: TokenText.symbolLimit)
    try require((0...77).contains(token.decimals), "\(token.decimals) decimals")
    if let logo = token.logo {
      try require(logo.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }, "a logo at \(logo.shown)")
    }
  }
}
