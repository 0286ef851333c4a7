extension WalletPushClient {
  /// What changes, for one reader, in the order of the first of each that it has not seen.
  public struct Changes: AsyncSequence, Sendable {
    public typealias Element = Change

    let client: WalletPushClient
    let reader: Int
    /// Leaves the client with the last copy of the sequence and its iterators.
    private let lease: Lease

    init(client: WalletPushClient, reader: Int) {
      self.client = client
      self.reader = reader
      lease = Lease(client: client, reader: reader)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(changes: self) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
      let changes: Changes

      public mutating func next() async -> Change? { await changes.client.next(changes.reader) }
    }
  }

  private final class Lease: Sendable {
    private let client: WalletPushClient
    private let reader: Int

    init(client: WalletPushClient, reader: Int) {
      self.client = client
      self.reader = reader
    }

    deinit { Task { [client, reader] in await client.leave(reader) } }
  }
}
