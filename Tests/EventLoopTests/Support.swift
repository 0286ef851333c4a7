import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// A loop without a thread: the test turns it by hand, so what happens in a turn, and how many it takes, is
/// the same every time.
final class HandTurned {
  private final class Alarm: TimerTarget {
    func timerFired(tag: UInt64, now: LoopInstant) {}
  }

  let loop: EventLoop
  /// Its timers do nothing but end a wait.
  let alarm: any TimerTarget = Alarm()

  init(_ change: (inout EventLoopConfiguration) -> Void = { _ in }) throws {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    configuration.lingerTimeout = .seconds(3_600)
    change(&configuration)
    loop = try EventLoop(name: "test", configuration: configuration)
  }

  /// Turns until `condition` holds. Gives up (and fails) after a minute without it: however many turns that are, the
  /// kernel carries bytes in its own time.
  func turn(
    _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation, until condition: () -> Bool
  ) {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      if condition() { return }
      // A turn must not wait for ever for something that doesn't come.
      let timer = loop.schedule(after: .milliseconds(2), alarm, tag: 0)
      loop.turn()
      loop.cancel(timer)
    }
    #expect(Bool(false), comment ?? "what the test waits for did not come", sourceLocation: location)
  }

  func turn(times: Int) {
    var left = times
    turn {
      left -= 1
      return left < 0
    }
  }

  /// A listener on loopback whose connections all get `handler`.
  func listen(_ accept: @escaping AcceptHandler) throws -> Listener {
    try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0), accept: accept)
  }

  /// Two ends of one connection.
  func pair(_ server: Recorder = Recorder(), _ client: Recorder = Recorder()) throws -> Pair {
    let listener = try listen { connection in
      server.connection = connection
      return server
    }
    let outgoing = loop.connect(to: listener.address, handler: client)
    turn("connected") { client.isConnected && server.connection != nil }
    listener.close()
    return Pair(
      server: server, client: client, serverEnd: try #require(server.connection), clientEnd: outgoing)
  }

  /// Ends what the test left open, as a loop that stops does.
  deinit {
    for connection in loop.connections.all { connection.abort() }
    for _ in 0..<3 {
      loop.schedule(after: .zero, alarm, tag: 0)
      loop.turn()
    }
  }
}

struct Pair {
  var server: Recorder
  var client: Recorder
  var serverEnd: Connection
  var clientEnd: Connection
}

/// Notes what it is told, and does what the test wants done about it.
final class Recorder: ConnectionHandler {
  var connection: Connection?
  var isConnected = false
  var connectedCount = 0
  var bytes: [UInt8] = []
  var receivedCount = 0
  var inputEndedCount = 0
  var drainedCount = 0
  var closeReasons: [CloseReason] = []
  var onReceive: ((UnsafeMutableRawBufferPointer, Connection) -> Void)?
  var onInputEnded: ((Connection) -> Void)?
  var onDrained: ((Connection) -> Void)?
  var onClosed: ((Connection) -> Void)?
  var keepsBytes = true

  func connected(_ connection: Connection) {
    isConnected = true
    connectedCount += 1
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    receivedCount += 1
    if keepsBytes { self.bytes.append(contentsOf: bytes) }
    onReceive?(bytes, connection)
  }

  func inputEnded(on connection: Connection) {
    inputEndedCount += 1
    onInputEnded?(connection)
  }

  func drained(_ connection: Connection) {
    drainedCount += 1
    onDrained?(connection)
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    closeReasons.append(reason)
    onClosed?(connection)
  }

  static func echo() -> Recorder {
    let recorder = Recorder()
    recorder.keepsBytes = false
    recorder.onReceive = { $1.write(copying: UnsafeRawBufferPointer($0)) }
    return recorder
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

/// Bytes whose order shows when any is lost, doubled or moved.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var generator = SeededGenerator(seed: seed)
  let words = (0..<(count + 7) / 8).map { _ in generator.next() }
  return words.withUnsafeBytes { Array($0.prefix(count)) }
}

extension Connection {
  /// So that little is in flight, and a peer that doesn't read is felt soon.
  func shrinkReceiveBuffer() {
    var bytes: Int32 = 32_768
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Whether the kernel holds something for it to read.
  var isReadable: Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
  }
}

/// A value that several threads change.
final class Shared<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }

  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { (value: inout Value) -> Result in body(&value) }
  }
}
