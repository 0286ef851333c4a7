import Ethereum
import JSON
import Upstream

extension ChainReader {
  /// - Returns: what Multicall3 returned, not looked at yet.
  nonisolated func aggregate(
    _ call: WalletCall, block: UInt64?, at endpoint: Endpoint
  ) async throws(RefreshError) -> [UInt8] {
    try await aggregate(call.calls, block: block, at: endpoint)
  }

  nonisolated func aggregate(
    _ calls: [Multicall3.Call], block: UInt64?, at endpoint: Endpoint
  ) async throws(RefreshError) -> [UInt8] {
    subcalls.increment(by: calls.count)
    let request = JSONRPC.Request.call(
      id: 1, to: settings.chain.multicall3, data: Multicall3.aggregate3(calls),
      block: block.map { .number($0) } ?? .latest)
    let result = try await send(request, to: endpoint)
    do {
      return try JSONRPC.data(result)
    } catch {
      throw .malformed(host: endpoint.host, "\(error)")
    }
  }

  /// One call, when the endpoint's budget allows it.
  nonisolated func send(
    _ request: JSONRPC.Request, to endpoint: Endpoint
  ) async throws(RefreshError) -> JSONValue {
    let isLight = request.method == "eth_blockNumber" || request.method == "eth_chainId"
    return try await post(JSONRPC.encode(request), cost: 1, isLight: isLight, to: endpoint) { reply in
      JSONRPC.outcome(of: reply, id: request.id)
    }
  }

  /// Several calls in one body. Their ids are their own.
  nonisolated func send(
    batch: [JSONRPC.Request], to endpoint: Endpoint
  ) async throws(RefreshError) -> JSONRPC.BatchReply {
    let ids = batch.map(\.id)
    return try await post(JSONRPC.encode(batch: batch), cost: batch.count, isLight: false, to: endpoint) {
      reply in
      let reply = JSONRPC.outcomes(of: reply, ids: ids)
      return reply.refusal.map { .failure(.node($0)) } ?? .success(reply)
    }
  }

  /// - Parameters:
  ///   - cost: calls in the body.
  ///   - read: what the reply comes to.
  private nonisolated func post<Value: Sendable>(
    _ body: [UInt8], cost: Int, isLight: Bool, to endpoint: Endpoint,
    read: @Sendable (JSONValue) -> Result<Value, JSONRPC.CallError>
  ) async throws(RefreshError) -> Value {
    let wait = await budgetWait(endpoint, cost: cost)
    if wait > .zero {
      do { try await Task.sleep(for: wait) } catch { throw .stopped }
    }
    calls.increment()
    let start = ContinuousClock.now
    do throws(RefreshError) {
      let value = try await exchange(body, with: endpoint, read: read)
      await noteCall(endpoint, after: .now - start, isLight: isLight, nil)
      return value
    } catch {
      if !error.isOurs { await noteCall(endpoint, after: .now - start, isLight: isLight, error) }
      throw error
    }
  }

  private nonisolated func exchange<Value: Sendable>(
    _ body: [UInt8], with endpoint: Endpoint, read: @Sendable (JSONValue) -> Result<Value, JSONRPC.CallError>
  ) async throws(RefreshError) -> Value {
    let host = endpoint.host
    let response: HTTPClientResponse
    do throws(UpstreamError) {
      response = try await client.send(
        HTTPClientRequest(
          method: "POST", url: endpoint.url, headers: [("Content-Type", "application/json")], body: body,
          timeouts: .init(connect: settings.timeout, firstByte: settings.timeout, total: settings.timeout),
          responseBytesLimit: Self.responseBytes, isIdempotent: true))
    } catch {
      throw .unreachable(host: host, error)
    }
    let retryAfter = Self.retryAfter(response.headers.first("Retry-After"))
    if response.status == 429 || (response.status == 503 && retryAfter != nil) {
      throw .rateLimited(host: host, retryAfter: retryAfter)
    }
    // Some nodes send their error objects with a status of 4xx or 5xx.
    if let reply = try? JSONParser.parse(response.body, limits: JSONLimits(depth: 16, numberBytes: 128)) {
      switch read(reply) {
      case .success(let result) where response.isSuccess: return result
      case .failure(.node(let error)): throw .node(host: host, error)
      case .failure(let error) where response.isSuccess: throw .malformed(host: host, "\(error)")
      case .success, .failure: break
      }
    }
    guard response.isSuccess else { throw .status(host: host, response.status) }
    throw .malformed(host: host, "not JSON")
  }

  /// Seconds. A date (RFC 9110 §10.2.3) is as good as no word: clocks differ.
  private static func retryAfter(_ value: String?) -> Duration? {
    guard let value, value.utf8.count <= 9, let seconds = Int(value), seconds > 0 else { return nil }
    return .seconds(seconds)
  }

  private func budgetWait(_ endpoint: Endpoint, cost: Int) -> Duration {
    metrics[endpoint.index].requests.increment(by: cost)
    return table.take(endpoint.index, cost: cost, now: .now)
  }

  private func noteCall(
    _ endpoint: Endpoint, after elapsed: Duration, isLight: Bool, _ error: RefreshError?
  ) {
    metrics[endpoint.index].note(elapsed, error)
    switch error {
    case nil: table.noteLatency(endpoint.index, elapsed, isLight: isLight)
    case .rateLimited(_, let retryAfter): noteLimited(endpoint, retryAfter)
    case .node(_, let node) where node.kind == .rateLimited: noteLimited(endpoint, nil)
    default: break
    }
  }

  private func noteLimited(_ endpoint: Endpoint, _ retryAfter: Duration?) {
    table.noteLimited(endpoint.index, retryAfter: retryAfter, now: .now, random: .random(in: 0..<1))
    metrics[endpoint.index].noteAside(.limited)
  }
}
