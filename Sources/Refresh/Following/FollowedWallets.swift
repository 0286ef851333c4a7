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
    /// Whole reads noted, wrapping round.
    var version: UInt32 = 0
  }
  private var entries: [WalletID: Entry] = [:]
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

  func wallet(at address: Address) -> WalletID? { ids[address] }

  /// - Parameter block: of the whole read that made what is held, where that is still good.
  mutating func add(_ wallet: WalletID, address: Address, readAt block: UInt64?) {
    guard entries[wallet] == nil else { return }
    entries[wallet] = Entry(address: address, through: block)
    ids[address] = wallet
  }

  mutating func remove(_ wallet: WalletID) {
    guard let entry = entries.removeValue(forKey: wallet) else { return }
    ids[entry.address] = nil
  }

  mutating func noteRead(_ wallet: WalletID, block: UInt64) {
    guard let through = entries[wallet]?.through else {
      entries[wallet]?.through = block
      entries[wallet]?.version &+= 1
      return
    }
    entries[wallet]?.through = min(through, block)
    entries[wallet]?.version &+= 1
  }

  /// Following begins anew: every wallet waits for a whole read.
  mutating func forgetBlocks() {
    for id in entries.keys {
      entries[id]?.through = nil
      entries[id]?.version &+= 1
    }
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
        entries[id]?.through = nil
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
