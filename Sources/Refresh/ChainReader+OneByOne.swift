// Reading without Multicall3: the same questions, each a call of its own, in batches of ten with five under way. All
// that can be pinned to the first answer's block is. A provider that refuses batches, or large ones, is asked
// accordingly from then on.

import Ethereum
import JSON

extension ChainReader {
  /// Batches, or calls by themselves, that are under way at once.
  static let requestsAtOnce = 5
  /// A reading takes many requests here: one that fails does not spoil it at once.
  static let attemptsMaximum = 3

  func readOneByOne(_ call: WalletCall, into part: inout Part) async throws(RefreshError) {
    part.isOneByOne = true
    // Burners found elsewhere spoil nothing here, and nobody was starved.
    part.doubtful = []
    let answer = try await answerOneByOne(call, part)
    try take(call, answer, into: &part)
    for index in answer.silentMetadata { bad.noteMute(call.tokens[index].id) }
    // Only now is it sure that it is the right chain.
    noteNoMulticall(part.endpoint)
  }

  func noteNoMulticall(_ endpoint: Endpoint) {
    guard traits[endpoint.index].noteNoMulticall(now: .now) else { return }
    logger.notice(
      "no Multicall3: balances are asked for one by one",
      metadata: about(endpoint.index, ["multicall3": settings.chain.multicall3.lowercase]))
  }

  /// The questions of an aggregate, asked one by one.
  private func answerOneByOne(
    _ call: WalletCall, _ part: Part
  ) async throws(RefreshError) -> WalletCall.Answer {
    let endpoint = part.endpoint
    let owner = part.plan.key.address
    var results = Array(repeating: Multicall3.Result(success: false, data: []), count: call.calls.count)
    var block = part.block
    if block == nil {
      let preludes = call.questions.indices.filter { [.blockNumber, .chainID].contains(call.questions[$0]) }
      try await fill(&results, preludes, of: call, owner, nil, at: endpoint)
      part.firstAnswer.note()
      let prelude = call.answer(results[...])
      if let found = prelude.chainID, found != settings.chain.chainID {
        throw .wrongChain(host: endpoint.host, expected: settings.chain.chainID, found: found)
      }
      block = prelude.block
      guard block != nil else { throw .malformed(host: endpoint.host, "no block number") }
    }
    // The block's time and its parent are for a contract to tell, and there is none.
    let rest = call.questions.indices.filter {
      ![.blockNumber, .chainID, .timestamp, .parentHash].contains(call.questions[$0])
    }
    try await fill(&results, rest, of: call, owner, block, at: endpoint)
    return call.answer(results[...])
  }

  /// One that burns all gas spoils nothing here, but it costs the node much: it is left out for a while.
  private func noteBurners(_ call: WalletCall, _ outcomes: [Int: JSONRPC.Outcome]) {
    for (position, question) in call.questions.enumerated() {
      guard case .balance(let index) = question, case .failure(.node(let error))? = outcomes[position + 1],
        error.kind == .outOfGas
      else { continue }
      noteBurner(call.tokens[index])
    }
  }

  private func fill(
    _ results: inout [Multicall3.Result], _ positions: [Int], of call: WalletCall, _ owner: Address,
    _ block: UInt64?, at endpoint: Endpoint
  ) async throws(RefreshError) {
    let requests = positions.map { position in
      call.request(position, id: position + 1, owner: owner, block: block)
    }
    let outcomes = try await outcomes(of: requests, at: endpoint)
    noteBurners(call, outcomes)
    for position in positions {
      results[position] = call.result(position, outcomes[position + 1] ?? .failure(.missing))
      // The coin's balance can always be told: a node that does not is asked no more.
      if call.questions[position] == .nativeBalance, case .failure(let error)? = outcomes[position + 1] {
        throw error.refreshError(endpoint.host)
      }
    }
  }

  /// What a batch came to.
  private enum BatchOutcome: Sendable {
    case answered([Int: JSONRPC.Outcome])
    case tooLarge([JSONRPC.Request])
    /// Batches are not taken, it seems; what the endpoint said.
    case refused([JSONRPC.Request], RefreshError)
  }

  /// By id: all of them, in as few requests as the endpoint allows.
  func outcomes(
    of requests: [JSONRPC.Request], at endpoint: Endpoint
  ) async throws(RefreshError) -> [Int: JSONRPC.Outcome] {
    var outcomes: [Int: JSONRPC.Outcome] = [:]
    var pending = requests
    var isSingle = false
    // Before the first answer another endpoint is as good.
    let isFirst = requests.contains { $0.method == "eth_blockNumber" }
    let attempts = isFirst && endpoints.count > 1 ? 1 : Self.attemptsMaximum
    while !pending.isEmpty {
      let size = isSingle ? 1 : traits[endpoint.index].batchSize(now: .now)
      isSingle = size == 1
      var again: [JSONRPC.Request] = []
      for outcome in try await batches(of: pending, size: size, attempts: attempts, at: endpoint) {
        switch outcome {
        case .answered(let answers):
          outcomes.merge(answers) { first, _ in first }
          if answers.count > 1 { traits[endpoint.index].noteBatchPassed(now: .now) }
        case .tooLarge(let batch):
          traits[endpoint.index].noteBatchTooLarge(batch.count, now: .now)
          again += batch
        case .refused(let batch, let error):
          // Whether it is the batch or the endpoint shows when one call goes out by itself.
          guard let probe = batch.first, outcomes[probe.id] == nil else { throw error }
          outcomes[probe.id] = try await single(probe, at: endpoint)
          traits[endpoint.index].noteNoBatches(now: .now)
          logger.notice("endpoint takes no batches", metadata: about(endpoint.index, ["reason": "\(error)"]))
          again += batch.dropFirst()
        }
      }
      // What a batch left out, or garbled, gets a request of its own, once.
      if !isSingle {
        let garbled = pending.filter { request in
          if case .failure(let error)? = outcomes[request.id] { return error.node == nil }
          return false
        }
        for request in garbled { outcomes[request.id] = try await single(request, at: endpoint) }
      }
      pending = again
    }
    return outcomes
  }

  private func batches(
    of requests: [JSONRPC.Request], size: Int, attempts: Int, at endpoint: Endpoint
  ) async throws(RefreshError) -> [BatchOutcome] {
    let takesBatches = traits[endpoint.index].takesBatches(now: .now)
    let batches = stride(from: 0, to: requests.count, by: size).map { start in
      Array(requests[start..<min(start + size, requests.count)])
    }
    let result = await withTaskGroup(of: Result<BatchOutcome, RefreshError>.self) { group in
      var outcomes: [BatchOutcome] = []
      var rest = batches[...]
      func begin() {
        guard let batch = rest.popFirst() else { return }
        group.addTask {
          await self.outcome(of: batch, takesBatches: takesBatches, attempts: attempts, at: endpoint)
        }
      }
      for _ in 0..<Self.requestsAtOnce { begin() }
      while let next = await group.next() {
        switch next {
        case .success(let outcome):
          outcomes.append(outcome)
          begin()
        case .failure(let error):
          group.cancelAll()
          return Result<[BatchOutcome], RefreshError>.failure(error)
        }
      }
      return .success(outcomes)
    }
    return try result.get()
  }

  /// - Parameters:
  ///   - takesBatches: the endpoint has answered others: a failure is no refusal.
  ///   - attempts: how often to ask where a failure may pass.
  private nonisolated func outcome(
    of batch: [JSONRPC.Request], takesBatches: Bool, attempts: Int, at endpoint: Endpoint
  ) async -> Result<BatchOutcome, RefreshError> {
    var attempt = 1
    while true {
      do throws(RefreshError) {
        return .success(.answered(try await answers(to: batch, at: endpoint)))
      } catch {
        switch error {
        case .node(_, let node) where node.kind == .batchTooLarge: return .success(.tooLarge(batch))
        case .status(_, 413): return .success(.tooLarge(batch))
        case .node(_, let node) where node.isAboutTheNode: return .failure(error)
        case .node, .malformed, .status:
          if batch.count > 1, !takesBatches { return .success(.refused(batch, error)) }
        case .unreachable(_, let error) where error.isTransient && error != .timedOut(.total): break
        default: return .failure(error)
        }
        guard attempt < attempts else {
          // Whatever the cause, it is this call's: it has no result, and the others may.
          if batch.count == 1, case .node(_, let node) = error {
            return .success(.answered([batch[0].id: .failure(.node(node))]))
          }
          return .failure(error)
        }
        attempt += 1
        do { try await Task.sleep(for: .milliseconds(100) * Double.random(in: 0.5...1.5)) } catch {
          return .failure(.stopped)
        }
      }
    }
  }

  private nonisolated func answers(
    to batch: [JSONRPC.Request], at endpoint: Endpoint
  ) async throws(RefreshError) -> [Int: JSONRPC.Outcome] {
    if batch.count == 1 { return [batch[0].id: try await single(batch[0], at: endpoint)] }
    let reply = try await send(batch: batch, to: endpoint)
    var answers: [Int: JSONRPC.Outcome] = [:]
    for (request, outcome) in zip(batch, reply.outcomes) {
      if case .failure(.node(let error)) = outcome, error.isAboutTheNode {
        throw RefreshError.node(host: endpoint.host, error)
      }
      answers[request.id] = outcome
    }
    return answers
  }

  /// One call by itself. What the node says of the call is its outcome; all else is thrown.
  private nonisolated func single(
    _ request: JSONRPC.Request, at endpoint: Endpoint
  ) async throws(RefreshError) -> JSONRPC.Outcome {
    do throws(RefreshError) {
      return .success(try await send(request, to: endpoint))
    } catch {
      guard case .node(_, let node) = error, !node.isAboutTheNode else { throw error }
      // An internal error is the node's own.
      if node.code == -32603, node.kind == .other { throw error }
      return .failure(.node(node))
    }
  }
}

extension RPCError {
  /// Not what was asked is the trouble: another endpoint, or another moment, may do.
  fileprivate var isAboutTheNode: Bool { kind == .rateLimited || kind == .headerNotFound }
}

extension JSONRPC.CallError {
  func refreshError(_ host: String) -> RefreshError {
    node.map { .node(host: host, $0) } ?? .malformed(host: host, description)
  }
}

extension WalletCall {
  /// The question at this position as a call of its own.
  func request(_ position: Int, id: Int, owner: Address, block: UInt64?) -> JSONRPC.Request {
    let block = block.map { JSONRPC.Block.number($0) } ?? .latest
    switch questions[position] {
    case .blockNumber: return .blockNumber(id: id)
    case .chainID: return .chainID(id: id)
    case .nativeBalance: return .getBalance(id: id, of: owner, block: block)
    case .timestamp, .parentHash, .balance, .name, .symbol, .decimals:
      return .call(id: id, to: calls[position].target, data: calls[position].data, block: block)
    }
  }

  /// Its outcome as Multicall3 would have told it.
  func result(_ position: Int, _ outcome: JSONRPC.Outcome) -> Multicall3.Result {
    let failure = Multicall3.Result(success: false, data: [])
    guard case .success(let value) = outcome else { return failure }
    switch questions[position] {
    case .blockNumber, .chainID, .nativeBalance:
      guard let quantity = try? JSONRPC.quantity(value) else { return failure }
      return Multicall3.Result(success: true, data: quantity.bigEndianBytes[...])
    case .timestamp, .parentHash, .balance, .name, .symbol, .decimals:
      guard let data = try? JSONRPC.data(value) else { return failure }
      return Multicall3.Result(success: true, data: data.prefix(Self.resultBytes))
    }
  }
}
