import EventLoop

/// The addresses of hosts, kept for a while, and looked up once for all who ask at the same time.
/// Thread-confined.
final class AddressBook: @unchecked Sendable {
  private struct Name: Hashable {
    var host: String
    var port: UInt16
  }

  private struct Entry {
    var addresses: [SocketAddress]
    var expires: LoopInstant
  }

  /// More names than any configuration has; those above are looked up each time.
  private static let entriesMaximum = 1_024

  private let loop: EventLoop
  private let resolver: Resolver
  private let lifetime: Duration
  private var entries: [Name: Entry] = [:]
  private var asking: [Name: [(Resolver.Answer) -> Void]] = [:]

  init(loop: EventLoop, resolver: Resolver, lifetime: Duration) {
    self.loop = loop
    self.resolver = resolver
    self.lifetime = lifetime
  }

  /// Answers now or later, on the loop. Errors are not kept.
  func find(host: String, port: UInt16, _ answer: @escaping (Resolver.Answer) -> Void) {
    let name = Name(host: host, port: port)
    if let entry = entries[name], entry.expires > loop.now { return answer(.success(entry.addresses)) }
    if asking[name] != nil {
      asking[name]?.append(answer)
      return
    }
    asking[name] = [answer]
    resolver.resolve(host: host, port: port, on: loop) { self.resolved(name, $0) }
  }

  private func resolved(_ name: Name, _ answer: Resolver.Answer) {
    if case .success(let addresses) = answer { keep(addresses, for: name) }
    for ask in asking.removeValue(forKey: name) ?? [] { ask(answer) }
  }

  private func keep(_ addresses: [SocketAddress], for name: Name) {
    if entries.count >= Self.entriesMaximum { entries = entries.filter { $0.value.expires > loop.now } }
    guard entries.count < Self.entriesMaximum else { return }
    entries[name] = Entry(addresses: addresses, expires: loop.now + lifetime)
  }

  /// As if it had been resolved just now.
  func keep(_ addresses: [SocketAddress], host: String, port: UInt16) {
    keep(addresses, for: Name(host: host, port: port))
  }

  /// Puts an address that could be connected to in front: the next connection needn't wait for the dead ones.
  func prefer(_ address: SocketAddress, host: String, port: UInt16) {
    let name = Name(host: host, port: port)
    guard let index = entries[name]?.addresses.firstIndex(of: address), index > 0 else { return }
    entries[name]?.addresses.remove(at: index)
    entries[name]?.addresses.insert(address, at: 0)
  }

  /// None of them worked.
  func forget(host: String, port: UInt16) { entries[Name(host: host, port: port)] = nil }
}
