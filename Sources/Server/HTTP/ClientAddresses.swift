import EventLoop
import HTTP1

/// Whose connection it is, where a proxy speaks for its clients (`http.trustedProxies`).
///
/// Only `X-Forwarded-For` is read. A proxy appends to one such header and passes on the rest as the client sent it: to
/// believe `Forwarded` (RFC 7239) too would let clients of a proxy that does not write it choose their address.
struct ClientAddresses: Sendable {
  let trusted: [AddressRange]

  func isTrusted(_ address: SocketAddress) -> Bool {
    guard !trusted.isEmpty else { return false }
    let bytes = address.addressBytes
    return trusted.contains { $0.contains(bytes) }
  }

  /// The rightmost address that is no trusted proxy's: the last that one of ours has seen with its own eyes. Nil where
  /// the peer speaks for itself, where all are proxies, and where nothing can be read.
  func client(of head: RequestHead, peer: SocketAddress) -> SocketAddress? {
    guard isTrusted(peer) else { return nil }
    // Several headers are one list, in their order (RFC 9110 §5.3).
    for list in head.headers.all("X-Forwarded-For").reversed() {
      for entry in list.split(separator: ",", omittingEmptySubsequences: false).reversed() {
        guard let address = Self.parse(entry.trimmingBlanks) else { return nil }
        if !isTrusted(address) { return address }
      }
    }
    return nil
  }

  /// `192.0.2.1`, `2001:db8::1`, and with a port as some proxies write it: `192.0.2.1:80`, `[2001:db8::1]:80`.
  static func parse(_ text: Substring) -> SocketAddress? {
    var text = text
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let port = text[text.index(after: end)...]
      guard port.isEmpty || port.first == ":" && UInt16(port.dropFirst()) != nil else { return nil }
      text = text[text.index(after: text.startIndex)..<end]
      guard text.contains(":") else { return nil }
    } else if let colon = text.firstIndex(of: ":"), text[colon...].dropFirst().allSatisfy(\.isNumber) {
      guard UInt16(text[text.index(after: colon)...]) != nil else { return nil }
      text = text[..<colon]
    }
    guard AddressRange.parse(address: String(text)) != nil else { return nil }
    return SocketAddress(host: String(text), port: 0)
  }
}
