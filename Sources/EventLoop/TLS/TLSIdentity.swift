import COpenSSL
import Glibc

/// OpenSSL asks on the terminal where nothing else is given; a server has nobody sitting there.
private func refusePassword(
  _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

/// A server's certificate, the intermediate ones that lead from it towards a trusted one, and its private key.
public final class TLSIdentity: @unchecked Sendable {
  /// X509s; the server's own first.
  private let chain: [OpaquePointer]
  /// EVP_PKEY.
  private let key: OpaquePointer

  /// From when and until when the certificate is good, in Unix seconds. Out of it, clients refuse it.
  public let notBefore: Int64
  public let notAfter: Int64

  /// Reads PEM texts (RFC 7468). Both may be the same.
  public init(certificate: [UInt8], key keyText: [UInt8]) throws(TLSIdentityError) {
    let chain = try Self.readChain(certificate)
    let key: OpaquePointer
    do throws(TLSIdentityError) {
      key = try Self.readKey(keyText)
      guard X509_check_private_key(chain[0], key) == 1 else {
        let other = chain.firstIndex { X509_check_private_key($0, key) == 1 }
        EVP_PKEY_free(key)
        ERR_clear_error()
        throw TLSIdentityError.mismatch(keyIsOf: other.map { $0 + 1 })
      }
    } catch {
      for certificate in chain { X509_free(certificate) }
      throw error
    }
    self.chain = chain
    self.key = key
    notBefore = Self.seconds(X509_get0_notBefore(chain[0]))
    notAfter = Self.seconds(X509_get0_notAfter(chain[0]))
  }

  deinit {
    for certificate in chain { X509_free(certificate) }
    EVP_PKEY_free(key)
  }

  /// Has a context prove itself with this.
  func apply(to context: TLSContext) throws(TLSIdentityError) {
    ERR_clear_error()
    guard SSL_CTX_use_certificate(context.pointer, chain[0]) == 1 else { throw .unusable(.take()) }
    for certificate in chain.dropFirst() {
      guard copenssl_SSL_CTX_add1_chain_cert(context.pointer, certificate) == 1 else {
        throw .unusable(.take())
      }
    }
    guard SSL_CTX_use_PrivateKey(context.pointer, key) == 1 else { throw .unusable(.take()) }
  }

  // MARK: - PEM

  private static func readChain(_ text: [UInt8]) throws(TLSIdentityError) -> [OpaquePointer] {
    ERR_clear_error()
    var chain: [OpaquePointer] = []
    var failure: TLSFailure?
    withReader(of: text) { reader in
      while let certificate = PEM_read_bio_X509(reader, nil, refusePassword, nil) {
        chain.append(certificate)
      }
      // The end of the text is an error too, and the only one that is expected.
      let code = ERR_peek_last_error()
      if copenssl_ERR_GET_LIB(code) != ERR_LIB_PEM || copenssl_ERR_GET_REASON(code) != PEM_R_NO_START_LINE {
        failure = .take()
      }
      ERR_clear_error()
    }
    guard failure == nil, !chain.isEmpty else {
      for certificate in chain { X509_free(certificate) }
      throw failure.map { .unreadableCertificate(number: chain.count + 1, $0) }
        ?? .noCertificate(found: PEMContent(text))
    }
    return chain
  }

  private static func readKey(_ text: [UInt8]) throws(TLSIdentityError) -> OpaquePointer {
    ERR_clear_error()
    var key: OpaquePointer?
    withReader(of: text) { key = PEM_read_bio_PrivateKey($0, nil, refusePassword, nil) }
    if let key { return key }
    let failure = TLSFailure.take()
    switch PEMContent(text) {
    case .encryptedKey: throw .encryptedKey
    case .key: throw .unreadableKey(failure)
    case let found: throw .noKey(found: found)
    }
  }

  private static func withReader(of text: [UInt8], _ body: (OpaquePointer) -> Void) {
    text.withUnsafeBytes { bytes in
      guard let reader = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return }
      body(reader)
      BIO_free(reader)
    }
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var parts = tm()
    guard ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
    return Int64(timegm(&parts))
  }
}

/// What a file that should be PEM holds, as far as a glance tells.
public enum PEMContent: Hashable, Sendable {
  case nothing, certificate, key, encryptedKey
  /// ASN.1 without PEM around it.
  case der
  case something

  init(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    // PKCS #8 (RFC 5958) says it in the label, the older way in a header of RFC 1421.
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
      self = .encryptedKey
    } else if text.contains("PRIVATE KEY-----") {
      self = .key
    } else if text.contains("BEGIN CERTIFICATE-----") {
      self = .certificate
    } else if text.allSatisfy(\.isWhitespace) {
      self = .nothing
    } else {
      // A SEQUENCE with a length of two bytes.
      self = bytes.starts(with: [0x30, 0x82]) ? .der : .something
    }
  }
}

/// Why a certificate and a key can't be used.
public enum TLSIdentityError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum File: Hashable, Sendable { case certificate, key }

  case noCertificate(found: PEMContent)
  /// Counted from 1.
  case unreadableCertificate(number: Int, TLSFailure)
  case noKey(found: PEMContent)
  case encryptedKey
  case unreadableKey(TLSFailure)
  /// - Parameter keyIsOf: the certificate the key belongs to, counted from 1; nil: none in the file.
  case mismatch(keyIsOf: Int?)
  /// OpenSSL takes neither such keys nor such signatures: too short, too old.
  case unusable(TLSFailure)

  /// Which of the two is to be looked at.
  public var file: File {
    switch self {
    case .noCertificate, .unreadableCertificate, .unusable, .mismatch(.some): .certificate
    case .noKey, .encryptedKey, .unreadableKey, .mismatch(nil): .key
    }
  }

  public var description: String {
    switch self {
    case .noCertificate(let found):
      "holds no certificate\(Self.found(found)); expected PEM text (-----BEGIN CERTIFICATE-----), the server's own"
        + " certificate first and then the intermediate ones"
    case .unreadableCertificate(let number, let failure):
      "certificate \(number) cannot be read: \(failure); expected PEM text as the authority gave it"
    case .noKey(let found):
      "holds no private key\(Self.found(found)); expected PEM text (-----BEGIN PRIVATE KEY-----)"
    case .encryptedKey:
      "the key is encrypted, and a server has nobody to ask for the password; expected a key without one"
        + " (openssl pkey -in KEY -out PLAIN), readable by the server alone"
    case .unreadableKey(let failure):
      "the private key cannot be read: \(failure); expected PEM text as it was made"
    case .mismatch(let number?):
      "the key belongs to certificate \(number); expected the server's own certificate first"
    case .mismatch(nil):
      "the key does not belong to the certificate; expected the private key of the certificate that stands first"
    case .unusable(let failure):
      "OpenSSL does not accept it: \(failure); expected a key of at least 2048 bits (RSA) or 224 bits (elliptic"
        + " curves), signed with SHA-256 or better"
    }
  }

  private static func found(_ content: PEMContent) -> String {
    switch content {
    case .nothing: ", it is empty"
    case .certificate: ", but a certificate"
    case .key, .encryptedKey: ", but a private key"
    case .der: ", but DER (openssl x509 -inform DER or openssl pkey -inform DER turns it into PEM)"
    case .something: ""
    }
  }
}
