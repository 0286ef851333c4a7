import Ethereum
import JSON

/// What a client asks of the server.
enum Operation: Sendable, Equatable {
  case subscribe(SubscribeMessage)
  case unsubscribe(wallets: [WalletKey], tokens: [TokenKey])
  case list
  case get(WalletKey)
  case refresh(WalletKey)
  case set(Pacing)
  case auth(String)
  case ping

  /// The message, one JSON object.
  func message(id: Int) -> String {
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.member("op", name)
    writer.member("id", id)
    switch self {
    case .subscribe(let message): message.write(to: &writer)
    case .unsubscribe(let wallets, let tokens):
      writer.keys("wallets", wallets)
      writer.keys("tokens", tokens)
    case .get(let wallet), .refresh(let wallet): writer.member("wallet", wallet.description)
    case .set(let pacing): pacing.write(to: &writer)
    case .auth(let token): writer.member("token", token)
    case .list, .ping: break
    }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private var name: String {
    switch self {
    case .subscribe: "subscribe"
    case .unsubscribe: "unsubscribe"
    case .list: "list"
    case .get: "get"
    case .refresh: "refresh"
    case .set: "set"
    case .auth: "auth"
    case .ping: "ping"
    }
  }
}

/// Wallets or tokens, never both: one `since` covers all of a message.
struct SubscribeMessage: Sendable, Equatable {
  var wallets: [WalletKey] = []
  var tokens: [TokenKey] = []
  /// `epoch:rev`
  var since: String?
  var pacing = Pacing()

  fileprivate func write(to writer: inout JSONWriter) {
    writer.keys("wallets", wallets)
    writer.keys("tokens", tokens)
    if let since { writer.member("since", since) }
    pacing.write(to: &writer)
  }
}

/// How much a connection wants to hear. What is nil is left as it is, at first as the server has it.
public struct Pacing: Sendable, Hashable {
  /// How often a connection brings changes.
  public enum Rate: Sendable, Hashable {
    /// Each one at once.
    case unlimited
    /// Ticks a second, above zero; 0.5 is one every two seconds.
    case perSecond(Double)
  }

  /// For the whole connection.
  public var rate: Rate?
  /// The changes of one turn in one message.
  public var batch: Bool?

  /// What is left out stays as it is.
  public init(rate: Rate? = nil, batch: Bool? = nil) {
    self.rate = rate
    self.batch = batch
  }

  /// This, with what the newer one says.
  func updated(by newer: Pacing) -> Pacing { Pacing(rate: newer.rate ?? rate, batch: newer.batch ?? batch) }

  fileprivate func write(to writer: inout JSONWriter) {
    switch rate {
    case nil: break
    case .unlimited:
      writer.key("rate")
      writer.null()
    case .perSecond(let rate):
      // What is no number of JSON, infinity, wants no limit.
      writer.key("rate")
      if let number = JSONNumber(text: "\(rate)") { writer.number(number) } else { writer.null() }
    }
    if let batch { writer.member("batch", batch) }
  }
}

extension JSONWriter {
  /// Nothing for an empty list.
  fileprivate mutating func keys(_ name: StaticString, _ keys: [some CustomStringConvertible]) {
    guard !keys.isEmpty else { return }
    key(name)
    beginArray()
    for key in keys { string(key.description) }
    endArray()
  }
}
