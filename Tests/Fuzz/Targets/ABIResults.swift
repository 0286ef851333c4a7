// What contracts return (Solidity's Contract ABI): words, texts, the answers of Multicall3's `aggregate3`.
//
// Invariant: bytes give values or an `ABIError`, nothing else; no more results than there were calls, none
// longer than the limit or than the data. Results that were read, encoded as a contract would and read again,
// are the same. A name or symbol is clean text within its limit, or none.

import Ethereum
import Ledger

@testable import Refresh

func fuzzABIResults(_ input: FuzzInput) throws {
  var input = input
  let choice = input.choice()
  let data = Array(input.rest)
  try checkAggregate(data, count: Int(choice & 15), limit: choice & 16 == 0 ? 4_192 : 40)
  try checkWallet(data, tokens: Int(choice & 3))
  let decoder = ABIDecoder(data)
  for offset in [0, Int(choice), 32, -1, Int.max - 8] {
    _ = try? decoder.uint64(at: offset)
    _ = try? decoder.bool(at: offset)
    if let address = try? decoder.address(at: offset) { try checkAddress(address) }
  }
  if let text = try? decoder.text(limit: 100) {
    try require(text.count <= 100 && text.count <= data.count, "a text of \(text.count) bytes")
    _ = TokenText.clean(text, limit: TokenText.nameLimit)
  }
}

private func checkAddress(_ address: Address) throws {
  try requireEqual(Address(word: address.word), address, "an address as a word")
  try requireEqual(Address(bytes: address.bytes.span), address, "an address as bytes")
}

private func checkAggregate(_ data: [UInt8], count: Int, limit: Int) throws {
  guard let results = try? Multicall3.decodeAggregate3(data, count: count, limit: limit) else { return }
  try require(results.count == count, "\(results.count) results of \(count) calls")
  for result in results { try require(result.data.count <= limit, "\(result.data.count) bytes are kept") }
  let again = try Multicall3.decodeAggregate3(encode(results), count: count, limit: limit)
  try requireEqual(again.map(\.success), results.map(\.success), "success")
  try requireEqual(again.map { Array($0.data) }, results.map { Array($0.data) }, "returned data")
}

/// `(bool success, bytes returnData)[]`, as Solidity lays it out.
private func encode(_ results: [Multicall3.Result]) -> [UInt8] {
  var heads: [UInt8] = []
  var tails: [UInt8] = []
  for result in results {
    UInt256(UInt64(results.count * 32 + tails.count)).append(to: &heads)
    UInt256(result.success ? 1 : 0).append(to: &tails)
    UInt256(64).append(to: &tails)
    UInt256(UInt64(result.data.count)).append(to: &tails)
    tails += result.data + Array(repeating: 0, count: -result.data.count & 31)
  }
  var data: [UInt8] = []
  UInt256(32).append(to: &data)
  UInt256(UInt64(results.count)).append(to: &data)
  return data + heads + tails
}

private func checkWallet(_ data: [UInt8], tokens count: Int) throws {
  guard let chain = ChainRegistry.chains.first else { return }
  let tokens = (0..<count).map {
    ReadPlan.Entry(
      id: TokenID($0 + 1), contract: Address(high: 1, middle: 2, low: UInt32($0)), needsMetadata: true)
  }
  let call = WalletCall(
    owner: .zero, chain: chain, tokens: tokens, scope: [.prelude, .balances, .metadata])
  guard let answer = try? call.decode(data) else { return }
  try require(answer.balances.count == count, "\(answer.balances.count) balances")
  for metadata in answer.metadata.values {
    try requireClean(metadata.name, limit: TokenText.nameLimit)
    try requireClean(metadata.symbol, limit: TokenText.symbolLimit)
    try require(metadata.decimals ?? 0 <= 77, "\(metadata.decimals ?? 0) decimals")
  }
}
