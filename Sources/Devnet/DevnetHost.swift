import Ethereum
import EventLoop
import HTTP1

/// The simulation and its two services, on one loop. Thread-confined to it: `@unchecked` only so that calls
/// posted to the loop can carry it there.
final class DevnetHost: @unchecked Sendable, TimerTarget {
  let loop: EventLoop
  var chain: SimulatedChain
  var prices: SimulatedPrices
  var node = SimulatedNode()
  var priceService: PriceService
  var chainFault = FaultSwitch()
  var priceFault = FaultSwitch()
  var chainLatency = Duration.zero
  var priceLatency = Duration.zero
  private var listeners: [Listener] = []
  private var services: [HTTPService] = []
  private var isStopped = false

  /// What moves by itself.
  private var script: DemoScript?
  private var stepEvery = Duration.zero
  private var tickEvery: Duration?
  private var stepTimer = TimerID.none
  private var tickTimer = TimerID.none
  private var nextStep = LoopInstant(nanoseconds: 0)
  private var nextTick = LoopInstant(nanoseconds: 0)

  init(loop: EventLoop, chain: SimulatedChain, prices: SimulatedPrices, targetBytes: Int) {
    self.loop = loop
    self.chain = chain
    self.prices = prices
    priceService = PriceService(targetMaximum: targetBytes)
  }

  /// The URLs of the node and of the price source.
  func listen(bodyBytes: Int) throws(SystemError) -> (String, String) {
    let limits = HTTPLimits(lineBytes: 262_144, headBytes: 524_288, headerCount: 100, bodyBytes: bodyBytes)
    // Unowned: a server that goes away stops this host first, and with it all that could ask.
    let rpc = HTTPService(limits: limits, waitingMaximum: 64) { [unowned self] in answerRPC($0, $1) }
    let quotes = HTTPService(limits: limits, waitingMaximum: 64) { [unowned self] in answerPrices($0, $1) }
    do throws(SystemError) {
      return (try listen(rpc), try listen(quotes))
    } catch {
      stop()
      throw error
    }
  }

  private func listen(_ service: HTTPService) throws(SystemError) -> String {
    let listener = try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { service.accept($0) }
    listeners.append(listener)
    services.append(service)
    return "http://127.0.0.1:\(listener.address.port)"
  }

  func stop() {
    guard !isStopped else { return }
    isStopped = true
    endScript()
    for listener in listeners { listener.close() }
    for service in services { service.closeConnections() }
  }

  func resetStatistics() {
    node = SimulatedNode()
    priceService = PriceService(targetMaximum: priceService.targetMaximum)
  }

  // MARK: - Answers

  private func answerRPC(_ head: RequestHead, _ body: [UInt8]) -> HTTPVerdict {
    node.noteRequest()
    var chain = chain
    var nodeError: NodeError?
    var batchMaximum = SimulatedNode.batchMaximum
    var mute: String?
    switch chainFault.take() {
    case nil: break
    case .silence: return .silence
    case .silenceAbout(let method): mute = method
    case .disconnect: return .disconnect
    case .chainID(let id): chain.configuration.chainID = id
    case .rpcError(let code, let message): nodeError = NodeError(code: code, message: message)
    case .batchesOver(0) where body.first == UInt8(ascii: "["):
      return .reply(HTTPReply(status: 400, type: "text/plain", text: "bad request"), after: chainLatency)
    case .batchesOver(let most): batchMaximum = most
    case .some(let fault):
      if let reply = HTTPReply(fault) { return .reply(reply, after: chainLatency) }
    }
    guard head.method == "POST" else {
      return .reply(
        HTTPReply(status: 405, type: "text/plain", text: "method not allowed"), after: chainLatency)
    }
    let asked = mute.map { node.statistics.methods[$0, default: 0] }
    let answer = node.answer(body, chain: chain, fault: nodeError, batchMaximum: batchMaximum)
    if let mute, node.statistics.methods[mute, default: 0] != asked { return .silence }
    return .reply(HTTPReply(status: 200, type: "application/json", body: answer), after: chainLatency)
  }

  private func answerPrices(_ head: RequestHead, _ body: [UInt8]) -> HTTPVerdict {
    priceService.noteRequest()
    switch priceFault.take() {
    case nil, .silenceAbout, .chainID, .rpcError, .batchesOver: break
    case .silence: return .silence
    case .disconnect: return .disconnect
    case .some(let fault):
      if let reply = HTTPReply(fault) { return .reply(reply, after: priceLatency) }
    }
    return .reply(priceService.answer(head, prices: prices, now: unixSeconds), after: priceLatency)
  }

  var unixSeconds: UInt64 { UInt64(max(0, loop.wallClockMilliseconds)) / 1_000 }

  // MARK: - What moves by itself

  private static let stepTag: UInt64 = 0
  private static let tickTag: UInt64 = 1

  /// Takes a world's chain and prices in place of its own, and moves them from now on.
  func run(_ world: DemoWorld, stepEvery: Duration, ticksPerSecond: Double) {
    endScript()
    chain = world.chain
    prices = world.prices
    script = world.script
    self.stepEvery = max(stepEvery, .milliseconds(1))
    tickEvery = ticksPerSecond > 0 ? max(.seconds(1 / ticksPerSecond), .milliseconds(1)) : nil
    guard !isStopped else { return }
    nextStep = loop.now
    nextTick = loop.now
    scheduleStep()
    scheduleTick()
  }

  /// On the beat, however long the last one took; beats that were missed are left out.
  private func scheduleStep() {
    nextStep = max(nextStep + stepEvery, loop.now)
    stepTimer = loop.schedule(at: nextStep, self, tag: Self.stepTag)
  }

  private func scheduleTick() {
    guard let tickEvery else { return }
    nextTick = max(nextTick + tickEvery, loop.now)
    tickTimer = loop.schedule(at: nextTick, self, tag: Self.tickTag)
  }

  private func endScript() {
    loop.cancel(stepTimer)
    loop.cancel(tickTimer)
    script = nil
  }

  /// One block of the world that is running; nothing where none is.
  func step() { script?.step(&chain, timestamp: unixSeconds) }

  func tickPrices(times: Int) -> [PriceTick] {
    for _ in 0..<times { prices.tick() }
    return script?.priceTicks(prices) ?? []
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard !isStopped else { return }
    if tag == Self.stepTag {
      step()
      scheduleStep()
    } else {
      prices.tick()
      scheduleTick()
    }
  }
}
