import Glibc

/// A range of IP addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3): `10.0.0.0/8`, `::1/128`. A lone
/// address is the range of itself.
public struct AddressRange: Sendable, Hashable {
  /// In network order: 4 bytes of IPv4 or 16 of IPv6.
  public let bytes: [UInt8]
  /// How many leading bits count.
  public let prefixLength: Int

  /// - Returns: nil where `text` is no range, or names an address inside a range (`10.1.2.3/8`): which of the
  ///   two was meant cannot be told.
  public init?(_ text: String) {
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    guard let bytes = Self.parse(address: String(text[..<slash])) else { return nil }
    self.bytes = bytes
    let bits = bytes.count * 8
    if slash < text.endIndex {
      let digits = text[text.index(after: slash)...]
      guard digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
        let length = Int(digits), String(length) == digits, length <= bits
      else { return nil }
      prefixLength = length
    } else {
      prefixLength = bits
    }
    for bit in prefixLength..<bits where bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
  }

  /// The 4 or 16 bytes of an address literal without brackets; nil for anything else, zones included.
  public static func parse(address: String) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, address, &buffer) == 1 { return Array(buffer[..<4]) }
    return inet_pton(AF_INET6, address, &buffer) == 1 ? buffer : nil
  }

  /// - Parameter address: 4 or 16 bytes in network order. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is
  ///   its IPv4 one.
  public func contains(_ address: [UInt8]) -> Bool {
    var address = address[...]
    if address.count == 16, bytes.count == 4 {
      guard address.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) else { return false }
      address = address.dropFirst(12)
    }
    guard address.count == bytes.count else { return false }
    for (index, pair) in zip(address, bytes).enumerated() {
      let bits = min(max(prefixLength - index * 8, 0), 8)
      let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
      if (pair.0 ^ pair.1) & mask != 0 { return false }
    }
    return true
  }
}

extension AddressRange: CustomStringConvertible {
  public var description: String {
    var text = [CChar](repeating: 0, count: 64)
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      + "/\(prefixLength)"
  }
}
