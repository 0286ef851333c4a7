import Synchronization

@testable import WalletPushClient

/// Carries out requests as the test says, and remembers them.
final class FakeCaller: HTTPCaller {
  /// Pieces of a body, and then its end, or what became of it.
  final class Answer: HTTPAnswer {
    let head: HTTPHead
    private let pieces: Mutex<ArraySlice<String>>
    private let failure: HTTPFailure?

    init(_ status: Int, _ pieces: [String], _ failure: HTTPFailure?, retryAfter: String?, etag: String?) {
      head = HTTPHead(status: status, contentType: "application/json", retryAfter: retryAfter, etag: etag)
      self.pieces = Mutex(pieces[...])
      self.failure = failure
    }

    func next() async throws(HTTPFailure) -> [UInt8]? {
      if let piece = pieces.withLock({ $0.popFirst() }) { return Array(piece.utf8) }
      if let failure { throw failure }
      return nil
    }
  }

  private let requests = Mutex<[HTTPCall]>([])
  private let body: @Sendable (HTTPCall) async throws(HTTPFailure) -> Answer

  init(_ body: @escaping @Sendable (HTTPCall) async throws(HTTPFailure) -> Answer) { self.body = body }

  var calls: [HTTPCall] { requests.withLock { $0 } }
  var tokens: [String?] { calls.map { $0.headers["Authorization"] } }

  func open(_ call: HTTPCall) async throws(HTTPFailure) -> any HTTPAnswer {
    requests.withLock { $0.append(call) }
    return try await body(call)
  }

  static func answer(
    _ status: Int = 200, _ pieces: String..., failure: HTTPFailure? = nil, retryAfter: String? = nil,
    etag: String? = nil
  ) -> Answer {
    Answer(status, pieces, failure, retryAfter: retryAfter, etag: etag)
  }

  static let unauthorized = #"{"error":"no good","code":"unauthorized"}"#

  /// A server that takes these access tokens, and has no chains.
  static func taking(_ good: String?...) -> FakeCaller {
    FakeCaller { call throws(HTTPFailure) in
      let isGood = good.contains { $0.map { "Bearer \($0)" } == call.headers["Authorization"] }
      return isGood ? answer(200, #"{"chains":[]}"#) : answer(401, unauthorized)
    }
  }

  /// Never answers; ends with its task.
  static var silent: FakeCaller {
    FakeCaller { _ throws(HTTPFailure) in
      // The deadline only guards against waiting for ever.
      try? await Task.sleep(for: .seconds(600))
      throw .failed(Task.isCancelled ? "cancelled" : "never cancelled")
    }
  }

  func api(
    options: ClientOptions = ClientOptions(), token: String? = nil,
    tokens: WalletPushClient.TokenSource? = nil
  ) -> WalletPushAPI {
    let transports = TransportFactory(kinds: [.polling], http: self) { ClientActorTests.FakeTransport() }
    return WalletPushAPI(transports: transports, options: options, token: token, tokens: tokens)
  }
}
