import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// A running loop: thread, mailbox, timers, executor, signals.
@Suite struct LoopTests {
  private func started(_ change: (inout EventLoopConfiguration) -> Void = { _ in }) throws -> EventLoop {
    var configuration = EventLoopConfiguration.standard
    change(&configuration)
    let loop = try EventLoop(name: "loop-test", configuration: configuration)
    try loop.start()
    return loop
  }

  /// `join` blocks, which a thread of Swift's pool must not do for long; a stopped loop ends at once.
  private func end(_ loop: EventLoop) {
    loop.stop()
    loop.join()
  }

  @Test func startsAndStops() async throws {
    let loop = try started()
    #expect(!loop.isCurrent)
    let (isCurrent, current) = try await loop.perform { (loop.isCurrent, EventLoop.current === loop) }
    #expect(isCurrent && current)
    try loop.start()
    end(loop)
    loop.join()
    loop.stop()
    #expect(EventLoop.current == nil)
    #expect(!loop.post {}, "a loop that has ended takes no calls")
    await #expect(throws: EventLoopStopped.self) { try await loop.perform {} }
  }

  @Test func performThrowsWhatItsBodyThrows() async throws {
    let loop = try started()
    await #expect(throws: FilterError.self) {
      try await loop.perform { throw FilterError(fault: .local, code: 1) }
    }
    end(loop)
  }

  @Test func aLoopThatNeverStartedCanBeLetGo() throws {
    weak var gone: EventLoop?
    do {
      let loop = try EventLoop(name: "idle", configuration: .standard)
      gone = loop
      loop.post {}
      loop.stop()
      loop.join()
    }
    #expect(gone == nil)
  }

  @Test func aStoppedLoopIsLetGo() async throws {
    weak var gone: EventLoop?
    do {
      let loop = try started()
      gone = loop
      try await loop.perform { loop.addTurnEndHook { _ = loop.now } }
      end(loop)
    }
    #expect(gone == nil)
  }

  @Test func theThreadIsNamed() async throws {
    let loop = try started()
    let name = try await loop.perform {
      var name = [UInt8](repeating: 0, count: 32)
      let descriptor = open("/proc/thread-self/comm", O_RDONLY)
      defer { close(descriptor) }
      let count = read(descriptor, &name, name.count)
      return Array(name.prefix(max(0, count)))
    }
    #expect(name == Array("loop-test\n".utf8))
    end(loop)
  }

  // MARK: - Mailbox

  @Test func postsFromManyThreadsRunInOrderWithFewWakeUps() async throws {
    let loop = try started()
    let seen = Shared<[[Int]]>(Array(repeating: [], count: 10))
    await withTaskGroup(of: Void.self) { group in
      for poster in 0..<10 {
        group.addTask {
          for number in 0..<1_000 { loop.post { seen.withLock { $0[poster].append(number) } } }
        }
      }
    }
    try await loop.perform {}
    #expect(seen.withLock { $0 } == Array(repeating: Array(0..<1_000), count: 10))
    #expect(loop.wakeUps.load(ordering: .relaxed) <= 10_001)
    end(loop)
  }

  @Test func aBusyLoopIsNotWoken() async throws {
    let loop = try started()
    // While the loop is inside a call, whatever is posted finds it awake.
    let isIn = Atomic(false)
    let mayGo = Atomic(false)
    loop.post {
      isIn.store(true, ordering: .releasing)
      while !mayGo.load(ordering: .acquiring) { sched_yield() }
    }
    while !isIn.load(ordering: .acquiring) { sched_yield() }
    let before = loop.wakeUps.load(ordering: .relaxed)
    let count = Atomic(0)
    for _ in 0..<10_000 { loop.post { count.add(1, ordering: .relaxed) } }
    #expect(loop.wakeUps.load(ordering: .relaxed) == before)
    mayGo.store(true, ordering: .releasing)
    try await loop.perform {}
    #expect(count.load(ordering: .relaxed) == 10_000)
    end(loop)
  }

  @Test func aCallThatPostsItselfDoesNotHoldTheTurn() throws {
    let hand = try HandTurned { $0.messagesPerTurn = 10 }
    let pair = try hand.pair(.echo())
    nonisolated(unsafe) var runs = 0
    let loop = hand.loop
    @Sendable func again() {
      runs += 1
      loop.post { again() }
    }
    again()
    pair.clientEnd.write([1])
    hand.turn { pair.client.bytes == [1] }
    #expect(runs > 1)
  }

  @Test func theBatchIsBoundedAndTheRestRunsWithoutSleep() throws {
    let hand = try HandTurned { $0.messagesPerTurn = 10 }
    nonisolated(unsafe) var seen: [Int] = []
    for number in 0..<95 { hand.loop.post { seen.append(number) } }
    // No timer is set: a turn that slept would never return.
    for turn in 1...9 {
      hand.loop.turn()
      #expect(seen.count == 10 * turn)
    }
    hand.loop.turn()
    #expect(seen == Array(0..<95))
    #expect(hand.loop.statistics.mailboxDepth == 5)
  }

  @Test func stoppingRunsWhatWasPosted() async throws {
    let loop = try started { $0.messagesPerTurn = 3 }
    let count = Atomic(0)
    for _ in 0..<1_000 { loop.post { count.add(1, ordering: .relaxed) } }
    end(loop)
    #expect(count.load(ordering: .relaxed) == 1_000)
  }

  @Test func stoppingClosesWhatIsOpen() async throws {
    let loop = try started()
    let reasons = Shared<[CloseReason]>([])
    try await loop.perform {
      let listener = try loop.listen(on: ListenAddress(host: "localhost", port: 0)) { _ in
        let recorder = Recorder()
        recorder.onClosed = { [unowned recorder] _ in reasons.withLock { $0 += recorder.closeReasons } }
        return recorder
      }
      for _ in 0..<3 {
        let recorder = Recorder()
        recorder.onClosed = { [unowned recorder] connection in
          reasons.withLock { $0 += recorder.closeReasons }
          // A handler that connects again must not keep the loop alive.
          _ = loop.connect(to: listener.address, handler: Recorder())
        }
        _ = loop.connect(to: listener.address, handler: recorder)
      }
    }
    end(loop)
    #expect(reasons.withLock { $0.filter { $0 == .stopped }.count } >= 3)
    #expect(loop.statistics.connectionsOpen == 0)
  }

  // MARK: - Timers, hooks, time

  @Test func timersFireOnTheLoopInOrder() async throws {
    final class Target: TimerTarget {
      var fired: [UInt64] = []
      var continuation: CheckedContinuation<[UInt64], Never>?
      func timerFired(tag: UInt64, now: LoopInstant) {
        fired.append(tag)
        if fired.count == 3 { continuation?.resume(returning: fired) }
      }
    }
    let loop = try started()
    let fired = await withCheckedContinuation { continuation in
      loop.post {
        let target = Target()
        target.continuation = continuation
        loop.schedule(after: .milliseconds(8), target, tag: 3)
        loop.schedule(after: .milliseconds(1), target, tag: 1)
        let cancelled = loop.schedule(after: .milliseconds(2), target, tag: 9)
        loop.schedule(after: .milliseconds(4), target, tag: 2)
        loop.cancel(cancelled)
      }
    }
    #expect(fired == [1, 2, 3])
    end(loop)
  }

  @Test func timersAreBoundedPerTurn() throws {
    final class Target: TimerTarget {
      var count = 0
      func timerFired(tag: UInt64, now: LoopInstant) { count += 1 }
    }
    let hand = try HandTurned { $0.timersPerTurn = 4 }
    let target = Target()
    for _ in 0..<10 { hand.loop.schedule(after: .zero, target, tag: 0) }
    hand.loop.turn()
    #expect(target.count == 4)
    hand.loop.turn()
    hand.loop.turn()
    #expect(target.count == 10)
  }

  @Test func hooksRunBeforeTheLateWrites() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    var isPending = true
    hand.loop.addTurnEndHook {
      if isPending { pair.serverEnd.write([1]) }
      isPending = false
    }
    hand.loop.schedule(after: .zero, hand.alarm, tag: 0)
    hand.loop.turn()
    #expect(pair.serverEnd.unsentBytes == 0)
    hand.turn { pair.client.bytes == [1] }
  }

  // MARK: - Executor

  private actor Bound {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var count = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func add() -> Bool {
      count += 1
      loop.assertCurrent()
      return loop.isCurrent
    }

    func addAcrossAPause() async -> Bool {
      let before = loop.isCurrent
      await Task.yield()
      count += 1
      return before && loop.isCurrent
    }

    var total: Int { count }
  }

  @Test func anActorRunsOnItsLoop() async throws {
    let loop = try started()
    let actor = Bound(loop)
    let answers = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<200 {
        group.addTask { index % 2 == 0 ? await actor.add() : await actor.addAcrossAPause() }
      }
      return await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(answers == Array(repeating: true, count: 200))
    #expect(await actor.total == 200)
    let isolated = try await loop.perform { actor.assumeIsolated { $0.loop.isCurrent } }
    #expect(isolated)
    end(loop)
  }

  // MARK: - Signals, group, resolver

  @Test func signalsAreEvents() async throws {
    // This process has other threads, whose masks are theirs: the signal goes to one that blocks it.
    let loop = try started()
    let signal = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
      loop.post {
        EventLoop.blockSignals([SIGUSR2])
        do {
          try loop.onSignals([SIGUSR2]) { continuation.resume(returning: $0) }
          pthread_kill(pthread_self(), SIGUSR2)
        } catch {
          continuation.resume(returning: -1)
        }
      }
    }
    #expect(signal == SIGUSR2)
    end(loop)
  }

  @Test func aGroupGoesRound() async throws {
    let group = try EventLoopGroup(count: 3, name: "g")
    #expect(group.loops.map(\.name) == ["g-0", "g-1", "g-2"])
    #expect(EventLoopGroup.availableCores > 0)
    try group.start()
    let (first, second) = (group.next(), group.next())
    #expect(first !== second)
    #expect(group.next() !== second && group.next() === first)
    let isSame = try await second.perform { group.any === second }
    #expect(isSame)
    group.stop()
    group.join()
  }

  @Test func everyLoopListensOnTheSamePort() async throws {
    let group = try EventLoopGroup(count: 2)
    var port: UInt16 = 0
    for loop in group.loops {
      // Before it starts, a loop belongs to whoever made it.
      let listener = try loop.listen(on: ListenAddress(host: "127.0.0.1", port: port)) { _ in Recorder.echo()
      }
      #expect(port == 0 || listener.address.port == port)
      port = listener.address.port
    }
    try group.start()
    #expect(port != 0)
    group.stop()
    group.join()
  }

  @Test(arguments: ["", "example.org", "256.0.0.1", "::1::"]) func listensOnLiteralsOnly(host: String) throws
  {
    let hand = try HandTurned()
    #expect(throws: SystemError(.getaddrinfo, code: EINVAL)) {
      _ = try hand.loop.listen(on: ListenAddress(host: host, port: 0)) { _ in nil }
    }
  }

  @Test func resolvesLiteralsAndNames() async throws {
    let resolver = try Resolver(threads: 1, queueMaximum: 8)
    #expect(try await resolver.resolve(host: "10.1.2.3", port: 80) == [SocketAddress(10, 1, 2, 3, port: 80)])
    #expect(try await resolver.resolve(host: "localhost", port: 1) == [SocketAddress(127, 0, 0, 1, port: 1)])
    await #expect(throws: ResolverError.self) {
      try await resolver.resolve(host: "no such host.invalid", port: 1)
    }
    await #expect(throws: ResolverError.notFound(code: EAI_NONAME)) {
      try await resolver.resolve(host: "127.0.0.1\0.example", port: 1)
    }
    resolver.stop()
    await #expect(throws: ResolverError.stopped) { try await resolver.resolve(host: "a.invalid", port: 1) }
  }

  @Test func aFullResolverRefuses() async throws {
    let resolver = try Resolver(threads: 1, queueMaximum: 0)
    await #expect(throws: ResolverError.queueFull) { try await resolver.resolve(host: "a.invalid", port: 1) }
    let loop = try started()
    let answer = await withCheckedContinuation { continuation in
      resolver.resolve(host: "::1", port: 9, on: loop) { answer in
        continuation.resume(returning: loop.isCurrent ? answer : .failure(.stopped))
      }
    }
    #expect(try answer.get().map(\.description) == ["[::1]:9"])
    resolver.stop()
    end(loop)
  }
}
