import JSON
import Testing

@testable import Server

/// The pages as the server hands them out.
@Suite struct PagesTests {
  /// What a text of this page names: by attributes, or by imports.
  private func names(in answer: Answer) -> [String] {
    let text = answer.text
    let pattern =
      answer[header: "Content-Type"]?.hasPrefix("text/html") == true
      ? /(?:href|src)="([^"#:]+)"/ : /(?:from|import) "(\.[^"]+)"/
    return text.matches(of: pattern).map { String($0.output.1) }
  }

  /// As a browser resolves a relative address (RFC 3986 §5.2), for what the pages use of it.
  private func resolve(_ name: String, at path: String) -> String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().map(String.init)
    for part in name.split(separator: "/", omittingEmptySubsequences: false) {
      switch part {
      case ".": continue
      case "..": parts.removeLast()
      default: parts.append(String(part))
      }
    }
    return parts.joined(separator: "/").isEmpty ? "/" : parts.joined(separator: "/")
  }

  /// Nothing that a page, or a module of it, refers to is missing.
  @Test(arguments: ["/", "/monitor", "/playground"]) func everyFileIsThere(_ page: String) async throws {
    try await withScene { scene in
      var waiting = [page]
      var seen: Set<String> = []
      while let path = waiting.popLast() {
        guard seen.insert(path).inserted else { continue }
        let answer = try await scene.call("GET", path)
        #expect(answer.status == 200, "\(path)")
        guard !path.hasPrefix("/api/") else { continue }
        #expect(answer[header: "Content-Security-Policy"]?.contains("script-src 'self'") == true, "\(path)")
        waiting += names(in: answer).map { resolve($0, at: path) }
      }
      #expect(seen.count > 8, "\(seen)")
      #expect(seen.contains("/theme.js"))
    }
  }

  @Test func namesOfPages() async throws {
    try await withScene { scene in
      for name in ["monitor", "playground"] {
        let page = try await scene.call("GET", "/\(name)")
        #expect(page[header: "Content-Type"] == "text/html; charset=utf-8")
        #expect(try await scene.call("GET", "/\(name).html").body == page.body)
        let etag = try #require(page[header: "ETag"])
        #expect(try await scene.call("GET", "/\(name)", headers: [("If-None-Match", etag)]).status == 304)
        // A page below a slash would look for its files below itself.
        for path in ["/\(name)/", "/\(name)/?x=1", "/\(name).html/"] {
          let answer = try await scene.call("GET", path)
          #expect(answer.status == 308 && answer.body.isEmpty, "\(path)")
          let location = try #require(answer[header: "Location"])
          #expect(try await scene.call("GET", resolve(location, at: "/\(name)/")).status == 200)
        }
        // No style or script stands in the page itself: the policy would not let it.
        #expect(!page.text.contains("<style") && !page.text.contains("<script>"))
        #expect(page.text.firstMatch(of: #/ (style|on[a-z]+)="/#) == nil)
      }
      for path in ["/nothing/", "/monitor/nothing", "/test/monitor.test.mjs"] {
        #expect(try await scene.call("GET", path).status == 404, "\(path)")
      }
      #expect(try await scene.call("GET", "/").status == 200)
    }
  }

  /// Descriptions are told again only when they are others.
  @Test func descriptionsHaveTags() async throws {
    try await withScene { scene in
      for name in ["openapi.json", "asyncapi.json"] {
        let answer = try await scene.call("GET", "/api/v1/\(name)")
        #expect(answer[header: "Content-Type"] == "application/json; charset=utf-8")
        let etag = try #require(answer[header: "ETag"])
        let again = try await scene.call("GET", "/api/v1/\(name)", headers: [("If-None-Match", etag)])
        #expect(again.status == 304)
        #expect(try await scene.call("HEAD", "/api/v1/\(name)").status == 200)
      }
    }
  }
}
