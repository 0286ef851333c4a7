import Ethereum
import JSON

/// The balances of one pass over new blocks: of many wallets, all at one block.
extension ChainReader {
  /// Subjects of a pass where each question is a call of its own: no more than an endpoint is asked in a second where
  /// the settings do not say otherwise.
  static let subjectsOneByOne = 100

  /// Whether no endpoint has Multicall3, as far as is known.
  var isOneByOne: Bool {
    let now = ContinuousClock.now
    return traits.allSatisfy { !$0.hasMulticall(now: now) }
  }

  func answer(to call: FollowCall, at block: UInt64) async throws(RefreshError) -> FollowCall.Answer {
    try await withEndpoints(blames: { !$0.isOfQuestion }) { endpoint, _ in
      do throws(RefreshError) {
        return .success(try await self.answer(to: call, at: block, from: endpoint))
      } catch {
        return .failure(error)
      }
    }
  }

  private func answer(
    to call: FollowCall, at block: UInt64, from endpoint: Endpoint
  ) async throws(RefreshError) -> FollowCall.Answer {
    if traits[endpoint.index].hasMulticall(now: .now) {
      let data = try await aggregate(call.calls, block: block, at: endpoint)
      // Nothing is what an account without code answers.
      if !data.isEmpty {
        do {
          return try call.decode(data)
        } catch {
          throw .malformed(host: endpoint.host, error.description)
        }
      }
      guard try await quantity(.chainID(id: 1), at: endpoint) == settings.chain.chainID else {
        throw .malformed(host: endpoint.host, "another chain, or no contract where Multicall3 was")
      }
      noteNoMulticall(endpoint)
    }
    // Another endpoint may have it; and who asked for much thought that there is one.
    guard isOneByOne, call.subjects.count <= Self.subjectsOneByOne else {
      throw .noMulticall(host: endpoint.host)
    }
    return try await answerOneByOne(call, at: block, from: endpoint)
  }

  private func answerOneByOne(
    _ call: FollowCall, at block: UInt64, from endpoint: Endpoint
  ) async throws(RefreshError) -> FollowCall.Answer {
    let positions = call.calls.indices.filter { call.questions[$0] != .block }
    let outcomes = try await outcomes(
      of: positions.map { call.request($0, id: $0 + 1, block: block) }, at: endpoint)
    var results: [Multicall3.Result] = []
    for position in call.calls.indices {
      let outcome = outcomes[position + 1] ?? .failure(.missing)
      // A node can always tell them: one that does not is asked no more.
      if call.questions[position].isOfNode, position > 0, case .failure(let error) = outcome {
        throw error.refreshError(endpoint.host)
      }
      results.append(call.result(position, outcome, block: block))
    }
    var answer = call.answer(results[...])
    // Each was asked alone already.
    for index in answer.findings.indices { answer.findings[index].isSilent = false }
    return answer
  }
}
