/// What one endpoint has been found to allow. What it refused is forgotten after a while: providers change, and an
/// answer may have been a slip.
struct EndpointTraits {
  typealias Instant = ContinuousClock.Instant

  /// A limit that was learnt, and until when it is believed.
  private struct Limit {
    var value: Int
    var until: Instant
  }

  let memory: Duration
  private var withoutMulticallUntil: Instant?
  private var batch: Limit?
  private var batchesPassedUntil: Instant?
  private var chunk: Limit?

  /// Calls of a batch where nothing else is known.
  static let batchMaximum = 10
  /// Sub-calls of an aggregate where nothing else is known.
  static let chunkMaximum = 1_500
  /// An aggregate of fewer is not worth learning.
  static let chunkMinimum = 20

  init(memory: Duration) { self.memory = memory }

  func hasMulticall(now: Instant) -> Bool { withoutMulticallUntil.map { now >= $0 } ?? true }

  /// - Returns: whether that is news.
  mutating func noteNoMulticall(now: Instant) -> Bool {
    guard hasMulticall(now: now) else { return false }
    withoutMulticallUntil = now + memory
    return true
  }

  /// Calls that one batch may hold; 1: none at all, calls go out by themselves.
  func batchSize(now: Instant) -> Int {
    guard let batch, now < batch.until else { return Self.batchMaximum }
    return batch.value
  }

  /// A batch of `count` was refused for its size.
  mutating func noteBatchTooLarge(_ count: Int, now: Instant) { limitBatches(to: count / 2, now: now) }

  /// Whether batches were answered lately: then one that fails was not refused for being one.
  func takesBatches(now: Instant) -> Bool { batchesPassedUntil.map { now < $0 } ?? false }

  mutating func noteBatchPassed(now: Instant) { batchesPassedUntil = now + memory }

  /// A batch was refused for being one.
  mutating func noteNoBatches(now: Instant) { limitBatches(to: 1, now: now) }

  private mutating func limitBatches(to size: Int, now: Instant) {
    batch = Limit(value: max(1, min(size, batchSize(now: now))), until: now + memory)
  }

  /// Sub-calls that one aggregate may hold.
  func chunkSize(now: Instant) -> Int {
    guard let chunk, now < chunk.until else { return Self.chunkMaximum }
    return chunk.value
  }

  /// An aggregate was refused for its size or its gas, and one of `passed` was not.
  mutating func noteChunk(passed: Int, now: Instant) {
    guard passed >= Self.chunkMinimum, passed < chunkSize(now: now) else { return }
    chunk = Limit(value: passed, until: now + memory)
  }
}
