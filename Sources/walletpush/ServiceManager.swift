import Glibc

/// What a service manager that asked for it is told: the datagrams of sd_notify(3), without libsystemd.
enum ServiceManager {
  /// Connections are accepted.
  static func ready(_ status: String) { notify("READY=1\nSTATUS=\(status)") }

  /// Ends with ``ready(_:)``. The time is what `Type=notify-reload` tells one reload from another by.
  static func reloading() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    notify("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)")
  }

  static func stopping() { notify("STOPPING=1\nSTATUS=draining") }

  /// Nobody's loss when it fails: the manager sees the process, and its own time limits hold.
  private static func notify(_ state: String) {
    guard let name = Environment.all["NOTIFY_SOCKET"], let (address, length) = socketAddress(name) else {
      return
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let message = Array(state.utf8)
    _ = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }

  /// A path, or with `@` a name in the abstract namespace, which begins with a zero byte (unix(7)).
  private static func socketAddress(_ name: String) -> (sockaddr_un, socklen_t)? {
    var bytes = Array(name.utf8)
    guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else { return nil }
    let isPath = bytes[0] == UInt8(ascii: "/")
    bytes[0] = isPath ? bytes[0] : 0
    if isPath { bytes.append(0) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
    return (address, socklen_t(offset + bytes.count))
  }
}
