import EventLoop

/// The addresses of ours that connections come from, in turn: one address has some 28,000 ports to one server.
public struct SourceAddresses: Sendable, Hashable {
  public let addresses: [SocketAddress]
  /// More than a machine has use for, and a slip in a range.
  public static let countMaximum = 1_024

  /// The kernel chooses.
  public static let none = SourceAddresses()

  private init() { addresses = [] }

  /// Addresses and ranges of IPv4 addresses with commas between them: `127.0.0.1,127.0.0.2`, `127.0.0.1-127.0.0.8`,
  /// `127.0.0.1-8`. Empty: none, the kernel chooses.
  public init(parsing text: String) throws(LoadOptionError) {
    var addresses: [SocketAddress] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
      addresses += try Self.range(part.filter { $0 != " " })
      guard addresses.count <= Self.countMaximum else { throw .tooManySources(Self.countMaximum) }
    }
    self.addresses = addresses
  }

  private static func range(_ text: String) throws(LoadOptionError) -> [SocketAddress] {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = ends.first.flatMap({ SocketAddress(host: String($0), port: 0) }), ends.count <= 2 else {
      throw .badSource(text)
    }
    guard ends.count == 2 else { return [first] }
    // The end may be the last octet alone.
    let end = UInt8(ends[1]).map { [$0] } ?? SocketAddress(host: String(ends[1]), port: 0)?.addressBytes
    guard first.family == .v4, let end, end.count == 1 || end.count == 4 else { throw .badSource(text) }
    let from = Self.number(first.addressBytes)
    let to = end.count == 4 ? Self.number(end) : from & ~0xff | UInt32(end[0])
    guard from <= to else { throw .badSource(text) }
    guard to - from < UInt32(countMaximum) else { throw .tooManySources(countMaximum) }
    return (from...to).map { number in
      let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
      return SocketAddress(octets[0], octets[1], octets[2], octets[3], port: 0)
    }
  }

  private static func number(_ octets: [UInt8]) -> UInt32 { octets.reduce(0) { $0 << 8 | UInt32($1) } }

  /// Of the client with that number; nil: the kernel's choice.
  func source(ofClient client: Int) -> SocketAddress? {
    addresses.isEmpty ? nil : addresses[client % addresses.count]
  }
}
