import Glibc
import TestSupport
import Testing

@testable import Server

/// The table of the documentation, at a running server: bytes in, status line out.
@Suite(.serialized) struct StrictnessTests {
  private static let next = Array("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)

  /// Behind each request another one is sent: it is answered, or it is not, never in part.
  @Test func everyRequest() async throws {
    try await withScene { scene in
      let port = try scene.port
      for row in StrictnessFamily.all.flatMap(\.cases) {
        for isCut in [false, true] {
          let wire = try await Wire.connect(port: port)
          if isCut { wire.write(Array(row.bytes.prefix(row.bytes.count / 2))) }
          wire.write(isCut ? Array(row.bytes.suffix(row.bytes.count - row.bytes.count / 2)) : row.bytes)
          wire.write(Self.next)
          check(row, try await wire.untilEnd())
        }
      }
      // Nobody was harmed.
      let neighbour = try await scene.watcher()
      try await scene.expectPrices(at: neighbour, "361.25")
    }
  }

  private func check(_ row: StrictnessCase, _ answers: [UInt8]) {
    var bytes = answers
    let isHead = row.bytes.starts(with: Array("HEAD".utf8))
    guard let answer = Answer.take(from: &bytes, isHead: isHead) else {
      Issue.record("\(row.title): no answer: \(String(decoding: answers, as: UTF8.self))")
      return
    }
    #expect(answer.status == row.status, "\(row.title): \(answer)")
    if answer.status >= 400 { #expect(answer.json["code"]?.string != nil, "\(row.title): \(answer)") }
    switch row.fate {
    case .kept:
      #expect(answer[header: "Connection"]?.lowercased().contains("close") != true, "\(row.title): \(answer)")
      #expect(Answer.take(from: &bytes)?.status == 200, "\(row.title): the next request")
    case .closed:
      #expect(answer[header: "Connection"] == "close", "\(row.title): \(answer)")
    case .webSocket(let code):
      let close: [UInt8] = [UInt8(code >> 8), UInt8(code & 0xFF)]
      let at = bytes.lastIndex(of: 0x88) ?? bytes.endIndex
      #expect(Array(bytes[at...].dropFirst(2).prefix(2)) == close, "\(row.title): the Close frame")
      bytes = []
    }
    #expect(bytes.isEmpty, "\(row.title): more than was due: \(String(decoding: bytes, as: UTF8.self))")
  }

  // MARK: - The page

  private static let page = #filePath.replacing(
    "Tests/IntegrationTests/StrictnessTests.swift", with: "Sources/Server/Server.docc/HTTPStrictness.md")
  private static let heading = "## The table\n\n"

  /// With `WALLETPUSH_WRITE_DOCS=1` the page's table is written instead.
  @Test func thePageIsTrue() throws {
    let text = String(decoding: try SmallFile.read(Self.page, limit: 1 << 20), as: UTF8.self)
    let start = try #require(text.firstRange(of: Self.heading)?.upperBound)
    if getenv("WALLETPUSH_WRITE_DOCS") != nil {
      let file = try #require(fopen(Self.page, "w"))
      fputs(text[..<start] + StrictnessFamily.markdown, file)
      fclose(file)
    } else {
      #expect(text[start...] == StrictnessFamily.markdown, "run this test with WALLETPUSH_WRITE_DOCS=1")
    }
  }
}
