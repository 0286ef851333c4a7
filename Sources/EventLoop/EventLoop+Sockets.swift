import CLinux
import Glibc

extension EventLoop {
  /// Listens with SO_REUSEADDR and SO_REUSEPORT: each loop has its own listener on the same port, and the
  /// kernel spreads the connections. `::` takes IPv4 as well.
  ///
  /// - Parameters:
  ///   - turnAway: who tells a connection beyond the budget, as long as few of them are open; nil: nobody.
  ///   - refusal: what all others beyond the budget are sent before they are closed; empty: nothing.
  /// - Throws: EINVAL from `getaddrinfo` for a host that is no address literal and not `localhost`.
  public func listen(
    on address: ListenAddress, refusal: [UInt8] = [], turnAway: TurnAwayHandler? = nil,
    accept: @escaping AcceptHandler
  ) throws(SystemError) -> Listener {
    assertCurrent()
    guard let wanted = SocketAddress(host: address.host, port: address.port) else {
      throw SystemError(.getaddrinfo, code: EINVAL)
    }
    let descriptor = try Self.openSocket(wanted)
    do throws(SystemError) {
      try Self.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
      // Linux hands these down to what is accepted: fewer system calls for each connection.
      setConnectionOptions(descriptor)
      try Self.bindListener(descriptor, to: wanted)
      guard Glibc.listen(descriptor, configuration.backlog) == 0 else { throw .last(.listen) }
      let bound = try SocketAddress.local(of: descriptor)
      let listener = Listener(
        loop: self, descriptor: descriptor, address: bound, refusal: refusal, turnAway: turnAway,
        accept: accept)
      try listener.register()
      return listener
    } catch {
      _ = Glibc.close(descriptor)
      throw error
    }
  }

  /// Whether nobody listens at the address yet. With SO_REUSEPORT a second server would share its port with the
  /// first, and each would get some of the connections.
  ///
  /// - Throws: EADDRINUSE of `bind` when somebody does, and whatever else keeps one from listening there.
  public static func requireFree(_ address: ListenAddress) throws(SystemError) {
    guard let wanted = SocketAddress(host: address.host, port: address.port) else {
      throw SystemError(.getaddrinfo, code: EINVAL)
    }
    let descriptor = try openSocket(wanted)
    defer { _ = Glibc.close(descriptor) }
    try bindListener(descriptor, to: wanted)
  }

  private static func bindListener(_ descriptor: Int32, to address: SocketAddress) throws(SystemError) {
    // Connections that a former server left in TIME_WAIT are in nobody's way.
    try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if address.family == .v6 { try setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    guard address.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else { throw .last(.bind) }
  }

  /// Begins to connect. The handler hears `connected`, or else `closed` with the error, both in a later phase
  /// and never inside this call. There is no time limit: close the connection when yours has passed.
  ///
  /// What is written before `connected` waits; a ``Connection/filter`` is set right after this call.
  ///
  /// - Parameters:
  ///   - source: the address of ours to connect from, of the same family; nil: the kernel's choice.
  ///   - receiveBufferBytes: SO_RCVBUF: the kernel takes on about twice so much while nobody reads; nil: megabytes.
  public func connect(
    to address: SocketAddress, from source: SocketAddress? = nil, receiveBufferBytes: Int32? = nil,
    handler: any ConnectionHandler
  ) -> Connection {
    assertCurrent()
    var failure: SystemError?
    var descriptor: Int32 = -1
    do {
      descriptor = try Self.openSocket(address)
      setConnectionOptions(descriptor)
      // Before the connection is there: what was offered the peer cannot be taken back.
      if let receiveBufferBytes {
        try? Self.setOption(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
      }
      if let source { try Self.bindSource(descriptor, to: source) }
      let result = address.withSockaddr { Glibc.connect(descriptor, $0, $1) }
      if result != 0, errno != EINPROGRESS { failure = .last(.connect) }
    } catch {
      failure = error
    }
    let connection = insert(descriptor, peer: address, flags: [.outgoing, .connecting], handler: handler)
    if let failure { connection.markClosed(.failed(failure)) } else { connection.register() }
    return connection
  }

  /// Without a port of one's own choice: the kernel picks it at connect(2) (ip(7), IP_BIND_ADDRESS_NO_PORT), when it
  /// knows the other end. Picked at bind(2) it would have to be free whatever the other end.
  private static func bindSource(_ descriptor: Int32, to source: SocketAddress) throws(SystemError) {
    if source.port == 0 { try? setOption(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1) }
    guard source.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else { throw .last(.bind) }
  }

  /// Takes over a connected, non-blocking TCP socket.
  ///
  /// - Parameter flags: what it took of the budget.
  func adopt(_ descriptor: Int32, peer: SocketAddress, flags: Connection.Flags, accept: AcceptHandler) {
    let connection = insert(descriptor, peer: peer, flags: flags, handler: nil)
    connection.handler = accept(connection)
    if connection.handler == nil { connection.markClosed(.requested) }
    if !connection.flags.contains(.closed) { connection.register() }
  }

  private func insert(
    _ descriptor: Int32, peer: SocketAddress, flags: Connection.Flags, handler: (any ConnectionHandler)?
  ) -> Connection {
    statistics.connectionsOpen += 1
    if flags.isDisjoint(with: [.outgoing, .turnedAway]) { statistics.acceptedOpen += 1 }
    let connection = connections.insert { id in
      Connection(loop: self, id: id, descriptor: descriptor, peer: peer, flags: flags, handler: handler)
    }
    connection.updateOpenDescriptor()
    return connection
  }

  // MARK: - Sockets

  private static func openSocket(_ address: SocketAddress) throws(SystemError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.domain, type, Int32(IPPROTO_TCP))
    guard descriptor >= 0 else { throw .last(.socket) }
    return descriptor
  }

  private static func setOption(
    _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32
  ) throws(SystemError) {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor, level, name, &value, size) == 0 else { throw .last(.socketOption) }
  }

  /// A connection works without any of these: one that the kernel refuses is no reason to close it.
  private func setConnectionOptions(_ descriptor: Int32) {
    try? Self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if let bytes = configuration.unsentLowWaterBytes {
      try? Self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, bytes)
    }
    if let bytes = configuration.sendBufferBytes {
      try? Self.setOption(descriptor, SOL_SOCKET, SO_SNDBUF, bytes)
    }
  }

  static func openSpareDescriptor() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }

  // MARK: - Sources

  func addSource(_ source: any EventSource, descriptor: Int32) throws(SystemError) -> UInt32 {
    // 0 is the eventfd's; the numbers come round only after four billion listeners.
    while nextSource == 0 || sources[nextSource] != nil { nextSource &+= 1 }
    let number = nextSource
    nextSource &+= 1
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.u64 = UInt64(number)
    guard epoll_ctl(epollDescriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      throw .last(.epollControl)
    }
    sources[number] = source
    return number
  }

  func armSource(_ number: UInt32, descriptor: Int32, isArmed: Bool) {
    var event = epoll_event()
    event.events = isArmed ? EPOLLIN.rawValue : 0
    event.data.u64 = UInt64(number)
    _ = epoll_ctl(epollDescriptor, EPOLL_CTL_MOD, descriptor, &event)
  }
}

extension SocketAddress {
  /// getsockname(2).
  static func local(of descriptor: Int32) throws(SystemError) -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard result == 0 else { throw .last(.socketName) }
    guard let address = SocketAddress(storage) else { throw SystemError(.socketName, code: EAFNOSUPPORT) }
    return address
  }
}
