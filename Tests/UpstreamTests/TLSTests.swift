import COpenSSL
import EventLoop
import HTTP1
import Testing

@testable import Upstream

struct TLSTests {
  private static func withTLS(
    _ kind: Certificates.Kind = .good, connections: Int = 4, script: @escaping ScriptedServer.Script,
    _ body: (HTTPClient, ScriptedServer) async throws -> Void
  ) async throws {
    let certificates = try Certificates.shared.get()
    let tls = try certificates.server(kind)
    let server = try ScriptedServer(makeFilter: { tls.makeFilter() }, script: script)
    let configuration = try HTTPClientConfiguration.testing(
      connections: connections, security: certificates.client)
    try await withClient(configuration, server: server) { try await body($0, server) }
  }

  @Test(arguments: ["localhost", "127.0.0.1"])
  func aGoodCertificateIsBelieved(_ host: String) async throws {
    try await Self.withTLS(script: { [.respond($0.head.target)] }) { client, server in
      for index in 0..<3 {
        let response = try await client.send(.get(server.url("/\(index)", scheme: "https", host: host)))
        #expect(response.text == "/\(index)")
        #expect(response.reusedConnection == (index > 0))
      }
    }
  }

  @Test(arguments: [
    (Certificates.Kind.expired, "localhost", X509_V_ERR_CERT_HAS_EXPIRED, "expired"),
    (.notYetValid, "localhost", X509_V_ERR_CERT_NOT_YET_VALID, "not yet valid"),
    (.selfSigned, "localhost", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed"),
    (.stranger, "localhost", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "ca-certificates"),
    (.other, "localhost", X509_V_ERR_HOSTNAME_MISMATCH, "hostname mismatch"),
    (.other, "127.0.0.1", X509_V_ERR_IP_ADDRESS_MISMATCH, "IP address mismatch"),
    (.nameless, "localhost", X509_V_ERR_HOSTNAME_MISMATCH, "hostname mismatch"),
  ])
  func aBadOneIsRefused(_ kind: Certificates.Kind, _ host: String, _ code: Int32, _ words: String)
    async throws
  {
    try await Self.withTLS(kind, script: { _ in [.respond("")] }) { client, server in
      let failure = await client.failure(try .get(server.url(scheme: "https", host: host)))
      guard case .insecure(let error, let explanation) = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(error == FilterError(fault: .peer, code: UInt64(code)))
      #expect(explanation.contains(words))
      #expect(server.requests.isEmpty, "nothing may be sent to a peer that has not proved who it is")
    }
  }

  @Test func theSystemsStoreDoesNotKnowOurAuthority() async throws {
    let tls = try Certificates.shared.get().server(.good)
    let server = try ScriptedServer(makeFilter: { tls.makeFilter() }) { _ in [.respond("")] }
    try await withClient(.testing(security: try TLSClient(trust: .system)), server: server) { client in
      let failure = await client.failure(try .get(server.url(scheme: "https", host: "localhost")))
      guard case .insecure? = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
    }
    #expect(server.requests.isEmpty)
  }

  @Test func aStoreThatIsNotThereIsReported() throws {
    #expect(throws: TLSSetupError.self) { try TLSClient(trust: .file("/no/such/file.pem")) }
  }

  /// A server of plain text, one that hangs up in the middle, one that says nothing.
  @Test(arguments: [
    ([ScriptedServer.Step.send("HTTP/1.1 400 X\r\n\r\n")], true), ([.close], true), ([.abort], false),
  ])
  func whatIsNoTLSIsReported(_ greeting: [ScriptedServer.Step], _ isTLSError: Bool) async throws {
    let server = try ScriptedServer(greeting: greeting) { _ in [] }
    let security = try Certificates.shared.get().client
    try await withClient(.testing(security: security), server: server) { client in
      let failure = await client.failure(try .get(server.url(scheme: "https")))
      switch failure {
      case .insecure(let error, _): #expect(isTLSError && error.fault == .peer)
      case .connectionBroken, .connectFailed: #expect(!isTLSError)
      default: Issue.record("\(String(describing: failure))")
      }
    }
  }

  @Test func silenceInTheHandshakeTimesOut() async throws {
    let server = try ScriptedServer { _ in [] }
    let security = try Certificates.shared.get().client
    try await withClient(.testing(security: security), server: server) { client in
      let failure = await client.failure(try .get(server.url(scheme: "https"), connect: .milliseconds(50)))
      #expect(failure == .timedOut(.connect))
    }
  }

  @Test func carriesLargeBodiesBothWays() async throws {
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let script: ScriptedServer.Script = { request in
      [.send("HTTP/1.1 200 X\r\nContent-Length: \(request.body.count)\r\n\r\n"), .sendBytes(request.body)]
    }
    try await Self.withTLS(script: script) { client, server in
      for _ in 0..<2 {
        let response = try await client.send(
          .get(server.url(scheme: "https"), method: "POST", body: body, limit: body.count))
        #expect(response.body == body)
      }
    }
  }

  @Test func manyRequestsShareFewConnections() async throws {
    try await Self.withTLS(connections: 2, script: { [.respond($0.head.target)] }) { client, server in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<100 {
          let request = try HTTPClientRequest.get(server.url("/\(index)", scheme: "https"))
          group.addTask { try await client.send(request).text == request.url.target }
        }
        for try await isRight in group { #expect(isRight) }
      }
      #expect(server.acceptedCount <= 2)
    }
  }

  @Test func aDeadConnectionIsReplaced() async throws {
    let script: ScriptedServer.Script = { $0.number == 1 ? [.respond("")] : [.abort] }
    try await Self.withTLS(script: script) { client, server in
      for index in 0..<3 { _ = try await client.send(.get(server.url("/\(index)", scheme: "https"))) }
      #expect(server.acceptedCount == 3)
    }
  }

  /// RFC 9112 §9.8: without close_notify, the end may have been cut off by somebody else.
  @Test(arguments: [true, false])
  func aBodyUntilCloseNeedsAGoodbye(_ isPolite: Bool) async throws {
    let certificates = try Certificates.shared.get()
    let tls = try certificates.server(.good)
    let server = try ScriptedServer(
      makeFilter: { isPolite ? tls.makeFilter() : RudeFilter(tls.makeFilter()) },
      script: { _ in [.send("HTTP/1.1 200 X\r\n\r\nabc"), .close] })
    try await withClient(.testing(security: try certificates.client), server: server) { client in
      let request = try HTTPClientRequest.get(server.url(scheme: "https"))
      if isPolite {
        let response = try await client.send(request)
        #expect(response.text == "abc")
      } else {
        let failure = await client.failure(request)
        guard case .insecure(let error, _) = failure else {
          Issue.record("\(String(describing: failure))")
          return
        }
        #expect(error.code == TLSFailure.truncated.code)
      }
    }
  }
}

/// Ends without a close_notify.
private final class RudeFilter: ByteFilter {
  private let filter: any ByteFilter

  init(_ filter: any ByteFilter) { self.filter = filter }

  var isEstablished: Bool { filter.isEstablished }
  func start() throws(FilterError) { try filter.start() }
  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) { try filter.receive(bytes) }
  func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead {
    try filter.readPlain(into: buffer)
  }
  func inputEnded() throws(FilterError) { try filter.inputEnded() }
  func writePlain(_ bytes: UnsafeRawBufferPointer) throws(FilterError) { try filter.writePlain(bytes) }
  func endOutput() throws(FilterError) {}
  func takeOutbound() -> [UInt8] { filter.takeOutbound() }
}
