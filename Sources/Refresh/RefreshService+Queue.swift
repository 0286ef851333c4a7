import Ethereum
import Ledger

/// When a wallet is read: at once, or together with others that wait.
extension RefreshService {
  typealias Answer = Result<RefreshOutcome, RefreshError>

  struct Waiting {
    let wallet: WalletID
    let kind: ReadKind
    let answer: CheckedContinuation<Answer, Never>
  }

  func readInTurn(_ wallet: WalletID, _ chain: ChainCode, _ kind: ReadKind) async -> Answer {
    guard let reader = readers[chain] else { return .failure(.chainNotServed(chain)) }
    return await withCheckedContinuation { answer in
      queues[chain, default: ReadQueue(width: settings.readsPerChain)].add(
        Waiting(wallet: wallet, kind: kind, answer: answer))
      beginReads(of: chain, reader)
    }
  }

  private func beginReads(of chain: ChainCode, _ reader: ChainReader) {
    while let turn = queues[chain]?.begin() {
      let number = nextTurn
      nextTurn += 1
      turns[number] = Task {
        await self.take(turn, of: chain, reader)
        self.turns[number] = nil
        self.queues[chain]?.end()
        self.beginReads(of: chain, reader)
      }
    }
  }

  private func take(_ turn: [Waiting], of chain: ChainCode, _ reader: ChainReader) async {
    var planned: [(waiting: Waiting, plan: ReadPlan, leftOut: LeftOut?)] = []
    var room = await reader.chunkSize
    for (index, waiting) in turn.enumerated() {
      guard !isStopped else {
        waiting.answer.resume(returning: .failure(.stopped))
        continue
      }
      guard let whole = await ledger.readPlan(for: waiting.wallet) else {
        waiting.answer.resume(returning: .failure(.unknownWallet))
        continue
      }
      let (plan, leftOut) = await due(whole, for: waiting.kind)
      room -= plan.subcalls
      if room < 0, !planned.isEmpty {
        queues[chain]?.putBack(turn[index...])
        beginReads(of: chain, reader)
        break
      }
      planned.append((waiting, plan, leftOut))
    }
    guard !planned.isEmpty else { return }
    let results = await reader.read(planned.map(\.plan))
    for ((waiting, plan, leftOut), result) in zip(planned, results) {
      waiting.answer.resume(returning: await take(result, plan, leftOut))
    }
  }

  private func take(
    _ result: Result<ChainReader.Reading, RefreshError>, _ plan: ReadPlan, _ leftOut: LeftOut?
  ) async -> Answer {
    do throws(RefreshError) {
      return .success(try await accept(try result.get(), plan, leftOut))
    } catch {
      return .failure(error)
    }
  }
}

extension ReadPlan {
  /// What reading it costs of an aggregate.
  var subcalls: Int { tokens.reduce(4) { $0 + ($1.needsMetadata ? 4 : 1) } }
}
