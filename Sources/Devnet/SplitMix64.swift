/// Pseudo-random numbers that are the same for the same seed, everywhere and for ever: all that is simulated
/// comes from one of these.
///
/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// 0 … bound − 1; 0 where the bound is 0. The high half of the product: no division, and a bias far below
  /// what anybody could see.
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

  mutating func index(_ count: Int) -> Int { Int(below(UInt64(max(0, count)))) }

  /// −magnitude … magnitude.
  mutating func signed(_ magnitude: Int64) -> Int64 {
    Int64(below(UInt64(max(0, magnitude)) * 2 + 1)) - max(0, magnitude)
  }

  /// True `count` times of `total`.
  mutating func chance(_ count: UInt64, in total: UInt64) -> Bool { below(total) < count }
}
