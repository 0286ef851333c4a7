import EventLoop
import HTTP1
import Push
import Synchronization

/// How many requests a second a client may make (`limits.requestsPerSecond`); a second's worth may come at once.
///
/// Counted are those that make us work. A file, a health check or a refusal costs as little as the 429 would, and a page
/// half of whose files came is worse than none; a WebSocket counts its operations itself.
///
/// A client is an address where addresses are counted (`limits.connectionsPerAddress`), and behind a trusted proxy,
/// whose connections are many clients'. Otherwise it is a connection.
final class RequestRates: Sendable {
  private let cost: Duration
  private let most: Duration
  private let countsAddresses: Bool
  private let clients: ClientAddresses
  private let addresses: Mutex<AddressAllowances>

  init(_ limits: Settings.Limits, clients: ClientAddresses) {
    cost = .seconds(1 / limits.requestsPerSecond)
    most = max(.seconds(1), cost)
    countsAddresses = limits.connectionsPerAddress > 0
    self.clients = clients
    addresses = Mutex(AddressAllowances(window: most, addresses: limits.connections))
  }

  /// Takes room for one request.
  /// - Parameter own: of the connection.
  /// - Returns: how long to wait; nil when there was room.
  func overdraft(
    of head: RequestHead, from peer: SocketAddress, own: inout Allowance, now: LoopInstant
  ) -> Duration? {
    let address: SocketAddress
    if let client = clients.client(of: head, peer: peer) {
      address = client
    } else if clients.isTrusted(peer) {
      // Nobody knows whose it is.
      return nil
    } else if countsAddresses {
      address = peer
    } else {
      return own.take(cost, most: most, now: now)
    }
    switch addresses.withLock({ $0.take(cost, most: most, of: address.limited, now: now) }) {
    case .granted: return nil
    case .wait(let wait): return wait
    case .noRoom: return own.take(cost, most: most, now: now)
    }
  }
}

/// An allowance for each address, in bounded memory and without ever going through all of them.
///
/// Whoever was silent for as long as one may be ahead owes nothing, and needs no entry. So there are two tables: who comes
/// is moved to the newer one, and once in a window the older one is dropped as a whole.
struct AddressAllowances {
  enum Verdict: Equatable {
    case granted
    case wait(Duration)
    /// The table is full of other addresses.
    case noRoom
  }

  private let window: Duration
  /// Of one table.
  private let addresses: Int
  private var newer: [SocketAddress: Allowance] = [:]
  private var older: [SocketAddress: Allowance] = [:]
  private var turnsAt = LoopInstant(nanoseconds: 0)

  /// - Parameters:
  ///   - window: how far ahead an address may be.
  ///   - addresses: the most that are newly seen in one window.
  init(window: Duration, addresses: Int) {
    // An allowance forgives a millisecond.
    self.window = window + .milliseconds(2)
    self.addresses = addresses
  }

  var count: Int { newer.count + older.count }

  mutating func take(
    _ cost: Duration, most: Duration, of address: SocketAddress, now: LoopInstant
  ) -> Verdict {
    turn(now: now)
    let known = newer[address]
    guard known != nil || newer.count < addresses else { return .noRoom }
    var allowance = known ?? older[address] ?? Allowance(now: now)
    let wait = allowance.take(cost, most: most, now: now)
    newer[address] = allowance
    return wait.map { .wait($0) } ?? .granted
  }

  private mutating func turn(now: LoopInstant) {
    guard now >= turnsAt else { return }
    older = now < turnsAt + window ? newer : [:]
    newer = [:]
    turnsAt = now + window
  }
}
