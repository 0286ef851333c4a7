/// A JSON text as a tree (RFC 8259 §3).
///
/// Two values are equal when they have the same shape and the same literals: numbers compare by their text
/// (`1` and `1.0` differ), objects without regard to order, strings by their bytes.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

extension JSONValue {
  public static func == (left: JSONValue, right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
    }
  }
}

// Each accessor is nil where the value is of another kind: a wrong shape reads like a missing member.
extension JSONValue {
  @inlinable public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  @inlinable public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  @inlinable public var number: JSONNumber? {
    if case .number(let value) = self { value } else { nil }
  }

  @inlinable public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  @inlinable public var array: [JSONValue]? {
    if case .array(let value) = self { value } else { nil }
  }

  @inlinable public var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The number, where it is written as a plain integer that fits (``JSONNumber/int64``).
  @inlinable public var int: Int? {
    number?.int64.flatMap { Int(exactly: $0) }
  }

  /// The member of an object; nil where there is none, or where this is no object.
  @inlinable public subscript(key: String) -> JSONValue? { object?[key] }

  /// The element of an array; nil outside its bounds, or where this is no array.
  @inlinable public subscript(index: Int) -> JSONValue? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// What kind of value this is, for messages: "an object", "null" …
  public var kindDescription: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}

extension JSONValue: CustomStringConvertible {
  /// The compact JSON text.
  public var description: String { String(decoding: encoded(), as: UTF8.self) }

  /// The compact JSON text in UTF-8.
  public func encoded() -> [UInt8] {
    var writer = JSONWriter(reserving: 256)
    writer.value(self)
    return writer.bytes
  }
}
