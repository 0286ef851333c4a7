import Ethereum
import JSON
import Ledger

/// What clients are told.
extension RefreshService {
  /// Why a chain is down, and since when.
  struct Trouble {
    var reason: ChainState.Reason
    var since: UnixMilliseconds
  }

  public func chainStates() async -> [ChainState] {
    var states: [ChainState] = []
    for chain in chains {
      let endpoints = await readers[chain.code]?.health() ?? []
      let trouble = troubles[chain.code]
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
    await judgeTrouble(of: chain)
  }

  /// One failed read may be bad luck; a second one in a row is a chain that is down.
  func noteFailure(_ chain: ChainCode, _ error: RefreshError) async {
    let count = chainFailures[chain, default: 0] + 1
    chainFailures[chain] = count
    guard count >= 2, downSince[chain] == nil else { return }
    downSince[chain] = clock()
    logger.error("chain cannot be read", metadata: ["chain": "\(chain)", "reason": "\(error)"])
    await judgeTrouble(of: chain)
  }

  /// Says of the chain what has changed: whether it is down, or why. One that is down for another reason than before
  /// is so since it went down for the first.
  func judgeTrouble(of chain: ChainCode) async {
    let now = trouble(of: chain)
    let before = troubles[chain]
    guard now?.reason != before?.reason else { return }
    troubles[chain] = now.map {
      Trouble(reason: $0.reason, since: min($0.since, before?.since ?? $0.since))
    }
    await announce(chain)
  }

  private func trouble(of chain: ChainCode) -> Trouble? {
    if let since = downSince[chain] { return Trouble(reason: .unreachable, since: since) }
    return stillSince[chain].map {
      Trouble(reason: standstills[chain]?.isLost == true ? .unreachable : .standingStill, since: $0)
    }
  }

  private func announce(_ chain: ChainCode) async {
    let trouble = troubles[chain]
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
