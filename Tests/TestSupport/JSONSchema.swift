public import JSON

/// A checker for the part of JSON Schema (2020-12) that our descriptions use. A keyword that it does not know is a fault
/// of the schema, not passed over: what is not checked must not look as if it were.
public struct JSONSchema {
  private let document: JSONValue
  private let schema: JSONValue
  private let isClosed: Bool

  /// - Parameters:
  ///   - pointer: of the schema in the document, as in `$ref`: `#/components/schemas/Row`.
  ///   - isClosed: an object may have no members but those that its schema names, where that does not say otherwise.
  public init(_ document: JSONValue, _ pointer: String, isClosed: Bool = true) {
    self.init(document, schema: ["$ref": .string(pointer)], isClosed: isClosed)
  }

  /// - Parameter schema: itself; its `$ref`s point into the document.
  public init(_ document: JSONValue, schema: JSONValue, isClosed: Bool = true) {
    self.document = document
    self.schema = schema
    self.isClosed = isClosed
  }

  /// What is wrong with `value`, each with its place; empty where it is valid.
  public func faults(_ value: JSONValue) -> [String] { faults(value, schema, "$") }

  /// The value at a pointer (RFC 6901, as a fragment; without escapes).
  public static func resolve(_ pointer: String, in document: JSONValue) -> JSONValue? {
    guard pointer.hasPrefix("#/") else { return nil }
    return pointer.dropFirst(2).split(separator: "/").reduce(document) { $0?[String($1)] }
  }

  private static let annotations: Set<String> = ["description", "title", "examples", "default", "$ref"]

  private func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
    if let isAllowed = schema.bool { return isAllowed ? [] : ["\(place) must not be there"] }
    guard let keywords = schema.object else { return ["\(place): its schema is no object"] }
    var faults: [String] = []
    if let pointer = schema["$ref"]?.string {
      guard let target = Self.resolve(pointer, in: document) else {
        return ["\(place): no schema \(pointer)"]
      }
      faults += self.faults(value, target, place)
    }
    for keyword in keywords where !Self.annotations.contains(keyword.key) {
      faults += check(value, keyword.key, keyword.value, schema, place)
    }
    if isClosed, let known = schema["properties"]?.object, schema["additionalProperties"] == nil {
      for member in value.object ?? JSONObject() where known[member.key] == nil {
        faults.append("\(place).\(member.key) is not described")
      }
    }
    return faults
  }

  private func check(
    _ value: JSONValue, _ keyword: String, _ argument: JSONValue, _ schema: JSONValue, _ place: String
  ) -> [String] {
    func expect(_ isRight: Bool) -> [String] {
      isRight ? [] : ["\(place) is \(value.description.prefix(80)), not \(keyword) \(argument)"]
    }
    switch keyword {
    case "type":
      let types = argument.array ?? [argument]
      return expect(types.contains { has(value, type: $0.string ?? "") })
    case "const": return expect(value == argument)
    case "enum": return expect(argument.array?.contains(value) == true)
    case "pattern": return value.string.map { expect(matches($0, argument.string ?? "(")) } ?? []
    case "maxLength": return value.string.map { expect($0.unicodeScalars.count <= argument.int ?? -1) } ?? []
    case "minimum": return value.number.map { expect($0.double >= argument.number?.double ?? .nan) } ?? []
    case "maximum": return value.number.map { expect($0.double <= argument.number?.double ?? .nan) } ?? []
    case "exclusiveMinimum":
      return value.number.map { expect($0.double > argument.number?.double ?? .nan) } ?? []
    case "required":
      guard let object = value.object else { return [] }
      return (argument.array ?? []).compactMap { name in
        object[name.string ?? ""] == nil ? "\(place).\(name.string ?? "?") is missing" : nil
      }
    case "properties":
      return (argument.object ?? JSONObject()).flatMap { member in
        value[member.key].map { faults($0, member.value, "\(place).\(member.key)") } ?? []
      }
    case "additionalProperties":
      let known = schema["properties"]?.object
      return (value.object ?? JSONObject()).flatMap { member in
        known?[member.key] == nil ? faults(member.value, argument, "\(place).\(member.key)") : []
      }
    case "items":
      return (value.array ?? []).enumerated().flatMap { faults($1, argument, "\(place)[\($0)]") }
    case "oneOf": return choice(value, argument, place) { $0 == 1 }
    case "anyOf": return choice(value, argument, place) { $0 >= 1 }
    default: return ["\(place): the checker does not know \(keyword)"]
    }
  }

  private func choice(
    _ value: JSONValue, _ branches: JSONValue, _ place: String, _ isRight: (Int) -> Bool
  ) -> [String] {
    let results = (branches.array ?? []).map { faults(value, $0, place) }
    let count = results.count { $0.isEmpty }
    if isRight(count) { return [] }
    // The branch that came nearest tells most.
    let nearest = results.min { $0.count < $1.count } ?? []
    return ["\(place) fits \(count) of \(results.count) choices"] + (count == 0 ? nearest : [])
  }

  private func has(_ value: JSONValue, type: String) -> Bool {
    switch value {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    case .number(let number): type == "number" || type == "integer" && number.int64 != nil
    }
  }

  private func matches(_ text: String, _ pattern: String) -> Bool {
    guard let regex = try? Regex(pattern) else { return false }
    return text.firstMatch(of: regex) != nil
  }
}
