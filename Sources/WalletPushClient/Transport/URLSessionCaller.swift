// For Apple's systems. .ci/test-urlsession builds it on Linux.
#if canImport(Darwin) || WALLETPUSH_URLSESSION
  import Foundation
  #if WALLETPUSH_URLSESSION
    import FoundationNetworking
    import URLSessionBytes
  #endif

  struct URLSessionCaller: HTTPCaller {
    /// URLSession's is between two pieces of an answer. Streams are silent for as long as `ping_s`; what takes too long is
    /// the client's to judge.
    private static let idleTimeout: TimeInterval = 3_600

    let root: URL

    func open(_ call: HTTPCall) async throws(HTTPFailure) -> any HTTPAnswer {
      guard let url = URL(string: call.target, relativeTo: root) else {
        throw .failed("\(call.target) makes no URL")
      }
      var request = URLRequest(
        url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: Self.idleTimeout)
      request.httpMethod = call.method
      if !call.body.isEmpty { request.httpBody = Data(call.body) }
      for (name, value) in call.headers { request.setValue(value, forHTTPHeaderField: name) }
      do {
        let (bytes, response) = try await URLSession.shared.bytes(for: request)
        guard let response = response as? HTTPURLResponse else {
          throw HTTPFailure.failed("no answer of HTTP")
        }
        return URLSessionAnswer(bytes, response)
      } catch {
        throw error as? HTTPFailure ?? .failed(error.localizedDescription)
      }
    }
  }

  /// Its one reader is the client, which asks for the next bytes once it has the last ones.
  private final class URLSessionAnswer: HTTPAnswer, @unchecked Sendable {
    /// At most so many bytes are handed on together.
    private static let pieceBytes = 16_384

    let head: HTTPHead
    private let task: URLSessionDataTask
    private var iterator: URLSession.AsyncBytes.Iterator

    init(_ bytes: URLSession.AsyncBytes, _ response: HTTPURLResponse) {
      head = HTTPHead(
        status: response.statusCode, contentType: response.value(forHTTPHeaderField: "Content-Type") ?? "",
        retryAfter: response.value(forHTTPHeaderField: "Retry-After"),
        etag: response.value(forHTTPHeaderField: "ETag"))
      task = bytes.task
      iterator = bytes.makeAsyncIterator()
    }

    deinit { task.cancel() }

    /// Up to the end of a line: an event is not to wait for the next one.
    func next() async throws(HTTPFailure) -> [UInt8]? {
      var piece: [UInt8] = []
      do {
        while piece.count < Self.pieceBytes, let byte = try await iterator.next() {
          piece.append(byte)
          if byte == UInt8(ascii: "\n") { break }
        }
      } catch {
        throw .failed(error.localizedDescription)
      }
      return piece.isEmpty ? nil : piece
    }
  }
#endif
