import Ethereum
import Logging
import Synchronization

/// Set once an endpoint has said the first of what it was asked: from then on it is not slow, only busy.
final class FirstAnswer: Sendable {
  private let flag = Atomic<Bool>(false)
  var isThere: Bool { flag.load(ordering: .acquiring) }
  func note() { flag.store(true, ordering: .releasing) }
}

/// One thing asked of whichever endpoint can answer it.
extension ChainReader {
  typealias Work<Value: Sendable> =
    @Sendable (_ endpoint: Endpoint, _ firstAnswer: FirstAnswer) async -> Result<Value, RefreshError>

  private enum Event<Value: Sendable> {
    case finished(Int, Result<Value, RefreshError>)
    /// The attempt of this number is late.
    case late(Int)
  }

  private struct Attempt {
    let number: Int
    let index: Int
    let start: ContinuousClock.Instant
    let firstAnswer: FirstAnswer
  }

  /// Asks the best endpoint; the next one too when the first is later than it usually is; and one after the other
  /// while they fail. The first good answer counts, and what else is under way is cancelled. One that failed is asked
  /// once more when all have.
  ///
  /// - Parameter blames: whether a failure counts against the endpoint.
  func withEndpoints<Value: Sendable>(
    blames: (RefreshError) -> Bool = { _ in true }, _ work: @escaping Work<Value>
  ) async throws(RefreshError) -> Value {
    startDueProbes()
    let first = try await awaitEndpoint()
    let outcome = await withTaskGroup(of: Event<Value>.self) { group in
      var running: [Attempt] = []
      var tried: Set<Int> = []
      var count = 0
      let start = ContinuousClock.now
      var mayRepeat = true

      func begin(_ index: Int) {
        count += 1
        let attempt = Attempt(number: count, index: index, start: .now, firstAnswer: FirstAnswer())
        running.append(attempt)
        tried.insert(index)
        let endpoint = endpoints[index]
        group.addTask { .finished(attempt.number, await work(endpoint, attempt.firstAnswer)) }
        let delay = table.hedgeDelay(index)
        guard running.count == 1, table.entries.count > tried.count else { return }
        group.addTask {
          try? await Task.sleep(for: delay)
          return .late(attempt.number)
        }
      }

      func untried() -> Int? { table.order(now: .now).first { !tried.contains($0) } }

      table.noteFirstRequest()
      begin(first)
      while let event = await group.next() {
        switch event {
        case .late(let number):
          guard running.count == 1, running[0].number == number, !running[0].firstAnswer.isThere else {
            continue
          }
          table.noteLate(running[0].index, now: .now)
          startDueProbes()
          guard let index = untried(), table.takeHedge() else { continue }
          metrics[index].hedges.increment()
          begin(index)
        case .finished(let number, let result):
          guard let position = running.firstIndex(where: { $0.number == number }) else { continue }
          let attempt = running.remove(at: position)
          switch result {
          case .success:
            group.cancelAll()
            table.noteSuccess(attempt.index, now: .now)
            // Those asked before it, that is: what was asked later had less time.
            for loser in running where loser.number < number {
              table.noteLost(loser.index, after: .now - loser.start)
            }
            show(attempt.index)
            return result
          case .failure(let error):
            if blames(error) { note(error, at: attempt.index) }
            if error.isOurs {
              group.cancelAll()
              return result
            }
            guard running.isEmpty else { continue }
            if let index = untried() {
              begin(index)
            } else if mayRepeat, error.mayPass, ContinuousClock.now - start < table.rules.patience {
              mayRepeat = false
              do throws(RefreshError) {
                try await pause(table.retryPause(random: .random(in: 0..<1)))
                begin(try await awaitEndpoint())
              } catch {
                group.cancelAll()
                return error.isOurs ? .failure(error) : result
              }
            } else {
              group.cancelAll()
              return result
            }
          }
        }
      }
      return .failure(.noEndpoint(settings.chain.code))
    }
    return try outcome.get()
  }

  private func pause(_ duration: Duration) async throws(RefreshError) {
    do { try await Task.sleep(for: duration) } catch { throw .stopped }
  }

  /// The best endpoint that may be asked. Where all are set aside: the least bad, after its rest and a probe.
  private func awaitEndpoint() async throws(RefreshError) -> Int {
    if let best = table.order(now: .now).first { return best }
    guard let (index, wait) = table.leastBad(now: .now) else { throw .noEndpoint(settings.chain.code) }
    guard wait <= table.rules.patience else {
      throw .resting(host: endpoints[index].host, retry: wait)
    }
    if wait > .zero { try await pause(wait) }
    // Others may have waited for the same.
    if table.order(now: .now).contains(index) { return index }
    try await probe(index).value.get()
    return index
  }

  func note(_ error: RefreshError, at index: Int) {
    guard !error.isOurs else { return }
    callFailures.increment()
    switch error {
    case .wrongChain(_, let expected, let found):
      setAside(
        index, .wrongChain, "endpoint serves another chain: it is set aside",
        ["expected": "\(expected)", "found": "\(found)"])
    case .behind(_, let block, let best):
      setAside(
        index, .behind, "endpoint is behind: it is set aside", ["block": "\(block)", "best": "\(best)"])
    // Ours to wait for, not the endpoint's fault.
    case .unreachable(_, let error) where error.fault == .local: break
    default:
      if table.noteFailure(index, now: .now, random: .random(in: 0..<1)) {
        metrics[index].noteAside(.failing)
        logger.warning(
          "endpoint fails again and again: it is set aside", metadata: about(index, ["reason": "\(error)"]))
      }
    }
    show(index)
  }

  private func setAside(
    _ index: Int, _ reason: EndpointTable.Reason, _ message: String, _ more: [String: String]
  ) {
    guard table.setAside(index, reason, now: .now, random: .random(in: 0..<1)) else { return }
    metrics[index].noteAside(reason.state)
    logger.error("\(message)", metadata: about(index, more))
  }

  // MARK: - Probes

  /// Asks every endpoint for its chain and its height, for an early word in the log and a first ranking.
  func probe() async {
    for task in endpoints.indices.map({ probe($0) }) { _ = await task.value }
  }

  func cancelProbes() {
    for task in probes.values { task.cancel() }
  }

  private func startDueProbes() {
    for index in table.takeDueProbes(now: .now) { _ = probe(index) }
  }

  /// The probe under way, or a new one.
  private func probe(_ index: Int) -> Task<Result<Void, RefreshError>, Never> {
    if let task = probes[index] { return task }
    let task = Task { () -> Result<Void, RefreshError> in
      do throws(RefreshError) {
        try await self.examine(self.endpoints[index])
        self.probeSucceeded(index)
        return .success(())
      } catch {
        self.probeFailed(index, error)
        return .failure(error)
      }
    }
    probes[index] = task
    return task
  }

  private func examine(_ endpoint: Endpoint) async throws(RefreshError) {
    let found = try await quantity(.chainID(id: 1), at: endpoint)
    guard found == settings.chain.chainID else {
      throw .wrongChain(host: endpoint.host, expected: settings.chain.chainID, found: found)
    }
    let head = try await quantity(.blockNumber(id: 1), at: endpoint)
    try noteHead(head, .node, at: endpoint)
  }

  func quantity(
    _ request: JSONRPC.Request, at endpoint: Endpoint
  ) async throws(RefreshError) -> UInt64 {
    let result = try await send(request, to: endpoint)
    do { return try JSONRPC.uint64(result) } catch {
      throw .malformed(host: endpoint.host, "\(error)")
    }
  }

  /// Throws where the endpoint is too far behind the others.
  func noteHead(
    _ head: UInt64, _ kind: EndpointTable.HeadKind, at endpoint: Endpoint
  ) throws(RefreshError) {
    let now = ContinuousClock.now
    if let best = table.noteHead(endpoint.index, head, kind, now: now) {
      throw .behind(host: endpoint.host, block: head, best: best)
    }
    // What they said is a moment old: what they say now counts.
    for other in table.laggards(behind: endpoint.index, kind, now: now) { _ = probe(other) }
  }

  private func probeSucceeded(_ index: Int) {
    probes[index] = nil
    let wasAside = table.isResting(index)
    table.noteProbed(index, now: .now)
    if wasAside { logger.notice("endpoint is back", metadata: about(index)) }
    show(index)
  }

  private func probeFailed(_ index: Int, _ error: RefreshError) {
    probes[index] = nil
    guard !error.isOurs else { return }
    guard table.isResting(index) else {
      note(error, at: index)
      if !table.isResting(index) {
        logger.warning("endpoint not usable", metadata: about(index, ["reason": "\(error)"]))
      }
      return
    }
    let reason: EndpointTable.Reason =
      switch error {
      case .wrongChain: .wrongChain
      case .behind: .behind
      default: .failing
      }
    table.noteProbeFailed(index, reason, now: .now, random: .random(in: 0..<1))
    show(index)
  }

  // MARK: - For people

  func health() -> [EndpointHealth] {
    endpoints.map { endpoint in
      let entry = table.entries[endpoint.index]
      return EndpointHealth(
        name: endpoint.name, state: table.state(endpoint.index, now: .now), latency: entry.light.mean,
        errorRate: entry.errorRate, head: entry.head?.number,
        hasMulticall: traits[endpoint.index].hasMulticall(now: .now))
    }
  }

  private func show(_ index: Int) {
    metrics[index].set(table.state(index, now: .now), head: table.entries[index].head?.number)
  }

  func about(_ index: Int, _ more: [String: String] = [:]) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "chain": "\(settings.chain.code)", "endpoint": "\(endpoints[index].name)",
    ]
    for (key, value) in more { metadata[key] = "\(value)" }
    return metadata
  }
}

extension RefreshError {
  /// The same question may be answered by the same endpoint a moment later.
  var mayPass: Bool {
    switch self {
    case .unreachable(_, let error): error.isTransient
    case .status, .rateLimited, .malformed, .resting: true
    case .node(_, let error): ![.reverted, .outOfGas, .methodNotFound].contains(error.kind)
    case .wrongChain, .behind, .cooldown, .unknownWallet, .chainNotServed, .noEndpoint, .noMulticall,
      .stopped:
      false
    }
  }
}
