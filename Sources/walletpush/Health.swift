import ArgumentParser
import Glibc
import Server

struct Health: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Asks the server that runs with these settings whether it is alive.",
    discussion: """
      For a container's health check, where there is no curl. It reads the same file, environment and options as \
      `walletpush serve`, and asks on the port they name. Exit code: 0 alive; 1 not, with a line that says why; 2 wrong \
      settings.
      """)

  @OptionGroup
  var settings: SettingsOptions

  func run() async throws {
    let http = settings.load().http
    let host = http.hostHere
    do throws(HealthError) {
      let status = try HealthProbe.status(host: host, port: http.port)
      // Spoken to in plain text, a server with TLS says 400. That shows as well that its loops turn, and needs no
      // certificate that names the loopback address.
      guard status == 200 || (http.tls != nil && status == 400) else { throw .badStatus(status) }
    } catch {
      fail(["\(host):\(http.port) is not healthy: \(error)"])
    }
  }
}

extension Settings.HTTP {
  /// Where it is reached from this machine: what listens on every address listens on loopback.
  var hostHere: String { ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host }

  /// Its root as a URL.
  var addressHere: String {
    "\(tls == nil ? "http" : "https")://\(hostHere.contains(":") ? "[\(hostHere)]" : hostHere):\(port)/"
  }
}

enum HealthError: Error, CustomStringConvertible {
  case noAddress(String)
  case failed(String, Int32)
  case noAnswer
  case badStatus(Int)

  var description: String {
    switch self {
    case .noAddress(let reason): "no such address (\(reason))"
    case .failed(let what, EAGAIN), .failed(let what, EINPROGRESS):
      "\(what): nothing for \(HealthProbe.seconds) seconds"
    case .failed(let what, let code): "\(what): \(String(cString: strerror(code)))"
    case .noAnswer: "what it answers is no HTTP"
    case .badStatus(let status): "GET /healthz is answered with \(status), not 200"
    }
  }
}

/// One request by a blocking socket: the answer's first line is all that is wanted.
enum HealthProbe {
  static let seconds = 3

  static func status(host: String, port: UInt16) throws(HealthError) -> Int {
    let descriptor = try connect(host, port)
    defer { close(descriptor) }
    let name = host.contains(":") ? "[\(host)]" : host
    let request = Array("GET /healthz HTTP/1.1\r\nHost: \(name):\(port)\r\nConnection: close\r\n\r\n".utf8)
    guard Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw .failed("write", errno)
    }
    return try parse(try readHead(descriptor))
  }

  private static func connect(_ host: String, _ port: UInt16) throws(HealthError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &found)
    defer { if let found { freeaddrinfo(found) } }
    guard code == 0, let first = found?.pointee else { throw .noAddress(String(cString: gai_strerror(code))) }
    let descriptor = socket(first.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .failed("socket", errno) }
    // connect(2) is bound by the time to send.
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    guard Glibc.connect(descriptor, first.ai_addr, first.ai_addrlen) == 0 else {
      let code = errno
      close(descriptor)
      throw .failed("connect", code)
    }
    return descriptor
  }

  /// The first line may come in pieces; more than `HTTP/1.1 200` is not needed.
  private static func readHead(_ descriptor: Int32) throws(HealthError) -> [UInt8] {
    var head: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 512)
    while head.count < 13 {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0 { throw .failed("read", errno) }
      if count == 0 { break }
      head += buffer[..<count]
    }
    return head
  }

  /// `HTTP/1.1 200 OK`, RFC 9112 §4.
  private static func parse(_ head: [UInt8]) throws(HealthError) -> Int {
    guard head.starts(with: Array("HTTP/1.".utf8)), head.count >= 12,
      let status = Int(String(decoding: head[9..<12], as: UTF8.self))
    else { throw .noAnswer }
    return status
  }
}
