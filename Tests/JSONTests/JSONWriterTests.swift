import JSON
import Testing

@Suite struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(reserving: 64)
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func objectsInside() {
    let text = written { writer in
      writer.beginObject()
      writer.object("a") { $0.member("n", 1) }
      writer.object("empty") { _ in }
      writer.objects("list", [2, 3]) { $0.member("n", $1) }
      writer.objects("none", [Int]()) { $0.member("n", $1) }
      writer.member("last", 4)
      writer.endObject()
    }
    #expect(text == #"{"a":{"n":1},"empty":{},"list":[{"n":2},{"n":3}],"none":[],"last":4}"#)
  }

  @Test func commasComeByThemselves() {
    let text = written { writer in
      writer.beginObject()
      writer.member("type", "price")
      writer.key("list")
      writer.beginArray()
      writer.int(-1)
      writer.uint(.max)
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.bool(true)
      writer.null()
      writer.endArray()
      writer.member("none", nil as String?)
      writer.member("some", "x" as String?)
      writer.member("n", 12)
      writer.member("u", 7 as UInt64)
      writer.member("f", false)
      writer.raw(Array(#""r":1,"s":2"#.utf8))
      writer.endObject()
    }
    #expect(
      text
        == #"{"type":"price","list":[-1,18446744073709551615,{},[],true,null],"none":null,"some":"x","n":12,"#
        + #""u":7,"f":false,"r":1,"s":2}"#)
  }

  @Test(arguments: [
    ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t\u{8}\u{C}", #""\n\r\t\b\f""#),
    ("\0\u{1F}\u{B}", #""\u0000\u001f\u000b""#), ("/é☃😀", #""/é☃😀""#), ("\u{7F}", "\"\u{7F}\""),
    ("\u{2028}\u{2029}", "\"\u{2028}\u{2029}\""), ("\"", #""\"""#), ("x\"", #""x\"""#),
  ])
  func stringsAreEscaped(value: String, expected: String) {
    #expect(written { $0.string(value) } == expected)
    #expect(written { $0.string(utf8: Array(value.utf8).span) } == expected)
    let name = value
    #expect(
      written {
        $0.beginObject()
        $0.key(name)
        $0.int(1)
        $0.endObject()
      } == "{\(expected):1}")
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, Int.max, .min, 1_763_805_600_123])
  func integers(value: Int) {
    #expect(written { $0.int(value) } == String(value))
    #expect(written { $0.uint(UInt64(value.magnitude)) } == String(value.magnitude))
  }

  @Test func unescapedStringsGoStraightIn() {
    let text = written { writer in
      writer.beginArray()
      writer.string { $0.append(contentsOf: "0xd8da".utf8) }
      writer.string { _ in }
      writer.endArray()
    }
    #expect(text == #"["0xd8da",""]"#)
  }

  @Test func aWriterCanBeUsedAgain() {
    var writer = JSONWriter(reserving: 8)
    writer.int(1)
    #expect(writer.take() == Array("1".utf8))
    writer.int(2)
    #expect(writer.bytes == Array("2".utf8))
    writer.removeAll()
    writer.int(3)
    #expect(writer.bytes == Array("3".utf8))
  }

  @Test func numbersKeepTheirText() throws {
    let text = #"{"price":0.9998000000000000001,"big":1e400,"list":[1.0,-0]}"#
    #expect(try JSONParser.parse(text, limits: limits).description == text)
  }
}
