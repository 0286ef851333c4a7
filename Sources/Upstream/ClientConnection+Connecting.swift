import EventLoop

/// From a name to a connection: its addresses, one after the other, each with the same time limit.
extension ClientConnection: TimerTarget {
  func open() {
    armTimer()
    let key = origin.key
    origin.client.addresses.find(host: key.host, port: key.port) { self.resolved($0) }
  }

  private func resolved(_ answer: Resolver.Answer) {
    guard case .resolving = state else { return }
    switch answer {
    case .success(let found):
      addresses = found[...]
      state = .connecting
      connectNext()
    case .failure(let error): giveUp(.nameNotResolved(error))
    }
  }

  private func connectNext() {
    guard let address = addresses.popFirst() else { return giveUp(connectError) }
    armTimer()
    let connection = loop.connect(to: address, handler: self)
    self.connection = connection
    guard origin.key.scheme == .https else { return }
    do {
      try connection.secure(by: origin.client.configuration.security, host: origin.key.host)
    } catch {
      giveUp(error)
    }
  }

  func didConnect(to address: SocketAddress) {
    stopTimer()
    state = .idle
    origin.client.addresses.prefer(address, host: origin.key.host, port: origin.key.port)
    origin.connected(self)
  }

  /// - Parameter isFinal: no other address is tried.
  func addressFailed(_ error: UpstreamError, isFinal: Bool) {
    connectError = error
    if isFinal { giveUp(error) } else { connectNext() }
  }

  private func giveUp(_ error: UpstreamError) {
    drop()
    // They may have changed.
    origin.client.addresses.forget(host: origin.key.host, port: origin.key.port)
    origin.connectFailed(self, error)
  }

  // MARK: - Time

  private func armTimer() {
    stopTimer()
    connectTimer = loop.schedule(after: connectTimeout, self, tag: 0)
  }

  private func stopTimer() {
    loop.cancel(connectTimer)
    connectTimer = .none
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    connectTimer = .none
    switch state {
    case .resolving: giveUp(.timedOut(.connect))
    case .connecting:
      let late = connection
      // From here on its events find that they are not meant.
      connection = nil
      late?.abort()
      addressFailed(.timedOut(.connect), isFinal: false)
    case .idle, .busy, .closed: break
    }
  }
}

extension Origin {
  func explanation(of error: FilterError) -> String {
    client.configuration.security?.explanation(of: error) ?? "code \(error.code)"
  }
}
