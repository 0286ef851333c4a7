import EventLoop
import TestSupport

@testable import Server

/// A server's certificate and key in files, and a client that trusts their authority alone.
final class CertificateFiles: Sendable {
  private let folder: TemporaryFolder
  let client: TLSClient

  init(_ request: CertificateRequest = CertificateRequest()) throws {
    folder = try TemporaryFolder()
    let authority = try TestCertificate.authority("authority")
    let certificate = try TestCertificate(request, issuer: authority)
    try folder.write("ca.pem", String(decoding: authority.pem, as: UTF8.self))
    try folder.write("cert.pem", String(decoding: certificate.pem, as: UTF8.self))
    try folder.write("key.pem", String(decoding: try certificate.keyPEM, as: UTF8.self))
    client = try TLSClient(trust: .file(folder.path + "/ca.pem"))
  }

  var settings: Settings.TLS {
    Settings.TLS(certificate: folder.path + "/cert.pem", key: folder.path + "/key.pem")
  }
}
