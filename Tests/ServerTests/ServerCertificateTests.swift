import TestSupport
import Testing

@testable import Server

@Suite struct ServerCertificateTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    try folder.write(name, String(decoding: bytes, as: UTF8.self))
  }

  private var files: Settings.TLS {
    Settings.TLS(certificate: folder.path + "/cert.pem", key: folder.path + "/key.pem")
  }

  private func write(_ request: CertificateRequest) throws {
    let certificate = try TestCertificate(request)
    try write("cert.pem", certificate.pem)
    try write("key.pem", try certificate.keyPEM)
  }

  /// The one line that is said, without the folder.
  private func line() -> String? {
    do throws(StartError) {
      _ = try ServerCertificate(files)
      return nil
    } catch {
      return error.description.replacing(folder.path, with: "")
    }
  }

  @Test func theLineNamesSettingFileAndWhatWouldBeRight() throws {
    #expect(
      line() == "http.tls.certificate: /cert.pem: cannot be read: No such file or directory;"
        + " expected a PEM file the server may read")
    try write(CertificateRequest())
    #expect(line() == nil)
    let other = try TestCertificate(CertificateRequest())
    try write("key.pem", try other.keyPEM)
    #expect(
      line() == "http.tls.key: /key.pem: the key does not belong to the certificate;"
        + " expected the private key of the certificate that stands first")
    try write("key.pem", try other.encryptedKeyPEM)
    #expect(line()?.hasPrefix("http.tls.key: /key.pem: the key is encrypted") == true)
    try write("cert.pem", Array("nonsense".utf8))
    #expect(line()?.hasPrefix("http.tls.certificate: /cert.pem: holds no certificate; expected") == true)
    folder.folder("cert.pem.d")
    let directory = Settings.TLS(certificate: folder.path + "/cert.pem.d", key: folder.path + "/key.pem")
    #expect(throws: StartError.self) { try ServerCertificate(directory) }
  }

  @Test(
    arguments: [
      (-7_200, -3_600, "expired on "), (3_600, 90 * 86_400, "is not valid before "),
      (-3_600, 13 * 86_400 + 60, "in 13 days"), (-3_600, 15 * 86_400, nil),
    ] as [(Int, Int, String?)])
  func aCertificateOutOfItsTimeIsWarnedOf(_ begins: Int, _ ends: Int, _ words: String?) throws {
    var request = CertificateRequest()
    request.begins = begins
    request.ends = ends
    try write(request)
    let warnings = try ServerCertificate(files).warnings(now: WalletPushServer.clock() / 1_000)
    #expect(warnings.count == (words == nil ? 0 : 1))
    if let words { #expect(warnings.first?.contains(words) == true) }
  }
}
