import Ethereum
import Ledger

/// The watched wallets of a chain, and up to which block each is known. Pure.
///
/// A wallet takes part once it was read as a whole: from the block of that read on. A whole read that ends after a pass
/// may be of a lower block than the pass; what came between is then looked at again.
struct FollowedWallets {
  private struct Entry {
    let address: Address
    /// All that happened up to this block is known; `nil`: a whole read is awaited.
    var through: UInt64?
    /// Nothing that happened behind this block was missed, and no sign was seen that concerns all of its tokens.
    /// `nil` where `through` is.
    var since: UInt64?
    /// The native balance as the last pass saw it.
    var native: UInt256?
    /// Whole reads noted, wrapping round.
    var version: UInt32 = 0
  }
  private var entries: [WalletID: Entry] = [:]
  /// Since when those were followed that left: who comes back before something was missed goes on from there. Bounded.
  private var left: [WalletID: UInt64] = [:]
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
  }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var all: [WalletID] { Array(entries.keys) }

  func address(of wallet: WalletID) -> Address? { entries[wallet]?.address }
  func wallet(at address: Address) -> WalletID? { ids[address] }

  /// - Parameters:
  ///   - block: what is held is known as of it, where that is still good.
  ///   - native: the native balance that is held.
  mutating func add(_ wallet: WalletID, address: Address, readAt block: UInt64?, native: UInt256? = nil) {
    guard entries[wallet] == nil else { return }
    let since = left.removeValue(forKey: wallet)
    entries[wallet] = Entry(
      address: address, through: block, since: block.map { since ?? Self.behind($0) }, native: native)
    ids[address] = wallet
  }

  mutating func remove(_ wallet: WalletID) {
    guard let entry = entries.removeValue(forKey: wallet) else { return }
    ids[entry.address] = nil
    if left.count >= Self.leftMaximum { left = [:] }
    if let since = entry.since { left[wallet] = since }
  }

  /// - Parameters:
  ///   - native: the native balance that was read.
  ///   - isWhole: otherwise the read says nothing to who waits for a whole one.
  mutating func noteRead(_ wallet: WalletID, block: UInt64, native: UInt256? = nil, isWhole: Bool = true) {
    guard let entry = entries[wallet] else { return }
    if let through = entry.through {
      entries[wallet]?.through = min(through, block)
    } else {
      guard isWhole else { return }
      entries[wallet]?.through = block
      // The block may turn out to be none of the chain's, and nobody looked at it before.
      entries[wallet]?.since = Self.behind(block)
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

  private mutating func forgetBlock(_ wallet: WalletID) {
    entries[wallet]?.through = nil
    entries[wallet]?.since = nil
    entries[wallet]?.version &+= 1
  }

  /// Whether some wallet's last read is of a block before this one.
  func isAnyBehind(_ head: UInt64) -> Bool { entries.values.contains { $0.through ?? head < head } }

  /// - Parameters:
  ///   - overlap: blocks that are looked at again: a node that lagged may have kept something back.
  ///   - most: blocks that one pass may look at.
  mutating func plan(head: UInt64, overlap: UInt64, most: UInt64) -> Plan {
    var plan = Plan(from: head, through: head)
    for (id, entry) in entries {
      guard let through = entry.through else { continue }
      if through < head, head - through > most {
        forgetBlock(id)
        plan.late.append(id)
        continue
      }
      if through < head { plan.from = min(plan.from, through + 1) }
      plan.wallets.append((id, entry.address, entry.version))
    }
    plan.from -= min(plan.from, overlap)
    return plan
  }

  /// The pass is done. A wallet that was read as a whole meanwhile keeps that read's block.
  mutating func noteCovered(_ plan: Plan) {
    for (id, _, version) in plan.wallets where entries[id]?.version == version {
      entries[id]?.through = plan.through
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
