import EventLoop
import Logging

/// What a pool of connections belongs to.
struct OriginKey: Hashable, Sendable {
  var scheme: HTTPURL.Scheme
  var host: String
  var port: UInt16

  init(_ url: HTTPURL) {
    scheme = url.scheme
    host = url.host
    port = url.port
  }
}

/// The part of an ``HTTPClient`` that lives on one loop. Thread-confined to it, but for its constants.
final class ClientLoop: @unchecked Sendable {
  let loop: EventLoop
  let configuration: HTTPClientConfiguration
  let logger: Logger
  let resolver: Resolver
  let addresses: AddressBook
  private var origins: [OriginKey: Origin] = [:]
  private var isStopped = false

  init(loop: EventLoop, resolver: Resolver, configuration: HTTPClientConfiguration, logger: Logger) {
    self.loop = loop
    self.resolver = resolver
    self.configuration = configuration
    self.logger = logger
    addresses = AddressBook(loop: loop, resolver: resolver, lifetime: configuration.addressLifetime)
  }

  func start(_ call: Call, key: OriginKey, _ answer: @escaping (Call.Outcome) -> Void) {
    guard call.begin(answer) else { return }
    guard !isStopped else { return call.finish(.failure(.stopped)) }
    let origin = origins[key] ?? Origin(key, url: call.request.url, client: self)
    origins[key] = origin
    origin.start(call)
  }

  func remove(_ origin: Origin) {
    if origins[origin.key] === origin { origins[origin.key] = nil }
  }

  func shutDown() {
    isStopped = true
    for origin in Array(origins.values) { origin.shutDown() }
  }

  /// Those with a connection or a waiting request.
  var allOrigins: [Origin] { Array(origins.values) }
}
