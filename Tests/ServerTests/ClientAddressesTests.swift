import EventLoop
import HTTP1
import Testing

@testable import Server

@Suite struct ClientAddressesTests {
  private static let proxies = ClientAddresses(
    trusted: ["10.0.0.0/8", "2001:db8:1::/48"].compactMap { AddressRange($0) })

  @Test(
    arguments: [
      ("192.0.2.1", ["198.51.100.7"], nil), ("10.0.0.1", [], nil),
      ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
      ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
      ("2001:db8:1::9", ["198.51.100.7"], "198.51.100.7"),
      // What stands left of the client is its own word.
      ("10.0.0.1", ["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
      ("10.0.0.1", ["203.0.113.1, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),
      ("10.0.0.1", ["203.0.113.1", "198.51.100.7", "10.9.9.9"], "198.51.100.7"),
      ("10.0.0.1", ["nonsense, 198.51.100.7"], "198.51.100.7"),
      ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], nil),
      ("10.0.0.1", ["198.51.100.7, nonsense"], nil), ("10.0.0.1", ["198.51.100.7, "], nil),
      ("10.0.0.1", ["198.51.100.7, nonsense, 10.2.2.2"], nil), ("10.0.0.1", [""], nil),
      ("10.0.0.1", ["unknown"], nil), ("10.0.0.1", ["localhost"], nil),
      ("10.0.0.1", [" 198.51.100.7\t"], "198.51.100.7"), ("10.0.0.1", ["198.51.100.7:8080"], "198.51.100.7"),
      ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"), ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
      ("10.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
      ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
      ("10.0.0.1", ["[2001:db8::7"], nil), ("10.0.0.1", ["[2001:db8::7]x"], nil),
      ("10.0.0.1", ["[198.51.100.7]"], nil), ("10.0.0.1", ["198.51.100.7:"], nil),
      ("10.0.0.1", ["198.51.100.7:65536"], nil), ("10.0.0.1", ["198.51.100"], nil),
      ("10.0.0.1", ["fe80::1%eth0"], nil), ("10.0.0.1", ["198.51.100.7\u{0}"], nil),
    ] as [(String, [String], String?)])
  func whoIsIt(_ peer: String, _ forwarded: [String], _ client: String?) throws {
    let head = RequestHead(
      method: "GET", target: "/", headers: HTTPHeaders(forwarded.map { ("X-Forwarded-For", $0) }))
    let peer = try #require(SocketAddress(host: peer, port: 1))
    #expect(Self.proxies.client(of: head, peer: peer)?.host == client)
  }

  /// Only one header is believed: a proxy that does not write the other passes on what the client wrote.
  @Test func forwardedIsNotRead() throws {
    let head = RequestHead(method: "GET", target: "/", headers: ["Forwarded": "for=198.51.100.7"])
    let peer = try #require(SocketAddress(host: "10.0.0.1", port: 1))
    #expect(Self.proxies.client(of: head, peer: peer) == nil)
  }

  @Test func withoutProxiesNobodySpeaksForOthers() throws {
    let head = RequestHead(method: "GET", target: "/", headers: ["X-Forwarded-For": "198.51.100.7"])
    let peer = try #require(SocketAddress(host: "127.0.0.1", port: 1))
    #expect(ClientAddresses(trusted: []).client(of: head, peer: peer) == nil)
  }
}
