import Ethereum
import Testing

@testable import WalletPushClient

@Suite struct ChangeQueueTests {
  private func drain(_ queue: inout ChangeQueue) -> [Change] {
    var changes: [Change] = []
    while let change = queue.pop() { changes.append(change) }
    return changes
  }

  @Test func aValueWaitsOnce() throws {
    let key = try walletKey()
    var queue = ChangeQueue()
    for change in [Change.wallet(key), .status, .wallet(key), .status] { queue.push(change) }
    #expect(queue.pop() == .wallet(key))
    // Looked at: what comes now is news.
    queue.push(.wallet(key))
    #expect(drain(&queue) == [.status, .wallet(key)])
    #expect(queue.count == 0)
  }

  @Test func eventsAreAllTold() {
    var queue = ChangeQueue()
    let states: [Change] = [.connection(.connecting), .connection(.idle), .connection(.connecting)]
    for change in states { queue.push(change) }
    #expect(drain(&queue) == states)
  }

  @Test func isBounded() throws {
    var queue = ChangeQueue()
    let key = try walletKey()
    for number in 0..<2_000 {
      queue.push(.notice(.malformedMessage("\(number)")))
      queue.push(.wallet(key))
    }
    #expect(queue.count == ChangeQueue.eventsMax + 1)
    let changes = drain(&queue)
    #expect(changes.contains(.wallet(key)))
    #expect(changes.last == .notice(.malformedMessage("1999")))
    #expect(
      !changes.contains(.notice(.malformedMessage("1743")))
        && changes.contains(.notice(.malformedMessage("1744"))))
  }

  @Test func longRuns() throws {
    var queue = ChangeQueue()
    let keys = try (0..<10).map { Change.wallet(try walletKey(numbered($0))) }
    for turn in 0..<1_000 {
      queue.push(keys[turn % 10])
      queue.push(keys[(turn + 1) % 10])
      #expect(queue.pop() != nil)
      #expect(queue.count <= 10)
    }
  }
}
