import HTTP1
import Testing

@Suite struct HTTPHeadersTests {
  private let headers: HTTPHeaders = ["A": "1", "b": "x, Y ,z", "a": "2", "B": "w"]

  @Test func lookups() {
    #expect(headers.first("a") == "1")
    #expect(headers.all("A") == ["1", "2"])
    #expect(headers.first("c") == nil)
    #expect(headers.all("c").isEmpty)
    #expect(headers.contains("B"))
    #expect(!headers.contains("AB"))
    #expect(headers.count == 4)
    #expect(headers.pairs.map(\.name) == ["A", "b", "a", "B"])
    #expect(HTTPHeaders(headers.pairs) == headers)
  }

  @Test(arguments: [
    ("x", true), ("X", true), ("y", true), ("z", true), ("W", true), ("x, Y", false), ("", false),
    ("v", false),
  ])
  func tokens(_ token: String, _ expected: Bool) {
    #expect(headers.containsToken("B", token) == expected)
    #expect(!headers.containsToken("C", token))
  }

  /// Only ASCII letters lose their case: the Kelvin sign is no k, and `[` is no `{`.
  @Test func caseIsASCIIOnly() {
    #expect(!(["\u{212A}": "v"] as HTTPHeaders).contains("k"))
    #expect(!(["[": "v"] as HTTPHeaders).contains("{"))
    #expect(!(["@": "v"] as HTTPHeaders).contains("`"))
  }

  @Test func changes() {
    var headers = headers
    headers.set("A", "3")
    #expect(headers == ["A": "3", "b": "x, Y ,z", "B": "w"])
    headers.set("C", "4")
    headers.remove("B")
    #expect(headers == ["A": "3", "C": "4"])
    headers.append(contentsOf: ["D": "5"])
    headers.append("D", "6")
    #expect(headers.all("d") == ["5", "6"])
  }
}
