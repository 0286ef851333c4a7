import CLinux
import Glibc

/// A TCP connection of an ``EventLoop``. Thread-confined to it.
///
/// Lean on purpose: it reads into the loop's buffer, and while nothing is unsent it owns no memory of its
/// own.
public final class Connection {
  struct Flags: OptionSet {
    var rawValue: UInt16
    /// connect(2) is under way.
    static let connecting = Flags(rawValue: 1 << 0)
    /// We opened it: its handler is owed `connected`.
    static let outgoing = Flags(rawValue: 1 << 1)
    static let announced = Flags(rawValue: 1 << 2)
    static let readPaused = Flags(rawValue: 1 << 3)
    /// The peer ended its side, or its filter did.
    static let inputEnded = Flags(rawValue: 1 << 4)
    /// The kernel took less than there is: EPOLLOUT says when to go on.
    static let blocked = Flags(rawValue: 1 << 5)
    /// In the loop's `dirty`.
    static let dirty = Flags(rawValue: 1 << 6)
    /// Bytes were left at the end of a flush.
    static let owesDrained = Flags(rawValue: 1 << 7)
    /// To be closed as soon as everything is sent. The handler hears nothing but `closed` from here on.
    static let closing = Flags(rawValue: 1 << 8)
    /// Our side is shut; waiting for the peer to end its own.
    static let lingering = Flags(rawValue: 1 << 9)
    /// In the loop's `closing`.
    static let closed = Flags(rawValue: 1 << 10)
    /// The filter refused to go on: only what it left to send may pass.
    static let filterFailed = Flags(rawValue: 1 << 11)
    /// In the loop's `resumed`.
    static let resuming = Flags(rawValue: 1 << 12)
    /// In the epoll set. Not yet while its accept handler runs.
    static let registered = Flags(rawValue: 1 << 13)
    /// Takes a place of its peer's address in the budget.
    static let countsForPeer = Flags(rawValue: 1 << 14)
    /// Accepted beyond the budget, in which it has no place.
    static let turnedAway = Flags(rawValue: 1 << 15)

    /// While any of these holds nothing may be sent past the queue.
    static let notOpen: Flags = [.connecting, .blocked, .closing, .closed]
  }

  /// The loop that owns the connection, until it has closed.
  public let loop: EventLoop
  /// Told everything; may be swapped at any time. Nil only after `closed`.
  public var handler: (any ConnectionHandler)?
  /// For ``EventLoop/connection(_:)``.
  public let id: ConnectionID
  /// The other end.
  public let peer: SocketAddress
  /// When the kernel last took a byte while some were waiting, or else when the first of those now waiting
  /// was left over. Means nothing while ``unsentBytes`` is 0.
  public internal(set) var lastProgress: LoopInstant
  /// Bytes queued here: not yet taken by the kernel. With a filter, plain and filtered ones together.
  public internal(set) var unsentBytes = 0 {
    didSet { if (unsentBytes == 0) != (oldValue == 0) { updateOpenDescriptor() } }
  }

  /// The client behind the peer whose place in the budget it takes. Few have one, so it is not kept in line.
  var countedClient: CountedClient?
  var queue = WriteQueue()
  var filterState: FilterState? { didSet { updateOpenDescriptor() } }
  var closeTimer = TimerID.none
  var closeReason = CloseReason.requested
  /// -1 when there is none: the socket could not be made.
  var descriptor: Int32
  var armedEvents: UInt32 = 0
  var flags: Flags {
    didSet { if !flags.symmetricDifference(oldValue).isDisjoint(with: .notOpen) { updateOpenDescriptor() } }
  }

  init(
    loop: EventLoop, id: ConnectionID, descriptor: Int32, peer: SocketAddress, flags: Flags,
    handler: (any ConnectionHandler)?
  ) {
    self.loop = loop
    self.id = id
    self.descriptor = descriptor
    self.peer = peer
    self.flags = flags
    self.handler = handler
    lastProgress = loop.now
  }

  /// False from the moment anybody asked for it to close.
  public var isOpen: Bool { flags.isDisjoint(with: [.closing, .closed]) }

  /// Whether a flush has left bytes over: the handler's `drained` will be called.
  public var hasLeftovers: Bool { flags.contains(.owesDrained) }

  /// Whether the peer ended its side.
  public var isInputEnded: Bool { flags.contains(.inputEnded) }

  /// Whether we opened it.
  public var isOutgoing: Bool { flags.contains(.outgoing) }

  /// Our own end; nil when the kernel won't say.
  public var local: SocketAddress? { try? SocketAddress.local(of: descriptor) }

  /// Keeps the loop's table in line with what it depends on.
  func updateOpenDescriptor() {
    assert(loop.connections[id] === self)
    let isOpen = unsentBytes == 0 && filterState == nil && flags.isDisjoint(with: .notOpen)
    loop.connections.setOpenDescriptor(isOpen ? descriptor : -1, at: id.index)
  }

  // MARK: - Events

  /// What the kernel should tell us about: derived from the state, never set by hand.
  private var wantedEvents: UInt32 {
    if flags.contains(.connecting) { return EPOLLOUT.rawValue }
    var wanted: UInt32 = 0
    let isDiscarding = flags.contains(.closing)
    if !flags.contains(.inputEnded), isDiscarding || !flags.contains(.readPaused) {
      wanted |= EPOLLIN.rawValue
    }
    if flags.contains(.blocked) { wanted |= EPOLLOUT.rawValue }
    return wanted
  }

  /// Puts the connection into the epoll set.
  func register() {
    flags.insert(.registered)
    armedEvents = wantedEvents
    control(EPOLL_CTL_ADD)
  }

  func updateEvents() {
    let wanted = wantedEvents
    guard wanted != armedEvents, flags.contains(.registered), !flags.contains(.closed) else { return }
    armedEvents = wanted
    control(EPOLL_CTL_MOD)
  }

  private func control(_ operation: Int32) {
    var event = epoll_event()
    event.events = armedEvents
    event.data.u64 = id.rawValue
    if epoll_ctl(loop.epollDescriptor, operation, descriptor, &event) != 0 {
      markClosed(.failed(.last(.epollControl)))
    }
  }

  /// One event of the current batch.
  func handle(_ events: UInt32) {
    guard !flags.contains(.closed) else { return }
    if flags.contains(.connecting) { return finishConnecting() }
    if events & EPOLLOUT.rawValue != 0, flags.contains(.blocked) {
      flags.remove(.blocked)
      flush()
    }
    let isBroken = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
    guard !flags.contains(.closed), events & EPOLLIN.rawValue != 0 || isBroken else { return }
    // What the peer sent before it broke off is still worth reading, one buffer a turn.
    let didRead = armedEvents & EPOLLIN.rawValue != 0 && read()
    if isBroken, !didRead { closeBroken() }
  }

  /// EPOLLERR, or EPOLLHUP: both sides are shut. Neither can be disarmed, so they end the connection.
  private func closeBroken() {
    let code = socketError()
    if code != 0 {
      markClosed(.failed(SystemError(flags.contains(.blocked) ? .send : .receive, code: code)))
    } else {
      markClosed(.endOfStream)
    }
  }

  /// SO_ERROR: the pending error, which asking clears.
  private func socketError() -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
    return code
  }

  // MARK: - Connecting

  private func finishConnecting() {
    let code = socketError()
    guard code == 0 else { return markClosed(.failed(SystemError(.connect, code: code))) }
    flags.remove(.connecting)
    updateEvents()
    if flags.contains(.closing) { return flush() }
    transportReady()
  }

  /// The peer is there: the filter begins, and without one so does the handler.
  func transportReady() {
    if let state = filterState {
      startFilter(state)
    } else {
      announce()
      markDirty()
    }
  }

  /// Tells an outgoing connection's handler, once.
  func announce() {
    guard flags.contains(.outgoing), !flags.contains(.announced), isOpen else { return }
    flags.insert(.announced)
    handler?.connected(self)
  }
}

extension EventLoop {
  /// The connection of that name; nil when it has closed, though its slot may be another's now.
  public func connection(_ id: ConnectionID) -> Connection? {
    assertCurrent()
    return connections[id]
  }
}
