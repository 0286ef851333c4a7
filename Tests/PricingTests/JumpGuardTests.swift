import Ethereum
import Testing

@testable import Ledger
@testable import Pricing

final class JumpGuardTests {
  private static let now: UnixMilliseconds = 1_800_000_000_000
  private var jumps = JumpGuard()

  private func held(
    _ price: String?, _ state: CellState = .fresh, age: UnixMilliseconds = 0
  ) throws -> PriceCell {
    PriceCell(
      token: Token(id: 0, key: try TokenKey(parsing: "ETH:native"), info: TokenInfo(isListed: true)),
      price: price.flatMap { ExactDecimal(parsing: $0) }, change: nil, state: state, acceptedAt: 1,
      sourceTime: Self.now - age, revision: 1)
  }

  private func believes(
    _ price: String, over cell: PriceCell, from source: String = "a", round: Int = 1
  ) throws -> Bool {
    jumps.believes(
      try #require(ExactDecimal(parsing: price)), of: cell, from: source, round: round, now: Self.now)
  }

  @Test(arguments: [
    ("1", "1000", true), ("1", "999.999", false), ("1000", "1", true), ("999.999", "1", false),
    ("1", "1", false), ("0.000001", "1e15", true), ("3", "1e-77", true), ("0", "1", false),
  ])
  func whatIsAJump(_ old: String, _ new: String, _ isJump: Bool) throws {
    let (old, new) = (
      try #require(ExactDecimal(parsing: old)), try #require(ExactDecimal(parsing: new))
    )
    #expect(JumpGuard.isJump(from: old, to: new) == isJump)
  }

  private static let ages: [(CellState, UnixMilliseconds, Bool)] = [
    (.fresh, 0, false), (.fresh, 7_200_000, false), (.stale, 3_600_000, false), (.stale, 3_600_001, true),
  ]

  @Test(arguments: ages)
  func anOldPriceProvesNothing(
    _ state: CellState, _ age: UnixMilliseconds, _ isBelieved: Bool
  ) throws {
    #expect(try believes("5000", over: held("1", state, age: age)) == isBelieved)
  }

  @Test func whereNothingIsHeldNothingJumps() throws {
    #expect(try believes("5000", over: held(nil, .unknown)))
  }

  @Test func aSecondSourceThatSaysTheSameIsBelieved() throws {
    let cell = try held("1")
    #expect(try !believes("1000", over: cell, from: "a"))
    #expect(try believes("1400", over: cell, from: "b"))
    #expect(jumps.count == 0)
  }

  @Test func twoSourcesThatSayDifferentThingsAreNot() throws {
    let cell = try held("1")
    #expect(try !believes("1000", over: cell, from: "a"))
    #expect(try !believes("1600", over: cell, from: "b"))
    #expect(try !believes("1000", over: cell, from: "a"))
  }

  @Test func itIsBelievedWhenItIsRepeatedInThreeRounds() throws {
    let cell = try held("1000")
    for round in 1...3 {
      #expect(try !believes("0.5", over: cell, round: round))
      #expect(try !believes("0.5", over: cell, round: round), "twice in a round is once")
    }
    #expect(try believes("0.6", over: cell, round: 4))
    #expect(jumps.count == 0)
  }

  @Test func anotherNumberIsNoRepetition() throws {
    let cell = try held("1")
    for round in 1...8 {
      #expect(try !believes(round.isMultiple(of: 2) ? "1000" : "9000", over: cell, round: round))
    }
  }

  @Test func whoeverContradictsEndsTheSuspicion() throws {
    let cell = try held("1")
    for round in 1...8 {
      #expect(try !believes("1000", over: cell, from: "a", round: round))
      #expect(try believes("1.1", over: cell, from: "b", round: round))
    }
  }
}
