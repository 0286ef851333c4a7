import Ethereum
import JSON
import Testing

/// Bytes from hexadecimal without a prefix; white space may stand anywhere.
func hex(_ text: String) -> [UInt8] {
  do {
    return try Hex.decode("0x" + text.filter { !$0.isWhitespace })
  } catch {
    Issue.record("not hexadecimal: \(text): \(error)")
    return []
  }
}

/// A 32-byte word with the given end.
func word(_ value: UInt64) -> [UInt8] { UInt256(value).bigEndianBytes }

let maximumWord = UInt256.max.bigEndianBytes

func json(_ text: String) throws -> JSONValue {
  try JSONParser.parse(text, limits: JSONLimits(depth: 32, numberBytes: 128))
}
