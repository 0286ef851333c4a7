import EventLoop
import WebSocket

extension WebSocketClient: ConnectionHandler {
  public func connected(_ connection: Connection) {
    guard connection === self.connection, case .connecting = state else { return }
    sendRequest()
  }

  public func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    guard connection === self.connection else { return }
    lastHeard = loop.now
    isProbing = false
    switch state {
    case .handshaking: receiveResponse(bytes)
    case .open, .closing: receiveFrames(bytes)
    case .idle, .resolving, .connecting, .ended: break
    }
  }

  func receiveFrames(_ bytes: UnsafeMutableRawBufferPointer) {
    var input = bytes
    do throws(RemoteError) {
      while let event = try machine.next(&input) {
        switch event {
        case .message(let kind, let payload): handler?.received(kind, payload, on: self)
        case .ping, .pong: break
        case .close(let code, let reason):
          // §7.1.1: the server ends the transport; we wait for that, not for ever.
          ending = ending ?? .closed(code: code, reason: reason)
          beginClosing()
        }
        // The owner gave up meanwhile.
        if case .ended = state { return }
      }
      writeReplies()
    } catch {
      // The machine has queued the Close that answers (§7.1.7).
      ending = ending ?? .failed(.protocolBroken(error))
      writeReplies()
      connection?.close(.local(code: error.closeCode.rawValue), afterFlush: true)
    }
  }

  public func inputEnded(on connection: Connection) {
    guard connection === self.connection else { return }
    connection.close(.endOfStream, afterFlush: true)
  }

  public func drained(_ connection: Connection) {
    guard connection === self.connection else { return }
    handler?.drained(self)
  }

  public func closed(_ connection: Connection, reason: CloseReason) {
    guard connection === self.connection else { return }
    self.connection = nil
    if case .connecting = state, ending == nil {
      connectError = error(reason)
      return isFinal(reason) ? fail(.transport(connectError)) : connectNext()
    }
    ending = ending ?? .failed(failure(reason))
    finish()
  }

  private func failure(_ reason: CloseReason) -> WebSocketClientError {
    if case .handshaking = state { return .transport(error(reason)) }
    switch reason {
    case .failed, .filter, .stopped: return .transport(error(reason))
    case .local, .timedOut, .endOfStream: return .endedWithoutClose
    }
  }

  private func error(_ reason: CloseReason) -> UpstreamError {
    switch reason {
    case .failed(let error): error.call == .connect ? .connectFailed(error) : .connectionBroken(error)
    case .filter(let error):
      .insecure(
        error, explanation: configuration.security?.explanation(of: error) ?? "code \(error.code)")
    case .stopped: .stopped
    case .local, .timedOut, .endOfStream: .closedBeforeResponse
    }
  }

  /// Whether the other addresses would say the same.
  private func isFinal(_ reason: CloseReason) -> Bool {
    switch reason {
    case .filter, .stopped: true
    case .failed, .local, .timedOut, .endOfStream: false
    }
  }
}

extension WebSocketClient: TimerTarget {
  public func timerFired(tag: UInt64, now: LoopInstant) {
    timer = .none
    switch state {
    case .idle, .ended: break
    case .resolving: fail(.transport(.timedOut(.connect)))
    case .connecting: connectTimedOut()
    case .handshaking: fail(.handshakeTimedOut)
    case .open: checkLiveness(now)
    case .closing: fail(.closeTimedOut)
    }
  }

  /// The next look at the server's silence.
  func armLiveness() {
    guard let interval = configuration.pingInterval else { return loop.cancelIfAny(&timer) }
    let deadline = lastHeard + interval + (isProbing ? configuration.pongTimeout : .zero)
    loop.cancelIfAny(&timer)
    timer = loop.schedule(at: deadline, self, tag: 0)
  }

  private func checkLiveness(_ now: LoopInstant) {
    guard let interval = configuration.pingInterval else { return }
    // With reading paused it is we who do not hear. A server that takes what we send is alive.
    if let connection, connection.isReadingPaused { lastHeard = now }
    if let connection, unsentBytes > 0 { lastHeard = max(lastHeard, connection.lastProgress) }
    let silence = now - lastHeard
    if silence < interval {
      isProbing = false
    } else if !isProbing {
      isProbing = true
      try? ping()
    } else if silence >= interval + configuration.pongTimeout {
      return fail(.noPong)
    }
    armLiveness()
  }
}

extension EventLoop {
  fileprivate func cancelIfAny(_ timer: inout TimerID) {
    cancel(timer)
    timer = .none
  }
}
