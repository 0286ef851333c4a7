import EventLoop
import Glibc
import Testing
import Upstream

@testable import Load

/// How long a price took, by two clocks.
@Suite struct DeliveryTests {
  /// Of a loop that nobody started: it belongs to this test.
  private func loop() throws -> LoadLoop {
    var plan = LoadPlan(url: try WebSocketURL("ws://127.0.0.1:1/ws"))
    plan.keys = try KeyPool(.tokens, parsing: "ETH:native", distinct: 1)
    let loop = LoadLoop(
      loop: try EventLoop(name: "test", configuration: .standard), plan: plan,
      configuration: .standard(security: nil), resolver: try Resolver(threads: 1, queueMaximum: 1))
    loop.beginMeasuring()
    return loop
  }

  private let now = Int64(time(nil)) * 1_000

  @Test func itIsFromTheServersClockToOurs() throws {
    let loop = try loop()
    loop.readAt = (now + 40) * 1_000 + 500
    loop.delivered(now)
    loop.endMeasuring()
    #expect(loop.times.delivery.max == 40_500 && loop.times.delivery.count == 1)
    #expect(loop.counters.negativeLatencies == 0)
  }

  /// An hour ahead, an hour behind, and times that are none.
  @Test(arguments: [3_600_000, 1, Int64.max, Int64.max / 1_000 + 1])
  func whatCameBeforeItWasAcceptedIsCountedApart(_ ahead: Int64) throws {
    let loop = try loop()
    loop.readAt = now * 1_000
    loop.delivered(ahead > 3_600_000 ? ahead : now + ahead)
    loop.endMeasuring()
    #expect(loop.counters.negativeLatencies == 1)
    #expect(loop.counters.mostNegative == (ahead > 3_600_000 ? 0 : UInt64(ahead) * 1_000))
    #expect(loop.times.delivery.count == 1 && loop.times.delivery.max == 0)
  }

  @Test(arguments: [0, -1, Int64.min / 1_000, Int64.min]) func whatIsAncientTrapsNothing(_ time: Int64) throws
  {
    let loop = try loop()
    loop.readAt = now * 1_000
    loop.delivered(time)
    loop.endMeasuring()
    #expect(loop.times.delivery.count == 1)
  }

  @Test func nothingCountsBeforeItIsMeasured() throws {
    let loop = try loop()
    loop.endMeasuring()
    loop.delivered(now)
    #expect(loop.sample().recent?.count == 0)
  }

  /// Asking in between loses nothing, and counts nothing twice.
  @Test func samplesAreOfTheTimeSinceTheLast() throws {
    let loop = try loop()
    loop.delivered(now - 10)
    #expect(loop.sample().recent?.count == 1)
    loop.delivered(now - 10)
    loop.delivered(now - 10)
    #expect(loop.sample().recent?.count == 2)
    loop.delivered(now - 10)
    loop.endMeasuring()
    #expect(loop.times.delivery.count == 4)
  }
}
