import Ethereum
import Ledger

// Several wallets in one aggregate. What is out of the ordinary there - a token that says nothing and nobody knows why,
// an aggregate that is refused - is left to readings of one wallet each, which find out.

extension ChainReader {
  /// Reads wallets whose sub-calls fit one aggregate.
  /// - Returns: a result for each, in their order.
  func read(_ plans: [ReadPlan]) async -> [Result<Reading, RefreshError>] {
    var readings: [Int: Reading] = [:]
    if plans.count > 1, mayReadTogether {
      do throws(RefreshError) {
        readings = try await readTogether(plans)
        walletsTogether.increment(by: readings.count)
      } catch {
        guard error.mayFitInParts else { return plans.map { _ in .failure(error) } }
        aloneUntil = .now + Self.alonePeriod
      }
    }
    return await withTaskGroup(of: (Int, Result<Reading, RefreshError>).self) { group in
      for (index, plan) in plans.enumerated() where readings[index] == nil {
        group.addTask {
          do throws(RefreshError) {
            return (index, .success(try await self.read(plan)))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      var results: [Result<Reading, RefreshError>] = plans.map { _ in .failure(.stopped) }
      for (index, reading) in readings { results[index] = .success(reading) }
      for await (index, result) in group { results[index] = result }
      return results
    }
  }

  /// After an aggregate of several wallets was refused, each is read by itself for a while.
  static let alonePeriod = Duration.seconds(60)

  private var mayReadTogether: Bool {
    let now = ContinuousClock.now
    return now >= aloneUntil && traits.allSatisfy { $0.hasMulticall(now: now) }
  }

  private func readTogether(_ plans: [ReadPlan]) async throws(RefreshError) -> [Int: Reading] {
    try await withEndpoints { endpoint, firstAnswer in
      do throws(RefreshError) {
        return .success(try await self.readTogether(plans, at: endpoint, firstAnswer))
      } catch {
        return .failure(error)
      }
    }
  }

  private func readTogether(
    _ plans: [ReadPlan], at endpoint: Endpoint, _ firstAnswer: FirstAnswer
  ) async throws(RefreshError) -> [Int: Reading] {
    let calls = plans.map { plan in
      WalletCall(
        owner: plan.key.address, chain: settings.chain, tokens: ordinaryTokens(of: plan),
        scope: [.prelude, .balances, .metadata])
    }
    let all = calls.flatMap(\.calls)
    let data = try await aggregate(all, block: nil, at: endpoint)
    firstAnswer.note()
    // An account without code: there is no Multicall3 here.
    if data.isEmpty { return [:] }
    var results: ArraySlice<Multicall3.Result>
    do {
      results = try Multicall3.decodeAggregate3(data, count: all.count, limit: WalletCall.resultBytes)[...]
    } catch {
      throw .malformed(host: endpoint.host, error.description)
    }
    var readings: [Int: Reading] = [:]
    for (index, call) in calls.enumerated() {
      let answer = call.answer(results.prefix(call.calls.count))
      results = results.dropFirst(call.calls.count)
      if index == 0 { _ = try checkedBlock(of: answer, at: endpoint) }
      readings[index] = reading(of: plans[index], call, answer)
    }
    return readings
  }

  /// Those that are asked together: all but what burns gas, and without the names of what has none.
  private func ordinaryTokens(of plan: ReadPlan) -> [ReadPlan.Entry] {
    plan.tokens.filter { !bad.isBurner($0.id) }.map { token in
      var token = token
      if bad.isMute(token.id) { token.needsMetadata = false }
      return token
    }
  }

  /// `nil`: something in it wants a closer look.
  private func reading(of plan: ReadPlan, _ call: WalletCall, _ answer: WalletCall.Answer) -> Reading? {
    let now = ContinuousClock.now
    guard let block = answer.block, let native = answer.native, native != .failed,
      answer.silentMetadata.isEmpty,
      answer.silent.allSatisfy({ bad.isKnown(call.tokens[$0].id) }),
      plan.tokens.allSatisfy({ !bad.isBurner($0.id) || bad.isResting($0.id, now: now) })
    else { return nil }
    var balances: [TokenID: WalletReading.Outcome] = [:]
    for (token, outcome) in zip(call.tokens, answer.balances) {
      balances[token.id] = outcome
      if outcome != .failed { bad.noteAnswer(token.id) }
    }
    return Reading(
      block: block, timestamp: answer.timestamp, traits: answer.traits,
      outcomes: [(plan.native, native)] + plan.tokens.map { ($0.id, balances[$0.id] ?? .failed) },
      metadata: answer.metadata.map { index, metadata in
        (call.tokens[index].id, metadata.name, metadata.symbol, metadata.decimals)
      })
  }
}
