import JSON
import Synchronization
import TestSupport
import Testing

@testable import Server

/// Checks answers and frames against the descriptions that the server gives of itself, and notes which were seen.
final class Described: Sendable {
  private let openAPI: JSONValue
  private let asyncAPI: JSONValue
  private let seen = Mutex<Set<String>>([])

  /// What every request may be answered, whatever it asks for: described once, as `default`.
  private static let general: Set<Int> = [400, 405, 408, 413, 414, 421, 431, 501, 503, 505]

  /// As they are served.
  init(of scene: Scene) async throws {
    openAPI = try await scene.call("GET", "/api/v1/openapi.json").json
    asyncAPI = try await scene.call("GET", "/api/v1/asyncapi.json").json
  }

  /// `GET /api/v1/chains 200` … as far as they were seen.
  var answers: Set<String> { seen.withLock { $0 }.filter { $0.contains("/") } }
  /// Types of frames, as far as they were seen.
  var frames: Set<String> { seen.withLock { $0 }.filter { !$0.contains("/") } }

  // MARK: HTTP

  /// Every answer that is described by its status.
  var describedAnswers: Set<String> {
    var all: Set<String> = []
    for path in openAPI["paths"]?.object ?? JSONObject() {
      for operation in path.value.object ?? JSONObject() where operation.key != "parameters" {
        for status in operation.value["responses"]?.object?.map(\.key) ?? [] where status != "default" {
          all.insert("\(operation.key.uppercased()) \(path.key) \(status)")
        }
      }
    }
    return all
  }

  /// - Parameter path: as it is described: `/api/v1/wallets/{id}`.
  func expect(
    _ answer: Answer, _ method: String, _ path: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let call = "\(method) \(path) \(answer.status)"
    seen.withLock { _ = $0.insert(call) }
    let responses = openAPI["paths"]?[path]?[method.lowercased()]?["responses"]
    let fitting =
      responses?[String(answer.status)]
      ?? (Self.general.contains(answer.status) ? responses?["default"] : nil)
    guard var response = fitting else {
      return #expect(Bool(false), "not described: \(call) \(answer.text)", sourceLocation: sourceLocation)
    }
    if let pointer = response["$ref"]?.string {
      response = JSONSchema.resolve(pointer, in: openAPI) ?? .null
    }
    for header in response["headers"]?.object ?? JSONObject() where header.value["required"]?.bool == true {
      #expect(answer[header: header.key] != nil, "\(header.key): \(call)", sourceLocation: sourceLocation)
    }
    let type = answer[header: "Content-Type"]?.split(separator: ";").first.map(String.init)
    guard let contents = response["content"]?.object else {
      return #expect(
        answer.body.isEmpty, "a body that is not described: \(call)", sourceLocation: sourceLocation)
    }
    guard let type, let schema = contents[type]?["schema"] else {
      return #expect(
        Bool(false), "\(type ?? "no type") is not described: \(call)", sourceLocation: sourceLocation)
    }
    guard type == "application/json" else { return }
    let faults = JSONSchema(openAPI, schema: schema).faults(answer.json)
    #expect(faults == [], "\(call): \(answer.text.prefix(600))", sourceLocation: sourceLocation)
  }

  /// Against a schema of the HTTP description, by name.
  func expect(_ value: JSONValue, is schema: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let faults = JSONSchema(openAPI, "#/components/schemas/\(schema)").faults(value)
    #expect(faults == [], "\(value)", sourceLocation: sourceLocation)
  }

  // MARK: WebSocket

  var describedFrames: Set<String> {
    let push = asyncAPI["operations"]?["push"]?["messages"]?.array ?? []
    return Set(push.compactMap { $0["$ref"]?.string?.split(separator: "/").last.map(String.init) })
  }

  var describedOps: Set<String> {
    Set((asyncAPI["operations"]?.object ?? JSONObject()).map(\.key)).subtracting(["push"])
  }

  /// Everything that a client was sent so far.
  func expect(framesOf client: PushTester, sourceLocation: SourceLocation = #_sourceLocation) {
    for frame in client.frames { expect(frame: frame, sourceLocation: sourceLocation) }
  }

  func expect(frame: JSONValue, sourceLocation: SourceLocation = #_sourceLocation) {
    let type = frame["type"]?.string ?? "?"
    seen.withLock { _ = $0.insert(type) }
    expect(frame, message: type, sourceLocation: sourceLocation)
  }

  /// Sends an op as it is described, waits for its one direct reply, and checks both.
  func ask(
    _ client: PushTester, _ id: Int, _ operation: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let op = try JSONParser.parse(
      Array("{\"id\":\(id),\(operation)}".utf8), limits: JSONLimits(depth: 8, numberBytes: 64))
    expect(op, message: op["op"]?.string ?? "?", sourceLocation: sourceLocation)
    let reply = try await client.ask(id, operation)
    let replies = asyncAPI["operations"]?[op["op"]?.string ?? ""]?["reply"]?["messages"]?.array ?? []
    let names = replies.compactMap { $0["$ref"]?.string?.split(separator: "/").last.map(String.init) }
    #expect(names.contains(reply["type"]?.string ?? "?"), "\(reply)", sourceLocation: sourceLocation)
    return reply
  }

  private func expect(_ value: JSONValue, message: String, sourceLocation: SourceLocation) {
    guard let payload = asyncAPI["components"]?["messages"]?[message]?["payload"] else {
      return #expect(Bool(false), "not described: \(value)", sourceLocation: sourceLocation)
    }
    let faults = JSONSchema(asyncAPI, schema: payload).faults(value)
    #expect(faults == [], "\(value)", sourceLocation: sourceLocation)
  }

  var closeCodes: Set<UInt16> {
    let list = asyncAPI["channels"]?["ws"]?["x-close-codes"]?.array ?? []
    return Set(list.compactMap { $0["code"]?.int.flatMap { UInt16(exactly: $0) } })
  }
}
