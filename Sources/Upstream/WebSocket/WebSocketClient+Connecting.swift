import EventLoop
import HTTP1
import WebSocket

/// From a name to an open connection: its addresses, one after the other, then the handshake (RFC 6455 §4.1).
extension WebSocketClient {
  /// Begins to connect, once. The handler hears `opened` or `closed`, never inside this call.
  public func connect() {
    loop.assertCurrent()
    guard case .idle = state else { return }
    guard configuration.addresses.isEmpty else {
      addresses = configuration.addresses[...]
      state = .connecting
      return connectNext()
    }
    state = .resolving
    arm(configuration.connectTimeout)
    resolver.resolve(host: url.http.host, port: url.http.port, on: loop) { self.resolved($0) }
  }

  private func resolved(_ answer: Resolver.Answer) {
    guard case .resolving = state else { return }
    switch answer {
    case .success(let found):
      addresses = found[...]
      state = .connecting
      connectNext()
    case .failure(let error): fail(.transport(.nameNotResolved(error)))
    }
  }

  func connectNext() {
    guard let address = addresses.popFirst() else { return fail(.transport(connectError)) }
    arm(configuration.connectTimeout)
    let connection = loop.connect(
      to: address, from: configuration.source,
      receiveBufferBytes: configuration.receiveBufferBytes, handler: self)
    self.connection = connection
    guard url.isSecure else { return }
    do {
      try connection.secure(by: configuration.security, host: url.http.host)
    } catch {
      fail(.transport(error))
    }
  }

  /// The address took too long.
  func connectTimedOut() {
    let late = connection
    // From here on its events find that they are not meant.
    connection = nil
    late?.abort()
    connectError = .timedOut(.connect)
    connectNext()
  }

  // MARK: - Handshake

  func sendRequest() {
    state = .handshaking
    arm(configuration.handshakeTimeout)
    var headers = handshake.requestHeaders
    headers.append(contentsOf: configuration.headers)
    var request: [UInt8] = []
    do throws(HTTPLocalError) {
      try RequestEncoder.encode(
        RequestHead(method: "GET", target: url.http.target, headers: headers), into: &request)
    } catch {
      return fail(.transport(.invalidRequest(error)))
    }
    connection?.write(request)
  }

  /// Bytes of the answer; what is behind it is the first of the server's frames.
  func receiveResponse(_ bytes: UnsafeMutableRawBufferPointer) {
    var input = UnsafeRawBufferPointer(bytes)
    do throws(HTTPError) {
      while let event = try response.next(&input) {
        switch event {
        // §4.1: anything but 101 is decided by its head; its body is of no use here.
        case .head(let parsed) where parsed.status != 101:
          return fail(.notOpened(.status(parsed.status)))
        case .head(let parsed): head = parsed
        case .body: break
        case .end:
          guard let head, open(head) else { return }
          let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[(bytes.count - input.count)...])
          if !rest.isEmpty { receiveFrames(rest) }
          return
        }
      }
    } catch {
      fail(.malformedResponse(error))
    }
  }

  private func open(_ head: ResponseHead) -> Bool {
    let accepted: ClientHandshake.Accepted
    let deflate: DeflateParameters?
    do throws(HandshakeFailure) {
      accepted = try handshake.verify(status: head.status, headers: head.headers)
      do throws(DeflateParameterError) {
        deflate = try configuration.deflate.agreed(accepted.extensions)
      } catch {
        throw HandshakeFailure.compression(error)
      }
    } catch {
      fail(.notOpened(error))
      return false
    }
    if let deflate, let deflatePool {
      machine = WebSocketConnection(
        role: .client(maskingSeed: random.next()), limits: configuration.limits,
        messageExtension: PerMessageDeflate(deflate, role: .client, pool: deflatePool))
    }
    self.head = nil
    state = .open
    lastHeard = loop.now
    armLiveness()
    handler?.opened(self, subprotocol: accepted.subprotocol)
    return true
  }
}
