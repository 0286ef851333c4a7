/// The peer's event stream could not be read on.
public enum ServerSentEventError: Error, Sendable, Equatable {
  /// One event (or line) is longer than the limit.
  case eventTooLong(limit: Int)
}

/// Events out of the body of a `text/event-stream` (WHATWG HTML §9.2.6): the client's side.
///
/// Nothing else in a stream is an error: unknown fields are skipped, and invalid UTF-8 is replaced. An event
/// that the stream's end cuts short is dropped with the parser.
public struct ServerSentEventParser: Sendable {
  /// What a stream can say.
  public enum Event: Sendable, Equatable {
    /// `type` is "message" unless the stream gave another; `lastEventID` is the one in force.
    case message(type: String, data: String, lastEventID: String)
    /// Wait this many milliseconds before reconnecting.
    case retry(milliseconds: Int)
    /// A line for nobody; a sign of life.
    case comment
  }

  /// Most bytes of one event, held or in the line being read.
  public let eventBytesMax: Int
  /// What to send as `Last-Event-ID` when reconnecting; empty: nothing. In force from the event it came in.
  public private(set) var lastEventID = ""

  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var type = ""
  private var pendingID: String
  private var skipsLineFeed = false
  private var isFirstLine = true
  private var failure: ServerSentEventError?

  /// - Parameter lastEventID: the one the request carried, if it resumed a stream.
  public init(eventBytesMax: Int, lastEventID: String = "") {
    self.eventBytesMax = eventBytesMax
    self.lastEventID = lastEventID
    self.pendingID = lastEventID
  }

  /// Takes the next event out of `input`; nil: all was taken.
  public mutating func next(
    _ input: inout UnsafeRawBufferPointer
  ) throws(ServerSentEventError) -> Event? {
    if let failure { throw failure }
    while true {
      // A CR has ended its line at once; the LF of a CRLF may come with a later piece.
      if skipsLineFeed, let first = input.first {
        skipsLineFeed = false
        if first == Grammar.lineFeed { _ = input.takeFirst(1) }
      }
      let isBreak = { (byte: UInt8) in byte == Grammar.lineFeed || byte == Grammar.carriageReturn }
      let end = input.firstIndex(where: isBreak)
      try gather(input.takeFirst(end ?? input.count))
      guard end != nil else { return nil }
      skipsLineFeed = input.takeFirst(1).first == Grammar.carriageReturn
      if let event = readLine() { return event }
    }
  }

  private mutating func gather(_ piece: Bytes) throws(ServerSentEventError) {
    guard piece.count <= eventBytesMax - data.count - line.count else {
      let error = ServerSentEventError.eventTooLong(limit: eventBytesMax)
      failure = error
      (line, data) = ([], [])
      throw error
    }
    line.append(contentsOf: piece)
  }

  private mutating func readLine() -> Event? {
    var text = line[...]
    line = []
    // A byte order mark may open the stream.
    if isFirstLine, text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    isFirstLine = false
    if text.isEmpty { return dispatch() }
    if text.first == Grammar.colon { return .comment }
    let colon = text.firstIndex(of: Grammar.colon) ?? text.endIndex
    var value = text[colon...].dropFirst()
    if value.first == Grammar.space { value = value.dropFirst() }
    return readField(text[..<colon], value)
  }

  private mutating func readField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Event? {
    // None is longer. Comparing strings takes the square of the length of a run of combining marks.
    guard name.count <= 5 else { return nil }
    switch String(decoding: name, as: UTF8.self) {
    case "data":
      if hasData { data.append(Grammar.lineFeed) }
      data.append(contentsOf: value)
      hasData = true
    case "event":
      type = String(decoding: value, as: UTF8.self)
    case "id" where !value.contains(0):
      pendingID = String(decoding: value, as: UTF8.self)
    case "retry":
      return Grammar.decimal(value).map { .retry(milliseconds: $0) }
    default:
      break
    }
    return nil
  }

  /// An empty line ends an event; one without data is none, but its id counts.
  private mutating func dispatch() -> Event? {
    lastEventID = pendingID
    defer { (data, hasData, type) = ([], false, "") }
    guard hasData else { return nil }
    return .message(
      type: type.isEmpty ? "message" : type, data: String(decoding: data, as: UTF8.self),
      lastEventID: lastEventID)
  }
}
