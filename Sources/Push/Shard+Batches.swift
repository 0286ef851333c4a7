import EventLoop
import Ethereum
import Ledger

extension Shard {
  /// A batch from the mailbox: the tables take the new values, clients are marked.
  func take(_ framed: FramedBatch) {
    let batch = framed.batch
    if !batch.changes.isEmpty { oldestAcceptedAt = oldestAcceptedAt ?? framed.acceptedAt }
    // With a wallet of ours in the batch all its tokens are taken; those that nobody refers to go again below.
    let holdsWallet = batch.wallets.contains { walletsByID[$0.id] != nil }
    for cell in batch.tokens where holdsWallet || tokens[cell.token.id] != nil { _ = shardToken(cell) }
    for cells in batch.wallets where walletsByID[cells.id] != nil { _ = shardWallet(cells) }
    for (change, frame) in zip(batch.changes, framed.frames) {
      if chunk.isFull { flushChunk(isLast: false) }
      mark(change, frame)
    }
    markClients()
    revision = max(revision, batch.revision)
    for id in batch.snapshots { sendSnapshots(of: id) }
    for (status, frame) in zip(batch.statuses, framed.statusFrames) { send(status, frame) }
    for id in batch.deleted { end(wallet: id) }
    for cell in batch.tokens { if let token = tokens[cell.token.id] { retire(token) } }
  }

  private func mark(_ change: LedgerBatch.Change, _ frame: [UInt8]) {
    switch change.subject {
    case .price(let cell):
      guard let token = tokens[cell.token.id] else { return }
      token.replace(cell, frame: frame)
      let bit = chunk.append(frame, revision: change.revision)
      for holder in token.holders { touch(wallet: holder.wallet, bit) }
      token.followers.forEach { client in touch(client, bit) }
    case .row(let id):
      guard let wallet = walletsByID[id] else { return }
      touch(wallet: wallet.slot, chunk.append(frame, revision: change.revision))
    }
  }

  @inline(__always)
  private func touch(wallet: UInt32, _ bits: UInt64) {
    let slot = walletTable.slots + Int(wallet)
    if slot.pointee.mask == 0 { touchedWallets.append(wallet) }
    slot.pointee.mask |= bits
  }

  @inline(__always)
  private func touch(_ client: UInt32, _ bits: UInt64) {
    let slot = clients.slots + Int(client)
    guard slot.pointee.isLive else { return }
    if slot.pointee.mask == 0 { touchedClients.append(client) }
    slot.pointee.mask |= bits
  }

  /// The marks of the wallets go on to those who follow them.
  private func markClients() {
    for wallet in touchedWallets {
      let slot = walletTable.slots + Int(wallet)
      let mask = slot.pointee.mask
      guard mask != 0 else { continue }
      slot.pointee.mask = 0
      slot.pointee.followers.forEach { client in touch(client, mask) }
    }
    touchedWallets.removeAll(keepingCapacity: true)
  }

  func endTurn() {
    if !chunk.isEmpty { flushChunk(isLast: true) }
    if let acceptedAt = oldestAcceptedAt {
      oldestAcceptedAt = nil
      delivery.recordNanoseconds(Int64((ContinuousClock.now - acceptedAt) / .nanoseconds(1)))
    }
    guard !waitingForRoom.isEmpty else { return }
    dueForRoom.append(contentsOf: waitingForRoom)
    waitingForRoom.removeAll(keepingCapacity: true)
    guard !isRoomPosted else { return }
    isRoomPosted = true
    loop.post { self.giveRoom() }
  }

  /// A turn has passed, and with it a flush, since these clients had no room: either the kernel took everything,
  /// or some was left over, and then the connection says when it has drained.
  private func giveRoom() {
    isRoomPosted = false
    var due: ContiguousArray<PushClient> = []
    swap(&due, &dueForRoom)
    for client in due { client.lookForRoom() }
  }

  /// Every marked client gets its frames. More than one chunk in a turn is queued, so that all goes out in one
  /// write at the end; the usual single chunk is sent at once, without a queue.
  private func flushChunk(isLast: Bool) {
    markClients()
    var touched: ContiguousArray<UInt32> = []
    swap(&touched, &touchedClients)
    if isLast { sendNow(touched) }
    for index in touched where clients.slots[Int(index)].mask != 0 {
      guard let client = clients[Int(index)] else { continue }
      if client.wantsBatches, !isLast { client.gatherBatch() } else { client.settle(sendsNow: isLast) }
    }
    touched.removeAll(keepingCapacity: true)
    swap(&touched, &touchedClients)
    // Those that the last chunk had nothing for.
    if isLast { for index in Array(batched.keys) { clients[index]?.settle(sendsNow: true) } }
    chunk.removeAll()
    if isLast { batches.removeAll() } else { batches.beginChunk() }
  }

  /// The way of nearly every frame: to those who get the bytes as they are.
  private func sendNow(_ touched: ContiguousArray<UInt32>) {
    let now = loop.now
    var mask: UInt64 = 0
    var bytes: [UInt8] = []
    var frames = 0
    var writes = 0
    for client in touched {
      let slot = clients.slots + Int(client)
      guard slot.pointee.isPlain, slot.pointee.mask != 0 else { continue }
      if slot.pointee.mask != mask {
        mask = slot.pointee.mask
        bytes = chunk.bytes(for: mask)
      }
      slot.pointee.mask = 0
      slot.pointee.lastSent = now
      frames &+= mask.nonzeroBitCount
      writes &+= 1
      if !loop.sendNow(bytes, to: Int(client)) { clients[Int(client)]?.lookAfterSending() }
    }
    statistics.frames &+= UInt64(frames)
    statistics.writes &+= UInt64(writes)
  }

  private func followers(of wallet: ShardWallet) -> [PushClient] {
    var followers: [PushClient] = []
    walletTable.slots[Int(wallet.slot)].followers.forEach { client in
      if let client = clients[Int(client)] { followers.append(client) }
    }
    return followers
  }

  private func sendSnapshots(of id: WalletID) {
    guard let wallet = walletsByID[id] else { return }
    for client in followers(of: wallet) {
      client.oweSnapshot(of: wallet)
      client.owe(.heartbeat)
      client.pump()
    }
  }

  private func send(_ status: StatusFrame, _ frame: [UInt8]) {
    switch status.subject {
    case .wallet(let id):
      guard let wallet = walletsByID[id] else { return }
      wallet.status = frame
      for client in followers(of: wallet) { client.send(status: frame) }
    case .chain, .prices:
      statuses[status.subject] = (frame, status.isAbnormal)
      for client in clients.all where client.isAuthorized { client.send(status: frame) }
    }
  }

  /// A wallet was deleted: its subscriptions end.
  private func end(wallet id: WalletID) {
    guard let wallet = walletsByID[id] else { return }
    for client in followers(of: wallet) { client.endSubscription(wallet, Replies.deleted(wallet.key)) }
    retire(wallet, tellsLedger: false)
  }

  // MARK: Answers of the ledger

  func request(_ operation: PendingOperation, wallets: [WalletKey], tokens: [TokenKey], isOnce: Bool) {
    let ticket = nextTicket
    nextTicket += 1
    pending[ticket] = operation
    if !isOnce {
      for key in wallets { pendingWallets[key, default: 0] += 1 }
      for key in tokens { pendingTokens[key, default: 0] += 1 }
    }
    inbox?.post(
      .watch(
        WatchRequest(shard: index, ticket: ticket, wallets: wallets, tokens: tokens, isOnce: isOnce)))
  }

  func take(_ reply: WatchReply) {
    guard let operation = pending.removeValue(forKey: reply.ticket) else { return }
    revision = max(revision, reply.revision)
    switch operation.kind {
    case .get:
      operation.client.completeGet(operation.id, reply)
    case .subscribe(let subscription, let failed):
      for (key, _) in reply.wallets { countDown(&pendingWallets, key) }
      for (key, _) in reply.tokens { countDown(&pendingTokens, key) }
      for cell in reply.rowTokens { _ = shardToken(cell) }
      var failed = failed
      var followed: [ShardWallet] = []
      for (key, result) in reply.wallets {
        switch result {
        case .success(let cells): followed.append(shardWallet(cells))
        case .failure(let failure):
          failed.append(key.description, isToken: false, failure.refusal(isToken: false))
        }
      }
      var followedTokens: [ShardToken] = []
      for (key, result) in reply.tokens {
        switch result {
        case .success(let cell): followedTokens.append(shardToken(cell))
        case .failure(let failure):
          failed.append(key.description, isToken: true, failure.refusal(isToken: true))
        }
      }
      operation.client.completeSubscription(
        operation.id, subscription, wallets: followed, tokens: followedTokens, failed: failed,
        ledgerRevision: reply.revision)
      // The client may have gone meanwhile.
      for wallet in followed { retire(wallet) }
      for token in followedTokens where token.followers.isEmpty { releaseToken(token) }
      for cell in reply.rowTokens { if let token = tokens[cell.token.id] { retire(token) } }
    }
    operation.client.resume()
  }

  private func countDown<Key: Hashable>(_ table: inout [Key: Int], _ key: Key) {
    guard let count = table[key] else { return }
    table[key] = count > 1 ? count - 1 : nil
  }
}

extension WatchFailure {
  func refusal(isToken: Bool) -> Refusal {
    switch self {
    case .chainUnsupported(let chain):
      Refusal(.chainUnsupported, "chain \(chain) is not served here; GET /api/v1/chains lists those that are")
    case .serverFull(let limit):
      Refusal(
        .tooManyWallets, "the server holds \(limit) \(isToken ? "tokens" : "wallets") already, its limit")
    case .notStored:
      Refusal(
        .internal, "the registration could not be stored; try again", retryMilliseconds: 5_000)
    }
  }
}
