import JSON
import TestSupport
import Testing

/// The checker that the descriptions of the interface are tested with says no where it should.
@Suite struct JSONSchemaTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONParser.parse(Array(text.utf8), limits: JSONLimits(depth: 16, numberBytes: 32))
  }

  private func faults(_ schema: String, _ value: String, isClosed: Bool = true) throws -> [String] {
    let document = try parse(#"{"it":\#(schema),"even":{"enum":[2,4]}}"#)
    return JSONSchema(document, "#/it", isClosed: isClosed).faults(try parse(value))
  }

  @Test(arguments: [
    (#"{"type":"integer"}"#, ["1", "-7"], ["1.5", #""1""#, "null", "true"]),
    (#"{"type":"number"}"#, ["1", "1.5"], [#""1""#]),
    (#"{"type":["string","null"]}"#, [#""a""#, "null"], ["0", "false", "[]", "{}"]),
    (#"{"type":"boolean"}"#, ["true", "false"], ["null", "0"]),
    (#"{"const":"a"}"#, [#""a""#], [#""b""#, "null"]),
    (#"{"enum":["a",null]}"#, [#""a""#, "null"], [#""b""#]),
    (#"{"pattern":"^[0-9]+$"}"#, [#""12""#, "true"], [#""1a""#, #""""#]),
    (#"{"pattern":"("}"#, [], [#""a""#]),
    (#"{"maxLength":2}"#, [#""ab""#], [#""abc""#]),
    (#"{"minimum":0,"maximum":3}"#, ["0", "3"], ["-1", "4"]),
    (#"{"exclusiveMinimum":0}"#, ["0.5"], ["0"]),
    (#"{"type":"array","items":{"type":"integer"}}"#, ["[]", "[1,2]"], [#"[1,"2"]"#, "{}"]),
    (
      #"{"required":["a"],"properties":{"a":{"type":"integer"}}}"#, [#"{"a":1}"#, "7"], ["{}", #"{"a":"1"}"#]
    ),
    (#"{"properties":{"a":true,"b":false}}"#, ["{}", #"{"a":1}"#], [#"{"b":1}"#, #"{"c":1}"#]),
    (
      #"{"properties":{"a":true},"additionalProperties":{"type":"integer"}}"#, [#"{"a":"x","b":1}"#],
      [#"{"b":"x"}"#]
    ),
    (#"{"oneOf":[{"type":"integer"},{"minimum":5}]}"#, ["1", "5.5"], ["7", "1.5"]),
    (#"{"anyOf":[{"type":"integer"},{"minimum":5}]}"#, ["1", "7"], ["1.5"]),
    (##"{"$ref":"#/even"}"##, ["2"], ["3"]),
    (##"{"$ref":"#/odd"}"##, [], ["3"]),
    (#"{"multipleOf":2}"#, [], ["2"]),
    (#"7"#, [], ["2"]),
  ])
  func yesAndNo(_ schema: String, _ right: [String], _ wrong: [String]) throws {
    for value in right { #expect(try faults(schema, value) == [], "\(schema) \(value)") }
    for value in wrong { #expect(try faults(schema, value) != [], "\(schema) \(value)") }
  }

  @Test func openObjects() throws {
    #expect(try faults(#"{"properties":{"a":true}}"#, #"{"c":1}"#, isClosed: false) == [])
  }

  @Test func placesAreNamed() throws {
    let schema = #"{"items":{"required":["a"],"properties":{"a":{"type":"integer"}}}}"#
    #expect(
      try faults(schema, #"[{"a":1},{"a":"x","b":2},{}]"#) == [
        #"$[1].a is "x", not type "integer""#, "$[1].b is not described", "$[2].a is missing",
      ])
  }
}
