import COpenSSL

/// What is wrong, as one number: an X509_V_ERR_ code of a certificate, or else a packed error code of OpenSSL's
/// or of ours, which is always larger.
public struct TLSFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let code: UInt64

  public init(code: UInt64) { self.code = code }

  /// The transport ended without a close_notify: the end of the data may have been cut off (RFC 8446 §6.1).
  public static let truncated = TLSFailure(
    code: UInt64(ERR_LIB_SSL) << 23 | UInt64(SSL_R_UNEXPECTED_EOF_WHILE_READING))

  // What we refuse, and OpenSSL would not. The numbers are those of the library that OpenSSL leaves to its users.
  public static let plainText = ours(1)
  public static let helloTooLong = ours(2)
  public static let tooManyKeyUpdates = ours(3)
  public static let renegotiation = ours(4)

  private static func ours(_ reason: UInt64) -> TLSFailure {
    TLSFailure(code: UInt64(ERR_LIB_USER) << 23 | reason)
  }

  /// Takes the calling thread's first error, and forgets the others.
  static func take() -> TLSFailure {
    let code = ERR_get_error()
    ERR_clear_error()
    return TLSFailure(code: UInt64(code))
  }

  func filterError(_ fault: FilterError.Fault) -> FilterError { FilterError(fault: fault, code: code) }

  /// No packed code is below this: the library's number sits above bit 23.
  private static let packedMinimum: UInt64 = 1 << 23

  public var description: String {
    switch self {
    case .plainText: return "the peer does not speak TLS, but plain text"
    case .helloTooLong: return "the ClientHello is longer than \(HelloWatch.messageBytes) bytes"
    case .tooManyKeyUpdates: return "the peer asks for new keys too often"
    case .renegotiation: return "the peer wants to renegotiate, which is not allowed"
    default: break
    }
    guard code < Self.packedMinimum else {
      return ERR_reason_error_string(UInt(code)).map { String(cString: $0) } ?? "OpenSSL error \(code)"
    }
    let reason = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
    switch Int32(truncatingIfNeeded: code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      return "certificate: \(reason) (unknown issuer; is the trust store, ca-certificates, installed?)"
    default: return "certificate: \(reason)"
    }
  }
}
