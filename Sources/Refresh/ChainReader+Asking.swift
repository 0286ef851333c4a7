import Ethereum
import JSON
import Ledger

extension ChainReader {
  /// One question that concerns no wallet in particular: asks one endpoint after the other until one has a result.
  ///
  /// - Throws: what the last of them said. A node that can't answer this question is no worse for others.
  func ask(_ request: JSONRPC.Request) async throws(RefreshError) -> JSONValue {
    let isOfLogs = request.method == "eth_getLogs"
    return try await withEndpoints(blames: { !($0.isOfQuestion || isOfLogs && $0.refusesLogs) }) {
      endpoint, _ in
      do throws(RefreshError) {
        return .success(try await self.send(request, to: endpoint))
      } catch {
        return .failure(error)
      }
    }
  }

  /// Sub-calls of an aggregate that every endpoint takes.
  var chunkSize: Int { traits.map { $0.chunkSize(now: .now) }.min() ?? EndpointTraits.chunkMaximum }

  /// Those of the tokens that use up all gas they are given.
  func burners(among tokens: [TokenID]) -> [TokenID] { tokens.filter { bad.isBurner($0) } }
}

extension RefreshError {
  /// It was too much, or a method that the node does not have.
  var isOfQuestion: Bool {
    switch self {
    case .noMulticall: true
    case .node(_, let node): [.reverted, .outOfGas, .tooManyResults, .methodNotFound].contains(node.kind)
    case .status(_, let status): status == 413
    case .unreachable(_, .responseTooLarge): true
    default: false
    }
  }

  /// Said to a question for logs, it is no fault of the node: providers sell logs apart, and say so in many ways.
  var refusesLogs: Bool {
    switch self {
    case .node(_, let node): ![.rateLimited, .timedOut].contains(node.kind)
    case .status(_, let status): (400..<500).contains(status) && status != 408
    default: false
    }
  }
}
