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
  let prices: [PriceCell]

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
  public func whole() -> [UInt8] { part(rows: 0..<cells.rows.count, number: 1, of: 1) }

  /// The whole snapshot in one piece; nil where that would be longer than `bytes`, and it has to go in parts.
  public func whole(upTo bytes: Int) -> [UInt8]? {
    render(rows: 0..<cells.rows.count, number: 1, of: 1, upTo: bytes)
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
    render(rows: rows, number: number, of: count, upTo: .max) ?? []
  }

  private func render(rows: Range<Int>, number: Int, of count: Int, upTo bytes: Int) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(min(256 + rows.count * 420, bytes))
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
    var totals = Totals()
    for index in rows where index < cells.rows.count {
      if index > rows.lowerBound { out.append(44) }
      let (row, price) = (cells.rows[index], prices[index])
      totals.add(row, price, Frames.append(row: row, price: price, to: &out))
      if out.count > bytes { return nil }
    }
    out.append(93)
    if number == count {
      if count > 1 { totals = Totals(of: cells.rows, prices) }
      totals.append(to: &out)
    }
    out.append(125)
    return out.count > bytes ? nil : out
  }

  /// The highest revision of the wallet's rows, prices and states: what an `ETag` is made of.
  public var contentRevision: Revision {
    zip(cells.rows, prices).reduce(max(cells.registeredRevision, cells.stateRevision)) {
      max($0, $1.0.newestRevision, $1.1.revision)
    }
  }
}

/// `total_usd` sums the visible, listed, priced rows; `unpriced` counts those left out for want of a price.
/// Unknown is never zero: there is no total where nothing could be summed but something is there.
private struct Totals {
  private var total = ExactValue.zero
  private var unpriced: UInt64 = 0
  private var isEmpty = true
  private var leftOut = 0
  private var summed = 0

  init() {}

  init(of rows: [BalanceRow], _ prices: [PriceCell]) {
    for (row, price) in zip(rows, prices) { add(row, price, Frames.value(of: row, price: price)) }
  }

  /// - Parameter value: what the row is worth; nil where that is not known.
  mutating func add(_ row: BalanceRow, _ price: PriceCell, _ value: ExactValue?) {
    isEmpty = false
    guard row.isVisible, price.token.info.isListed else { return }
    if let value {
      total.add(value)
      summed += 1
    } else {
      leftOut += 1
      if row.isKnown { unpriced += 1 }
    }
  }

  func append(to out: inout [UInt8]) {
    out.append(",\"total_usd\":")
    if isEmpty || summed == 0 && leftOut > 0 {
      out.append("null")
    } else {
      out.append(34)
      total.append(to: &out)
      out.append(34)
    }
    out.append(",\"unpriced\":")
    out.append(decimal: unpriced)
  }
}
