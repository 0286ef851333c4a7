import Ethereum
import JSON

/// A wallet's snapshot as JSON, whole or in parts.
///
/// Rows are only ever added at the end, so a snapshot in parts is remembered as row numbers alone; each part
/// shows its rows as they are when it is built.
public struct SnapshotEncoder: Sendable {
  public private(set) var cells: WalletCells
  public let epoch: String
  public let revision: Revision
  private let prices: [PriceCell]

  /// `prices` are those of the rows, in their order.
  public init(cells: WalletCells, epoch: String, revision: Revision, prices: [PriceCell]) {
    self.cells = cells
    // Rows without a price cell can't be shown; there are none.
    if prices.count < cells.rows.count { self.cells.rows.removeLast(cells.rows.count - prices.count) }
    self.epoch = epoch
    self.revision = revision
    self.prices = prices
  }

  /// The whole snapshot in one piece.
  public func whole() -> [UInt8] {
    part(rows: 0..<cells.rows.count, number: 1, of: 1)
  }

  /// Where to cut, so that every part stays under `bytes`: the first row of each part. One part is `[0]`.
  public func partStarts(bytes: Int) -> [Int] {
    let frame = 384  // everything but the rows
    var starts = [0]
    var size = frame
    var scratch: [UInt8] = []
    for index in cells.rows.indices {
      scratch.removeAll(keepingCapacity: true)
      Frames.append(row: cells.rows[index], price: prices[index], to: &scratch)
      if size + scratch.count + 1 > bytes, index > starts[starts.count - 1] {
        starts.append(index)
        size = frame
      }
      size += scratch.count + 1
    }
    return starts
  }

  /// One part; totals stand in the last alone.
  public func part(rows: Range<Int>, number: Int, of count: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(256 + rows.count * 420)
    out.append("{\"type\":\"snapshot\",\"wallet\":\"")
    out.append(contentsOf: cells.key.description.utf8)
    out.append("\",\"epoch\":")
    out.append(json: epoch)
    out.append(",\"rev\":")
    out.append(decimal: revision)
    out.append(",\"part\":")
    out.append(decimal: UInt64(number))
    out.append(",\"parts\":")
    out.append(decimal: UInt64(count))
    out.append(",\"state\":\"")
    out.append(cells.state.name)
    out.append("\",\"block\":")
    if let block = cells.block { out.append(decimal: block) } else { out.append("null") }
    out.append(",\"as_of\":")
    if let readAt = cells.readAt { out.append(decimal: readAt) } else { out.append("null") }
    out.append(",\"tokens\":[")
    for index in rows where index < cells.rows.count {
      if index > rows.lowerBound { out.append(44) }
      Frames.append(row: cells.rows[index], price: prices[index], to: &out)
    }
    out.append(93)
    if number == count { appendTotals(to: &out) }
    out.append(125)
    return out
  }

  /// `total_usd` sums the visible, listed, priced rows; `unpriced` counts those left out for want of a price.
  /// Unknown is never zero: there is no total where nothing could be summed but something is there.
  private func appendTotals(to out: inout [UInt8]) {
    var total = ExactValue.zero
    var unpriced: UInt64 = 0
    var isKnown = !cells.rows.isEmpty
    var leftOut = 0
    var summed = 0
    for (row, price) in zip(cells.rows, prices) where row.isVisible && price.token.info.isListed {
      if let value = Frames.value(of: row, price: price) {
        total.add(value)
        summed += 1
      } else {
        leftOut += 1
        if row.isKnown { unpriced += 1 }
      }
    }
    if summed == 0, leftOut > 0 { isKnown = false }
    out.append(",\"total_usd\":")
    if !isKnown {
      out.append("null")
    } else {
      out.append(34)
      total.append(to: &out)
      out.append(34)
    }
    out.append(",\"unpriced\":")
    out.append(decimal: unpriced)
  }

  /// The highest revision of the wallet's rows, prices and states: what an `ETag` is made of.
  public var contentRevision: Revision {
    zip(cells.rows, prices).reduce(max(cells.registeredRevision, cells.stateRevision)) {
      max($0, $1.0.newestRevision, $1.1.revision)
    }
  }
}
