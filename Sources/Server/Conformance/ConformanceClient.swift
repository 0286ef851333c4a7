// Plays the cases of an Autobahn fuzzing server with our client role: the same event loop, machine and compression as
// everywhere else.

import EventLoop
import Synchronization
import Upstream
import WebSocket

/// Why the cases could not be played. How the server judges them stands in its own reports.
public struct ConformanceError: Error, CustomStringConvertible {
  public let description: String
}

public final class ConformanceClient: Sendable {
  private let server: WebSocketURL
  private let agent: String
  private let loops: EventLoopGroup
  private let resolver: Resolver
  private let pool: LoopConfined<DeflatePool>

  /// - Parameters:
  ///   - server: the fuzzing server's base URL, `ws:`.
  ///   - agent: what its reports call us.
  public init(server: String, agent: String) throws {
    do {
      self.server = try WebSocketURL(server)
    } catch {
      throw ConformanceError(description: "\(server): \(error)")
    }
    self.agent = agent
    loops = try EventLoopGroup(count: 1, name: "conformance", configuration: .standard)
    resolver = try Resolver(threads: 1, queueMaximum: 16)
    pool = LoopConfined(DeflatePool(EchoServer.compression))
    try loops.start()
  }

  /// Plays all cases, one after the other, and has the server write its reports.
  ///
  /// - Parameter progress: called before each case with its number and how many there are.
  public func run(progress: (Int, Int) -> Void) async throws {
    defer {
      loops.stop()
      resolver.stop()
    }
    let answer = try await play("/getCaseCount", echoes: false)
    guard let text = answer.text, let count = Int(text), count > 0 else {
      throw ConformanceError(description: "\(server)/getCaseCount told no number of cases: \(answer.ending)")
    }
    for number in 1...count {
      progress(number, count)
      // The server judges how a case ends; a broken connection is an end that many cases want.
      _ = try await play("/runCase?case=\(number)&agent=\(agent)", echoes: true)
    }
    _ = try await play("/updateReports?agent=\(agent)", echoes: false)
  }

  /// A connection from its handshake to its end.
  private func play(_ target: String, echoes: Bool) async throws -> ConformanceCase.Outcome {
    let url = try server.appending(target)
    let (loop, resolver, pool) = (loops.loops[0], resolver, pool)
    var configuration = WebSocketClientConfiguration.standard(security: nil)
    configuration.limits = WebSocketLimits(
      messageBytes: EchoServer.messageBytes, fragments: 1 << 20, replyBytes: 65_536)
    // Some cases are slow on purpose.
    configuration.pingInterval = nil
    let settings = configuration
    let outcome = await withCheckedContinuation { continuation in
      loop.post {
        let handler = ConformanceCase(echoes: echoes, continuation)
        WebSocketClient(
          url, loop: loop, resolver: resolver, configuration: settings, deflatePool: pool.value,
          handler: handler
        ).connect()
      }
    }
    switch outcome.ending {
    case .failed(.transport(.connectFailed)), .failed(.notOpened), .failed(.malformedResponse):
      throw ConformanceError(description: "\(url): \(outcome.ending)")
    case .closed, .failed: return outcome
    }
  }
}

/// One connection: echoes every message, and keeps the last text.
private final class ConformanceCase: WebSocketClientHandler {
  struct Outcome: Sendable {
    var text: String?
    var ending: WebSocketEnding
  }

  private let echoes: Bool
  private let continuation: CheckedContinuation<Outcome, Never>
  private var text: String?
  /// A server that does not read its echoes is not read either.
  private static let unsentMaximum = 4 << 20

  init(echoes: Bool, _ continuation: CheckedContinuation<Outcome, Never>) {
    self.echoes = echoes
    self.continuation = continuation
  }

  func opened(_ client: WebSocketClient, subprotocol: String?) {}

  func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
    guard echoes else {
      text = String(decoding: payload, as: UTF8.self)
      return
    }
    // It only fails once the server has said its Close.
    try? client.send(kind, payload)
    if client.unsentBytes > Self.unsentMaximum { client.pauseReading() }
  }

  func drained(_ client: WebSocketClient) { client.resumeReading() }

  func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
    continuation.resume(returning: Outcome(text: text, ending: ending))
  }
}

/// What only one loop touches, on its way there.
private struct LoopConfined<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
