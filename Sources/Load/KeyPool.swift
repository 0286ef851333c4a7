import Ethereum
import JSON

/// The keys that clients subscribe to, and which of them each gets.
public struct KeyPool: Sendable {
  public enum Kind: Sendable {
    case wallets, tokens

    var word: String { self == .wallets ? "wallet" : "token" }
  }

  public let kind: Kind
  private let patterns: [KeyPattern]
  /// How many different keys there are.
  public let count: Int

  /// Keys and patterns with commas between them, as in `ETH:0x{n:40},BSC:0x{n:40}`: the first key is the first pattern's
  /// number 0, the second is the second's number 0, and so on around. Without any placeholder it is a list.
  ///
  /// - Parameter distinct: how many different keys a text with placeholders gives.
  /// - Throws: `.badPattern`, `.badKey`: also of a pattern whose keys are none.
  public init(_ kind: Kind, parsing text: String, distinct: Int) throws(LoadOptionError) {
    var patterns: [KeyPattern] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      patterns.append(try KeyPattern(parsing: part.drop { $0 == " " }))
    }
    let isList = patterns.allSatisfy(\.isConstant)
    try self.init(kind, patterns, count: isList ? patterns.count : max(1, distinct))
  }

  /// What a file holds: keys, one a line (blank lines and those that begin with `#` are left out), or a JSON array of
  /// strings.
  public init(_ kind: Kind, file bytes: [UInt8]) throws(LoadOptionError) {
    var patterns: [KeyPattern] = []
    for key in try Self.lines(bytes) { patterns.append(try KeyPattern(parsing: key)) }
    try self.init(kind, patterns, count: patterns.count)
  }

  static let empty = KeyPool()

  private init() { (kind, patterns, count) = (.wallets, [], 0) }

  private init(_ kind: Kind, _ patterns: [KeyPattern], count: Int) throws(LoadOptionError) {
    guard !patterns.isEmpty else { throw .noKeys(kind) }
    self.kind = kind
    self.patterns = patterns
    self.count = count
    // What is true of a pattern's first key is true of all: they differ in digits alone.
    for index in patterns.indices { try Self.check(key(index), kind) }
  }

  private static func check(_ key: String, _ kind: Kind) throws(LoadOptionError) {
    do throws(KeyError) {
      switch kind {
      case .wallets: _ = try WalletKey(parsing: key)
      case .tokens: _ = try TokenKey(parsing: key)
      }
    } catch {
      throw .badKey(key, kind, error.description)
    }
  }

  private static func lines(_ bytes: [UInt8]) throws(LoadOptionError) -> [String] {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.first(where: { !$0.isWhitespace }) == "[" else {
      return text.split(whereSeparator: \.isNewline).compactMap { line in
        let key = line.drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
        return key.isEmpty || key.hasPrefix("#") ? nil : String(key)
      }
    }
    do {
      let list = try JSONParser.parse(bytes, limits: JSONLimits(depth: 2, numberBytes: 64)).array ?? []
      let keys = list.compactMap(\.string)
      guard keys.count == list.count else { throw LoadOptionError.badKeyFile("not an array of strings") }
      return keys
    } catch let error as LoadOptionError {
      throw error
    } catch {
      throw .badKeyFile("\(error)")
    }
  }

  /// The key of that number, counted around.
  func key(_ index: Int) -> String {
    let index = index % count
    return patterns[index % patterns.count].key(UInt64(index / patterns.count))
  }

  /// What a client subscribes to: neighbours in the pool, no key twice.
  func keys(ofClient client: Int, each perConnection: Int) -> [String] {
    let wanted = max(0, min(perConnection, count))
    return (0..<wanted).map { key(client * wanted + $0) }
  }
}
