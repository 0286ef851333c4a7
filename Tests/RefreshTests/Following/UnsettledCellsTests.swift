import Ledger
import Testing

@testable import Refresh

struct UnsettledCellsTests {
  private static func cells(_ wallet: WalletID, _ tokens: Range<TokenID>) -> [WalletToken] {
    tokens.map { WalletToken(wallet: wallet, token: $0) }
  }

  /// What is found too low is put back in every pass.
  @Test func whatIsPutBackKeepsNobodyWaiting() {
    var cells = UnsettledCells()
    for wallet in 1...5 as ClosedRange<WalletID> { cells.insert(Self.cells(wallet, 0..<3)) }
    var seen: Set<WalletID> = []
    for _ in 0..<5 {
      let taken = cells.take(most: 3)
      seen.formUnion(taken.map(\.wallet))
      cells.insert(taken)
    }
    #expect(seen == [1, 2, 3, 4, 5])
    #expect(cells.count == 15)
  }

  @Test func eachIsTakenOnce() {
    var cells = UnsettledCells()
    cells.insert(Self.cells(1, 0..<5))
    cells.insert(Self.cells(1, 3..<7))
    cells.insert(Self.cells(2, 0..<3))
    #expect(cells.count == 10)
    var taken: [WalletToken] = []
    for most in [0, 1, 4, 100] {
      let part = cells.take(most: most)
      #expect(part.count <= most)
      taken += part
      #expect(cells.count == 10 - taken.count)
    }
    #expect(taken.count == 10 && Set(taken) == Set(Self.cells(1, 0..<7) + Self.cells(2, 0..<3)))
    #expect(cells.take(most: 5).isEmpty)
  }

  @Test func whoLeavesTakesThemAlong() {
    var cells = UnsettledCells()
    cells.insert(Self.cells(1, 0..<5) + Self.cells(2, 0..<2))
    let removed = [cells.remove(1), cells.remove(1), cells.remove(9)]
    #expect(removed == [true, false, false])
    #expect(cells.count == 2)
    #expect(Set(cells.take(most: .max)) == Set(Self.cells(2, 0..<2)))
  }
}
