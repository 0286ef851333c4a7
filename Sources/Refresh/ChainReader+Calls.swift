import Ethereum
import JSON
import Upstream

extension ChainReader {
  /// - Returns: what Multicall3 returned, not looked at yet.
  nonisolated func aggregate(
    _ call: WalletCall, block: UInt64?, at endpoint: HTTPURL
  ) async throws(RefreshError) -> [UInt8] {
    subcalls.increment(by: call.calls.count)
    let request = JSONRPC.Request.call(
      id: 1, to: settings.chain.multicall3, data: call.calldata, block: block.map { .number($0) } ?? .latest)
    let result = try await send(request, to: endpoint)
    do {
      return try JSONRPC.data(result)
    } catch {
      throw .malformed(host: endpoint.host, "\(error)")
    }
  }

  nonisolated func send(
    _ request: JSONRPC.Request, to endpoint: HTTPURL
  ) async throws(RefreshError) -> JSONValue {
    calls.increment()
    let host = endpoint.host
    let response: HTTPClientResponse
    do throws(UpstreamError) {
      response = try await client.send(
        HTTPClientRequest(
          method: "POST", url: endpoint, headers: [("Content-Type", "application/json")],
          body: JSONRPC.encode(request),
          timeouts: .init(connect: settings.timeout, firstByte: settings.timeout, total: settings.timeout),
          responseBytesLimit: Self.responseBytes, isIdempotent: true))
    } catch {
      throw .unreachable(host: host, error)
    }
    // Some nodes send their error objects with a status of 4xx or 5xx.
    let reply = try? JSONParser.parse(response.body, limits: JSONLimits(depth: 16, numberBytes: 128))
    if let reply {
      switch JSONRPC.outcome(of: reply, id: request.id) {
      case .success(let result) where response.isSuccess: return result
      case .failure(.node(let error)): throw .node(host: host, error)
      case .failure(let error) where response.isSuccess: throw .malformed(host: host, "\(error)")
      case .success, .failure: break
      }
    }
    guard response.isSuccess else { throw .status(host: host, response.status) }
    throw .malformed(host: host, "not JSON")
  }

  /// Asks every endpoint for its chain id, for an early word in the log.
  func probe() async {
    for (index, endpoint) in settings.endpoints.enumerated() {
      do {
        let found: UInt64
        do {
          found = try JSONRPC.uint64(try await send(.chainID(id: 1), to: endpoint))
        } catch let error as JSONRPC.CallError {
          throw RefreshError.malformed(host: endpoint.host, "\(error)")
        }
        guard found == settings.chain.chainID else {
          throw RefreshError.wrongChain(
            host: endpoint.host, expected: settings.chain.chainID, found: found)
        }
      } catch let error as RefreshError where !error.isOurs {
        if case .wrongChain = error {
          setAside(index, error)
        } else {
          logger.warning(
            "endpoint not usable", metadata: ["chain": "\(settings.chain.code)", "reason": "\(error)"])
        }
      } catch {
        return
      }
    }
  }
}
