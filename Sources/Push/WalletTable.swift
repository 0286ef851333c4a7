/// What the fan-out touches of each wallet, side by side in memory, as ``ClientTable`` has it for clients: a price that
/// many wallets hold marks them all without looking at one wallet object.
struct WalletTable: ~Copyable {
  struct Slot {
    /// Which frames of the open chunk concern the wallet.
    var mask: UInt64 = 0
    var followers = FollowerList()
  }

  private var array = SlotArray<Slot>()
  private var wallets: ContiguousArray<ShardWallet?> = []
  private var free: ContiguousArray<UInt32> = []

  var slots: UnsafeMutablePointer<Slot> { array.slots }

  subscript(slot: UInt32) -> ShardWallet? { wallets[Int(slot)] }

  mutating func insert(_ make: (_ slot: UInt32) -> ShardWallet) -> ShardWallet {
    if free.isEmpty { grow() }
    let slot = free.removeLast()
    let wallet = make(slot)
    wallets[Int(slot)] = wallet
    return wallet
  }

  /// A mark that it still has goes with it.
  mutating func remove(_ wallet: ShardWallet) {
    wallets[Int(wallet.slot)] = nil
    slots[Int(wallet.slot)] = Slot()
    free.append(wallet.slot)
  }

  private mutating func grow() {
    array.grow(to: wallets.count + 1, filling: Slot())
    // The lowest first: neighbours in time are neighbours in memory.
    free.append(contentsOf: (UInt32(wallets.count)..<UInt32(array.count)).reversed())
    wallets.append(contentsOf: repeatElement(nil, count: array.count - wallets.count))
  }
}
