import Testing
import Upstream

struct WebSocketURLTests {
  @Test(arguments: [
    ("ws://a/b?c=d", "ws://a/b?c=d", "http://a/b?c=d"), ("wss://a", "wss://a/", "https://a/"),
    ("WSS://A:8443/x", "wss://a:8443/x", "https://a:8443/x"), ("ws://a:80", "ws://a/", "http://a/"),
    ("ws://[::1]:9001/", "ws://[::1]:9001/", "http://[::1]:9001/"),
  ])
  func parses(_ text: String, _ shown: String, _ http: String) throws {
    let url = try WebSocketURL(text)
    #expect(url.description == shown)
    #expect(url.http.description == http)
    #expect(url.isSecure == shown.hasPrefix("wss"))
  }

  @Test(arguments: [
    ("http://a", HTTPURLError.notWebSocket), ("", .notWebSocket), ("ws:/a", .notWebSocket),
    ("wsx://a", .notWebSocket), ("ws://", .missingHost), ("ws://u@a", .userInformation),
    ("ws://a:0", .malformedPort),
    // RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs".
    ("ws://a/#b", .fragment),
  ])
  func refuses(_ text: String, _ error: HTTPURLError) {
    #expect(throws: error) { try WebSocketURL(text) }
    #expect(!error.description.isEmpty)
  }

  @Test func appends() throws {
    #expect(try WebSocketURL("wss://a/b?key=1").appending("/c?d=2").description == "wss://a/b/c?key=1&d=2")
    #expect(try WebSocketURL("ws://a:9/b?key=1").origin == "ws://a:9")
  }
}
