import Ethereum
import TestSupport

@testable import Server

/// Who gives out access tokens: keys, and the file that tells the server of them.
final class Issuer: Sendable {
  private let folder: TemporaryFolder
  let path: String

  /// Publishes one key of each kind, called by its algorithm.
  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/jwks.json"
    try publish(SigningKey.Kind.allCases)
  }

  var settings: Settings.Auth { Settings.Auth(keys: path) }

  func publish(_ kinds: [SigningKey.Kind]) throws {
    let keys = try kinds.map { try SigningKey.shared($0).jwk(kid: $0.rawValue, #""use":"sig""#) }
    try publish("{\"keys\":[\(keys.joined(separator: ","))]}")
  }

  func publish(_ text: String) throws { try folder.write("jwks.json", text) }

  /// - Parameters:
  ///   - wallets: nil: no claim.
  ///   - lifetime: in seconds from now.
  func token(
    _ kind: SigningKey.Kind = .es256, wallets: [WalletKey]? = nil, lifetime: Double = 3_600,
    _ further: String = ""
  ) throws -> String {
    let expiry = Double(WalletPushServer.clock()) / 1_000 + lifetime
    let claim = wallets.map { ",\"wallets\":[\($0.map { "\"\($0)\"" }.joined(separator: ","))]" } ?? ""
    let payload = "{\"exp\":\(expiry)\(claim)\(further.isEmpty ? "" : "," + further)}"
    return try SigningKey.shared(kind).token(payload, kid: kind.rawValue)
  }

  func bearer(
    _ kind: SigningKey.Kind = .es256, wallets: [WalletKey]? = nil, lifetime: Double = 3_600
  ) throws -> [(String, String)] {
    [("Authorization", "Bearer " + (try token(kind, wallets: wallets, lifetime: lifetime)))]
  }
}
