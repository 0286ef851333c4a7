/// How high the chain is, and who does not know.
extension EndpointTable {
  /// How many blocks behind the best is too far.
  var lagBlocks: UInt64 { max(3, UInt64(rules.lagMaximum / .seconds(1) * blocksPerSecond)) }

  /// Chains speed up: what is measured counts where it is more than the settings say. Not the fastest, which may be
  /// an endpoint that catches up.
  private var blocksPerSecond: Double {
    let slowest = entries.filter { $0.rest == nil }.compactMap(\.pace).min()
    return max(slowest ?? 0, 1 / (blockTime / .seconds(1)))
  }

  private mutating func measurePace(_ index: Int, _ kind: HeadKind, _ head: Head) {
    guard let start = entries[index].paceStart[kind], head.number >= start.number,
      head.number - start.number <= leadBlocks
    else {
      entries[index].paceStart[kind] = head
      return
    }
    let elapsed = head.at - start.at
    guard elapsed >= .seconds(10) else { return }
    entries[index].pace = Double(head.number - start.number) / (elapsed / .seconds(1))
    entries[index].paceStart[kind] = head
  }

  /// The one in use has said the same height for long. It may be frozen: the others know.
  func isStuck(now: Instant) -> Bool {
    guard entries.indices.contains(preferred), let head = entries[preferred].head else { return false }
    return now - head.since > max(.seconds(5), .seconds(3 / blocksPerSecond))
  }

  /// - Returns: how high the chain is known to be, where this endpoint is too far behind that.
  mutating func noteHead(_ index: Int, _ number: UInt64, _ kind: HeadKind, now: Instant) -> UInt64? {
    let last = entries[index].heads[kind]
    let head = Head(number: number, at: now, since: last?.number == number ? last?.since ?? now : now)
    entries[index].heads[kind] = head
    measurePace(index, kind, head)
    // What was seen long ago is not held against anybody: a test chain may begin anew.
    let heads = entries.indices.filter { $0 != index && isCredible($0) }
      .compactMap { entries[$0].heads[kind] }
      .filter { now - $0.at <= Self.headMemory }
      .map(\.number).sorted(by: >)
    // A lead beyond belief needs a second endpoint that is nearly as far.
    let best = heads.indices.first { position in
      let head = heads[position]
      return head <= number || head - number <= leadBlocks
        || (position + 1 < heads.count && head - heads[position + 1] <= leadBlocks)
    }.map { heads[$0] }
    guard let best, best > number else {
      entries[index].isOutdated = false
      return nil
    }
    return best - number > lagBlocks ? best : nil
  }

  /// Those that said a moment ago that the chain was far lower than this one does now: worth a look.
  func laggards(behind index: Int, _ kind: HeadKind, now: Instant) -> [Int] {
    guard let best = entries[index].heads[kind]?.number else { return [] }
    return entries.indices.filter { other in
      guard entries[other].rest == nil, let head = entries[other].heads[kind], head.number < best,
        now - head.at <= rules.lagMaximum / 4
      else { return false }
      return best - head.number > lagBlocks && best - head.number <= leadBlocks
    }
  }

  private func isCredible(_ index: Int) -> Bool {
    switch entries[index].rest?.reason {
    case .behind, .wrongChain: false
    case .failing, .limited, nil: true
    }
  }

  static let headMemory = Duration.seconds(600)

  /// The answer used last was older than what was known before.
  mutating func noteOutdated() {
    guard entries.count > 1 else { return }
    entries[preferred].isOutdated = true
  }
}
