import EventLoop

/// Where a run stands.
public struct LoadProgress: Sendable {
  public enum Phase: String, Sendable { case ramp, measure, storm, slow }

  public var phase: Phase
  public var connectionsAsked: Int
  public var connectionsOpen: Int
  public var framesPerSecond: Double
  public var payloadBytesPerSecond: Double
  /// Of the last second, in milliseconds; 0 when nothing came.
  public var deliveryMilliseconds: (p50: Double, p99: Double, max: Double)
  public var lags: UInt64
  public var errors: Int
  public var violations: Int

  init(_ phase: Phase, _ total: LoadTotal, since before: LoadTotal, over time: Duration, asked: Int) {
    self.phase = phase
    connectionsAsked = asked
    connectionsOpen = total.open
    let earlier = before.counters
    let seconds = max(time.inSeconds, 0.001)
    framesPerSecond = Double(total.counters.dataFrames &- earlier.dataFrames) / seconds
    payloadBytesPerSecond =
      Double(total.counters.payloadBytes &- earlier.payloadBytes) / seconds
    let recent = total.recent ?? LoadTimes.histogram
    deliveryMilliseconds = (
      Double(recent.percentile(50)) / 1_000, Double(recent.percentile(99)) / 1_000, Double(recent.max) / 1_000
    )
    lags = total.counters.lags
    errors = total.counters.errors.values.reduce(0) { $0 + $1.count }
    violations = total.counters.violations.values.reduce(0) { $0 + $1.count }
  }
}

extension LoadProgress: CustomStringConvertible {
  /// One line.
  public var description: String {
    let delivery = deliveryMilliseconds
    return
      "\(phase.rawValue)  open \(connectionsOpen)/\(connectionsAsked)  \(framesPerSecond.formatted(0)) frames/s"
      + "  \((payloadBytesPerSecond / 1e6).formatted(2)) MB/s"
      + "  delivery p50 \(delivery.p50.formatted(1)) p99 \(delivery.p99.formatted(1)) max \(delivery.max.formatted(1)) ms"
      + "  lags \(lags)  errors \(errors)" + (violations > 0 ? "  VIOLATIONS \(violations)" : "")
  }
}
