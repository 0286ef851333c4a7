/// Header lines in the order they came (or will be sent). Names compare without case (RFC 9110 §5.1);
/// the spelling is kept.
///
/// Values are what stood between the blanks after the colon and the end of the line. Each byte that is not
/// ASCII was replaced by U+FFFD: they are opaque (RFC 9110 §5.5) and nothing here looks at them.
public struct HTTPHeaders: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public private(set) var fields: [Field]

  public init() { fields = [] }

  public init(_ fields: [Field]) { self.fields = fields }

  public init(_ pairs: [(name: String, value: String)]) {
    fields = pairs.map { Field(name: $0.name, value: $0.value) }
  }

  public var count: Int { fields.count }
  public var isEmpty: Bool { fields.isEmpty }

  /// All lines as plain pairs, for code that doesn't know this type.
  public var pairs: [(name: String, value: String)] { fields.map { ($0.name, $0.value) } }

  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  public mutating func append(contentsOf other: HTTPHeaders) {
    fields.append(contentsOf: other.fields)
  }

  /// Leaves one line of that name, at the place of the first one or at the end.
  public mutating func set(_ name: String, _ value: String) {
    guard let index = fields.firstIndex(where: { $0.isNamed(name) }) else { return append(name, value) }
    fields[index].value = value
    var kept = false
    fields.removeAll { field in
      guard field.isNamed(name) else { return false }
      defer { kept = true }
      return kept
    }
  }

  public mutating func remove(_ name: String) {
    fields.removeAll { $0.isNamed(name) }
  }

  /// The value of the first line of that name.
  public func first(_ name: String) -> String? {
    fields.first { $0.isNamed(name) }?.value
  }

  /// The values of all lines of that name, in order.
  public func all(_ name: String) -> [String] {
    fields.lazy.filter { $0.isNamed(name) }.map(\.value)
  }

  public func contains(_ name: String) -> Bool {
    fields.contains { $0.isNamed(name) }
  }

  /// Whether `token` is an element of the comma-separated lists of that name, without regard to case
  /// (`Connection`, `Upgrade`; RFC 9110 §5.6.1, §7.6.1, §7.8).
  public func containsToken(_ name: String, _ token: String) -> Bool {
    fields.contains { field in
      field.isNamed(name)
        && field.value[...].utf8.split(separator: Grammar.comma).contains {
          Grammar.equalIgnoringCase(Grammar.trimmed($0), token.utf8)
        }
    }
  }
}

extension HTTPHeaders.Field {
  func isNamed(_ other: String) -> Bool {
    // Nearly all names differ in length.
    name.utf8.count == other.utf8.count && Grammar.equalIgnoringCase(name.utf8.span, other.utf8.span)
  }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
  /// `["Content-Type": "text/plain", "Vary": "Origin"]`: the order is kept, a name may come twice.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }
}
