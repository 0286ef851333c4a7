import Ethereum
import JSON

/// A setting: its name, what it may be, where it goes. The tables of these are the only place that knows the
/// settings: reading, the search for unknown names, ``Settings/describe(revealingSecrets:)`` and
/// ``Settings/reference`` are derived from them.
struct SettingDefinition<Root>: Sendable {
  /// `["http", "port"]`; of a chain's settings only the last part.
  let path: [String]
  let form: SettingForm
  let expected: String
  let expectedElement: String
  let secrecy: SettingSecrecy
  /// One line for the reference.
  let summary: String
  let store: @Sendable (inout Root, _ texts: [String], _ folder: String) throws(SettingRefusal) -> Void
  /// Nil where it is left out.
  let show: @Sendable (Root) -> JSONValue?

  var key: String { path.joined(separator: ".") }

  private init<Value>(
    _ key: String, _ kind: SettingKind<Value>, _ summary: String,
    store: @escaping @Sendable (inout Root, Value) -> Void, show: @escaping @Sendable (Root) -> Value?
  ) {
    path = key.split(separator: ".").map { String($0) }
    form = kind.form
    expected = kind.expected
    expectedElement = kind.expectedElement
    secrecy = kind.secrecy
    self.summary = summary
    self.store = { (root, texts, folder) throws(SettingRefusal) in
      store(&root, try kind.parse(texts, folder))
    }
    self.show = { show($0).map(kind.show) }
  }

  init<Value>(
    _ key: String, _ kind: SettingKind<Value>, _ target: any WritableKeyPath<Root, Value> & Sendable,
    _ summary: String
  ) {
    self.init(
      key, kind, summary, store: { $0[keyPath: target] = $1 }, show: { $0[keyPath: target] })
  }

  /// One that may be left out.
  init<Value>(
    optional key: String, _ kind: SettingKind<Value>, _ target: any WritableKeyPath<Root, Value?> & Sendable,
    _ summary: String
  ) {
    self.init(
      key, kind, summary, store: { $0[keyPath: target] = $1 }, show: { $0[keyPath: target] })
  }
}

/// Settings while they are read: the parts of ``Settings`` that exist only whole, or need all else to be
/// known.
struct SettingsDraft: Sendable {
  var settings = Settings()
  /// Nil: as if left out.
  var enabled: [ChainCode]?
  var certificate: String?
  var certificateKey: String?
  var authKeys: String?
  var authIssuer: String?
  var authAudience: String?
  var authWalletsClaim: String?

  init() {}

  init(_ settings: Settings) {
    self.settings = settings
    enabled = settings.chains.map(\.code)
    certificate = settings.http.tls?.certificate
    certificateKey = settings.http.tls?.key
    authKeys = settings.auth?.keys
    authIssuer = settings.auth?.issuer
    authAudience = settings.auth?.audience
    authWalletsClaim = settings.auth?.walletsClaim
  }
}
