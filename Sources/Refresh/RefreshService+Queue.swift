import Ethereum
import Jobs
import Ledger

/// When a wallet is read: at once, or together with others that wait.
extension RefreshService {
  typealias Answer = Result<RefreshOutcome, RefreshError>

  struct Waiting {
    let wallet: WalletID
    let kind: ReadKind
    let ticket: JobTicket
    let continuation: CheckedContinuation<Answer, Never>

    func answer(_ answer: Answer) {
      if case .failure = answer { ticket.end(isFailed: true) } else { ticket.end() }
      continuation.resume(returning: answer)
    }
  }

  func readInTurn(_ wallet: WalletID, _ chain: ChainCode, _ kind: ReadKind) async -> Answer {
    guard let reader = readers[chain] else { return .failure(.chainNotServed(chain)) }
    let ticket = walletReads.ticket()
    return await withCheckedContinuation { continuation in
      queues[chain, default: ReadQueue(width: settings.readsPerChain)].add(
        Waiting(wallet: wallet, kind: kind, ticket: ticket, continuation: continuation))
      beginReads(of: chain, reader)
    }
  }

  private func beginReads(of chain: ChainCode, _ reader: ChainReader) {
    while let turn = queues[chain]?.begin() {
      turns.run {
        await self.take(turn, of: chain, reader)
        await self.endTurn(of: chain, reader)
      }
    }
  }

  private func endTurn(of chain: ChainCode, _ reader: ChainReader) {
    queues[chain]?.end()
    beginReads(of: chain, reader)
  }

  private func take(_ turn: [Waiting], of chain: ChainCode, _ reader: ChainReader) async {
    var planned: [(waiting: Waiting, plan: ReadPlan, leftOut: LeftOut?)] = []
    var room = await reader.chunkSize
    for (index, waiting) in turn.enumerated() {
      guard !isStopped else {
        waiting.answer(.failure(.stopped))
        continue
      }
      guard let whole = await ledger.readPlan(for: waiting.wallet) else {
        waiting.answer(.failure(.unknownWallet))
        continue
      }
      let (plan, leftOut) = await due(whole, for: waiting.kind)
      room -= plan.subcalls
      if room < 0, !planned.isEmpty {
        queues[chain]?.putBack(turn[index...])
        beginReads(of: chain, reader)
        break
      }
      waiting.ticket.begin()
      planned.append((waiting, plan, leftOut))
    }
    guard !planned.isEmpty else { return }
    let results = await reader.read(planned.map(\.plan))
    await noteHeads(chain, of: results)
    for ((waiting, plan, leftOut), result) in zip(planned, results) {
      waiting.answer(await take(result, plan, leftOut))
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
  var subcalls: Int { tokens.reduce(WalletCall.preludeMaximum) { $0 + ($1.needsMetadata ? 4 : 1) } }
}
