import Devnet
import Ethereum
import EventLoop
import HTTP1
import JSON
import Synchronization
import Testing

/// 0x0101…, 0x0202…: an address that a reader can tell from others.
func account(_ byte: UInt8) -> Address {
  Address(bytes: Array(repeating: byte, count: 20).span) ?? .zero
}

/// The words of an ABI answer in hexadecimal, 64 digits each.
func word(_ value: UInt64) -> [UInt8] { UInt256(value).bigEndianBytes }

func parse(_ bytes: [UInt8]) throws -> JSONValue {
  try JSONParser.parse(bytes, limits: JSONLimits(depth: 64, numberBytes: 512))
}

struct Response: Sendable, Equatable {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
}

enum ClientError: Error, Equatable {
  case closed
  case protocolBroken
}

/// One HTTP connection to a server of ours, on a loop of its own.
final class TestClient: Sendable {
  private let loop: EventLoop
  private let exchange: Exchange

  init(_ url: String) throws {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    loop = try EventLoop(name: "test-client", configuration: configuration)
    let port = try #require(url.split(separator: ":").last.flatMap { UInt16($0) })
    exchange = Exchange(loop: loop, address: SocketAddress(127, 0, 0, 1, port: port))
    try loop.start()
  }

  deinit {
    loop.stop()
    if !loop.isCurrent { loop.join() }
  }

  /// Sends bytes and waits for so many responses.
  func send(_ bytes: [UInt8], expecting count: Int = 1) async throws -> [Response] {
    let exchange = exchange
    return try await withCheckedThrowingContinuation { continuation in
      let isPosted = loop.post { exchange.begin(bytes, count: count, continuation) }
      if !isPosted { continuation.resume(throwing: ClientError.closed) }
    }
  }

  /// The encoded bytes of a request.
  static func request(_ method: String, _ target: String, _ body: [UInt8] = []) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let head = RequestHead(method: method, target: target, headers: ["Host": "localhost"])
    try RequestEncoder.encode(head, body: body, into: &bytes)
    return bytes
  }

  func get(_ target: String) async throws -> Response {
    try #require(try await send(Self.request("GET", target)).first)
  }

  func post(_ body: [UInt8]) async throws -> Response {
    try #require(try await send(Self.request("POST", "/", body)).first)
  }

  /// The outcome of one call.
  func call(_ request: JSONRPC.Request) async throws -> JSONRPC.Outcome {
    let response = try await post(JSONRPC.encode(request))
    try #require(response.status == 200)
    return JSONRPC.outcome(of: try parse(response.body), id: request.id)
  }
}

/// Confined to the client's loop.
private final class Exchange: ConnectionHandler, @unchecked Sendable {
  private let loop: EventLoop
  private let address: SocketAddress
  private var connection: Connection?
  private var parser: ResponseParser?
  private var current = Response(status: 0, headers: [:], body: [])
  private var responses: [Response] = []
  private var wanted = 0
  private var continuation: CheckedContinuation<[Response], any Error>?

  init(loop: EventLoop, address: SocketAddress) {
    self.loop = loop
    self.address = address
  }

  func begin(_ bytes: [UInt8], count: Int, _ continuation: CheckedContinuation<[Response], any Error>) {
    self.continuation = continuation
    wanted = count
    responses = []
    parser = Self.newParser()
    let connection = connection ?? loop.connect(to: address, handler: self)
    self.connection = connection
    connection.write(bytes)
  }

  private static func newParser() -> ResponseParser {
    ResponseParser(
      method: "GET",
      limits: HTTPLimits(lineBytes: 8_192, headBytes: 65_536, headerCount: 100, bodyBytes: 1 << 26))
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while let event = try parser?.next(&input) {
        switch event {
        case .head(let head): current = Response(status: head.status, headers: head.headers, body: [])
        case .body(let piece): current.body.append(contentsOf: piece)
        case .end:
          responses.append(current)
          parser = Self.newParser()
          if responses.count == wanted { finish(.success(responses)) }
        }
      }
    } catch {
      finish(.failure(ClientError.protocolBroken))
    }
  }

  private func finish(_ result: Result<[Response], any Error>) {
    continuation?.resume(with: result)
    continuation = nil
  }

  func inputEnded(on connection: Connection) { connection.close(.endOfStream, afterFlush: false) }

  func closed(_ connection: Connection, reason: CloseReason) {
    self.connection = nil
    finish(.failure(ClientError.closed))
  }
}
