import HTTP1
import JSON
import Push

/// What a route answers.
struct Response: Sendable {
  var status: Int
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// The body comes later, without a length: what ends it is the end of the connection.
  var endsWithConnection = false

  /// A JSON document.
  static func json(_ status: Int, _ body: [UInt8], headers: [(name: String, value: String)] = []) -> Response
  {
    Response(
      status: status,
      headers: [("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store")] + headers,
      body: body)
  }

  static func json(
    _ status: Int, headers: [(name: String, value: String)] = [], _ build: (inout JSONWriter) -> Void
  ) -> Response {
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    build(&writer)
    writer.endObject()
    return json(status, writer.take(), headers: headers)
  }

  /// `{"error":"…","code":"…"}`
  static func error(
    _ status: Int, _ code: StaticString, _ message: String, headers: [(name: String, value: String)] = []
  ) -> Response {
    json(status, headers: headers) { writer in
      writer.member("error", message)
      writer.member("code", code.description)
    }
  }

  /// An error that passes: the header says when to come back in whole seconds (RFC 9110 §10.2.3), the body to the
  /// millisecond.
  static func temporary(_ status: Int, _ code: StaticString, _ message: String, retry: Duration) -> Response {
    let milliseconds = max(1, retry.milliseconds)
    let seconds = (milliseconds - 1) / 1_000 + 1
    return json(status, headers: [("Retry-After", String(seconds))]) { writer in
      writer.member("error", message)
      writer.member("code", code.description)
      writer.member("retry_ms", Int(milliseconds))
    }
  }

  /// What was asked for could not be done, and may be the next time.
  static func internalError(_ message: String) -> Response {
    temporary(500, "internal", message, retry: .seconds(5))
  }

  static func notFound(_ message: String) -> Response { error(404, "not_found", message) }

  static func methodNotAllowed(_ allowed: String) -> Response {
    error(405, "method_not_allowed", "this address answers \(allowed)", headers: [("Allow", allowed)])
  }
}

/// One request, whole.
struct Request: Sendable {
  var head: RequestHead
  var body: [UInt8]
  var segments: [String]
  var query: [QueryItem]
  /// What its access token allows.
  var authority = Authority.nobody

  func query(_ name: String) -> String? { queries(name).first }

  /// The values of all items of that name. Compared by their bytes: of a stranger's text `==` would take the
  /// square of the length of a run of combining marks.
  func queries(_ name: String) -> [String] {
    query.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
  }
}
