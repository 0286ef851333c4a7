#if os(Linux) && !WALLETPUSH_URLSESSION
  import EventLoop
  import HTTP1
  import Logging
  import Upstream

  /// Requests by the server's own client, on the event loop that all clients of the process share.
  struct LoopHTTPCaller: HTTPCaller {
    /// Streams have no end: what takes too long is the client's to judge.
    private static let timeouts = HTTPClientRequest.Timeouts(
      connect: .seconds(10), firstByte: .seconds(1 << 30), total: .seconds(1 << 30))

    private let root: HTTPURL
    private let client: HTTPClient

    init(root: HTTPURL, home: LoopHome, security: TLSClient?) {
      self.root = root
      client = HTTPClient(
        loops: home.loops, resolver: home.resolver,
        configuration: .standard(userAgent: "walletpush-client", security: security),
        logger: Logger(label: "walletpush.client") { _ in SwiftLogNoOpLogHandler() })
    }

    func open(_ call: HTTPCall) async throws(HTTPFailure) -> any HTTPAnswer {
      let url: HTTPURL
      do throws(HTTPURLError) { url = try root.appending("/\(call.target)") } catch {
        throw .failed("\(error)")
      }
      let request = HTTPClientRequest(
        method: call.method, url: url, headers: call.headers.map { ($0.key, $0.value) },
        body: call.body, timeouts: Self.timeouts,
        // Of ours, a POST alone does more when it is done twice.
        responseBytesLimit: .max, isIdempotent: call.method != "POST")
      do throws(UpstreamError) {
        let stream = try client.stream(request)
        let head = try await stream.head()
        return LoopAnswer(stream, head)
      } catch {
        throw .failed(error.description)
      }
    }
  }

  private final class LoopAnswer: HTTPAnswer {
    let head: HTTPHead
    private let stream: HTTPResponseStream

    init(_ stream: HTTPResponseStream, _ head: HTTPResponseStream.Head) {
      self.stream = stream
      self.head = HTTPHead(
        status: head.status, contentType: head.headers.first("Content-Type") ?? "",
        retryAfter: head.headers.first("Retry-After"), etag: head.headers.first("ETag"))
    }

    deinit { stream.cancel() }

    func next() async throws(HTTPFailure) -> [UInt8]? {
      do throws(UpstreamError) { return try await stream.next() } catch { throw .failed(error.description) }
    }
  }
#endif
