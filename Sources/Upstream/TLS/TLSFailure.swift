import COpenSSL
import EventLoop

/// What OpenSSL says is wrong, as one number: an X509_V_ERR_ code of a certificate, or else a packed error
/// code, which is always larger.
public struct TLSFailure: Hashable, Sendable, CustomStringConvertible {
  public let code: UInt64

  init(code: UInt64) { self.code = code }

  /// The transport ended without a close_notify: the end of the data may have been cut off (RFC 8446 §6.1).
  static let truncated = TLSFailure(
    code: UInt64(ERR_LIB_SSL) << 23 | UInt64(SSL_R_UNEXPECTED_EOF_WHILE_READING))

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
