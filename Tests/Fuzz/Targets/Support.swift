// What all targets share. A target is a function of bytes that returns whatever they are, and throws a
// `Violation` where its invariant does not hold; a trap is one too. The fuzzer (Driver.swift) calls it
// with bytes it makes up, the tests (ReplayTests.swift) with those in `corpus` and `found`.

/// The invariant of a target does not hold.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

/// - Throws: where `condition` is false.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Violation) {
  if !condition { throw Violation(description: message()) }
}

/// - Throws: where the two differ.
func requireEqual<Value: Equatable>(
  _ left: Value, _ right: Value, _ message: @autoclosure () -> String
) throws(Violation) {
  if left != right { throw Violation(description: "\(message())\n  \(left)\n  \(right)") }
}

/// The bytes of one run. The first few choose among what a target does, the rest is the text or the stream
/// that it does it with, unchanged: so a capture becomes a seed by putting a few bytes before it.
struct FuzzInput {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next choice; 0 where the bytes have run out.
  mutating func choice() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func cuts() -> Cuts { Cuts(choice: choice()) }
}

/// How a stream is cut into pieces: the lower three bits say how long the longest is (2^n), 0 is byte by
/// byte; the other bits choose among such cuts.
struct Cuts {
  let choice: UInt8

  /// Each piece has memory of its own, so that the address sanitizer sees a step beyond it.
  func pieces(of bytes: ArraySlice<UInt8>) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes
    var state = UInt64(choice)
    while !rest.isEmpty {
      // Knuth's MMIX generator: its upper bits are good enough for this.
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let count = 1 + Int(state >> 33) % (1 << Int(choice & 7))
      pieces.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return pieces
  }

  static func whole(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] { [Array(bytes)] }
}

extension StringProtocol {
  /// The text as its scalars are written, for messages: what differs only in invisible characters looks
  /// different.
  var shown: String { unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }
}
