import Ethereum
import Ledger

/// The watched wallets of a chain, and up to which block each is known. Pure.
///
/// A wallet takes part once it was read as a whole: from the block of that read on. A whole read that ends after a pass
/// may be of a lower block than the pass; what came between is then looked at again.
struct FollowedWallets {
  private struct Entry {
    let address: Address
    /// All that happened up to this block was looked at; `nil`: nothing is looked at before a whole read.
    var through: UInt64?
    /// Nothing that happened behind this block was missed, and no sign was seen that concerns all of its tokens.
    /// `nil`: a whole read is awaited.
    var since: UInt64?
    /// The block of the whole read from which on it is followed; 0 where that is long ago.
    var begun: UInt64 = 0
    /// No pass has looked at its blocks yet.
    var isNew = true
    /// Of the block of that whole read; `nil`: it is known to be in the chain, or nobody told.
    var traits: BlockTraits?
    /// The native balance as the last pass saw it.
    var native: UInt256?
    /// Whole reads noted, wrapping round.
    var version: UInt32 = 0
  }
  private var entries: [WalletID: Entry] = [:]
  /// How far those were followed that left: who comes back before something was missed goes on from there. Bounded.
  private var left: [WalletID: Continuity] = [:]
  static let leftMaximum = 10_000
  var leftCount: Int { left.count }
  private var ids: [Address: WalletID] = [:]

  /// What one pass looks at.
  struct Plan {
    var from: UInt64
    var through: UInt64
    var wallets: [(id: WalletID, address: Address, version: UInt32)] = []
    /// Known up to a block too far back: to be read as a whole.
    var late: [WalletID] = []
    /// The blocks that the wallet furthest behind is behind, of those that take part.
    var behind: UInt64 = 0
  }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var all: [WalletID] { Array(entries.keys) }

  func address(of wallet: WalletID) -> Address? { entries[wallet]?.address }
  func wallet(at address: Address) -> WalletID? { ids[address] }

  /// - Parameters:
  ///   - block: what is held is known as of it, where that is still good.
  ///   - native: the native balance that is held.
  /// - Returns: the block up to which passes vouch for what is held; what was read above it is not sure. `nil`: nothing
  ///   is held, and a whole read is awaited.
  @discardableResult
  mutating func add(
    _ wallet: WalletID, address: Address, readAt block: UInt64?, native: UInt256? = nil
  ) -> UInt64? {
    guard entries[wallet] == nil else { return nil }
    let known = left.removeValue(forKey: wallet)
    // What was read after it left is of a block that no pass has looked at for it.
    let through = block.map { min($0, known?.through ?? $0) }
    entries[wallet] = Entry(
      address: address, through: through, since: block.map { known?.since ?? Self.behind($0) },
      begun: known == nil ? block ?? 0 : 0, isNew: known == nil, native: native)
    ids[address] = wallet
    return block == nil ? nil : known?.through ?? 0
  }

  /// - Parameter isSure: nothing that was read of it waits to be looked at once more.
  mutating func remove(_ wallet: WalletID, isSure: Bool = true) {
    let known = continuity(of: wallet)
    guard let entry = entries.removeValue(forKey: wallet) else { return }
    ids[entry.address] = nil
    if left.count >= Self.leftMaximum { left = [:] }
    if isSure, let known { left[wallet] = known }
  }

  /// What is held of a wallet that left is not as passes saw it.
  mutating func forgetLeft(_ wallet: WalletID) { left[wallet] = nil }

  /// - Parameters:
  ///   - traits: of the block, where the chain tells.
  ///   - native: the native balance that was read.
  ///   - isWhole: otherwise the read says nothing to who waits for a whole one.
  mutating func noteRead(
    _ wallet: WalletID, block: UInt64, traits: BlockTraits? = nil, native: UInt256? = nil,
    isWhole: Bool = true
  ) {
    guard let entry = entries[wallet], isWhole || entry.through != nil else { return }
    entries[wallet]?.through = min(entry.through ?? block, block)
    if isWhole, entry.since == nil {
      // The block may turn out to be none of the chain's, and nobody looked at it before.
      entries[wallet]?.since = Self.behind(block)
      entries[wallet]?.begun = block
      entries[wallet]?.traits = traits
      entries[wallet]?.isNew = true
      entries[wallet]?.native = native
    }
    entries[wallet]?.version &+= 1
  }

  /// The block after this one.
  private static func behind(_ block: UInt64) -> UInt64 { max(block, block &+ 1) }

  func continuity(of wallet: WalletID) -> Continuity? {
    guard let entry = entries[wallet], let since = entry.since, let through = entry.through else {
      return nil
    }
    return Continuity(since: since, through: through)
  }

  /// Another native balance than before is the sign of a transfer, perhaps of one without a log.
  ///
  /// - Parameter balance: `nil`: it could not be read.
  mutating func noteNative(_ wallet: WalletID, _ balance: UInt256?, at block: UInt64) {
    guard let entry = entries[wallet] else { return }
    if balance == nil || (entry.native != nil && entry.native != balance) { noteSign(wallet, at: block) }
    entries[wallet]?.native = balance
  }

  /// Something came in, perhaps, and nobody knows of which token: what was read before this block is not sure any more.
  mutating func noteSign(_ wallet: WalletID, at block: UInt64) {
    if let since = entries[wallet]?.since { entries[wallet]?.since = max(since, block) }
  }

  /// Following begins anew: every wallet waits for a whole read.
  mutating func forgetBlocks() {
    left = [:]
    for id in entries.keys { forgetBlock(id) }
  }

  /// The chain was reorganised above this block: what happened since is looked at again.
  ///
  /// - Returns: the wallets of which nothing is known without what was read above it. They wait for a whole read.
  mutating func rewind(to block: UInt64) -> [WalletID] {
    left = left.filter { $0.value.since <= Self.behind(block) }
      .mapValues { Continuity(since: $0.since, through: min($0.through, block)) }
    var unknown: [WalletID] = []
    for (id, entry) in entries {
      guard let through = entry.through else { continue }
      if entry.begun > block {
        forgetBlock(id)
        unknown.append(id)
      } else {
        entries[id]?.through = min(through, block)
        entries[id]?.version &+= 1
      }
    }
    return unknown
  }

  /// Whole reads of which it is not known whether their blocks are in the chain, by block: not above this one.
  func unproven(through head: UInt64) -> [UInt64: [(id: WalletID, traits: BlockTraits)]] {
    var reads: [UInt64: [(id: WalletID, traits: BlockTraits)]] = [:]
    for (id, entry) in entries {
      guard let traits = entry.traits, entry.through != nil, entry.begun <= head else {
        continue
      }
      reads[entry.begun, default: []].append((id, traits))
    }
    return reads
  }

  /// These reads need no more proof. One that came meanwhile does.
  mutating func noteProven(_ reads: [(id: WalletID, traits: BlockTraits)]) {
    for read in reads where entries[read.id]?.traits == read.traits { entries[read.id]?.traits = nil }
  }

  /// What was read of it as a whole is of no block of the chain. What happened in that block's place, and since, has logs:
  /// passes look for it, but vouch for nothing before there is another whole read.
  mutating func noteDisproven(_ wallet: WalletID) {
    entries[wallet]?.traits = nil
    entries[wallet]?.since = nil
    entries[wallet]?.isNew = true
    entries[wallet]?.version &+= 1
  }

  /// Nothing that is known of it can be built on: it waits for another whole read.
  mutating func forgetBlock(_ wallet: WalletID) {
    entries[wallet]?.traits = nil
    entries[wallet]?.through = nil
    entries[wallet]?.since = nil
    entries[wallet]?.version &+= 1
  }

  /// Whether a pass at this block has anything to look at: the blocks since some wallet's last read, or, where a wallet's
  /// first ones are looked at too, those of one that is new.
  func isAnyBehind(_ head: UInt64, first: UInt64) -> Bool {
    entries.values.contains { entry in
      guard let through = entry.through else { return false }
      return through < head || (entry.isNew && first > 0)
    }
  }

  /// - Parameters:
  ///   - overlap: blocks that are looked at again: a node that lagged may have kept something back.
  ///   - first: of a wallet that no pass has looked at, as far as there is room.
  ///   - most: blocks that one pass may look at, besides the overlap.
  mutating func plan(head: UInt64, overlap: UInt64, first: UInt64, most: UInt64) -> Plan {
    var plan = Plan(from: head, through: head)
    let lowest = Self.start(of: most, through: head)
    for (id, entry) in entries {
      guard let through = entry.through else { continue }
      let behind = head - min(head, through)
      if behind > most {
        forgetBlock(id)
        plan.late.append(id)
        continue
      }
      if behind > 0 { plan.from = min(plan.from, through + 1) }
      if entry.isNew, first > 0 {
        plan.from = min(plan.from, max(lowest, Self.start(of: first, through: min(head, through))))
      }
      plan.behind = max(plan.behind, behind)
      plan.wallets.append((id, entry.address, entry.version))
    }
    plan.from -= min(plan.from, overlap)
    return plan
  }

  private static func start(of count: UInt64, through block: UInt64) -> UInt64 {
    block - min(block, max(1, count) - 1)
  }

  /// The pass is done. A wallet that was read as a whole meanwhile keeps that read's block.
  mutating func noteCovered(_ plan: Plan) {
    for (id, _, version) in plan.wallets where entries[id]?.version == version {
      entries[id]?.through = plan.through
      entries[id]?.isNew = false
    }
  }
}

/// How far it is known that nothing was missed of what happened to a wallet.
struct Continuity: Sendable, Equatable {
  /// Whatever was read at this block or later is known to have changed only where that was seen.
  var since: UInt64
  /// The last block that was looked at.
  var through: UInt64
}
