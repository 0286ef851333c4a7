import EventLoop
import Glibc
import HTTP1
import Metrics

/// The files of `http.tls`, read and checked. Everything that is wrong is one line that names the setting, the file,
/// and what would be right.
struct ServerCertificate: Sendable {
  private let files: Settings.TLS
  private let identity: TLSIdentity
  private static let bytesMaximum = 1 << 20

  init(_ files: Settings.TLS) throws(StartError) {
    self.files = files
    let certificate = try Self.read("http.tls.certificate", files.certificate)
    let key = try Self.read("http.tls.key", files.key)
    do throws(TLSIdentityError) {
      identity = try TLSIdentity(certificate: certificate, key: key)
      // What OpenSSL thinks too weak shows only here.
      _ = try TLSServer(identity, plainTextAnswer: [])
    } catch {
      throw Self.startError(error, files)
    }
  }

  private static func read(_ setting: String, _ path: String) throws(StartError) -> [UInt8] {
    try SmallFile.read(path, of: setting, limit: bytesMaximum, expected: "a PEM file")
  }

  private static func startError(_ error: TLSIdentityError, _ files: Settings.TLS) -> StartError {
    switch error.file {
    case .certificate: StartError("http.tls.certificate: \(files.certificate): \(error)")
    case .key: StartError("http.tls.key: \(files.key): \(error)")
    }
  }

  /// What does not keep the server from starting, but its clients from coming; a line each.
  ///
  /// - Parameter now: Unix time in seconds.
  func warnings(now: Int64) -> [String] {
    let day: Int64 = 86_400
    let problem: String
    if identity.notAfter < now {
      problem = "expired on \(Self.date(identity.notAfter)): clients refuse it"
    } else if identity.notBefore > now {
      problem = "is not valid before \(Self.date(identity.notBefore)): clients refuse it until then"
    } else if identity.notAfter - now < 14 * day {
      problem = "expires on \(Self.date(identity.notAfter)), in \((identity.notAfter - now) / day) days"
    } else {
      return []
    }
    return ["http.tls.certificate: \(files.certificate): the certificate \(problem)"]
  }

  private static func date(_ seconds: Int64) -> String {
    "\(CivilTime(unixSeconds: seconds)) UTC"
  }

  // MARK: In use

  func makeServer() throws(StartError) -> TLSServer {
    do throws(TLSIdentityError) {
      let server = try TLSServer(identity, plainTextAnswer: Self.plainTextAnswer)
      report()
      return server
    } catch {
      throw Self.startError(error, files)
    }
  }

  /// Has new connections see this one.
  func replace(in server: TLSServer) throws(StartError) {
    do throws(TLSIdentityError) {
      try server.use(identity)
    } catch {
      throw Self.startError(error, files)
    }
    report()
  }

  private func report() {
    Gauge(label: "tls_certificate_expires_seconds").record(identity.notAfter)
  }

  /// A browser that was sent to `http://` on this port shows it.
  private static let plainTextAnswer = Router.encode(
    .error(400, "bad_request", "this port speaks TLS: use https:// or wss://"), isHead: false,
    keepsAlive: false, unixSeconds: Int64(time(nil))
  ).flatMap(\.self)
}
