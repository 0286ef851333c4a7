import Ethereum
import Ledger
import Testing

@testable import Refresh

struct CacheKeyTests {
  private static let wallet = "0xd8da6bf26964af9d7eed9e03e53415d37aa96045"
  private static let token = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

  /// Servers that share a cache agree on these.
  @Test func asText() throws {
    let key = try WalletKey(parsing: "eth_sepolia:0xD8DA6BF26964AF9D7EED9E03E53415D37AA96045")
    let contract = try Address(parsing: Self.token)
    let chain = "ETH_SEPOLIA"
    #expect(CacheKey.tokenList(of: 7, key).description == "\(chain):\(Self.wallet):all_tokens")
    #expect(CacheKey.nativeBalance(of: 7, key).description == "\(chain):\(Self.wallet):native_balance")
    #expect(
      CacheKey.tokenBalance(3, contract, of: 7, key).description
        == "\(chain):\(Self.wallet):\(Self.token):balance")
    #expect(
      CacheKey.metadata(of: 3, contract, on: key.chain).description == "\(chain):token:\(Self.token):metadata"
    )
  }

  @Test func noTwoShareAPlaceInMemory() throws {
    let code = try ChainCode(parsing: "TEST")
    var keys: [CacheKey] = []
    for wallet in 1...2 as ClosedRange<WalletID> {
      let key = WalletKey(chain: code, address: .numbered(UInt64(wallet)))
      keys += [.tokenList(of: wallet, key), .nativeBalance(of: wallet, key)]
      for token in 0...1 as ClosedRange<TokenID> {
        keys.append(.tokenBalance(token, .numbered(UInt64(token)), of: wallet, key))
      }
    }
    for token in 0...1 as ClosedRange<TokenID> {
      keys.append(.metadata(of: token, .numbered(UInt64(token)), on: code))
    }
    #expect(Set(keys.map { "\($0.page) \($0.slot)" }).count == keys.count)
    #expect(Set(keys.map(\.description)).count == keys.count)
  }
}
