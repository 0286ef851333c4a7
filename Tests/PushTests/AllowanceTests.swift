import EventLoop
import Testing

@testable import Push

@Suite("Allowance") struct AllowanceTests {
  private let start = LoopInstant(nanoseconds: 1_000_000_000_000)

  @Test("so many at once, then one for each that has leaked")
  func burstThenRate() {
    var allowance = Allowance(now: start)
    let cost = Duration.milliseconds(100)
    for _ in 0..<10 { #expect(allowance.take(cost, most: .seconds(1), now: start) == nil) }
    #expect(allowance.take(cost, most: .seconds(1), now: start) == cost)
    let later = start + .milliseconds(250)
    for _ in 0..<2 { #expect(allowance.take(cost, most: .seconds(1), now: later) == nil) }
    #expect(allowance.take(cost, most: .seconds(1), now: later) == .milliseconds(50))
  }

  @Test("rest does not add up beyond the burst")
  func rest() {
    var allowance = Allowance(now: start)
    let later = start + .seconds(3_600)
    for _ in 0..<10 { #expect(allowance.take(.milliseconds(100), most: .seconds(1), now: later) == nil) }
    #expect(allowance.take(.milliseconds(100), most: .seconds(1), now: later) != nil)
  }

  @Test("what is charged is paid off before the next")
  func charge() {
    var allowance = Allowance(now: start)
    allowance.charge(.seconds(10), now: start)
    #expect(allowance.take(.milliseconds(100), most: .seconds(1), now: start) == .milliseconds(9_100))
    #expect(allowance.take(.milliseconds(100), most: .seconds(1), now: start + .seconds(10)) == nil)
  }
}
