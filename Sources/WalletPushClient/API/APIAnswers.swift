import Ethereum
import Ledger

/// A wallet that the server knows.
public struct RegisteredWallet: Sendable, Hashable {
  /// The server's number for it, 1 or more.
  public let id: WalletID
  /// Chain and address.
  public let key: WalletKey
}

/// Some of the wallets, by their numbers in ascending order.
public struct WalletPage: Sendable, Hashable {
  /// Without those whose key this library can't read.
  public let wallets: [RegisteredWallet]
  /// After which wallet the next page begins; nil: this is the last one.
  public let next: WalletID?
}

/// What the server held of a wallet when it was asked.
public struct WalletBalances: Sendable {
  /// `loading` where the server has not read the wallet yet.
  public let wallet: WalletState
  /// Names the life of the server's revisions.
  public let epoch: String
  /// The server's revision when it answered.
  public let revision: Revision
  /// The answer's `ETag` (RFC 9110 §8.8.3); nil where something in between has removed it.
  public let etag: String?
}

/// A reading of the chain that was asked for. Prices follow in the background.
public struct BalancesRefresh: Sendable, Hashable {
  /// Whose balances were read.
  public let wallet: RegisteredWallet
  /// Rows that the wallet has now, as in its snapshot.
  public let tokenCount: Int
  /// By the server's clock, in whole seconds; nil where it says nothing that is a time.
  public let refreshedAt: UnixMilliseconds?
  /// For people, in their language where the server speaks it: ``ClientOptions/language``.
  public let message: String
  /// Names the life of the server's revisions.
  public let epoch: String
  /// The server's revision after the reading.
  public let revision: Revision
}

/// A chain that the server reads.
public struct ChainStatus: Sendable, Hashable {
  /// Its short name, as in keys.
  public let chain: ChainCode
  /// EIP-155's number; nil where the server does not say.
  public let chainID: UInt64?
  /// For people; empty where the server does not say.
  public let name: String
  /// Of the chain's own coin; empty where the server does not say.
  public let symbol: String
  /// It cannot be read at present.
  public let isDown: Bool
  /// When it went down; where it stands still, the time of its newest block. Nil while it is up.
  public let since: UnixMilliseconds?
  /// Why it is down: `unreachable`, `standing_still`.
  public let reason: String?
  /// In the order of the server's settings.
  public let endpoints: [ChainEndpoint]
}

/// A node by which the server reads a chain.
public struct ChainEndpoint: Sendable, Hashable {
  /// Host and port.
  public let host: String
  /// `up`, `doubtful`, `failing`, `limited`, `behind`, `wrong_chain`.
  public let state: String
  /// What light requests take; nil where nothing was measured.
  public let latency: Duration?
  /// 0…100; nil where the server does not say.
  public let errorPercent: Int?
  /// The height it said last.
  public let block: UInt64?
  /// Whether it reads many balances at once, by the contract of that name.
  public let hasMulticall3: Bool
}
