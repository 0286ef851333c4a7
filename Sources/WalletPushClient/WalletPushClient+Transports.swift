/// WebSockets and requests, on behalf of the machine.
extension WalletPushClient {
  /// Opens a WebSocket, and hands on what it says for as long as it is one of ours.
  func open() -> any Transport {
    let transport = transports.make()
    Task { await run(transport) }
    return transport
  }

  private func run(_ transport: any Transport) async {
    do {
      try await transport.open()
      while transport === webSocket || transport === beside {
        let message = try await transport.receive()
        // It may have taken over meanwhile.
        if transport === webSocket {
          machine.received(message, now: .now, random: Self.random)
        } else if transport === beside {
          machine.receivedBeside(message, now: .now, random: Self.random)
        }
        carryOut()
      }
    } catch {
      ended(transport, error as? TransportEnd ?? TransportEnd(reason: "\(error)"))
    }
  }

  private func ended(_ ended: any Transport, _ end: TransportEnd) {
    if ended === webSocket {
      Self.drop(&webSocket)
      machine.lost(code: end.code, reason: end.reason, now: .now, random: Self.random)
    } else if ended === beside {
      Self.drop(&beside)
      machine.lostBeside(now: .now, random: Self.random)
    }
    carryOut()
  }

  static func drop(_ transport: inout (any Transport)?) { transport.take()?.close() }

  static var random: UInt64 { .random(in: 0 ... .max) }

  // MARK: - Requests

  func request(_ id: RequestID, _ call: HTTPCall) {
    guard let http = transports.http else { return }
    requests[id] = Task {
      let limit = Task {
        if (try? await ContinuousClock().sleep(for: call.timeout)) != nil { fail(id, .timedOut) }
      }
      do throws(HTTPFailure) {
        let answer = try await http.open(call)
        if call.isStream { limit.cancel() }
        try await take(answer, of: id)
      } catch {
        fail(id, error)
      }
      limit.cancel()
    }
  }

  private func take(_ answer: any HTTPAnswer, of id: RequestID) async throws(HTTPFailure) {
    guard requests[id] != nil else { return }
    machine.answered(id, answer.head, now: .now, random: Self.random)
    carryOut()
    while requests[id] != nil, let bytes = try await answer.next() {
      guard requests[id] != nil else { return }
      machine.receivedBody(id, bytes, now: .now, random: Self.random)
      carryOut()
    }
    guard requests.removeValue(forKey: id) != nil else { return }
    machine.finished(id, now: .now, random: Self.random)
    carryOut()
  }

  private func fail(_ id: RequestID, _ failure: HTTPFailure) {
    guard let task = requests.removeValue(forKey: id) else { return }
    task.cancel()
    machine.failed(id, failure, now: .now, random: Self.random)
    carryOut()
  }
}
