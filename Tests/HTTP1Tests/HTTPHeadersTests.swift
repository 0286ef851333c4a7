import HTTP1
import Testing

@Suite struct HTTPHeadersTests {
  private let headers: HTTPHeaders = ["A": "1", "b": "x, Y ,z", "a": "2", "B": "w"]

  @Test func lookups() {
    #expect(headers.first("a") == "1")
    #expect(headers.all("A") == ["1", "2"])
    #expect(headers.first("c") == nil)
    #expect(headers.only("a") == nil)
    #expect(headers.only("c") == nil)
    #expect(HTTPHeaders(dictionaryLiteral: ("A", "1"), ("b", "2")).only("a") == "1")
    #expect(headers.all("c").isEmpty)
    #expect(headers.contains("B"))
    #expect(!headers.contains("AB"))
    #expect(headers.count(of: "a") == 2)
    #expect(headers.count(of: "c") == 0)
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

  @Test func appending() {
    var headers = headers
    headers.append(contentsOf: ["D": "5", "a": "6"])
    headers.append("D", "7")
    #expect(headers.all("d") == ["5", "7"])
    #expect(headers.all("A") == ["1", "2", "6"])
    #expect(headers == ["A": "1", "b": "x, Y ,z", "a": "2", "B": "w", "D": "5", "a": "6", "D": "7"])
    #expect(headers != ["A": "1", "b": "x, Y ,z", "a": "2", "B": "w", "D": "5", "a": "6"])
  }

  @Test func blanksAroundAValueAreNoPartOfIt() {
    let headers: HTTPHeaders = ["A": " \t1 2\t ", "B": "\t"]
    #expect(headers.pairs.map(\.value) == ["1 2", ""])
  }

  @Test(
    arguments: [
      ([], []), (["a"], ["a"]), (["a ,, b-c_d.e\t", ",x,"], ["a", "b-c_d.e", "x"]), ([" , "], []),
      (["a b"], nil), (["a", "b/c"], nil), (["a;b"], nil), (["\"a\""], nil), (["é"], nil),
    ] as [([String], [String]?)])
  func listsOfTokens(_ values: [String], _ expected: [String]?) {
    var headers = HTTPHeaders(values.map { ("List", $0) })
    headers.append("Other", "c")
    #expect(headers.tokens("list") == expected)
  }
}

@Suite struct GrammarTests {
  /// RFC 9110 §5.6.2.
  @Test func tokenBytes() {
    let marks = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in 0...255 as ClosedRange<UInt8> {
      #expect(Grammar.isToken(byte) == marks.contains(byte), "\(byte)")
    }
  }
}
