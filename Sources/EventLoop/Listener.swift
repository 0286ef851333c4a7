import CLinux
import Glibc

/// Something in a loop's epoll set that is not a connection. Level-triggered, for input only.
protocol EventSource: AnyObject {
  func ready()
  func close()
}

/// Decides about a new connection: its handler, or nil to refuse it (it is closed at once).
///
/// The place to set the connection's filter.
public typealias AcceptHandler = (Connection) -> (any ConnectionHandler)?

/// Makes the handler of a connection beyond the budget: it is to say so and close, soon whatever the peer does, and to do
/// nothing else. Nil closes at once.
public typealias TurnAwayHandler = (Connection, ConnectionBudget.Refusal) -> (any ConnectionHandler)?

/// A listening socket of an ``EventLoop``. Thread-confined to it.
///
/// When descriptors or kernel memory run out, connections would stay in the kernel's queue and keep the
/// socket readable: the loop would spin and the clients hang. So the listener gives up the spare descriptor
/// that the loop holds, accepts with it, closes (the client learns at once), takes the spare back, and after
/// a batch of that rests for a moment.
///
/// Beyond the ``ConnectionBudget`` a few connections are turned away: kept until they have heard why. Of those above that
/// each is refused before anything is spent on it: the refusal goes out from here, and the descriptor is closed in the
/// same breath.
public final class Listener: EventSource, TimerTarget {
  public let loop: EventLoop
  /// Where it listens; the port is the real one.
  public let address: SocketAddress
  private let accept: AcceptHandler
  private let refusal: [UInt8]
  private let turnAway: TurnAwayHandler?
  private var descriptor: Int32
  private var source: UInt32 = 0
  private var restTimer = TimerID.none
  private var failuresInARow = 0
  /// So many, and the fault is not with single connections.
  private static let failuresMaximum = 16

  init(
    loop: EventLoop, descriptor: Int32, address: SocketAddress, refusal: [UInt8], turnAway: TurnAwayHandler?,
    accept: @escaping AcceptHandler
  ) {
    self.loop = loop
    self.refusal = refusal
    self.turnAway = turnAway
    self.descriptor = descriptor
    self.address = address
    self.accept = accept
  }

  func register() throws(SystemError) {
    source = try loop.addSource(self, descriptor: descriptor)
  }

  /// Stops listening. What the kernel has queued is reset; connections already accepted stay.
  public func close() {
    loop.assertCurrent()
    guard descriptor >= 0 else { return }
    _ = loop.cancel(restTimer)
    loop.sources[source] = nil
    _ = Glibc.close(descriptor)
    descriptor = -1
  }

  func ready() {
    for _ in 0..<loop.configuration.acceptsPerTurn where descriptor >= 0 {
      guard acceptOne() else { return }
    }
  }

  /// False when there is nothing to accept, or no point in trying again in this turn.
  private func acceptOne() -> Bool {
    var storage = sockaddr_storage()
    let accepted = take(&storage)
    guard accepted >= 0 else { return recover(from: errno) }
    failuresInARow = 0
    guard let peer = SocketAddress(storage) else {
      _ = Glibc.close(accepted)
      return true
    }
    do throws(ConnectionBudget.Refusal) {
      let address = try loop.configuration.budget.admit(peer)
      loop.statistics.accepted &+= 1
      loop.adopt(accepted, peer: peer, flags: address == nil ? [] : .countsForPeer, accept: accept)
    } catch {
      refuse(accepted, peer, error)
    }
    return true
  }

  private func refuse(_ accepted: Int32, _ peer: SocketAddress, _ reason: ConnectionBudget.Refusal) {
    switch reason {
    case .connections: loop.statistics.refusedConnections &+= 1
    case .address: loop.statistics.refusedAddress &+= 1
    }
    if let turnAway, loop.configuration.budget.beginTurningAway() {
      loop.statistics.turnedAway &+= 1
      loop.adopt(accepted, peer: peer, flags: .turnedAway) { turnAway($0, reason) }
    } else {
      refuseAtOnce(accepted)
    }
  }

  /// Nobody waits for the peer here. What it has sent already is read away: closing with unread input resets the
  /// connection, and the reset would overtake the refusal. What it sends later does reset it.
  private func refuseAtOnce(_ accepted: Int32) {
    if !refusal.isEmpty {
      _ = refusal.withUnsafeBytes { send(accepted, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      _ = shutdown(accepted, Int32(SHUT_WR))
      _ = recv(accepted, loop.readBuffer.baseAddress, loop.readBuffer.count, 0)
    }
    _ = Glibc.close(accepted)
  }

  private func take(_ storage: inout sockaddr_storage) -> Int32 {
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        loop.systemCalls.accept(descriptor, $0, &length)
      }
    }
  }

  private func recover(from code: Int32) -> Bool {
    switch code {
    case EAGAIN: return false
    case EMFILE, ENFILE: return shedWithSpare()
    case ENOBUFS, ENOMEM:
      rest()
      return false
    default:
      // accept(2): errors of the new connection itself come this way too, and are no reason to stop.
      failuresInARow += 1
      if failuresInARow < Self.failuresMaximum { return true }
      failuresInARow = 0
      rest()
      return false
    }
  }

  private func shedWithSpare() -> Bool {
    rest()
    guard loop.spareDescriptor >= 0 else {
      loop.spareDescriptor = EventLoop.openSpareDescriptor()
      return false
    }
    _ = Glibc.close(loop.spareDescriptor)
    defer { loop.spareDescriptor = EventLoop.openSpareDescriptor() }
    var storage = sockaddr_storage()
    let accepted = take(&storage)
    guard accepted >= 0 else { return false }
    shed(accepted)
    return true
  }

  private func shed(_ accepted: Int32) {
    loop.statistics.shed &+= 1
    _ = Glibc.close(accepted)
  }

  // MARK: - Rest

  private func rest() {
    guard restTimer == .none, descriptor >= 0 else { return }
    loop.armSource(source, descriptor: descriptor, isArmed: false)
    restTimer = loop.schedule(after: loop.configuration.acceptPause, self, tag: 0)
  }

  public func timerFired(tag: UInt64, now: LoopInstant) {
    restTimer = .none
    if descriptor >= 0 { loop.armSource(source, descriptor: descriptor, isArmed: true) }
  }
}
