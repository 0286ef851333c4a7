import CLinux
import Glibc
import Synchronization

/// Names to addresses by getaddrinfo(3), which blocks: on threads of its own, with a bounded queue.
///
/// Literals and `localhost` are answered without it. Nothing is cached. All of it may be used from any
/// thread. Its threads keep it alive until ``stop()``.
public final class Resolver: Sendable {
  public typealias Answer = Result<[SocketAddress], ResolverError>

  private struct Request {
    var host: String
    var port: UInt16
    var complete: @Sendable (Answer) -> Void
  }

  private struct Queue {
    var requests: [Request] = []
    var isStopped = false
    var threads: [pthread_t] = []
  }

  private let queue = Mutex(Queue())
  private let queueMaximum: Int
  /// Counts requests: a semaphore that threads block on.
  private let signal: Int32

  /// - Parameters:
  ///   - threads: lookups under way at once, at least 1.
  ///   - queueMaximum: lookups waiting; more are refused.
  public init(threads: Int, queueMaximum: Int) throws(SystemError) {
    self.queueMaximum = queueMaximum
    signal = eventfd(0, Int32(EFD_CLOEXEC | EFD_SEMAPHORE))
    guard signal >= 0 else { throw .last(.eventfd) }
    for _ in 0..<max(1, threads) { try startThread() }
  }

  deinit { _ = Glibc.close(signal) }

  /// Addresses for TCP in the order the system prefers; never an empty list. `complete` is called on `loop`,
  /// and not at all once the loop has ended.
  public func resolve(
    host: String, port: UInt16, on loop: EventLoop, _ complete: @escaping @Sendable (Answer) -> Void
  ) {
    resolve(host, port) { answer in loop.post { complete(answer) } }
  }

  /// Addresses for TCP in the order the system prefers; never an empty list.
  public func resolve(host: String, port: UInt16) async throws(ResolverError) -> [SocketAddress] {
    let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
      resolve(host, port) { continuation.resume(returning: $0) }
    }
    return try answer.get()
  }

  /// Ends the threads after the lookups they are in; what waits is answered with `.stopped`.
  public func stop() {
    let (waiting, threads) = queue.withLock { queue in
      queue.isStopped = true
      defer {
        queue.requests = []
        queue.threads = []
      }
      return (queue.requests, queue.threads)
    }
    for request in waiting { request.complete(.failure(.stopped)) }
    raise(by: UInt64(threads.count))
    for thread in threads { pthread_detach(thread) }
  }

  private func resolve(_ host: String, _ port: UInt16, _ complete: @escaping @Sendable (Answer) -> Void) {
    if let literal = SocketAddress(host: host, port: port) { return complete(.success([literal])) }
    // A C string would end there, and name another host.
    guard !host.utf8.contains(0) else { return complete(.failure(.notFound(code: EAI_NONAME))) }
    let refusal = queue.withLock { queue -> ResolverError? in
      if queue.isStopped { return .stopped }
      if queue.requests.count >= queueMaximum { return .queueFull }
      queue.requests.append(Request(host: host, port: port, complete: complete))
      return nil
    }
    if let refusal { complete(.failure(refusal)) } else { raise(by: 1) }
  }

  private func raise(by count: UInt64) {
    var count = count
    _ = Glibc.write(signal, &count, 8)
  }

  // MARK: - Thread

  private func startThread() throws(SystemError) {
    let resolver = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        _ = clinux_set_thread_name("resolver")
        Unmanaged<Resolver>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, resolver.toOpaque())
    guard code == 0 else {
      resolver.release()
      stop()
      throw SystemError(.threadCreate, code: code)
    }
    queue.withLock { $0.threads.append(thread) }
  }

  private func run() {
    while true {
      var count: UInt64 = 0
      guard Glibc.read(signal, &count, 8) == 8 || errno == EINTR else { return }
      let (request, isStopped) = queue.withLock { queue in
        (queue.requests.isEmpty ? nil : queue.requests.removeFirst(), queue.isStopped)
      }
      if let request { request.complete(Self.lookUp(request.host, request.port)) }
      if isStopped { return }
    }
  }

  private static func lookUp(_ host: String, _ port: UInt16) -> Answer {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    // Leaves out IPv6 addresses on a machine that has none itself.
    hints.ai_flags = AI_ADDRCONFIG
    var first: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &first)
    guard code == 0 else { return .failure(.notFound(code: code)) }
    defer { freeaddrinfo(first) }
    var addresses: [SocketAddress] = []
    var next = first
    while let entry = next {
      if var address = address(of: entry.pointee) {
        address.port = port
        if !addresses.contains(address) { addresses.append(address) }
      }
      next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .failure(.notFound(code: EAI_NONAME)) : .success(addresses)
  }

  private static func address(of entry: addrinfo) -> SocketAddress? {
    guard let bytes = entry.ai_addr else { return nil }
    var storage = sockaddr_storage()
    let length = min(Int(entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: length))
    }
    return SocketAddress(storage)
  }
}

/// Why a name has no addresses.
public enum ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
  /// getaddrinfo(3) failed, with its EAI_ code.
  case notFound(code: Int32)
  /// Too many lookups are waiting.
  case queueFull
  case stopped

  public var description: String {
    switch self {
    case .notFound(let code): "name not resolved: \(String(cString: gai_strerror(code)))"
    case .queueFull: "too many names are waiting to be resolved"
    case .stopped: "the resolver has stopped"
    }
  }
}
