import Ethereum
import JSON
import Upstream

// Numbers

extension SettingKind where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> Self {
    Self(
      .number, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { text, _ in
        JSONNumber(text: text)?.int64.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
      },
      show: { .number(JSONNumber($0)) })
  }
}

extension SettingKind where Value == UInt64 {
  /// EIP-2294 bounds chain ids, which also keeps them inside signed 64-bit integers.
  static let chainID = Self(
    .number, expected: "a whole number from 1 to \(UInt64.max / 2 - 36)",
    parse: { text, _ in
      JSONNumber(text: text)?.uint64.flatMap { $0 >= 1 && $0 <= UInt64.max / 2 - 36 ? $0 : nil }
    },
    show: { .number(JSONNumber($0)) })
}

extension SettingKind where Value == UInt16 {
  static let port = Self(
    .number, expected: "a whole number from 0 to 65535",
    parse: { text, _ in JSONNumber(text: text)?.uint64.flatMap { UInt16(exactly: $0) } },
    show: { .number(JSONNumber($0)) })
}

extension SettingKind where Value == Double {
  static func rate(upTo maximum: Double) -> Self {
    Self(
      .number, expected: "a number above 0, up to \(DecimalText.of(maximum))",
      parse: { text, _ in
        JSONNumber(text: text).map(\.double).flatMap { $0 > 0 && $0 <= maximum ? $0 : nil }
      },
      show: { JSONNumber(text: DecimalText.of($0)).map(JSONValue.number) ?? .null })
  }
}

extension SettingKind where Value == Duration {
  /// Longer than any server runs, and in nanoseconds far from the end of `Int64`.
  private static let secondsMaximum = 1_000_000_000.0

  /// What is above zero and below a millisecond is taken as a millisecond, the server's finest step.
  static let interval = seconds("a number of seconds above 0, up to 1000000000") { $0 > 0 }

  static let cooldown = seconds("a number of seconds from 0 to 1000000000") { $0 >= 0 }

  private static func seconds(
    _ expected: String, _ isAllowed: @escaping @Sendable (Double) -> Bool
  ) -> Self {
    Self(
      .number, expected: expected,
      parse: { text, _ in
        guard let seconds = JSONNumber(text: text)?.double, isAllowed(seconds), seconds <= secondsMaximum
        else {
          return nil
        }
        if seconds == 0 { return .zero }
        return max(.nanoseconds(Int64((seconds * 1e9).rounded())), .milliseconds(1))
      },
      show: { JSONNumber(text: DecimalText.of($0)).map(JSONValue.number) ?? .null })
  }
}

/// Numbers as a person writes them.
enum DecimalText {
  /// `20`, `0.5`.
  static func of(_ value: Double) -> String {
    Int64(exactly: value).map { String($0) } ?? value.description
  }

  /// Seconds, to the nanosecond.
  static func of(_ value: Duration) -> String {
    let (seconds, attoseconds) = value.components
    let nanoseconds = attoseconds / 1_000_000_000
    guard nanoseconds != 0 else { return String(seconds) }
    var digits = String(nanoseconds + 1_000_000_000).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(seconds).\(digits)"
  }
}

// Words

extension SettingKind where Value == Bool {
  static let boolean = Self(
    .boolean, expected: "true or false",
    parse: { text, _ in Bool(text) }, show: { .bool($0) })
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  static var word: Self {
    let words = Value.allCases.map(\.rawValue)
    return Self(
      .text,
      expected: words.count == 2
        ? words.joined(separator: " or ") : "one of " + words.joined(separator: ", "),
      parse: { text, _ in Value(rawValue: text) }, show: { .string($0.rawValue) })
  }
}

extension SettingKind where Value == String {
  static let text = Self(.text, expected: "a string", parse: { text, _ in text }, show: { .string($0) })

  static let nonEmptyText = Self(
    .text, expected: "a string that is not empty",
    parse: { text, _ in text.isEmpty ? nil : text }, show: { .string($0) })

  static let secret = Self(
    .text, expected: "a string", secrecy: .secret, parse: { text, _ in text }, show: { .string($0) })
}

extension SettingKind where Value == ChainCode {
  static let chainCode = Self(
    .text, expected: "a chain's code such as ETH",
    parse: { text, _ in try? ChainCode(parsing: text) }, show: { .string($0.description) })
}

// Paths

extension SettingKind where Value == String {
  static func path(_ what: String) -> Self {
    Self(.text, expected: "the path of \(what)", parse: { resolve($0, $1) }, show: { .string($0) })
  }

  static let databasePath = Self(
    .text, expected: "the path of the database or \(Settings.Storage.inMemory)",
    parse: { text, folder in text == Settings.Storage.inMemory ? text : resolve(text, folder) },
    show: { .string($0) })

  /// A path, or the URL of a file.
  static let fileOrURL = Self(
    .text, expected: "a path or an http: or https: URL", secrecy: .open,
    parse: { (text, folder) throws(SettingRefusal) in
      text.contains("://") ? try checkedURL(text) : resolve(text, folder)
    },
    show: { .string($0) })

  /// An absolute path; nil where `path` is none.
  static func resolve(_ path: String, _ folder: String) -> String? {
    guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
    guard !path.hasPrefix("/") else { return path }
    var rest = path[...]
    while rest.hasPrefix("./"), rest.utf8.count > 2 { rest = rest.dropFirst(2) }
    return folder.hasSuffix("/") ? folder + rest : folder + "/" + rest
  }
}

// Addresses

extension SettingKind where Value == String {
  static let httpURL = Self(
    .text, expected: "an http: or https: URL", secrecy: .url,
    parse: { (text, _) throws(SettingRefusal) in try checkedURL(text) }, show: { .string($0) })

  static let webSocketURL = Self(
    .text, expected: "a ws: or wss: URL", secrecy: .url,
    parse: { (text, _) throws(SettingRefusal) in
      // RFC 6455 §3: but for the scheme they are built like http's.
      guard text.prefix(2).lowercased() == "ws" else { return nil }
      return try checkedURL("http" + text.dropFirst(2)).map { _ in text }
    },
    show: { .string($0) })

  private static func checkedURL(_ text: String) throws(SettingRefusal) -> String? {
    do throws(HTTPURLError) {
      _ = try HTTPURL(text)
      return text
    } catch .unsupportedScheme {
      return nil
    } catch {
      throw SettingRefusal(reason: error.description)
    }
  }

  /// An address literal without brackets, or a DNS name.
  static let host = Self(
    .text, expected: "an IP address or a host name",
    parse: { text, _ in
      let inner = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
      if AddressRange.parse(address: inner) != nil { return inner }
      guard inner == text, !text.contains(where: { ":/?#@[".contains($0) }),
        let url = try? HTTPURL("http://\(text)/")
      else { return nil }
      return url.host
    },
    show: { .string($0) })

  /// What a request may ask for, or `*` for anything.
  static let allowedHost = Self(
    .text, expected: "an IP address or a host name without a port, or *",
    parse: { (text, folder) throws(SettingRefusal) in text == "*" ? text : try host.parse([text], folder) },
    show: { .string($0) })

  /// An origin as browsers spell it (RFC 6454 §6.2), or `*` for all.
  static let origin = Self(
    .text, expected: "an origin such as https://app.example, or *",
    parse: { (text, _) throws(SettingRefusal) in
      if text == "*" { return text }
      guard let colon = text.firstRange(of: "://") else { return nil }
      let authority = text[colon.upperBound...]
      guard !authority.isEmpty, !authority.contains(where: { "/?# ".contains($0) }) else {
        throw SettingRefusal(reason: "an origin is a scheme and a host, with nothing behind them")
      }
      let scheme = text[..<colon.lowerBound].lowercased()
      // Pages of browser extensions have schemes of their own.
      guard scheme == "http" || scheme == "https" else { return scheme + "://" + authority.lowercased() }
      do throws(HTTPURLError) {
        return try HTTPURL(text).origin
      } catch {
        throw SettingRefusal(reason: error.description)
      }
    },
    show: { .string($0) })
}

extension SettingKind where Value == AddressRange {
  static let addressRange = Self(
    .text, expected: "an address range such as 10.0.0.0/8", parse: { text, _ in AddressRange(text) },
    show: { .string($0.description) })
}

extension SettingKind where Value == Address {
  static let address = Self(
    .text, expected: "an address, 0x and 40 hexadecimal digits",
    parse: { (text, _) throws(SettingRefusal) in try checkedAddress(text) },
    show: { .string($0.checksummed) })

  fileprivate static func checkedAddress(_ text: some StringProtocol) throws(SettingRefusal) -> Address {
    do throws(AddressError) {
      return try Address(parsing: String(text))
    } catch {
      throw SettingRefusal(reason: error.description)
    }
  }
}

extension SettingKind where Value == ChainlinkFeed {
  /// `LINK=0xfeed`, or `LINK=0xfeed:0xtoken`.
  static let chainlinkFeed = Self(
    .text, expected: "a feed such as LINK=0x…, or LINK=0x…:0x… with the token that it prices",
    parse: { (text, _) throws(SettingRefusal) in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, isBase(parts[0]) else { return nil }
      let addresses = parts[1].split(separator: ":", omittingEmptySubsequences: false)
      guard (1...2).contains(addresses.count) else { return nil }
      let feed = try SettingKind<Address>.checkedAddress(addresses[0])
      let token = addresses.count == 2 ? try SettingKind<Address>.checkedAddress(addresses[1]) : nil
      return ChainlinkFeed(base: String(parts[0]), address: feed, token: token)
    },
    show: { feed in
      .string("\(feed.base)=\(feed.address.checksummed)" + (feed.token.map { ":\($0.checksummed)" } ?? ""))
    })

  /// What stands before ` / USD` in a feed's description.
  private static func isBase(_ text: Substring) -> Bool {
    (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}
