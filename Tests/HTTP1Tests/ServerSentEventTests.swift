import HTTP1
import TestSupport
import Testing

private enum Reading: Equatable {
  case event(ServerSentEventParser.Event)
  case failed(ServerSentEventError)
}

private func read(_ chunks: [[UInt8]], limit: Int = 100, lastEventID: String = "") -> [Reading] {
  var parser = ServerSentEventParser(eventBytesMax: limit, lastEventID: lastEventID)
  var events: [Reading] = []
  for chunk in chunks {
    do throws(ServerSentEventError) {
      try chunk.withUnsafeBufferPointer { buffer throws(ServerSentEventError) in
        var input = UnsafeRawBufferPointer(buffer)
        while let event = try parser.next(&input) { events.append(.event(event)) }
        #expect(input.isEmpty)
      }
    } catch {
      return events + [.failed(error)]
    }
  }
  return events
}

private func message(_ data: String, _ type: String = "message", id: String = "")
  -> ServerSentEventParser.Event
{
  .message(type: type, data: data, lastEventID: id)
}

private let streams: [(String, [ServerSentEventParser.Event])] = [
  ("data: a\n\n", [message("a")]),
  ("data:a\n\n", [message("a")]),
  ("data:  a \n\n", [message(" a ")]),
  ("data: a\r\n\r\n", [message("a")]),
  ("data: a\r\r", [message("a")]),
  ("data: a\n\r\n", [message("a")]),
  ("data: a\r\n\n", [message("a")]),
  ("\u{FEFF}data: a\n\n", [message("a")]),
  ("data: a\ndata: b\ndata\n\n", [message("a\nb\n")]),
  ("data: a\r\ndata: b\r\n\r\n", [message("a\nb")]),
  ("data\n\n", [message("")]),
  ("data:\ndata:\n\n", [message("\n")]),
  (
    "event: price\ndata: {}\nid: e:7\n\ndata: b\n\n",
    [message("{}", "price", id: "e:7"), message("b", id: "e:7")]
  ),
  ("id: 7\ndata: a\n\nid\ndata: b\n\n", [message("a", id: "7"), message("b")]),
  ("id: 7\0\ndata: a\n\n", [message("a")]),
  ("event: x\n\ndata: a\n\n", [message("a")]),
  ("id: 7\n\ndata: a\n\n", [message("a", id: "7")]),
  (": hello\n:\n\n", [.comment, .comment]),
  (
    "retry: 3000\n\nretry: -1\nretry:\nretry: 1s\nretry: 99999999999999999999\n", [.retry(milliseconds: 3000)]
  ),
  ("Data: a\nfoo: b\nfoo\n d\n\n", []),
  ("data: a:b: c\n\n", [message("a:b: c")]),
  ("data: unfinished\n", []),
]

@Suite struct ServerSentEventTests {
  @Test(arguments: streams)
  private func threeFeeds(_ stream: String, _ events: [ServerSentEventParser.Event]) {
    let expected = events.map { Reading.event($0) }
    let bytes = Array(stream.utf8)
    expectThreeFeeds(bytes, giving: expected, trailing: Array("dat".utf8)) { read($0) }
    expectRandomFeeds(bytes, giving: expected, seeds: 0..<10, longest: 6) { read($0) }
  }

  @Test(arguments: [
    "data: " + String(repeating: "a", count: 20), String(repeating: "data: a\n", count: 20),
    ":" + String(repeating: "a", count: 20), String(repeating: "data\n", count: 40),
  ])
  func limited(_ stream: String) {
    let bytes = Array(stream.utf8)
    for chunks in [[bytes], bytes.map { [$0] }] {
      #expect(read(chunks, limit: 20).last == .failed(.eventTooLong(limit: 20)))
    }
  }

  @Test func limitIsPerEvent() {
    let stream = String(repeating: "data: a\n\n", count: 100)
    #expect(read([Array(stream.utf8)], limit: 20).count == 100)
  }

  @Test func invalidUTF8IsReplaced() {
    let bytes = Array("data: ".utf8) + [0xFF] + Array("\n\n".utf8)
    #expect(read([bytes]) == [.event(message("\u{FFFD}"))])
  }

  @Test func resumes() {
    #expect(read([Array("data: a\n\n".utf8)], lastEventID: "9") == [.event(message("a", id: "9"))])
  }

  @Test(arguments: [
    (ServerSentEvent(data: "a"), "data: a\n\n"),
    (ServerSentEvent(data: ""), "data: \n\n"),
    (
      ServerSentEvent(event: "price", id: "e:7", data: "{}", retry: 5),
      "event: price\nid: e:7\nretry: 5\ndata: {}\n\n"
    ),
    (ServerSentEvent(event: "", id: "", data: "a"), "id: \ndata: a\n\n"),
    (ServerSentEvent(data: "a\nb\r\nc\rd\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
    (ServerSentEvent(data: "\n\r"), "data: \ndata: \ndata: \n\n"),
  ])
  func encoded(_ event: ServerSentEvent, _ text: String) throws {
    var output: [UInt8] = []
    try ServerSentEventEncoder.encode(event, into: &output)
    #expect(String(decoding: output, as: UTF8.self) == text)
    let data = event.data.split(omittingEmptySubsequences: false) { $0.isNewline }
    let read = read([output]).last
    let type = event.event.flatMap { $0.isEmpty ? nil : $0 } ?? "message"
    #expect(read == .event(message(data.joined(separator: "\n"), type, id: event.id ?? "")))
  }

  @Test(arguments: [
    ServerSentEvent(event: "a\nb", data: ""), ServerSentEvent(event: "a\r", data: ""),
    ServerSentEvent(id: "a\r\nb", data: ""), ServerSentEvent(id: "a\0", data: ""),
    ServerSentEvent(data: "", retry: -1),
  ])
  func refused(_ event: ServerSentEvent) {
    var output: [UInt8] = [1]
    #expect(throws: HTTPLocalError.malformedEvent) {
      try ServerSentEventEncoder.encode(event, into: &output)
    }
    #expect(output == [1])
  }

  @Test func commentsAndRetry() throws {
    var output: [UInt8] = []
    ServerSentEventEncoder.comment("", into: &output)
    ServerSentEventEncoder.comment("a\ndata: b", into: &output)
    try ServerSentEventEncoder.retry(milliseconds: 5, into: &output)
    #expect(String(decoding: output, as: UTF8.self) == ": \n\n: a\n: data: b\n\nretry: 5\n\n")
    #expect(
      read([output]) == [
        .event(.comment), .event(.comment), .event(.comment), .event(.retry(milliseconds: 5)),
      ])
    #expect(throws: HTTPLocalError.malformedEvent) {
      try ServerSentEventEncoder.retry(milliseconds: -1, into: &output)
    }
  }
}
