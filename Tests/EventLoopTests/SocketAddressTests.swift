import EventLoop
import Testing

@Suite struct SocketAddressTests {
  @Test(
    arguments: [
      ("127.0.0.1", "127.0.0.1:80", [127, 0, 0, 1]),
      ("localhost", "127.0.0.1:80", [127, 0, 0, 1]),
      ("255.254.1.0", "255.254.1.0:80", [255, 254, 1, 0]),
      ("::1", "[::1]:80", Array(repeating: 0, count: 15) + [1]),
      ("[::1]", "[::1]:80", Array(repeating: 0, count: 15) + [1]),
      ("2001:db8::1:2", "[2001:db8::1:2]:80", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]),
      ("::ffff:10.0.0.1", "10.0.0.1:80", [10, 0, 0, 1]),
    ] as [(String, String, [UInt8])])
  func literals(text: String, description: String, bytes: [UInt8]) throws {
    let address = try #require(SocketAddress(host: text, port: 80))
    #expect(address.description == description)
    #expect(address.addressBytes == bytes)
    #expect(address.withoutPort.port == 0 && address.withoutPort.addressBytes == bytes)
  }

  @Test(arguments: ["", "[", "]", "[]", "1.2.3", "example.org", "::g", "1.2.3.4 ", "::1%lo", "1.2.3.4\0x"])
  func otherTextIsNoAddress(text: String) {
    #expect(SocketAddress(host: text, port: 80) == nil)
  }

  @Test func loopback() {
    #expect(SocketAddress(127, 9, 9, 9, port: 1).isLoopback)
    #expect(!SocketAddress(128, 0, 0, 1, port: 1).isLoopback)
    #expect(SocketAddress(host: "::1", port: 1)?.isLoopback == true)
    #expect(SocketAddress(host: "::2", port: 1)?.isLoopback == false)
    #expect(SocketAddress(host: "::ffff:127.0.0.1", port: 1) == SocketAddress(127, 0, 0, 1, port: 1))
  }

  @Test func isCompact() { #expect(MemoryLayout<SocketAddress>.size <= 24) }
}

@Suite struct LoopInstantTests {
  @Test func saturates() {
    let instant = LoopInstant(nanoseconds: 10)
    #expect(instant + .nanoseconds(5) == LoopInstant(nanoseconds: 15))
    #expect(instant + .nanoseconds(-11) == LoopInstant(nanoseconds: 0))
    #expect(LoopInstant(nanoseconds: .max) + .seconds(1) == LoopInstant(nanoseconds: .max))
    #expect(instant - LoopInstant(nanoseconds: 15) == .nanoseconds(-5))
    #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
    #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
    #expect(Duration.milliseconds(-1_500).wholeNanoseconds == -1_500_000_000)
    #expect(Duration.milliseconds(1_500).inSeconds == 1.5)
  }
}
