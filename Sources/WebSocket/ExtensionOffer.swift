// The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).

import HTTP1

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

extension ExtensionOffer {
  /// Those of all `Sec-WebSocket-Extensions` fields, in order; nil: they break the grammar of RFC 6455 §9.1.
  static func list(in headers: HTTPHeaders) -> [ExtensionOffer]? {
    var offers: [ExtensionOffer] = []
    for value in headers.all("Sec-WebSocket-Extensions") {
      var scanner = ExtensionScanner(value)
      guard scanner.extensions(into: &offers) else { return nil }
    }
    return offers
  }
}

/// Reads one field's value from left to right.
private struct ExtensionScanner {
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
      guard let meant, Grammar.isToken(meant) else { return nil }
      value.unicodeScalars.append(Unicode.Scalar(meant))
    }
    return nil
  }

  private mutating func token() -> String? {
    let token = rest.prefix(while: Grammar.isToken)
    rest = rest.dropFirst(token.count)
    return token.isEmpty ? nil : String(Substring(token))
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func skipBlanks() {
    rest = rest.drop(while: Grammar.isBlank)
  }
}
