import JSON
import TestSupport

/// A reader of an event stream over a connection of its own. Read by hand, so that the server's own parser isn't its judge.
struct EventWire: Sendable {
  struct Event: Sendable {
    var type: String
    var id: String?
    var json: JSONValue
  }

  let wire: Wire

  /// - Parameter version: of HTTP.
  static func open(
    _ target: String, port: UInt16, headers: [(String, String)] = [], version: String = "1.1"
  ) async throws -> EventWire {
    let wire = try await Wire.connect(port: port)
    var text = "GET \(target) HTTP/\(version)\r\nHost: 127.0.0.1:\(port)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    wire.write(text + "\r\n")
    return EventWire(wire: wire)
  }

  /// The head, once it is there.
  func head() async throws -> Answer {
    try await eventually("a head") {
      var bytes = wire.bytes
      return Answer.take(from: &bytes, isHead: true)
    }
  }

  /// What stands behind the head, between empty lines; the last one only when it is whole.
  private var blocks: [[Substring]] {
    var bytes = wire.bytes
    guard Answer.take(from: &bytes, isHead: true) != nil else { return [] }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.split(separator: "\n\n", omittingEmptySubsequences: false).dropLast().map {
      $0.split(separator: "\n")
    }
  }

  /// The events until now, in order.
  var events: [Event] {
    blocks.compactMap { lines in
      func field(_ name: String) -> String? {
        lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
      }
      guard let data = field("data"), let type = field("event") else { return nil }
      let json = try? JSONParser.parse(data, limits: JSONLimits(depth: 32, numberBytes: 128))
      return Event(type: type, id: field("id"), json: json ?? .string("no JSON"))
    }
  }

  /// The first event that fits.
  @discardableResult
  func event(_ what: String, where fits: (Event) -> Bool) async throws -> Event {
    do {
      return try await eventually(what) { events.first(where: fits) }
    } catch {
      throw NothingCame(
        description: "never came: \(what); instead:\n\(String(decoding: wire.bytes, as: UTF8.self))")
    }
  }

  /// The id of a heartbeat that follows a fresh snapshot.
  func freshID() async throws -> String {
    let found = try await eventually("a heartbeat behind a fresh snapshot") { () -> String? in
      let events = events
      guard let index = events.lastIndex(where: { $0.type == "snapshot" && $0.json["state"] == "fresh" })
      else { return nil }
      return events[index...].first { $0.type == "heartbeat" }?.id
    }
    return found
  }

  /// Everything, once the server has ended the stream.
  func untilEnd() async throws -> [Event] {
    _ = try await wire.untilEnd()
    return events
  }
}
