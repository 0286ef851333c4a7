import Ethereum
import Ledger

/// Finding out who spoils a read for others.
extension ChainReader {
  private enum Verdict: Sendable {
    case balance(WalletReading.Outcome)
    /// Fails by itself; harms nobody.
    case fails
    case burnsGas
    /// Nothing can be said now.
    case none
  }

  /// Asks for each token that failed without a word by itself.
  func examineDoubtful(_ part: inout Part) async throws(RefreshError) {
    var suspects: [ReadPlan.Entry] = []
    for token in part.doubtful where part.balances[token.id] == .failed && part.mayTryMore() {
      suspects.append(token)
    }
    part.doubtful = []
    guard !suspects.isEmpty else { return }
    var foundBurner = false
    for (token, verdict) in await examine(suspects, part) {
      switch verdict {
      case .balance(let outcome):
        part.balances[token.id] = outcome
        bad.noteAnswer(token.id)
      case .fails:
        if bad.noteFailing(token.id) { warn("token cannot be read", token) }
      case .burnsGas:
        noteBurner(token)
        part.foundBurner = true
        foundBurner = true
      case .none: break
      }
    }
    // Those that had a reason to fail may have failed for want of gas all the same.
    guard foundBurner, part.mayTryMore() else { return }
    let failed = part.plan.tokens.filter { part.balances[$0.id] == .failed && !bad.isKnown($0.id) }
    if !failed.isEmpty { try await read(failed, scope: .balances, into: &part) }
    part.doubtful = []
  }

  private func examine(
    _ tokens: [ReadPlan.Entry], _ part: Part
  ) async -> [(ReadPlan.Entry, Verdict)] {
    let owner = part.plan.key.address
    let block = part.block
    let endpoint = part.endpoint
    return await withTaskGroup(of: (ReadPlan.Entry, Verdict).self) { group in
      var rest = tokens[...]
      var verdicts: [(ReadPlan.Entry, Verdict)] = []
      for token in rest.prefix(Self.probesAtOnce) {
        group.addTask { (token, await self.verdict(on: token, owner: owner, block: block, at: endpoint)) }
      }
      rest = rest.dropFirst(Self.probesAtOnce)
      for await verdict in group {
        verdicts.append(verdict)
        if let token = rest.popFirst() {
          group.addTask { (token, await self.verdict(on: token, owner: owner, block: block, at: endpoint)) }
        }
      }
      return verdicts
    }
  }

  private nonisolated func verdict(
    on token: ReadPlan.Entry, owner: Address, block: UInt64?, at endpoint: Endpoint
  ) async -> Verdict {
    let call = WalletCall(
      owner: owner, chain: settings.chain, tokens: [token], scope: .balances, repeats: Self.probeRepeats)
    do throws(RefreshError) {
      let data = try await aggregate(call, block: block, at: endpoint)
      guard let answer = try? call.decode(data) else { return .none }
      return answer.balances[0] == .failed ? .fails : .balance(answer.balances[0])
    } catch {
      return error.mayFitInParts ? .burnsGas : .none
    }
  }

  /// The names that the first call could not bring. A token that burns all gas when asked for its name is found by
  /// halving, and asked no more.
  func readUnnamed(_ part: inout Part) async throws(RefreshError) {
    let now = ContinuousClock.now
    var queue = [part.unnamed.filter { !bad.isMute($0.id) && !bad.isResting($0.id, now: now) }]
    part.unnamed = []
    while let group = queue.popLast() {
      guard !group.isEmpty, part.mayTryMore() else { continue }
      let silent = try await readMetadata(group, &part)
      if group.count == 1 {
        for token in silent { bad.noteMute(token.id) }
      } else if silent.count == group.count {
        queue.append(Array(silent[..<(silent.count / 2)]))
        queue.append(Array(silent[(silent.count / 2)...]))
      } else {
        queue.append(silent)
      }
    }
  }

  /// - Returns: those that said nothing.
  private func readMetadata(
    _ tokens: [ReadPlan.Entry], _ part: inout Part
  ) async throws(RefreshError) -> [ReadPlan.Entry] {
    let call = WalletCall(
      owner: part.plan.key.address, chain: settings.chain, tokens: tokens, scope: .metadata)
    let answer: WalletCall.Answer
    do throws(RefreshError) {
      let data = try await aggregate(call, block: part.block, at: part.endpoint)
      guard let decoded = try? call.decode(data) else {
        throw RefreshError.malformed(host: part.endpoint.host, "metadata that cannot be read")
      }
      answer = decoded
    } catch {
      guard error.mayFitInParts else { throw error }
      return tokens
    }
    for (index, metadata) in answer.metadata { part.metadata[tokens[index].id] = metadata }
    return answer.silentMetadata.map { tokens[$0] }
  }

  func noteBurner(_ token: ReadPlan.Entry) {
    if bad.noteBurner(token.id, now: .now) {
      warn("token uses up all gas: it is left out for a while", token)
    }
  }

  private func warn(_ message: String, _ token: ReadPlan.Entry) {
    logger.warning(
      "\(message)", metadata: ["chain": "\(settings.chain.code)", "token": "\(token.contract.lowercase)"])
  }
}
