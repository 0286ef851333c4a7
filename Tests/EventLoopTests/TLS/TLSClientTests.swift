import COpenSSL
import TestSupport
import Testing

@testable import EventLoop

/// Whose certificate a client believes, without a socket and without a name that has to resolve.
@Suite struct TLSClientTests {
  private static let authority = Result { try TestCertificate.authority("ca") }

  /// Nil when the client believes that it talks to `host`.
  private func refusal(_ certificate: TestCertificate, host: String) throws -> TLSFailure? {
    let folder = try TemporaryFolder()
    try folder.write("ca.pem", String(decoding: try Self.authority.get().pem, as: UTF8.self))
    let client = try #require(
      try TLSClient(trust: .file(folder.path + "/ca.pem")).makeFilter(host: host) as? TLSSession)
    let server = try TLSServer.testing(certificate).makeFilter()
    do {
      try client.start()
      while true {
        let fromClient = client.takeOutbound()
        try fromClient.withUnsafeBytes { try server.receive($0) }
        let fromServer = server.takeOutbound()
        try client.receive(fromServer)
        if fromClient.isEmpty, fromServer.isEmpty { break }
      }
    } catch {
      #expect(error is FilterError && !client.isEstablished)
      return (error as? FilterError).map { TLSFailure(code: $0.code) }
    }
    #expect(client.isEstablished)
    return nil
  }

  private func code(_ value: Int32) -> TLSFailure { TLSFailure(code: UInt64(value)) }

  /// RFC 6125 §6.4: the whole name, or `*` for the first label and nothing less or more.
  @Test(arguments: [
    ("DNS:a.test", "a.test", true), ("DNS:A.Test", "a.test", true), ("DNS:b.test,DNS:a.test", "a.test", true),
    ("DNS:a.test", "b.test", false), ("DNS:a.test", "x.a.test", false), ("DNS:a.test", "test", false),
    ("DNS:*.a.test", "x.a.test", true), ("DNS:*.a.test", "a.test", false),
    ("DNS:*.a.test", "y.x.a.test", false), ("DNS:x*.a.test", "xy.a.test", false),
    ("DNS:*.test", "a.test", false), ("DNS:*", "test", false), ("DNS:a.*.test", "a.b.test", false),
    ("", "localhost", false),
  ])
  func names(_ names: String, _ host: String, _ isBelieved: Bool) throws {
    let certificate = try TestCertificate(
      CertificateRequest(names: names), issuer: try Self.authority.get())
    #expect(
      try refusal(certificate, host: host) == (isBelieved ? nil : code(X509_V_ERR_HOSTNAME_MISMATCH)))
  }

  /// RFC 9110 §4.3.5: an address is compared with addresses, never with names.
  @Test(arguments: [
    ("IP:127.0.0.1", "127.0.0.1", true), ("IP:127.0.0.2", "127.0.0.1", false),
    ("DNS:127.0.0.1", "127.0.0.1", false), ("DNS:*.0.0.1", "127.0.0.1", false), ("IP:::1", "::1", true),
    ("IP:::2", "::1", false),
  ])
  func addresses(_ names: String, _ host: String, _ isBelieved: Bool) throws {
    let certificate = try TestCertificate(
      CertificateRequest(names: names), issuer: try Self.authority.get())
    #expect(
      try refusal(certificate, host: host) == (isBelieved ? nil : code(X509_V_ERR_IP_ADDRESS_MISMATCH)))
  }

  @Test func theChainMustHold() throws {
    let authority = try Self.authority.get()
    // Not allowed to sign: it is no authority.
    let own = try TestCertificate(CertificateRequest(), issuer: authority)
    let forged = try TestCertificate(CertificateRequest("forged"), issuer: own)
    #expect(try refusal(own, host: "localhost") == nil)
    #expect(
      try refusal(forged, host: "localhost") == code(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY))
    #expect(
      try refusal(TestCertificate(CertificateRequest()), host: "localhost")
        == code(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT))
    // The right name of the authority, the wrong key.
    let impostor = try TestCertificate.authority("ca")
    #expect(
      try refusal(TestCertificate(CertificateRequest(), issuer: impostor), host: "localhost") != nil)
  }

  @Test(arguments: [
    (-60, X509_V_ERR_CERT_HAS_EXPIRED, -3_600), (3_600, X509_V_ERR_CERT_NOT_YET_VALID, 1_800),
  ])
  func theDatesMustHold(_ ends: Int, _ expected: Int32, _ begins: Int) throws {
    var request = CertificateRequest()
    request.begins = begins
    request.ends = ends
    let certificate = try TestCertificate(request, issuer: try Self.authority.get())
    #expect(try refusal(certificate, host: "localhost") == code(expected))
  }
}
