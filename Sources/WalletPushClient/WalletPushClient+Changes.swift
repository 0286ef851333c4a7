extension WalletPushClient {
  /// What changes, for one reader, in the order of the first of each that it has not seen.
  public struct Changes: AsyncSequence, Sendable {
    /// What changed, not the value.
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

    /// Iterators of one sequence share its reader.
    public func makeAsyncIterator() -> Iterator { Iterator(changes: self) }

    /// For one reader.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
      let changes: Changes

      /// The next change; nil once the task is cancelled or the reader has left.
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

  /// Whoever reads changes.
  struct Reader {
    var queue = ChangeQueue()
    var waiting: CheckedContinuation<Change?, Never>?
  }

  func report(_ change: Change) {
    for key in readers.keys {
      if let waiting = readers[key]?.waiting.take() {
        waiting.resume(returning: change)
      } else {
        readers[key]?.queue.push(change)
      }
    }
  }

  func next(_ reader: Int) async -> Change? {
    if let change = readers[reader]?.queue.pop() { return change }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard readers[reader] != nil, !Task.isCancelled else { return continuation.resume(returning: nil) }
        readers[reader]?.waiting.take()?.resume(returning: nil)
        readers[reader]?.waiting = continuation
      }
    } onCancel: {
      Task { await self.leave(reader) }
    }
  }

  func leave(_ reader: Int) {
    readers.removeValue(forKey: reader)?.waiting?.resume(returning: nil)
  }
}
