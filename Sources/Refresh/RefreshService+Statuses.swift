import Ethereum
import JSON
import Ledger

/// What clients are told.
extension RefreshService {
  public func chainStates() async -> [ChainState] {
    var states: [ChainState] = []
    for chain in chains {
      let endpoints = await readers[chain.code]?.health() ?? []
      let trouble = trouble(of: chain.code)
      states.append(
        ChainState(chain: chain, down: trouble?.reason, since: trouble?.since, endpoints: endpoints))
    }
    return states
  }

  func announce(_ wallet: WalletID, _ stage: StaticString, _ outcome: RefreshOutcome? = nil) async {
    guard let key = await ledger.wallet(wallet)?.key else { return }
    var json: [UInt8] = []
    json.append("{\"type\":\"status\",\"wallet\":\"")
    json.append(contentsOf: key.description.utf8)
    json.append("\",\"refreshing\":\"")
    json.append(stage)
    json.append(34)
    if let outcome {
      json.append(",\"as_of\":")
      json.append(decimal: outcome.readAt)
      json.append(",\"block\":")
      json.append(decimal: outcome.block)
    }
    json.append(125)
    await ledger.announce(StatusFrame(subject: .wallet(wallet), json: json, isAbnormal: false))
  }

  func noteSuccess(_ chain: ChainCode) async {
    chainFailures[chain] = 0
    guard downSince.removeValue(forKey: chain) != nil else { return }
    logger.notice("chain can be read again", metadata: ["chain": "\(chain)"])
    await announce(chain)
  }

  /// One failed read may be bad luck; a second one in a row is a chain that is down.
  func noteFailure(_ chain: ChainCode, _ error: RefreshError) async {
    let count = chainFailures[chain, default: 0] + 1
    chainFailures[chain] = count
    guard count >= 2, downSince[chain] == nil else { return }
    let since = clock()
    downSince[chain] = since
    logger.error("chain cannot be read", metadata: ["chain": "\(chain)", "reason": "\(error)"])
    await announce(chain)
  }

  private func trouble(of chain: ChainCode) -> (reason: ChainState.Reason, since: UnixMilliseconds)? {
    if let since = downSince[chain] { return (.unreachable, since) }
    return stillSince[chain].map { (standstills[chain]?.isLost == true ? .unreachable : .standingStill, $0) }
  }

  /// The chain's state as it is now.
  func announce(_ chain: ChainCode) async {
    let trouble = trouble(of: chain)
    var json: [UInt8] = []
    json.append("{\"type\":\"status\",\"chain\":\"")
    json.append(contentsOf: chain.description.utf8)
    json.append("\",\"state\":\"")
    json.append(trouble == nil ? "up" : "down")
    json.append("\",\"since\":")
    json.append(decimal: trouble?.since ?? clock())
    if let reason = trouble?.reason, reason != .unreachable {
      json.append(",\"reason\":\"")
      json.append(contentsOf: reason.rawValue.utf8)
      json.append(34)
    }
    json.append(125)
    await ledger.announce(StatusFrame(subject: .chain(chain), json: json, isAbnormal: trouble != nil))
  }
}
