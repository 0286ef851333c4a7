import Access
import Logging
import Metrics
import Push
import Synchronization

/// The file of `auth.keys`, read and checked.
struct AccessKeys: Sendable {
  private let settings: Settings.Auth
  private let keys: KeySet
  private var path: String { settings.keys }
  private static let bytesMaximum = 1 << 20

  /// - Throws: what is wrong with the file.
  init(_ settings: Settings.Auth) throws(StartError) {
    self.settings = settings
    let bytes = try SmallFile.read(
      settings.keys, of: "auth.keys", limit: Self.bytesMaximum, expected: "a JSON Web Key Set (RFC 7517)")
    do throws(KeySetError) {
      keys = try KeySet(bytes)
    } catch {
      throw StartError("auth.keys: \(settings.keys): \(error)")
    }
  }

  /// What is left aside, or should not be in the file; a line each.
  var warnings: [String] { keys.remarks.map { "auth.keys: \(path): \($0)" } }

  fileprivate func makeVerifier(_ logger: Logger) -> TokenVerifier {
    for remark in keys.remarks {
      logger.warning("a key of auth.keys", metadata: ["file": "\(path)", "remark": "\(remark)"])
    }
    return TokenVerifier(
      keys: keys,
      rules: TokenRules(
        issuer: settings.issuer.isEmpty ? nil : settings.issuer,
        audience: settings.audience.isEmpty ? nil : settings.audience,
        walletsClaim: settings.walletsClaim))
  }
}

/// Checks clients' access tokens by the keys of `auth.keys`.
///
/// A reload replaces keys and rules for the tokens that come then; whoever is connected stays until its token ends.
final class AccessControl: Authenticator {
  private static let missing = "missing"

  private let verifier: Mutex<TokenVerifier>
  private let accepted = Counter(label: "access_tokens_accepted_total")
  private let refused: [String: Counter]

  init(_ keys: AccessKeys, logger: Logger) {
    verifier = Mutex(keys.makeVerifier(logger))
    var refused: [String: Counter] = [:]
    for reason in Set(TokenError.allCases.map(\.label) + [Self.missing]) {
      refused[reason] = Counter(label: "access_tokens_refused_total", dimensions: [("reason", reason)])
    }
    self.refused = refused
  }

  /// - Throws: what is wrong with the file; then everything is as before.
  func reload(_ settings: Settings.Auth, logger: Logger) throws(StartError) {
    let newer = try AccessKeys(settings).makeVerifier(logger)
    verifier.withLock { $0 = newer }
  }

  func authenticate(_ token: String, now: Int64) throws(AccessDenied) -> Authority {
    let verifier = verifier.withLock { $0 }
    do throws(TokenError) {
      let grant = try verifier.verify(token, now: now)
      accepted.increment()
      return Authority(wallets: grant.wallets, expiresAt: grant.expiresAt)
    } catch {
      refused[error.label]?.increment()
      throw AccessDenied(reason: error.description)
    }
  }

  /// A request came without a token.
  func countMissing() { refused[Self.missing]?.increment() }
}

extension Authority {
  /// Where no tokens are asked for.
  static let everybody = Authority(wallets: nil, expiresAt: .max)
  /// Before anybody looked.
  static let nobody = Authority(wallets: [], expiresAt: 0)
}

extension Settings {
  /// Says at the start whether anybody may come, and from where.
  func sayWhoMayCome(_ logger: Logger) {
    guard auth == nil else { return logger.notice("access tokens are asked for (auth.keys)") }
    let host = http.host
    if http.isOnLoopback {
      logger.notice("no access tokens are asked for", metadata: ["host": "\(host)"])
    } else {
      logger.warning(
        "no access tokens are asked for: whoever reaches this address may see every wallet; set auth.keys",
        metadata: ["host": "\(host)"])
    }
  }
}
