// Keccak as submitted to the SHA-3 competition, which is Ethereum's: FIPS 202 describes the same sponge, yet
// pads with the bits 01 (a byte 0x06) where Keccak pads with 0x01. Lanes are numbered x + 5y as in FIPS 202
// §3.1.2, and bytes go into lanes least significant first (§B.1).

/// The hash function of Ethereum: Keccak with a rate of 1088 bits and a capacity of 512.
public enum Keccak256 {
  /// The rate in bytes: how much of the input one permutation takes in.
  static let blockBytes = 136

  public static func hash(_ input: Span<UInt8>) -> Bytes32 {
    var state = State()
    var start = 0
    while input.count - start >= blockBytes {
      for offset in 0..<blockBytes { state.absorb(input[start + offset], at: offset) }
      state.permute()
      start += blockBytes
    }
    for index in start..<input.count { state.absorb(input[index], at: index - start) }
    // pad10*1; both ends fall on one byte when a single one is left.
    state.absorb(0x01, at: input.count - start)
    state.absorb(0x80, at: blockBytes - 1)
    state.permute()
    return Bytes32(
      UInt256(
        state.lanes[0].byteSwapped, state.lanes[1].byteSwapped, state.lanes[2].byteSwapped,
        state.lanes[3].byteSwapped))
  }

  public static func hash(_ input: [UInt8]) -> Bytes32 { hash(input.span) }

  /// The hash of a text's UTF-8 bytes, such as a function's signature.
  public static func hash(_ text: String) -> Bytes32 { hash(Array(text.utf8).span) }
}

/// 25 lanes of 64 bits and Keccak-f[1600] over them (FIPS 202 §3.3).
private struct State {
  var lanes = InlineArray<25, UInt64>(repeating: 0)

  mutating func absorb(_ byte: UInt8, at offset: Int) {
    lanes[offset / 8] ^= UInt64(byte) << UInt64(offset % 8 * 8)
  }

  mutating func permute() {
    for constant in roundConstants {
      theta()
      rhoAndPi()
      chi()
      lanes[0] ^= constant  // iota, §3.2.5
    }
  }

  /// §3.2.1: each bit takes in the parity of two columns beside it.
  private mutating func theta() {
    var parity = InlineArray<5, UInt64>(repeating: 0)
    for x in 0..<5 {
      parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
    }
    for x in 0..<5 {
      let effect = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1)
      for y in 0..<5 { lanes[x + 5 * y] ^= effect }
    }
  }

  /// §3.2.2 and §3.2.3 at once: the lanes travel one cycle of 24, each turned by its own offset on arrival.
  private mutating func rhoAndPi() {
    var travelling = lanes[1]
    for step in 0..<24 {
      let destination = piCycle[step]
      let next = lanes[destination]
      lanes[destination] = rotate(travelling, rhoOffsets[step])
      travelling = next
    }
  }

  /// §3.2.4: the one step that is not linear.
  private mutating func chi() {
    for row in stride(from: 0, to: 25, by: 5) {
      let (a, b, c, d, e) = (lanes[row], lanes[row + 1], lanes[row + 2], lanes[row + 3], lanes[row + 4])
      lanes[row] = a ^ (~b & c)
      lanes[row + 1] = b ^ (~c & d)
      lanes[row + 2] = c ^ (~d & e)
      lanes[row + 3] = d ^ (~e & a)
      lanes[row + 4] = e ^ (~a & b)
    }
  }
}

@inline(__always)
private func rotate(_ lane: UInt64, _ bits: UInt64) -> UInt64 {
  lane << bits | lane >> (64 - bits)
}

/// §3.2.2: t (t + 1) / 2 modulo 64, for t = 1 … 24; none of them is 0.
private let rhoOffsets: [UInt64] = (1...24).map { (step: UInt64) -> UInt64 in step * (step + 1) / 2 % 64 }

/// Where a lane arrives, for t = 0 … 23: §3.2.2's walk from (1, 0), (x, y) → (y, 2x + 3y).
private let piCycle: [Int] = {
  var (x, y) = (1, 0)
  return (0..<24).map { _ in
    (x, y) = (y, (2 * x + 3 * y) % 5)
    return x + 5 * y
  }
}()

/// §3.2.5.
private let roundConstants: [UInt64] = [
  0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
  0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
  0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
  0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
  0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
  0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
]
