/// A smoothed mean and deviation, as TCP does it (RFC 6298 §2).
struct LatencyEstimate: Equatable {
  /// How much one sample says: 1/8 in TCP.
  let gain: Double
  private(set) var mean: Duration?
  private var deviation = Duration.zero

  init(gain: Double) { self.gain = gain }

  mutating func add(_ sample: Duration) {
    guard let mean else {
      self.mean = sample
      deviation = sample / 2
      return
    }
    let difference = sample > mean ? sample - mean : mean - sample
    deviation = deviation * 3 / 4 + difference / 4
    self.mean = mean * (1 - gain) + sample * gain
  }

  /// What nineteen of twenty answers do not exceed, about.
  var usualMaximum: Duration? { mean.map { $0 + deviation * 3 } }
}
