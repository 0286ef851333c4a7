import Ethereum
import JSON
import Ledger
import WebSocket

// What is watched on one loop, and by whom. Confined to the loop.

/// A token some row or some client of this loop refers to.
final class ShardToken {
  var cell: PriceCell { didSet { frame = nil } }
  /// The price frame as it was published, shared with every loop; built here when it is asked for late.
  private var frame: [UInt8]?
  /// A wallet with a row of the token, by its place in the shard's table, and the row's number.
  struct Holder {
    let wallet: UInt32
    let row: UInt32
  }
  var holders: ContiguousArray<Holder> = []
  var followers = FollowerList()
  /// In a catch-up: whether the token was taken into account already.
  var stamp: UInt64 = 0

  init(cell: PriceCell) { self.cell = cell }

  func replace(_ cell: PriceCell, frame: [UInt8]) {
    self.cell = cell
    self.frame = frame
  }

  func priceFrame() -> [UInt8] {
    if let frame { return frame }
    let built = WebSocketFrame.text(Frames.price(cell))
    frame = built
    return built
  }

  var isUnused: Bool { holders.isEmpty && followers.isEmpty }
}

/// A wallet that clients of this loop follow.
final class ShardWallet {
  /// Its place in the shard's table.
  let slot: UInt32
  private(set) var cells: WalletCells
  /// The tokens of the rows, in their order.
  private(set) var tokens: ContiguousArray<ShardToken> = []
  /// Where this wallet stands in each token's list.
  var positions: ContiguousArray<UInt32> = []
  /// The last `status` frame about it.
  var status: [UInt8]?

  init(slot: UInt32, cells: WalletCells) {
    self.slot = slot
    self.cells = cells
  }

  var id: WalletID { cells.id }
  var key: WalletKey { cells.key }

  /// Takes a newer value; rows beyond those known attach to their tokens.
  func update(_ newer: WalletCells, token: (TokenID) -> ShardToken) {
    cells = newer
    for row in newer.rows[min(tokens.count, newer.rows.count)...] {
      let token = token(row.token)
      tokens.append(token)
      positions.append(UInt32(token.holders.count))
      token.holders.append(ShardToken.Holder(wallet: slot, row: UInt32(tokens.count - 1)))
    }
  }

  /// Takes the wallet out of its tokens' lists; the last one of each list takes its place there.
  func detach(_ neighbour: (_ slot: UInt32) -> ShardWallet?) {
    for (index, token) in tokens.enumerated() {
      let position = Int(positions[index])
      let last = token.holders.removeLast()
      guard last.wallet != slot else { continue }
      token.holders[position] = last
      neighbour(last.wallet)?.positions[Int(last.row)] = UInt32(position)
    }
    tokens = []
    positions = []
  }
}

/// The frames of one turn that clients share, up to 64 of them: a client's part of it is a bit mask, and clients
/// with the same mask share the gathered bytes.
struct Chunk {
  static let capacity = 64
  private(set) var frames: ContiguousArray<[UInt8]> = []
  /// The revision of the last frame.
  private(set) var revision: Revision = 0
  private var gathered: [UInt64: [UInt8]] = [:]
  var compressed = CompressedSelections()

  var isEmpty: Bool { frames.isEmpty }
  var isFull: Bool { frames.count == Self.capacity }

  /// - Returns: the frame's bit.
  mutating func append(_ frame: [UInt8], revision: Revision) -> UInt64 {
    frames.append(frame)
    self.revision = revision
    return 1 << UInt64(frames.count - 1)
  }

  mutating func removeAll() {
    frames.removeAll(keepingCapacity: true)
    if !gathered.isEmpty { gathered.removeAll(keepingCapacity: true) }
    compressed.removeAll()
  }

  /// The frames of the mask, laid end to end in their order; one alone is itself.
  mutating func bytes(for mask: UInt64) -> [UInt8] {
    if mask & (mask &- 1) == 0 { return frames[mask.trailingZeroBitCount] }
    if let known = gathered[mask] { return known }
    let parts = selection(mask)
    var out: [UInt8] = []
    out.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts { out.append(contentsOf: part) }
    gathered[mask] = out
    return out
  }

  /// The frames of the mask in their order.
  func selection(_ mask: UInt64) -> [[UInt8]] {
    var rest = mask
    var parts: [[UInt8]] = []
    parts.reserveCapacity(mask.nonzeroBitCount)
    while rest != 0 {
      parts.append(frames[rest.trailingZeroBitCount])
      rest &= rest &- 1
    }
    return parts
  }
}
