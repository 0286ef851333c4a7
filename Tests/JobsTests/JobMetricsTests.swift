import Metrics
import Synchronization
import Testing

@testable import Jobs

/// What Prometheus is told of a job: the board's figures are for those who hold the board.
@Suite(.timeLimit(.minutes(2)))
struct JobMetricsTests {
  @Test func eachEndIsCountedAsWhatItIs() async throws {
    struct Death: Error {}
    let bench = Bench()
    let seen = MetricValues()
    let record = withMetricsFactory(seen) { bench.board.record("read") }
    await record.run {}
    _ = try? await record.run { () async throws -> Void in throw Death() }
    _ = try? await record.run { () async throws -> Void in throw Death() }
    record.noteRestart()
    record.noteRefused()
    let waiting = record.ticket()
    let running = record.ticket()
    running.begin()
    bench.clock.advance(by: .seconds(5))
    bench.board.refreshGauges()
    #expect(
      seen.values == [
        "jobs_started_total read": 4, "jobs_done_total read": 1, "jobs_failed_total read": 2,
        "jobs_restarts_total read": 1, "jobs_refused_total read": 1, "jobs_running read": 1,
        "jobs_waiting read": 1, "jobs_oldest_seconds read": 5, "job_duration_seconds read": 3,
      ])
    waiting.end()
    running.end()
    bench.board.refreshGauges()
    #expect(seen.values["jobs_oldest_seconds read"] == 0 && seen.values["jobs_running read"] == 0)
  }
}

/// The last value of each meter, what each counter came to, and how often each timer was told something.
private final class MetricValues: MetricsFactory {
  private let held = Mutex<[String: Double]>([:])
  var values: [String: Double] { held.withLock { $0 } }

  final class Handler: CounterHandler, MeterHandler, TimerHandler {
    let name: String
    let owner: MetricValues

    init(_ label: String, _ dimensions: [(String, String)], of owner: MetricValues) {
      name = label + " " + dimensions.map(\.1).joined(separator: ",")
      self.owner = owner
    }

    func reset() {}
    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { owner.held.withLock { $0[name] = value } }
    func increment(by amount: Double) { owner.held.withLock { $0[name, default: 0] += amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
    func recordNanoseconds(_ duration: Int64) { increment(by: 1.0) }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    Handler(label, dimensions, of: self)
  }
  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    Handler(label, dimensions, of: self)
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    Handler(label, dimensions, of: self)
  }
  func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    NOOPMetricsHandler.instance
  }
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}
