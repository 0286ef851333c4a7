import Ethereum
import JSON
import Ledger

/// One pass.
extension ChainFollower {
  func pass() async throws(PassError) {
    let head = try await newest()
    metrics.head.record(head.number)
    metrics.lag.record(max(0, Double(clock()) / 1_000 - Double(head.timestamp)))
    // Before anything is read at it.
    await lookedAt(head, announcedHead.exchange(0, ordering: .relaxed))
    if let restsUntil {
      if .now < restsUntil { return try await passWithoutLogs(head) }
      return try await tryLogs(head)
    }
    var ancestor: BlockHeader?
    switch track.look(at: head, now: clock()) {
    case .first where !wallets.isAnyBehind(head.number): return cover(head)
    case .first, .next: break
    case .same where wallets.isAnyBehind(head.number): break
    case .same: return cover(head)
    case .behind: return
    case .ahead: ancestor = track.held
    case .reorganised: throw .reorganised(head)
    }
    let plan = wallets.plan(head: head.number, overlap: settings.overlap, most: settings.rangeMaximum)
    if !plan.late.isEmpty {
      if plan.wallets.isEmpty, track.held != nil {
        throw .gap("\(plan.late.count) wallets are more than \(settings.rangeMaximum) blocks behind")
      }
      await readAnew(plan.late)
    }
    if !plan.wallets.isEmpty {
      let scan = try await scan(plan)
      try await read(await subjects(of: scan, at: head), at: head, ancestor: ancestor)
    }
    cover(head)
    wallets.noteCovered(plan)
  }

  private func newest() async throws(PassError) -> BlockHeader {
    do throws(PassError) {
      guard let head = try await header(.latest) else { throw .reading(malformed("no newest block")) }
      silences = 0
      return head
    } catch {
      if case .reading(let reason) = error, reason.isSilence {
        silences += 1
        if silences == Self.failuresToTell { await headLost() }
      }
      throw error
    }
  }

  private func cover(_ head: BlockHeader) {
    track.accept(head)
    coveredAt = .now
  }

  func header(_ block: JSONRPC.Block) async throws(PassError) -> BlockHeader? {
    let result = try await ask(.getBlock(id: 1, block))
    if result.isNull { return nil }
    do {
      return try BlockHeader(result)
    } catch {
      throw .reading(malformed("\(error)"))
    }
  }

  private func scan(_ plan: FollowedWallets.Plan) async throws(PassError) -> TransferScan {
    var scan = TransferScan(plan)
    for request in scan.requests {
      let result = try await logs(request)
      do {
        try scan.take(result)
      } catch {
        throw .reading(malformed("\(error)"))
      }
    }
    metrics.logs.increment(by: scan.logCount)
    guard !scan.isTooMuch else {
      throw .gap("more than \(TransferScan.pairsMaximum) balances changed in \(plan.from)…\(plan.through)")
    }
    return scan
  }

  func logs(_ request: JSONRPC.Request) async throws(PassError) -> JSONValue {
    metrics.calls.increment()
    do throws(RefreshError) { return try await reader.ask(request) } catch { throw .onLogs(error) }
  }

  func ask(_ request: JSONRPC.Request) async throws(PassError) -> JSONValue {
    metrics.calls.increment()
    do throws(RefreshError) { return try await reader.ask(request) } catch { throw .reading(error) }
  }

  func malformed(_ reason: String) -> RefreshError { .malformed(host: "\(chain.code)", reason) }
}

extension PassError {
  /// What it means that the logs of some blocks were refused.
  static func onLogs(_ error: RefreshError) -> PassError {
    if case .node(_, let node) = error, node.kind == .methodNotFound { return .noLogs(error) }
    // The range is too large, or pruned, or says more than the node wants to. All else: later, or elsewhere.
    return error.refusesLogs ? .refused(error) : .reading(error)
  }
}
