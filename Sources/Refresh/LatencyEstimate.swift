/// A smoothed mean and deviation, as TCP does it (RFC 6298 §2).
struct LatencyEstimate: Equatable {
  private(set) var mean: Duration?
  private var deviation = Duration.zero

  mutating func add(_ sample: Duration) {
    guard let mean else {
      self.mean = sample
      deviation = sample / 2
      return
    }
    let difference = sample > mean ? sample - mean : mean - sample
    deviation = deviation * 3 / 4 + difference / 4
    self.mean = mean * 7 / 8 + sample / 8
  }

  /// What nineteen of twenty answers do not exceed, about.
  var usualMaximum: Duration? { mean.map { $0 + deviation * 3 } }
}
