import EventLoop
import JSON
import TestSupport

/// An answer as it came over the wire. Parsed here by hand, so that the server's own parser isn't its judge.
struct Answer: CustomStringConvertible {
  var status: Int
  var headers: [(name: String, value: String)]
  var body: [UInt8]

  var description: String { "\(status) \(headers) \(text)" }
  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue {
    (try? JSONParser.parse(body, limits: JSONLimits(depth: 32, numberBytes: 128))) ?? .null
  }

  subscript(header name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// Takes the first answer off `bytes`; nil when it isn't all there.
  static func take(from bytes: inout [UInt8], isHead: Bool = false) -> Answer? {
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else {
      return nil
    }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, let status = Int(words[1]) else { return nil }
    var answer = Answer(status: status, headers: [], body: [])
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      answer.headers.append((String(parts[0]), String(parts[1].drop { $0 == " " })))
    }
    let hasBody = !isHead && status != 204 && status != 304 && status >= 200
    let count = hasBody ? Int(answer[header: "Content-Length"] ?? "0") ?? 0 : 0
    guard bytes.count >= end + 4 + count else { return nil }
    answer.body = Array(bytes[(end + 4)..<(end + 4 + count)])
    bytes.removeSubrange(..<(end + 4 + count))
    return answer
  }
}

/// One request on a connection of its own.
func http(
  _ method: String, _ target: String, port: UInt16, headers: [(String, String)] = [], body: String? = nil,
  tls: TLSClient? = nil
) async throws -> Answer {
  let wire = try await Wire.connect(port: port, tls: tls)
  var text = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
  for (name, value) in headers { text += "\(name): \(value)\r\n" }
  if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
  wire.write(text + "\r\n" + (body ?? ""))
  var bytes = try await wire.untilEnd()
  guard let answer = Answer.take(from: &bytes, isHead: method == "HEAD"), bytes.isEmpty else {
    throw NothingCame(description: "one whole answer; instead: \(String(decoding: bytes, as: UTF8.self))")
  }
  return answer
}
