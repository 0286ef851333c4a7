import Synchronization

/// How many accepted connections may be open at once: in all, and from one address.
///
/// One budget for all loops: the kernel's spread over their listeners is uneven, so a share for each would refuse too
/// early. A connection counts until it is gone for good, its closing included. What a stranger can make this hold is
/// one entry for each open connection; an address without connections has none.
///
/// Beyond the limits a few more are kept for a moment, to be told so in their own protocol (``TurnAwayHandler``). They
/// take none of the places above.
public final class ConnectionBudget: Sendable {
  public enum Refusal: Error {
    case connections
    case address
  }

  public let connections: Int
  /// Nil: no limit.
  public let perAddress: Int?
  /// How many may be open at once beyond the limits.
  public let turnedAway: Int
  private let isExempt: @Sendable (SocketAddress) -> Bool
  private let openCount = Atomic<Int>(0)
  private let turnedAwayCount = Atomic<Int>(0)
  private let addresses = Mutex<[SocketAddress: Int]>([:])

  /// - Parameter isExempt: whether a peer has no limit of its own (a proxy, which speaks for many).
  public init(
    connections: Int, perAddress: Int?, turnedAway: Int = 256,
    isExempt: @escaping @Sendable (SocketAddress) -> Bool = { _ in false }
  ) {
    self.connections = max(0, connections)
    self.perAddress = perAddress
    self.turnedAway = max(0, turnedAway)
    self.isExempt = isExempt
  }

  /// Connections that count now.
  public var open: Int { openCount.load(ordering: .relaxed) }

  /// Connections that are being turned away now.
  public var turnedAwayOpen: Int { turnedAwayCount.load(ordering: .relaxed) }

  /// Addresses that have connections now; 0 without a limit per address.
  public var addressCount: Int { addresses.withLock { $0.count } }

  /// Takes room for a connection of this peer.
  /// - Returns: the address it counts for, for `release`; nil when it counts for none.
  func admit(_ peer: SocketAddress) throws(Refusal) -> SocketAddress? {
    guard openCount.wrappingAdd(1, ordering: .relaxed).newValue <= connections else {
      openCount.wrappingSubtract(1, ordering: .relaxed)
      throw .connections
    }
    guard perAddress != nil, !isExempt(peer) else { return nil }
    guard take(peer.limited) else {
      openCount.wrappingSubtract(1, ordering: .relaxed)
      throw .address
    }
    return peer.limited
  }

  func release(_ address: SocketAddress?) {
    openCount.wrappingSubtract(1, ordering: .relaxed)
    if let address { give(back: address) }
  }

  /// Takes room for a connection that is only to be told that there is none.
  func beginTurningAway() -> Bool {
    guard turnedAwayCount.wrappingAdd(1, ordering: .relaxed).newValue <= turnedAway else {
      endTurningAway()
      return false
    }
    return true
  }

  func endTurningAway() { turnedAwayCount.wrappingSubtract(1, ordering: .relaxed) }

  /// Takes one of the address's connections; always granted without a limit.
  func take(_ address: SocketAddress) -> Bool {
    guard let perAddress else { return true }
    return addresses.withLock { counts in
      let count = counts[address, default: 0]
      guard count < perAddress else { return false }
      counts[address] = count + 1
      return true
    }
  }

  func give(back address: SocketAddress) {
    addresses.withLock { counts in
      guard let count = counts[address] else { return }
      counts[address] = count > 1 ? count - 1 : nil
    }
  }
}

extension SocketAddress {
  /// What a limit per address counts: an IPv4 address, and the /64 of an IPv6 one, which is the least that a host gets
  /// (RFC 6177 §2) and within which it picks addresses as it likes (RFC 8981).
  public var limited: SocketAddress {
    family == .v4
      ? withoutPort : SocketAddress(family: .v6, high: high, low: 0, scope: scope, port: 0)
  }
}

extension Connection {
  /// Counts the connection, whose peer is exempt, for the client that the peer speaks for. False when that address has
  /// no room: then it counts for none.
  public func count(for client: SocketAddress) -> Bool {
    loop.assertCurrent()
    endCountForClient()
    let budget = loop.configuration.budget
    guard budget.perAddress != nil else { return true }
    guard budget.take(client.limited) else {
      loop.statistics.refusedAddress &+= 1
      return false
    }
    countedClient = CountedClient(client.limited)
    return true
  }

  /// Ends what ``count(for:)`` began as soon as all that was written is with the kernel.
  public func endCountForClientWhenSent() {
    loop.assertCurrent()
    if unsentBytes == 0 { endCountForClient() } else { countedClient?.endsWhenSent = true }
  }

  /// The connection counts for no client from here on.
  func endCountForClient() {
    guard let client = countedClient else { return }
    loop.configuration.budget.give(back: client.address)
    countedClient = nil
  }

  /// Gives back what it took when it was accepted.
  func leaveBudget() {
    let budget = loop.configuration.budget
    if flags.contains(.turnedAway) { return budget.endTurningAway() }
    loop.statistics.acceptedOpen -= 1
    budget.release(countedAddress)
  }

  private var countedAddress: SocketAddress? {
    flags.contains(.countsForPeer) ? peer.limited : countedClient?.address
  }
}

final class CountedClient {
  let address: SocketAddress
  var endsWhenSent = false

  init(_ address: SocketAddress) { self.address = address }
}
