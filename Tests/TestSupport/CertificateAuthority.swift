// Certificates for tests, made on the spot by the library that will read them: of any age, for any name, and wrong in
// any way a test wants.
import COpenSSL
import Glibc

/// What stands in a certificate.
public struct CertificateRequest: Sendable {
  public enum Key: Sendable {
    case p256
    case rsa(bits: Int32)
  }

  public var commonName: String
  /// As in openssl's configuration: `DNS:localhost,IP:127.0.0.1`. Empty: none.
  public var names: String
  public var key = Key.p256
  /// In seconds from now.
  public var begins = -3_600
  public var ends = 30 * 86_400
  public var isAuthority = false

  public init(_ commonName: String = "localhost", names: String = "DNS:localhost,IP:127.0.0.1") {
    self.commonName = commonName
    self.names = names
  }
}

/// A certificate and its private key, as PEM texts.
public final class TestCertificate: @unchecked Sendable {
  private let certificate: OpaquePointer
  private let key: OpaquePointer
  public let pem: [UInt8]

  /// Signed by `issuer`; nil: by itself.
  public init(_ request: CertificateRequest, issuer: TestCertificate? = nil) throws {
    key = try Self.makeKey(request.key)
    certificate = try made(X509_new(), "X509_new")
    try Self.fill(certificate, request, key: key, issuer: issuer?.certificate)
    try check(X509_sign(certificate, issuer?.key ?? key, EVP_sha256()), "X509_sign")
    let certificate = certificate
    pem = try Self.text { PEM_write_bio_X509($0, certificate) }
  }

  /// An authority of that name.
  public static func authority(
    _ name: String, issuer: TestCertificate? = nil
  ) throws -> TestCertificate {
    var request = CertificateRequest(name, names: "")
    request.isAuthority = true
    return try TestCertificate(request, issuer: issuer)
  }

  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  /// Of PKCS #8.
  public var keyPEM: [UInt8] {
    get throws { try Self.text { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) } }
  }

  /// Under a password.
  public var encryptedKeyPEM: [UInt8] {
    get throws {
      try Self.text {
        PEM_write_bio_PKCS8PrivateKey($0, key, EVP_aes_256_cbc(), "secret", 6, nil, nil)
      }
    }
  }

  /// Of the time before PKCS #8: `BEGIN EC PRIVATE KEY`, `BEGIN RSA PRIVATE KEY`.
  public var traditionalKeyPEM: [UInt8] {
    get throws {
      try Self.text { PEM_write_bio_PrivateKey_traditional($0, key, nil, nil, 0, nil, nil) }
    }
  }

  /// Without PEM around it.
  public var der: [UInt8] {
    get throws { try Self.text { i2d_X509_bio($0, certificate) } }
  }

  // MARK: - Making

  private static func makeKey(_ kind: CertificateRequest.Key) throws -> OpaquePointer {
    let type = if case .rsa = kind { EVP_PKEY_RSA } else { EVP_PKEY_EC }
    let context = try made(EVP_PKEY_CTX_new_id(type, nil), "EVP_PKEY_CTX_new_id")
    defer { EVP_PKEY_CTX_free(context) }
    try check(EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
    switch kind {
    case .p256:
      try check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), "the curve")
    case .rsa(let bits): try check(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits), "the length")
    }
    var key: OpaquePointer?
    try check(EVP_PKEY_generate(context, &key), "EVP_PKEY_generate")
    return try made(key, "EVP_PKEY_generate")
  }

  private static func fill(
    _ certificate: OpaquePointer, _ request: CertificateRequest, key: OpaquePointer, issuer: OpaquePointer?
  ) throws {
    try check(X509_set_version(certificate, 2), "X509_set_version")
    var serial: UInt64 = 0
    withUnsafeMutableBytes(of: &serial) { _ = RAND_bytes($0.baseAddress, 7) }
    try check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial), "the serial number")
    // One now for both: a second may end between two looks at the clock.
    var now = time(nil)
    X509_time_adj(X509_getm_notBefore(certificate), request.begins, &now)
    X509_time_adj(X509_getm_notAfter(certificate), request.ends, &now)
    try check(X509_set_pubkey(certificate, key), "X509_set_pubkey")
    let name = X509_get_subject_name(certificate)
    try check(
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, request.commonName, -1, -1, 0), "the subject")
    try check(
      X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0) } ?? name), "the issuer")
    if !request.names.isEmpty { try add(NID_subject_alt_name, request.names, certificate) }
    try add(NID_basic_constraints, request.isAuthority ? "critical,CA:TRUE" : "CA:FALSE", certificate)
  }

  private static func add(_ nid: Int32, _ value: String, _ certificate: OpaquePointer) throws {
    let part = try made(X509V3_EXT_conf_nid(nil, nil, nid, value), "the extension \(value)")
    defer { X509_EXTENSION_free(part) }
    try check(X509_add_ext(certificate, part, -1), "X509_add_ext")
  }

  private static func text(_ write: (OpaquePointer) -> Int32) throws -> [UInt8] {
    let memory = try made(BIO_new(BIO_s_mem()), "BIO_new")
    defer { BIO_free(memory) }
    try check(write(memory), "PEM")
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = BIO_read(memory, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(max(0, count))))
  }
}

/// A test's certificate could not be made.
public struct CertificateNotMade: Error {
  public let description: String
}

private func check(_ result: Int32, _ what: String) throws {
  guard result > 0 else { throw CertificateNotMade(description: what) }
}

private func made(_ pointer: OpaquePointer?, _ what: String) throws -> OpaquePointer {
  guard let pointer else { throw CertificateNotMade(description: what) }
  return pointer
}
