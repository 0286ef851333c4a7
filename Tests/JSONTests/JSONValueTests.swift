import JSON
import Testing

@Suite struct JSONValueTests {
  @Test func accessorsFindWhatIsThereAndNothingElse() {
    let value: JSONValue = ["a": [1, "two", true, .null], "b": ["c": 3]]
    #expect(value["a"]?[0]?.int == 1)
    #expect(value["a"]?[1]?.string == "two")
    #expect(value["a"]?[2]?.bool == true)
    #expect(value["a"]?[3]?.isNull == true)
    #expect(value["a"]?[4] == nil)
    #expect(value["a"]?[-1] == nil)
    #expect(value["b"]?["c"]?.int == 3)
    #expect(value["missing"] == nil)
    #expect(value["a"]?["b"] == nil)
    #expect(value[0] == nil)
    #expect(value["a"]?.string == nil)
    #expect(value.object?.count == 2)
    #expect(value["a"]?.array?.count == 4)
  }

  @Test(
    arguments: [
      ("5", 5), ("-5", -5), ("-0", 0), ("9223372036854775807", Int64.max), ("-9223372036854775808", .min),
      ("9223372036854775808", nil), ("1.0", nil), ("1e3", nil), ("0.5", nil),
    ] as [(String, Int64?)])
  func int64IsPlainIntegersOnly(text: String, expected: Int64?) throws {
    #expect(try #require(JSONNumber(text: text)).int64 == expected)
  }

  @Test(
    arguments: [
      ("18446744073709551615", UInt64.max), ("-0", 0), ("18446744073709551616", nil), ("-1", nil),
      ("1.5", nil),
    ] as [(String, UInt64?)])
  func uint64(text: String, expected: UInt64?) throws {
    #expect(try #require(JSONNumber(text: text)).uint64 == expected)
  }

  @Test func doubleIsTheNearestFloat() throws {
    #expect(try #require(JSONNumber(text: "-2.3009954568977147")).double == -2.3009954568977147)
    #expect(try #require(JSONNumber(text: "1e400")).double == .infinity)
  }

  @Test(arguments: ["", "x", "1 ", " 1", "01", "1.", "NaN", "+1", "1e", "0x1", "١"])
  func onlyNumbersAreNumbers(text: String) {
    #expect(JSONNumber(text: text) == nil)
  }

  @Test func objectsKeepTheirOrderAndFindTheirMembers() throws {
    for count in [1, 5, 11, 12, 13, 200] {
      let text = "{" + (0..<count).map { #""k\#($0)":\#($0)"# }.joined(separator: ",") + "}"
      let object = try #require(try JSONParser.parse(text, limits: limits).object)
      #expect(object.map(\.key) == (0..<count).map { "k\($0)" })
      for index in 0..<count { #expect(object["k\(index)"]?.int == index) }
      #expect(object["k\(count)"] == nil)
      let twice = text.dropLast() + #","k0":1}"#
      #expect(throws: JSONError.self) { try JSONParser.parse(String(twice), limits: limits) }
    }
  }

  /// RFC 8259 §8.3: names and strings compare by their code units, not by what they look like.
  @Test(arguments: [0, 20])
  func lookAlikesAreDifferent(others: Int) throws {
    let more = (0..<others).map { #","k\#($0)":0"# }.joined()
    let text = "{\"\u{E9}\":1,\"e\u{301}\":2" + more + "}"
    let object = try #require(try JSONParser.parse(text, limits: limits).object)
    #expect(object["\u{E9}"]?.int == 1)
    #expect(object["e\u{301}"]?.int == 2)
    #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    #expect(JSONValue.object(object) == .object(object))
  }

  @Test func objectsCanBeEdited() {
    var object = JSONObject()
    for index in 0..<20 { object["k\(index)"] = .number(JSONNumber(index)) }
    object["k3"] = "three"
    object["k0"] = nil
    object["k99"] = nil
    #expect(object.count == 19)
    #expect(object["k0"] == nil)
    #expect(object["k3"] == "three")
    #expect(object["k19"]?.int == 19)
  }

  @Test func objectsAreEqualInAnyOrder() {
    #expect(["a": 1, "b": 2] as JSONValue == ["b": 2, "a": 1])
    #expect(["a": 1] as JSONValue != ["a": 2])
    #expect(["a": 1] as JSONValue != ["b": 1])
    #expect(["a": 1] as JSONValue != ["a": 1, "b": 2])
  }
}
