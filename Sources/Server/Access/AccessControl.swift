import Access
import Logging
import Metrics
import Push
import Synchronization

/// Checks clients' access tokens by the keys of `auth.keys`.
///
/// A reload replaces keys and rules for the tokens that come then; whoever is connected stays until its token ends.
final class AccessControl: Authenticator {
  /// Of the key file.
  static let fileBytesMaximum = 1 << 20
  private static let missing = "missing"

  private let verifier: Mutex<TokenVerifier>
  private let accepted = Counter(label: "access_tokens_accepted_total")
  private let refused: [String: Counter]

  init(_ settings: Settings.Auth, logger: Logger) throws(StartError) {
    verifier = Mutex(try Self.load(settings, logger: logger))
    var refused: [String: Counter] = [:]
    for reason in Set(TokenError.allCases.map(\.label) + [Self.missing]) {
      refused[reason] = Counter(label: "access_tokens_refused_total", dimensions: [("reason", reason)])
    }
    self.refused = refused
  }

  /// - Throws: what is wrong with the file; then everything is as before.
  func reload(_ settings: Settings.Auth, logger: Logger) throws(StartError) {
    let newer = try Self.load(settings, logger: logger)
    verifier.withLock { $0 = newer }
  }

  private static func load(_ settings: Settings.Auth, logger: Logger) throws(StartError) -> TokenVerifier {
    let keys: KeySet
    do {
      keys = try KeySet(try SmallFile.read(settings.keys, limit: fileBytesMaximum))
    } catch let failure as SmallFile.Failure {
      throw StartError(
        "auth.keys: \(settings.keys): \(failure); expected a readable JSON Web Key Set (RFC 7517)")
    } catch {
      throw StartError("auth.keys: \(settings.keys): \(error)")
    }
    for remark in keys.remarks {
      logger.warning("a key of auth.keys", metadata: ["file": "\(settings.keys)", "remark": "\(remark)"])
    }
    return TokenVerifier(
      keys: keys,
      rules: TokenRules(
        issuer: settings.issuer.isEmpty ? nil : settings.issuer,
        audience: settings.audience.isEmpty ? nil : settings.audience,
        walletsClaim: settings.walletsClaim))
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
