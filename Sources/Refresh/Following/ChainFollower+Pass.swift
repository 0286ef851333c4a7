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
    case .first where fork == nil && !isAnyBehind(head): return cover(head)
    case .first, .next: break
    case .same where isAnyBehind(head): break
    case .same:
      isHurried = false
      return cover(head)
    case .behind: return
    case .ahead: ancestor = track.held
    case .reorganised: throw .reorganised(head)
    }
    try await prove(below: head)
    let plan = wallets.plan(
      head: head.number, overlap: settings.overlap, first: settings.firstOverlap, most: settings.rangeMaximum)
    // While wallets wait for their reads it stays as it is.
    if !plan.wallets.isEmpty || !plan.late.isEmpty {
      isHurried = !plan.late.isEmpty || settings.isPollTooSlow(for: plan.behind, isHurried: isHurried)
    }
    let isGap = plan.wallets.isEmpty && !plan.late.isEmpty
    if isGap {
      noteGap(plan)
      ancestor = nil
    }
    if !plan.late.isEmpty { await readAnew(plan.late) }
    if !plan.wallets.isEmpty || fork != nil || unsettled.count > 0 {
      let scan = try await scan(plan)
      try await read(await subjects(of: scan, at: head), at: head, ancestor: ancestor)
    } else if isGap {
      // Nothing vouches for a head at which nothing was looked at, and that is so far from all that was.
      return
    }
    cover(head)
    wallets.noteCovered(plan)
    if !isGap { isGapTold = false }
  }

  private func isAnyBehind(_ head: BlockHeader) -> Bool {
    wallets.isAnyBehind(head.number, first: settings.firstOverlap)
  }

  /// All wallets are too far behind. They are read as a whole, which brings them here: there is nothing to wait for, and
  /// a pause would only put them as far behind again.
  private func noteGap(_ plan: FollowedWallets.Plan) {
    // Who comes when nobody was followed has missed nothing.
    if track.held != nil || isGapTold { metrics.gaps.increment() }
    if track.held != nil, !isGapTold {
      tellGap("\(plan.late.count) wallets are more than \(settings.rangeMaximum) blocks behind")
      isGapTold = true
    }
    beginAnew()
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
    for result in try await logs(scan.requests) {
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

  /// Answers in the order of the questions, which are asked together. Not together with the one for the head: a node
  /// that takes in a block between the two would keep back its logs, and say that it has it.
  func logs(_ requests: [JSONRPC.Request]) async throws(PassError) -> [JSONValue] {
    let reader = reader
    let answers = await withTaskGroup(of: (Int, Result<JSONValue, RefreshError>).self) { group in
      var rest = requests.enumerated().makeIterator()
      func begin() {
        guard let (index, request) = rest.next() else { return }
        metrics.calls.increment()
        group.addTask {
          do throws(RefreshError) {
            return (index, .success(try await reader.ask(request)))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      for _ in 0..<Self.questionsAtOnce { begin() }
      var answers = requests.map { _ in Result<JSONValue, RefreshError>.failure(.stopped) }
      for await (index, answer) in group {
        if case .failure = answer {
          group.cancelAll()
          return [answer]
        }
        answers[index] = answer
        begin()
      }
      return answers
    }
    do throws(RefreshError) {
      var results: [JSONValue] = []
      for answer in answers { results.append(try answer.get()) }
      return results
    } catch {
      throw .onLogs(error)
    }
  }

  /// A thousand wallets are two questions.
  private static let questionsAtOnce = 4

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
