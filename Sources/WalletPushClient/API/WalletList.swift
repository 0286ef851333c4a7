import Ledger

/// All wallets that the server knows, page by page: ``WalletPushAPI/allWallets(pageSize:)``.
///
/// Each iterator begins anew. A wallet that is added meanwhile comes last; one that is deleted may have come already.
public struct WalletList: AsyncSequence, Sendable {
  /// A wallet, by its number and its key.
  public typealias Element = RegisteredWallet

  let api: WalletPushAPI
  let pageSize: Int

  /// One that begins with the first page.
  public func makeAsyncIterator() -> Iterator { Iterator(list: self) }

  /// Holds a page at most. For one reader.
  public struct Iterator: AsyncIteratorProtocol, Sendable {
    fileprivate let list: WalletList
    /// Of the page at hand, the next one first.
    private var wallets: ArraySlice<RegisteredWallet> = []
    private var after: WalletID?
    private var isLast = false

    fileprivate init(list: WalletList) { self.list = list }

    /// The next wallet; nil after the last one.
    ///
    /// - Throws: ``APIError``. Whoever asks again goes on where it was.
    public mutating func next() async throws -> RegisteredWallet? {
      // A page may be without a wallet that this library can read.
      while wallets.isEmpty, !isLast {
        let page = try await list.api.wallets(limit: list.pageSize, after: after)
        wallets = page.wallets[...]
        after = page.next
        isLast = page.next == nil
      }
      return wallets.popFirst()
    }
  }
}
