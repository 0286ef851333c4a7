/// A connection's filter and what came out of it.
final class FilterState {
  private(set) var filter: any ByteFilter
  /// Filtered bytes on their way to the kernel, `offset` of which are there.
  var outbound: [UInt8] = []
  var offset = 0
  var saidEnd = false
  var hasStarted = false

  init(_ filter: any ByteFilter) { self.filter = filter }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
    try filter.receive(bytes)
    if let successor = filter.successor { filter = successor }
  }

  var unsent: Int { outbound.count - offset }

  func drop(_ count: Int) {
    offset += count
    if offset == outbound.count {
      outbound = []
      offset = 0
    }
  }
}

extension Connection {
  /// Stands between the socket and the handler. To be set before the first byte: in an accept handler, or
  /// right after ``EventLoop/connect(to:handler:)``. It can't be taken off again.
  public var filter: (any ByteFilter)? {
    get { filterState?.filter }
    set {
      loop.assertCurrent()
      guard let newValue, filterState == nil, isOpen else { return }
      let state = FilterState(newValue)
      filterState = state
      if !flags.contains(.connecting) { startFilter(state) }
    }
  }

  func startFilter(_ state: FilterState) {
    guard !state.hasStarted else { return }
    state.hasStarted = true
    do { try state.filter.start() } catch { return failFilter(error) }
    markDirty()
  }

  /// Hands on what the filter has for the handler, and has its own messages sent.
  func readFiltered() {
    flags.remove(.resuming)
    guard let state = filterState else { return }
    guard isOpen else { return markDirty() }
    if state.filter.isEstablished { announce() }
    let buffer = loop.plainBuffer
    do {
      reading: while isOpen, !flags.contains(.readPaused), !flags.contains(.inputEnded) {
        switch try state.filter.readPlain(into: buffer) {
        case .bytes(let count):
          let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
          if state.filter.isEstablished { announce() }
          if isOpen { handler?.received(bytes, on: self) }
        case .needsInput: break reading
        case .ended:
          finishInput()
          break reading
        }
      }
    } catch {
      return failFilter(error)
    }
    if state.filter.isEstablished { announce() }
    markDirty()
  }

  /// Sends what the filter has to say about it (a TLS alert), then closes. What the handler queued is
  /// dropped: it must not go out unfiltered.
  func failFilter(_ error: FilterError, inputEnded: Bool = false) {
    guard !flags.contains(.closed), !flags.contains(.filterFailed) else { return }
    flags.insert(.filterFailed)
    unsentBytes = filterState?.unsent ?? 0
    queue.removeAll(spare: &loop.spareQueues)
    let wasOpen = isOpen
    if wasOpen { close(.filter(error), afterFlush: true) }
    if inputEnded { finishInput() }
    if !wasOpen { markDirty() }
  }
}
