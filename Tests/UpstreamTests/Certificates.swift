import EventLoop
import TestSupport
import Testing

@testable import Upstream

/// A certificate authority of our own and servers with certificates of several kinds.
final class Certificates: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case good, expired, notYetValid, other, nameless, selfSigned, stranger

    fileprivate var request: CertificateRequest {
      var request = CertificateRequest()
      switch self {
      case .good, .selfSigned, .stranger: break
      case .expired: request.ends = -60
      case .notYetValid: request.begins = 3_600
      case .other: request.names = "DNS:other.test,DNS:*.localhost,IP:127.0.0.2"
      // The common name is right, and is not looked at.
      case .nameless: request.names = ""
      }
      return request
    }
  }

  static let shared = Result { try Certificates() }

  private let folder: TemporaryFolder
  private let authority: TestCertificate

  private init() throws {
    folder = try TemporaryFolder()
    authority = try .authority("ca")
    try folder.write("ca.pem", String(decoding: authority.pem, as: UTF8.self))
  }

  /// Trusts the authority and nobody else.
  var client: TLSClient {
    get throws { try TLSClient(trust: .file("\(folder.path)/ca.pem")) }
  }

  /// A server's side with such a certificate.
  func server(_ kind: Kind) throws -> TLSServer {
    let issuer =
      switch kind {
      case .selfSigned: nil as TestCertificate?
      case .stranger: try TestCertificate.authority("nobody")
      default: authority
      }
    let certificate = try TestCertificate(kind.request, issuer: issuer)
    return try TLSServer(
      TLSIdentity(certificate: certificate.pem, key: try certificate.keyPEM), plainTextAnswer: [])
  }
}
