import JSON
import Testing

let limits = JSONLimits(depth: 64, numberBytes: 512)

/// Bytes given as text, where `\x` escapes of Swift will not do.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct Accepted: Sendable, CustomTestStringConvertible {
  let text: [UInt8]
  let value: JSONValue

  init(_ text: String, _ value: JSONValue) {
    self.text = bytes(text)
    self.value = value
  }

  var testDescription: String { String(decoding: text, as: UTF8.self) }
}

func number(_ text: String) -> JSONValue {
  guard let number = JSONNumber(text: text) else {
    Issue.record("not a number: \(text)")
    return .null
  }
  return .number(number)
}

let accepted: [Accepted] = [
  Accepted("null", .null), Accepted("true", true), Accepted(" false ", false),
  Accepted("0", 0), Accepted("-0", number("-0")), Accepted("-12", -12),
  Accepted("0.10", number("0.10")), Accepted("1e3", number("1e3")), Accepted("1E+3", number("1E+3")),
  Accepted("123456789012345678901234567890.5e-7", number("123456789012345678901234567890.5e-7")),
  Accepted(#""""#, ""), Accepted(#""a""#, "a"), Accepted(#""é☃😀""#, "é☃😀"),
  Accepted(#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
  Accepted(#""\u0041\u00e9\u2603""#, "Aé☃"), Accepted(#""\uD83D\uDE00""#, "😀"),
  Accepted(#""x\uDBFF\uDFFFy""#, "x\u{10FFFF}y"), Accepted(#""\u0000""#, "\0"),
  Accepted("\"\u{7F}\u{2028}\u{2029}\"", "\u{7F}\u{2028}\u{2029}"),
  Accepted("[]", []), Accepted("[ ]", []), Accepted("[1]", [1]), Accepted("[1,\n2 ,3]", [1, 2, 3]),
  Accepted("[[],[[]],{}]", [[], [[]], [:]]), Accepted("{}", [:]), Accepted("{ }", [:]),
  Accepted(#"{"a":1}"#, ["a": 1]),
  Accepted(#" { "a" : [ true , null ] , "b" : { } } "#, ["a": [true, .null], "b": [:]]),
  Accepted(#"{"":""}"#, ["": ""]), Accepted(#"{"\u0061":1,"\u0041":2}"#, ["a": 1, "A": 2]),
  Accepted("\t\r\n []\t\r\n ", []),
]

struct Refused: Sendable, CustomTestStringConvertible {
  let text: [UInt8]
  let reason: JSONError.Reason
  let offset: Int

  init(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
    self.init(bytes(text), reason, offset)
  }

  init(_ text: [UInt8], _ reason: JSONError.Reason, _ offset: Int) {
    self.text = text
    self.reason = reason
    self.offset = offset
  }

  var testDescription: String { String(decoding: text, as: UTF8.self) }
}

func quoted(_ content: [UInt8]) -> [UInt8] { [0x22] + content + [0x22] }

let refused: [Refused] = [
  Refused("", .unexpectedEnd, 0), Refused("  ", .unexpectedEnd, 2),
  Refused("[", .unexpectedEnd, 1), Refused("{", .unexpectedEnd, 1), Refused("[1", .unexpectedEnd, 2),
  Refused("[1,", .unexpectedEnd, 3), Refused(#"{"a""#, .unexpectedEnd, 4),
  Refused(#"{"a":"#, .unexpectedEnd, 5),
  Refused("]", .unexpectedByte(0x5D), 0), Refused("}", .unexpectedByte(0x7D), 0),
  Refused("[1,]", .unexpectedByte(0x5D), 3), Refused("[,1]", .unexpectedByte(0x2C), 1),
  Refused("[1 2]", .unexpectedByte(0x32), 3), Refused("[1}", .unexpectedByte(0x7D), 2),
  Refused(#"{"a":1,}"#, .unexpectedByte(0x7D), 7), Refused(#"{"a" 1}"#, .unexpectedByte(0x31), 5),
  Refused(#"{"a":1]"#, .unexpectedByte(0x5D), 6), Refused("{1:2}", .unexpectedByte(0x31), 1),
  Refused("{'a':1}", .unexpectedByte(0x27), 1), Refused("{a:1}", .unexpectedByte(0x61), 1),
  Refused("[1]]", .trailingBytes, 3), Refused("1 2", .trailingBytes, 2), Refused("{} x", .trailingBytes, 3),
  Refused("null\0", .trailingBytes, 4), Refused("// c\n1", .unexpectedByte(0x2F), 0),
  Refused("tru", .unexpectedEnd, 3), Refused("trve", .unexpectedByte(0x76), 2),
  Refused("True", .unexpectedByte(0x54), 0),
  Refused("nullx", .trailingBytes, 4),
  Refused("NaN", .unexpectedByte(0x4E), 0), Refused("Infinity", .unexpectedByte(0x49), 0),
  Refused("-Infinity", .invalidNumber, 1), Refused("+1", .unexpectedByte(0x2B), 0),
  Refused("-", .unexpectedEnd, 1),
  Refused("01", .invalidNumber, 0), Refused("-01", .invalidNumber, 1), Refused("1.", .unexpectedEnd, 2),
  Refused(".5", .unexpectedByte(0x2E), 0), Refused("1.e3", .invalidNumber, 2),
  Refused("1e", .unexpectedEnd, 2),
  Refused("1e+", .unexpectedEnd, 3), Refused("1ex", .invalidNumber, 2), Refused("0x10", .trailingBytes, 1),
  Refused("1_000", .trailingBytes, 1), Refused("[1.2.3]", .unexpectedByte(0x2E), 4),
  Refused(#"""#, .unexpectedEnd, 1), Refused(#""a"#, .unexpectedEnd, 2), Refused(#""\"#, .unexpectedEnd, 2),
  Refused(#""\x41""#, .invalidEscape, 2), Refused(#""\u12G4""#, .invalidEscape, 5),
  Refused(#""\u12"#, .unexpectedEnd, 5),
  Refused(#""\uD800""#, .loneSurrogate, 1), Refused(#""\uDC00""#, .loneSurrogate, 1),
  Refused(#""a\uD800\u0041""#, .loneSurrogate, 2), Refused(#""\uD800\uD800""#, .loneSurrogate, 1),
  Refused(#""\uD800x""#, .loneSurrogate, 1), Refused(#""\uD83D\n""#, .loneSurrogate, 1),
  Refused("\"a\nb\"", .controlCharacter(0x0A), 2), Refused("\"\\n\u{1F}\"", .controlCharacter(0x1F), 3),
  Refused("\u{FEFF}1", .byteOrderMark, 0), Refused("\u{A0}1", .unexpectedByte(0xC2), 0),
  Refused(quoted([0x61, 0xFF]), .invalidUTF8, 2), Refused(quoted([0xC0, 0x80]), .invalidUTF8, 1),
  Refused(quoted([0xED, 0xA0, 0x80]), .invalidUTF8, 1),
  Refused(quoted([0xF4, 0x90, 0x80, 0x80]), .invalidUTF8, 1),
  Refused(quoted([0xE2, 0x82]), .invalidUTF8, 1),
  Refused(quoted([0x5C, 0x6E, 0x61, 0x80]), .invalidUTF8, 4),
  Refused(quoted([0x80, 0x5C, 0x6E]), .invalidUTF8, 1),
  // Half a character on each side of an escape is not a character.
  Refused(quoted([0xC3, 0x5C, 0x6E, 0xA9]), .invalidUTF8, 1),
  Refused(#"{"a":1,"a":2}"#, .duplicateKey, 12), Refused(#"{"a":1,"\u0061":2}"#, .duplicateKey, 17),
]

@Suite struct JSONParserTests {
  @Test(arguments: accepted) func accepts(_ sample: Accepted) throws {
    #expect(try JSONParser.parse(sample.text, limits: limits) == sample.value)
    #expect(try JSONParser.parse(([0x5B] + sample.text + [0x5D])[...], limits: limits) == [sample.value])
  }

  @Test(arguments: accepted) func everyValueSurvivesWriting(_ sample: Accepted) throws {
    let written = sample.value.encoded()
    #expect(try JSONParser.parse(written, limits: limits) == sample.value)
  }

  @Test(arguments: accepted) func trailingDataIsRefused(_ sample: Accepted) {
    for tail in ["]", "}", ",", " x", "\"", "\0"] {
      #expect(throws: JSONError.self) { try JSONParser.parse(sample.text + bytes(tail), limits: limits) }
    }
  }

  @Test(arguments: refused) func refuses(_ sample: Refused) {
    let error = #expect(throws: JSONError.self) { try JSONParser.parse(sample.text, limits: limits) }
    #expect(error?.reason == sample.reason)
    #expect(error?.offset == sample.offset)
    #expect(error?.description.isEmpty == false)
  }

  /// No prefix of an array is a value, and none of them may read past its end.
  @Test func everyPrefixIsTooShort() {
    let text = bytes(#"[{"a":[1.5e3,true,null],"é\u00e9\uD83D\uDE00":"x\ny"},false,-0.5]"#)
    for end in text.indices {
      #expect(throws: JSONError.self) { try JSONParser.parse(text[..<end], limits: limits) }
    }
    #expect(throws: Never.self) { try JSONParser.parse(text, limits: limits) }
  }

  @Test func everyByteFlippedEitherParsesOrSaysWhy() {
    let text = bytes(#"[{"a":[1.5e3,true,null],"é\u00e9\uD83D\uDE00":"x\ny"},false,-0.5]"#)
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var hostile = text
        hostile[index] = byte
        do throws(JSONError) {
          _ = try JSONParser.parse(hostile, limits: limits)
        } catch {
          #expect(error.offset >= 0 && error.offset <= text.count)
        }
      }
    }
  }

  @Test func depthIsLimited() throws {
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    }
    #expect(throws: Never.self) { try JSONParser.parse(nested(64), limits: limits) }
    let error = #expect(throws: JSONError.self) { try JSONParser.parse(nested(65), limits: limits) }
    #expect(error?.reason == .tooDeep)
    #expect(error?.offset == 64)
    let deepest = JSONLimits(depth: .max, numberBytes: 8)
    #expect(throws: Never.self) { try JSONParser.parse(nested(JSONLimits.deepest), limits: deepest) }
    #expect(throws: JSONError.self) { try JSONParser.parse(nested(1_000_000), limits: deepest) }
    #expect(throws: JSONError.self) {
      try JSONParser.parse("[]", limits: JSONLimits(depth: 0, numberBytes: 8))
    }
  }

  @Test func numberLengthIsLimited() {
    let short = JSONLimits(depth: 4, numberBytes: 5)
    #expect(throws: Never.self) { try JSONParser.parse("12345", limits: short) }
    let error = #expect(throws: JSONError.self) { try JSONParser.parse("[123456]", limits: short) }
    #expect(error?.reason == .numberTooLong)
    #expect(error?.offset == 1)
  }

  @Test func rawBuffersWork() throws {
    let value = try bytes("[1]").withUnsafeBytes { try JSONParser.parse($0, limits: limits) }
    #expect(value == [1])
    #expect(throws: JSONError.self) {
      try JSONParser.parse(UnsafeRawBufferPointer(start: nil, count: 0), limits: limits)
    }
  }
}
