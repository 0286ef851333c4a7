import Glibc

/// A port of loopback that refuses connections for as long as somebody holds it: bound, so that nobody else is given
/// it, and without a listener. One that was free a moment ago may be another's by now.
public final class RefusingPort: Sendable {
  private let descriptor: Int32
  public let number: UInt16

  public init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let size = length
    let descriptor = descriptor
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    number = UInt16(bigEndian: address.sin_port)
    guard isBound else { throw PortNotBound() }
  }

  deinit { close(descriptor) }
}

/// A test's port could not be bound.
public struct PortNotBound: Error {}
