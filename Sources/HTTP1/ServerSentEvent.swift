/// One event of an event stream (`text/event-stream`, WHATWG HTML §9.2 "Server-sent events").
public struct ServerSentEvent: Sendable, Equatable {
  /// The event's type; nil (or empty) means "message".
  public var event: String?
  /// What a reconnecting client will send as `Last-Event-ID`. nil: the last one stays; empty: forget it.
  public var id: String?
  /// May hold line breaks; a reader sees each of them as LF.
  public var data: String
  /// Milliseconds that a client should wait before it reconnects.
  public var retry: Int?

  public init(event: String? = nil, id: String? = nil, data: String, retry: Int? = nil) {
    self.event = event
    self.id = id
    self.data = data
    self.retry = retry
  }
}

/// Writes event streams. On an error nothing is appended to the output.
public enum ServerSentEventEncoder {
  /// The value of the stream's Content-Type.
  public static let contentType = "text/event-stream"

  public static func encode(
    _ event: ServerSentEvent, into output: inout [UInt8]
  ) throws(HTTPLocalError) {
    try encode(
      event: event.event, id: event.id, retry: event.retry, data: event.data.utf8, into: &output)
  }

  /// The same for data that exists as UTF-8 bytes already.
  public static func encode(
    event: String?, id: String?, retry: Int? = nil, data: some Collection<UInt8>,
    into output: inout [UInt8]
  ) throws(HTTPLocalError) {
    if let event, event.utf8.contains(where: isLineBreak) { throw .malformedEvent }
    // A reader ignores an id with a NUL in it.
    if let id, id.utf8.contains(where: { isLineBreak($0) || $0 == 0 }) { throw .malformedEvent }
    if let retry, retry < 0 { throw .malformedEvent }
    if let event, !event.isEmpty { appendField("event: ", event.utf8, into: &output) }
    if let id { appendField("id: ", id.utf8, into: &output) }
    if let retry { appendField("retry: ", String(retry).utf8, into: &output) }
    // In one piece the search for line breaks is a loop over memory, whoever's collection it is.
    let isAppended: Void? = data.withContiguousStorageIfAvailable { bytes in
      output.reserveCapacity(output.count + bytes.count + 16)
      appendLines("data: ", bytes, into: &output)
    }
    if isAppended == nil { appendLines("data: ", Array(data), into: &output) }
    output.append(Grammar.lineFeed)
  }

  /// A comment, which readers skip; an empty one keeps the connection from looking dead.
  public static func comment(_ text: String, into output: inout [UInt8]) {
    appendLines(": ", text.utf8, into: &output)
    output.append(Grammar.lineFeed)
  }

  /// A `retry` outside any event.
  public static func retry(milliseconds: Int, into output: inout [UInt8]) throws(HTTPLocalError) {
    guard milliseconds >= 0 else { throw .malformedEvent }
    appendField("retry: ", String(milliseconds).utf8, into: &output)
    output.append(Grammar.lineFeed)
  }

  private static func isLineBreak(_ byte: UInt8) -> Bool {
    byte == Grammar.lineFeed || byte == Grammar.carriageReturn
  }

  private static func appendField(
    _ name: String, _ value: some Collection<UInt8>, into output: inout [UInt8]
  ) {
    output.append(contentsOf: name.utf8)
    output.append(contentsOf: value)
    output.append(Grammar.lineFeed)
  }

  /// One field per line of `text`: CRLF, CR and LF all end a line, and the last line may be empty.
  private static func appendLines(
    _ name: String, _ text: some Collection<UInt8>, into output: inout [UInt8]
  ) {
    var rest = text[...]
    while let end = rest.firstIndex(where: isLineBreak) {
      appendField(name, rest[..<end], into: &output)
      let isReturn = rest[end] == Grammar.carriageReturn
      rest = rest[rest.index(after: end)...]
      if isReturn, rest.first == Grammar.lineFeed { rest = rest.dropFirst() }
    }
    appendField(name, rest, into: &output)
  }
}
