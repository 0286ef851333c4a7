import CLinux
import Glibc

/// An IPv4 or IPv6 address and a port, in 24 bytes; text is made on demand.
///
/// An IPv4-mapped IPv6 address (::ffff:a.b.c.d) becomes the IPv4 address it stands for, so that limits per
/// address see one peer as one.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  public enum Family: UInt8, Sendable { case v4, v6 }

  /// The 16 bytes of an IPv6 address in network order, as two big-endian words; IPv4 sits in the last 4.
  @usableFromInline let high: UInt64
  @usableFromInline let low: UInt64
  /// The interface of a link-local IPv6 address; otherwise 0.
  public let scope: UInt32
  public var port: UInt16
  public let family: Family

  init(family: Family, high: UInt64, low: UInt64, scope: UInt32, port: UInt16) {
    let isMapped = family == .v6 && high == 0 && low >> 32 == 0xffff
    self.family = isMapped ? .v4 : family
    self.high = high
    self.low = isMapped ? low & 0xffff_ffff : low
    self.scope = scope
    self.port = port
  }

  /// An address literal (`127.0.0.1`, `::1`, `[::1]`) or `localhost`, which is 127.0.0.1. Nil for anything
  /// else: names take a ``Resolver``.
  public init?(host: String, port: UInt16) {
    var text = Substring(host)
    if text.first == "[", text.last == "]" { text = text.dropFirst().dropLast() }
    let literal = text == "localhost" ? "127.0.0.1" : String(text)
    // inet_pton would stop reading there.
    guard !literal.utf8.contains(0) else { return nil }
    var v4 = in_addr()
    if inet_pton(AF_INET, literal, &v4) == 1 {
      let bits = UInt32(bigEndian: v4.s_addr)
      self.init(family: .v4, high: 0, low: UInt64(bits), scope: 0, port: port)
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, literal, &v6) == 1 else { return nil }
    let (high, low) = withUnsafeBytes(of: &v6) {
      (
        UInt64(bigEndian: $0.load(as: UInt64.self)),
        UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self))
      )
    }
    self.init(family: .v6, high: high, low: low, scope: 0, port: port)
  }

  /// From four octets, as in `SocketAddress(127, 0, 0, 1, port: 80)`.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
    let bits = UInt64(a) << 24 | UInt64(b) << 16 | UInt64(c) << 8 | UInt64(d)
    self.init(family: .v4, high: 0, low: bits, scope: 0, port: port)
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    family == .v4 ? low >> 24 == 127 : high == 0 && low == 1
  }

  /// The same host on any port: the key of limits per address.
  public var withoutPort: SocketAddress {
    SocketAddress(family: family, high: high, low: low, scope: scope, port: 0)
  }

  /// The address's bytes in network order: 4 or 16.
  public var addressBytes: [UInt8] {
    let words = family == .v4 ? [low << 32] : [high, low]
    let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
    return family == .v4 ? Array(bytes.prefix(4)) : bytes
  }

  /// The address alone, without brackets or port.
  public var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let bytes = addressBytes
    _ = inet_ntop(family == .v4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
    return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  /// `127.0.0.1:80` or `[::1]:80`.
  public var description: String {
    family == .v4 ? "\(host):\(port)" : "[\(host)]:\(port)"
  }
}

extension SocketAddress {
  var domain: Int32 { family == .v4 ? AF_INET : AF_INET6 }

  /// What the kernel wrote into `storage`; nil for a family that is neither IPv4 nor IPv6.
  init?(_ storage: borrowing sockaddr_storage) {
    switch Int32(storage.ss_family) {
    case AF_INET:
      let address = withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in.self) }
      self.init(
        family: .v4, high: 0, low: UInt64(UInt32(bigEndian: address.sin_addr.s_addr)), scope: 0,
        port: UInt16(bigEndian: address.sin_port))
    case AF_INET6:
      let address = withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in6.self) }
      let (high, low) = withUnsafeBytes(of: address.sin6_addr) {
        (
          UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
          UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
      }
      self.init(
        family: .v6, high: high, low: low, scope: address.sin6_scope_id,
        port: UInt16(bigEndian: address.sin6_port))
    default: return nil
    }
  }

  /// Calls `body` with the form the kernel wants.
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    switch family {
    case .v4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    case .v6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_scope_id = scope
      withUnsafeMutableBytes(of: &address.sin6_addr) {
        $0.storeBytes(of: high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
  }
}

/// Where a listener listens: a literal host (or `localhost`) and a port, 0 for one that the kernel picks.
public struct ListenAddress: Hashable, Sendable {
  public var host: String
  public var port: UInt16

  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }
}
