// Theory of operation
//
// Each origin (scheme, host, port) is pinned to one loop, so that everything about it lives on one thread:
//
//     HTTPClient    any thread: checks and encodes the request, posts the call to the origin's loop, awaits
//     ClientLoop    one per loop: its origins, and the addresses of their hosts
//     Origin        one per origin in use: carries out what its pool decides
//     ConnectionPool  the decisions: who waits, which connection is used, opened, closed. Pure
//     ClientConnection  one connection: connecting, then one exchange after the other
//     Call          one request of a caller: its time limits, and its answer, given exactly once
//
// A call ends in one place, `Call.finish`, whoever is first: the response, an error, a timer, a cancelled
// task, the shutdown. What comes later finds it finished and does nothing.
import EventLoop
import HTTP1
import Logging
import Synchronization

/// HTTP/1.1 requests over kept-alive connections on our own event loops.
///
/// All of it may be used from any thread. The loops must be running, and must not be stopped before
/// ``shutdown()`` has returned: a call whose loop has gone is never answered.
public final class HTTPClient: Sendable {
  let clients: [ClientLoop]
  let configuration: HTTPClientConfiguration
  private let isStopped = Atomic<Bool>(false)

  public init(
    loops: EventLoopGroup, resolver: Resolver, configuration: HTTPClientConfiguration, logger: Logger
  ) {
    self.configuration = configuration
    clients = loops.loops.map {
      ClientLoop(loop: $0, resolver: resolver, configuration: configuration, logger: logger)
    }
  }

  /// Sends the request and reads the response to its end.
  ///
  /// Cancelling the task drops the call at once; a connection it was using is closed. Redirects are not
  /// followed.
  public func send(_ request: HTTPClientRequest) async throws(UpstreamError) -> HTTPClientResponse {
    let (call, key) = try prepare(request, nil)
    let client = call.client
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Call.Outcome, Never>) in
        let isPosted = client.loop.post {
          client.start(call, key: key) { continuation.resume(returning: $0) }
        }
        if !isPosted { continuation.resume(returning: .failure(.stopped)) }
      }
    } onCancel: {
      client.loop.post { call.finish(.failure(.cancelled)) }
    }
    return try outcome.get()
  }

  /// Sends the request; the response is read as it comes in, and may have no end but ``HTTPResponseStream/cancel()``.
  ///
  /// Time limits and most bytes are the request's here too. Its reader's pace is the server's: what waits to be read is
  /// bounded.
  public func stream(_ request: HTTPClientRequest) throws(UpstreamError) -> HTTPResponseStream {
    var request = request
    // What is compressed would be of no use before its end.
    request.headers.append(("Accept-Encoding", "identity"))
    let stream = HTTPResponseStream()
    let (call, key) = try prepare(request, stream)
    stream.begin(call)
    let isPosted = call.client.loop.post { call.client.start(call, key: key) { stream.finish($0) } }
    if !isPosted { stream.finish(.failure(.stopped)) }
    return stream
  }

  private func prepare(
    _ request: HTTPClientRequest, _ stream: HTTPResponseStream?
  ) throws(UpstreamError) -> (Call, OriginKey) {
    guard !isStopped.load(ordering: .acquiring) else { throw .stopped }
    if request.url.scheme == .https, configuration.security == nil { throw .securityNotConfigured }
    let key = OriginKey(request.url)
    let client = clients[Int(UInt(bitPattern: key.hashValue) % UInt(clients.count))]
    return (Call(request, bytes: try encode(request), client: client, stream: stream), key)
  }

  /// Ends all calls with ``UpstreamError/stopped`` and closes all connections. Calls to come are refused.
  public func shutdown() async {
    isStopped.store(true, ordering: .releasing)
    for client in clients {
      // A loop that has ended has closed everything itself.
      try? await client.loop.perform { client.shutDown() }
    }
  }

  private func encode(_ request: HTTPClientRequest) throws(UpstreamError) -> [UInt8] {
    // RFC 9110 §9.3.6: it makes a tunnel of the connection.
    guard request.method != "CONNECT" else { throw .invalidRequest(.malformedMethod) }
    var headers: HTTPHeaders = ["Host": request.url.authority]
    let given = HTTPHeaders(request.headers.map { (name: $0.0, value: $0.1) })
    if !configuration.userAgent.isEmpty, !given.contains("User-Agent") {
      headers.append("User-Agent", configuration.userAgent)
    }
    if !given.contains("Accept-Encoding") { headers.append("Accept-Encoding", "gzip") }
    headers.append(contentsOf: given)
    let head = RequestHead(method: request.method, target: request.url.target, headers: headers)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(request.body.count + 512)
    do throws(HTTPLocalError) {
      // RFC 9110 §8.6: a length of 0 is told only where a body would be expected.
      if request.body.isEmpty, !["POST", "PUT", "PATCH"].contains(request.method) {
        guard !given.contains("Content-Length"), !given.contains("Transfer-Encoding") else {
          throw HTTPLocalError.conflictingLength
        }
        try RequestEncoder.encode(head, into: &bytes)
      } else {
        try RequestEncoder.encode(head, body: request.body, into: &bytes)
      }
    } catch {
      throw .invalidRequest(error)
    }
    return bytes
  }
}
