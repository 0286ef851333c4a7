import TestSupport
import Testing

@testable import WebSocket

@Suite struct UTF8PrefixTests {
  private func unfinished(_ bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBytes { UTF8Prefix.unfinishedBytes($0) }
  }

  /// Every sequence of up to three bytes that matter is judged as the standard library judges it with
  /// every continuation: a prefix is good exactly when some ending makes it right.
  @Test func agreesWithTheStandardLibrary() {
    let interesting: [UInt8] = [
      0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
      0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF,
    ]
    let endings: [[UInt8]] = [0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF].flatMap { first in
      [[first], [first, 0x80], [first, 0x80, 0x80]]
    }
    var misjudged: [[UInt8]] = []
    for a in interesting {
      for b in interesting {
        for c in interesting {
          for bytes in [[a], [a, b], [a, b, c], [0xC3, 0xA9, a, b, c]] as [[UInt8]] {
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            let mayBecomeValid =
              isValid
              || endings.contains {
                String(validating: bytes + $0, as: UTF8.self) != nil
              }
            let unfinished = unfinished(bytes)
            if (unfinished == 0) != isValid || (unfinished != nil) != mayBecomeValid {
              misjudged.append(bytes)
            }
          }
        }
      }
    }
    #expect(misjudged == [])
  }

  @Test func countsTheUnfinished() {
    #expect(unfinished([]) == 0)
    #expect(unfinished([0x61, 0xC3]) == 1)
    #expect(unfinished([0xE2]) == 1)
    #expect(unfinished([0xE2, 0x82]) == 2)
    #expect(unfinished([0xF0, 0x9F, 0x92]) == 3)
    #expect(unfinished([0xF0, 0x9F, 0x92, 0xB0]) == 0)
  }
}

@Suite struct MaskingKeyTests {
  /// The words and the rest agree with the definition of §5.3, at every length and in pieces.
  @Test(arguments: [0x37FA_213D, 0, 1, 0x0100_0000, 0xFFFF_FFFF, 0x00FF_0000] as [UInt32])
  func masksAsDefined(_ key: UInt32) {
    let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: key >> $0) }
    for count in 0...70 {
      let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      let masked = plain.enumerated().map { $1 ^ octets[$0 % 4] }
      for cut in Set([0, 1, 3, count / 2, count]) where cut <= count {
        var bytes = plain
        bytes.withUnsafeMutableBytes { memory in
          var maskingKey = MaskingKey(key)
          maskingKey.apply(to: UnsafeMutableRawBufferPointer(rebasing: memory[..<cut]))
          maskingKey.advance(by: cut)
          maskingKey.apply(to: UnsafeMutableRawBufferPointer(rebasing: memory[cut...]))
        }
        #expect(bytes == masked, "\(count) bytes, cut at \(cut)")
      }
    }
  }
}
