// The list grammar of header values that the handshake uses: RFC 9110 §5.6, RFC 6455 §9.1.

/// The header fields of a request or response, in order, as a list of pairs.
public typealias HeaderFields = [(name: String, value: String)]

/// An extension as a client offers it or a server accepts it, with its parameters (RFC 6455 §9.1).
public struct ExtensionOffer: Hashable, Sendable {
  public struct Parameter: Hashable, Sendable {
    public var name: String
    /// nil: the parameter stands alone.
    public var value: String?

    public init(name: String, value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  public var name: String
  public var parameters: [Parameter]

  public init(name: String, parameters: [Parameter] = []) {
    self.name = name
    self.parameters = parameters
  }

  /// As it stands in `Sec-WebSocket-Extensions`.
  public var headerValue: String {
    parameters.reduce(name) { text, parameter in
      text + "; " + parameter.name + (parameter.value.map { "=" + $0 } ?? "")
    }
  }
}

enum HeaderList {
  /// The values of all fields called `name`, whatever its case, without the blanks around them.
  static func values(of name: String, in fields: HeaderFields) -> [String] {
    var values: [String] = []
    for field in fields where equal(field.name, name) { values.append(trimmed(field.value)) }
    return values
  }

  static func trimmed(_ value: String) -> String {
    let bytes = value.utf8
    // Whoever parsed the head took the blanks away, as a rule.
    guard bytes.first.map(isBlank) == true || bytes.last.map(isBlank) == true else { return value }
    return String(Substring(trim(Substring(value).utf8)))
  }

  /// Whether the two are equal but for the case of ASCII letters.
  static func equal(_ a: String, _ b: String) -> Bool {
    // Nearly all names differ in length.
    a.utf8.count == b.utf8.count && equal(a.utf8.span, b.utf8.span)
  }

  private static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in a.indices where lowercased(a[index]) != lowercased(b[index]) { return false }
    return true
  }

  /// Whether a comma-separated list, over all its fields, has the element `token`, in any case.
  static func contains(_ token: String, in values: [String]) -> Bool {
    values.contains { contains(token.utf8.span, in: $0.utf8.span) }
  }

  private static func contains(_ token: Span<UInt8>, in list: Span<UInt8>) -> Bool {
    var start = 0
    while start < list.count {
      while start < list.count, isBlank(list[start]) { start += 1 }
      var end = start
      while end < list.count, list[end] != UInt8(ascii: ",") { end += 1 }
      var last = end
      while last > start, isBlank(list[last - 1]) { last -= 1 }
      if equal(list.extracting(start..<last), token) { return true }
      start = end + 1
    }
    return false
  }

  private static func elements(of value: String) -> [Substring.UTF8View] {
    Substring(value).utf8.split(separator: UInt8(ascii: ",")).map(trim)
  }

  /// The tokens of a comma-separated list over all its fields; nil: something else stands in it.
  /// Empty elements are passed over (RFC 9110 §5.6.1.2).
  static func tokens(in values: [String]) -> [String]? {
    var tokens: [String] = []
    for value in values {
      for token in elements(of: value) where !token.isEmpty {
        guard token.allSatisfy(isTokenByte) else { return nil }
        tokens.append(String(Substring(token)))
      }
    }
    return tokens
  }

  /// The extensions of `Sec-WebSocket-Extensions` fields in order; nil: they break the grammar of
  /// RFC 6455 §9.1.
  static func extensions(in values: [String]) -> [ExtensionOffer]? {
    var offers: [ExtensionOffer] = []
    for value in values {
      var scanner = Scanner(value)
      guard scanner.extensions(into: &offers) else { return nil }
    }
    return offers
  }

  /// RFC 9110 §5.6.2: tchar.
  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E:
      true  // ! # $ % & ' * + - . ^ _ ` | ~
    default: false
    }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func trim(_ text: Substring.UTF8View) -> Substring.UTF8View {
    var bytes = text
    while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }

  /// Reads one field's value from left to right.
  private struct Scanner {
    var rest: Substring.UTF8View

    init(_ value: String) {
      rest = Substring(value).utf8
    }

    /// extension-list = 1#( token *( ";" extension-param ) )
    mutating func extensions(into offers: inout [ExtensionOffer]) -> Bool {
      while true {
        skipBlanks()
        if rest.isEmpty { return true }
        if take(",") { continue }
        guard let name = token() else { return false }
        var offer = ExtensionOffer(name: name)
        skipBlanks()
        while take(";") {
          guard let parameter = parameter() else { return false }
          offer.parameters.append(parameter)
          skipBlanks()
        }
        offers.append(offer)
        if !rest.isEmpty, !take(",") { return false }
      }
    }

    /// extension-param = token [ "=" ( token | quoted-string ) ]
    private mutating func parameter() -> ExtensionOffer.Parameter? {
      skipBlanks()
      guard let name = token() else { return nil }
      skipBlanks()
      guard take("=") else { return ExtensionOffer.Parameter(name: name) }
      skipBlanks()
      guard let value = rest.first == UInt8(ascii: "\"") ? quoted() : token() else { return nil }
      return ExtensionOffer.Parameter(name: name, value: value)
    }

    /// A quoted string. §9.1: "the value after quoted-string unescaping MUST conform to the 'token'".
    private mutating func quoted() -> String? {
      guard take("\"") else { return nil }
      var value = ""
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") { return value.isEmpty ? nil : value }
        let meant = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte
        guard let meant, isTokenByte(meant) else { return nil }
        value.unicodeScalars.append(Unicode.Scalar(meant))
      }
      return nil
    }

    private mutating func token() -> String? {
      let token = rest.prefix(while: isTokenByte)
      rest = rest.dropFirst(token.count)
      return token.isEmpty ? nil : String(Substring(token))
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard let first = rest.first, UInt32(first) == character.value else { return false }
      rest.removeFirst()
      return true
    }

    private mutating func skipBlanks() {
      rest = rest.drop(while: isBlank)
    }
  }
}
