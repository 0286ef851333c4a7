import Glibc

/// A moment on the machine's monotonic clock, in nanoseconds since an arbitrary start (CLOCK_MONOTONIC).
public struct LoopInstant: Hashable, Comparable, Sendable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Reads the clock. On a loop prefer ``EventLoop/now``, which is read once a turn.
  public static func current() -> LoopInstant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return LoopInstant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  public static func < (left: LoopInstant, right: LoopInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// Saturates at both ends of the clock.
  public static func + (instant: LoopInstant, duration: Duration) -> LoopInstant {
    let delta = duration.wholeNanoseconds
    if delta >= 0 {
      let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(UInt64(delta))
      return LoopInstant(nanoseconds: overflow ? .max : sum)
    }
    let magnitude = delta.magnitude
    return LoopInstant(nanoseconds: instant.nanoseconds > magnitude ? instant.nanoseconds - magnitude : 0)
  }

  /// The time from `earlier` to `later`; negative when they are the other way round.
  public static func - (later: LoopInstant, earlier: LoopInstant) -> Duration {
    .nanoseconds(Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
  }
}

extension Duration {
  /// Nanoseconds, rounded towards zero; the largest or smallest `Int64` when there are more.
  public var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (high, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = high.addingReportingOverflow(attoseconds / 1_000_000_000)
    guard overflow || overflow2 else { return sum }
    return seconds < 0 ? .min : .max
  }

  /// Seconds as a floating-point number, for metrics.
  public var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
