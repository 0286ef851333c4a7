import TestSupport
import Testing

@testable import EventLoop

@Suite struct TLSIdentityTests {
  private static let own = Result { try TestCertificate(CertificateRequest()) }
  private static let other = Result { try TestCertificate.authority("other") }

  private func refusal(_ certificate: [UInt8], _ key: [UInt8]) -> TLSIdentityError? {
    do throws(TLSIdentityError) {
      _ = try TLSServer(try TLSIdentity(certificate: certificate, key: key), plainTextAnswer: [])
      return nil
    } catch {
      return error
    }
  }

  @Test func everyUsualFormOfAKeyIsRead() throws {
    let rsa = try TestCertificate(
      {
        var request = CertificateRequest()
        request.key = .rsa(bits: 2_048)
        return request
      }())
    for certificate in [try Self.own.get(), rsa] {
      let parameters = Array(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n".utf8)
      let both = try certificate.pem + certificate.keyPEM
      for key in [try certificate.keyPEM, try certificate.traditionalKeyPEM, both, parameters + both] {
        #expect(refusal(certificate.pem, key) == nil)
      }
      #expect(refusal(both, both) == nil)
    }
  }

  @Test func aCommentIsNoFault() throws {
    let own = try Self.own.get()
    #expect(refusal(Array("# renewed\n\n".utf8) + own.pem + Array("\n\n".utf8), try own.keyPEM) == nil)
  }

  @Test func whatHoldsNoCertificateIsNamed() throws {
    let own = try Self.own.get()
    let cases: [([UInt8], PEMContent, String)] = [
      ([], .nothing, "it is empty"), (Array("hello".utf8), .something, "PEM text"),
      (try own.keyPEM, .key, "but a private key"), (try own.der, .der, "openssl x509 -inform DER"),
    ]
    for (bytes, found, words) in cases {
      let error = refusal(bytes, try own.keyPEM)
      #expect(error == .noCertificate(found: found))
      #expect(error?.file == .certificate && error?.description.contains(words) == true)
    }
  }

  @Test func aDamagedCertificateIsCounted() throws {
    let (own, other) = (try Self.own.get(), try Self.other.get())
    var damaged = other.pem
    // The first bytes after the line that says BEGIN.
    damaged.replaceSubrange(28..<36, with: Array("AAAAAAAA".utf8))
    let cut = Array(other.pem.prefix(200))
    for second in [damaged, cut] {
      guard case .unreadableCertificate(number: 2, _)? = refusal(own.pem + second, try own.keyPEM) else {
        Issue.record("\(String(describing: refusal(own.pem + second, try own.keyPEM)))")
        return
      }
    }
  }

  @Test func whatHoldsNoKeyIsNamed() throws {
    let own = try Self.own.get()
    #expect(refusal(own.pem, own.pem) == .noKey(found: .certificate))
    #expect(refusal(own.pem, []) == .noKey(found: .nothing))
    let cut = Array(try own.keyPEM.prefix(60))
    guard case .unreadableKey? = refusal(own.pem, cut) else {
      Issue.record("\(String(describing: refusal(own.pem, cut)))")
      return
    }
  }

  /// OpenSSL would ask on the terminal.
  @Test func anEncryptedKeyIsRefusedWithoutAsking() throws {
    let own = try Self.own.get()
    let error = refusal(own.pem, try own.encryptedKeyPEM)
    #expect(error == .encryptedKey && error?.file == .key)
    #expect(error?.description.contains("openssl pkey") == true)
  }

  @Test func aKeyOfAnotherCertificateIsRefused() throws {
    let (own, other) = (try Self.own.get(), try Self.other.get())
    #expect(refusal(own.pem, try other.keyPEM) == .mismatch(keyIsOf: nil))
    let wrongOrder = refusal(other.pem + own.pem, try own.keyPEM)
    #expect(wrongOrder == .mismatch(keyIsOf: 2) && wrongOrder?.file == .certificate)
    #expect(wrongOrder?.description.contains("own certificate first") == true)
  }

  @Test func aKeyThatIsTooShortIsRefused() throws {
    var request = CertificateRequest()
    request.key = .rsa(bits: 1_024)
    let weak = try TestCertificate(request)
    let error = refusal(weak.pem, try weak.keyPEM)
    guard case .unusable? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("2048 bits") == true)
  }

  @Test func theDatesAreRead() throws {
    var request = CertificateRequest()
    request.begins = -20
    request.ends = 80
    let certificate = try TestCertificate(request)
    let identity = try TLSIdentity(certificate)
    #expect(identity.notAfter - identity.notBefore == 100)
    // Not before 2025: it is of today.
    #expect(identity.notBefore > 1_735_689_600)
  }
}
