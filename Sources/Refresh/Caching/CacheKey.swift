import Ethereum
import Ledger

/// The name of a cache entry.
///
/// As text it is what servers agree on. Within one server the numbers of wallet and token say the same in less room.
public struct CacheKey: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Which tokens make up a wallet.
    case tokenList = "token_list"
    case nativeBalance = "native_balance"
    case tokenBalance = "token_balance"
    case metadata
  }

  public let kind: Kind
  public let chain: ChainCode
  /// Of balances and token lists; 0 and zero in others.
  public let wallet: WalletID
  public let address: Address
  /// Of token balances and metadata; 0 and zero in others. Zero is the contract of the chain's own coin.
  public let token: TokenID
  public let contract: Address

  private init(
    _ kind: Kind, _ chain: ChainCode, wallet: WalletID = 0, address: Address = .zero, token: TokenID = 0,
    contract: Address = .zero
  ) {
    self.kind = kind
    self.chain = chain
    self.wallet = wallet
    self.address = address
    self.token = token
    self.contract = contract
  }

  public static func tokenList(of wallet: WalletID, _ key: WalletKey) -> CacheKey {
    CacheKey(.tokenList, key.chain, wallet: wallet, address: key.address)
  }

  public static func nativeBalance(of wallet: WalletID, _ key: WalletKey) -> CacheKey {
    CacheKey(.nativeBalance, key.chain, wallet: wallet, address: key.address)
  }

  public static func tokenBalance(
    _ token: TokenID, _ contract: Address, of wallet: WalletID, _ key: WalletKey
  ) -> CacheKey {
    CacheKey(
      .tokenBalance, key.chain, wallet: wallet, address: key.address, token: token, contract: contract)
  }

  public static func metadata(of token: TokenID, _ contract: Address, on chain: ChainCode) -> CacheKey {
    CacheKey(.metadata, chain, token: token, contract: contract)
  }
}

extension CacheKey: CustomStringConvertible {
  /// Addresses in lower case, the chain in upper case.
  public var description: String {
    switch kind {
    case .tokenList: "\(chain):\(address.lowercase):all_tokens"
    case .nativeBalance: "\(chain):\(address.lowercase):native_balance"
    case .tokenBalance: "\(chain):\(address.lowercase):\(contract.lowercase):balance"
    case .metadata: "\(chain):token:\(contract.lowercase):metadata"
    }
  }
}
