import Ethereum
import JSON
import Ledger

/// The balances of one pass, all at its block.
extension ChainFollower {
  /// Contracts nobody has heard of that one pass looks at. Sending worthless tokens to many costs their sender little.
  static let unknownMaximum = 256
  /// Of those, how many are asked for alone, because together they said nothing.
  static let aloneMaximum = 16
  static let shunnedMaximum = 10_000
  /// BLOCKHASH reaches no further back.
  static let hashesKept: UInt64 = 255

  /// What was read, as it goes into the ledger.
  private struct Readings {
    var known: [WalletID: WalletChanges] = [:]
    /// `nil`: it could not be read.
    var natives: [(wallet: WalletID, balance: UInt256?)] = []
    var found: [(wallet: WalletID, contract: Address, balance: UInt256)] = []
    var metadata: [Address: WalletCall.Metadata] = [:]
    /// Wallets with a balance that cannot be read this way.
    var unread: Set<WalletID> = []
    var alone: [FollowCall.Subject] = []

    mutating func take(_ subject: FollowCall.Subject, _ finding: FollowCall.Finding, native: TokenID) {
      switch subject {
      case .native(let wallet, _):
        note(wallet, native, finding.outcome)
        if case .balance(let balance) = finding.outcome {
          natives.append((wallet, balance))
        } else {
          natives.append((wallet, nil))
        }
      case .known(let wallet, _, let token, _):
        // A whole read finds out why.
        if finding.outcome == .failed { unread.insert(wallet) } else { note(wallet, token, finding.outcome) }
      case .unknown(let wallet, _, let contract):
        if finding.metadata.isAnswered { metadata[contract] = finding.metadata }
        switch finding.outcome {
        case .balance(let balance) where !balance.isZero: found.append((wallet, contract, balance))
        case .balance: break
        case .failed: if finding.isSilent { alone.append(subject) }
        }
      }
    }

    private mutating func note(_ wallet: WalletID, _ token: TokenID, _ outcome: WalletReading.Outcome) {
      known[wallet, default: WalletChanges(wallet: wallet, outcomes: [])].outcomes.append((token, outcome))
    }
  }

  /// - Parameter ancestor: what this block should descend from.
  func read(
    _ subjects: [FollowCall.Subject], at head: BlockHeader, ancestor: BlockHeader?
  ) async throws(PassError) {
    let isOneByOne = await reader.isOneByOne
    let chunk = isOneByOne ? ChainReader.subjectsOneByOne : max(1, await reader.chunkSize - 3)
    let again = takeUnsettled(besides: subjects, chunk: chunk, isOneByOne: isOneByOne)
    do throws(PassError) {
      var subjects = FollowCall.merged(subjects, await known(again))
      if isOneByOne { subjects = await share(of: subjects, most: chunk, at: head) }
      await accept(
        try await readings(subjects, chunk: chunk, at: head, ancestor: ancestor), at: head)
    } catch {
      doubt(again)
      throw error
    }
  }

  private func readings(
    _ subjects: [FollowCall.Subject], chunk: Int, at head: BlockHeader, ancestor: BlockHeader?
  ) async throws(PassError) -> Readings {
    let native = await ledger.intern(.native(chain.code), info: TokenInfo(decimals: 18, isListed: true))
    var readings = Readings()
    var toCheck = ancestor
    for subjects in FollowCall.chunks(subjects, most: chunk) {
      let number = toCheck.flatMap { head.number - $0.number <= Self.hashesKept ? $0.number : nil }
      let answer = try await answer(subjects, at: head, ancestor: number)
      // Before anything is believed.
      if let ancestor = toCheck, answer.ancestor != ancestor.hash { try await check(ancestor, below: head) }
      toCheck = nil
      for (subject, finding) in zip(subjects, answer.findings) {
        readings.take(subject, finding, native: native)
      }
    }
    try await readAlone(&readings, at: head, native: native)
    return readings
  }

  /// Those that use up all gas are left to reads of the whole wallet.
  private func known(_ cells: [WalletToken]) async -> [FollowCall.Subject] {
    let burners = Set(await reader.burners(among: cells.map(\.token)))
    return await ledger.places(of: cells.filter { !burners.contains($0.token) }).map { .known($0) }
  }

  /// Some chains' contracts see other hashes than their nodes tell: the node has the last word.
  private func check(_ ancestor: BlockHeader, below head: BlockHeader) async throws(PassError) {
    guard try await header(.number(ancestor.number))?.hash == ancestor.hash else { throw .reorganised(head) }
  }

  /// Native coins first, then what is known: what comes last can starve nobody.
  func subjects(of scan: TransferScan, at head: BlockHeader) async -> [FollowCall.Subject] {
    let addresses = Dictionary(
      scan.plan.wallets.map { ($0.id, $0.address) }, uniquingKeysWith: { first, _ in first })
    let contracts = Set(scan.pairs.map(\.contract)).union(scan.wrappings.map(\.contract))
    let (active, unknown) = await ledger.lookUp(contracts.filter(chain.mayBeToken), on: chain.code)
    let burners = await reader.burners(among: Array(active.values))
    var known: [FollowCall.Subject] = []
    var strange: [FollowCall.Subject] = []
    for pair in scan.pairs.union(scan.wrappings) {
      guard let owner = addresses[pair.wallet] else { continue }
      if let token = active[pair.contract] {
        if burners.contains(token) {
          // What came in shows when it can be read again.
          wallets.noteSign(pair.wallet, at: head.number)
        } else {
          known.append(.known(pair.wallet, owner: owner, token, pair.contract))
        }
      } else if unknown.contains(pair.contract), scan.pairs.contains(pair), !shunned.contains(pair.contract) {
        strange.append(.unknown(pair.wallet, owner: owner, pair.contract))
      }
    }
    if strange.count > Self.unknownMaximum {
      metrics.leftOut.increment(by: strange.count - Self.unknownMaximum)
    }
    return scan.plan.wallets.map { .native($0.id, $0.address) } + known
      + strange.prefix(Self.unknownMaximum)
  }

  /// What the chain says to one call. Where the node refuses it as a whole, it is asked without the strange tokens, and
  /// then without any: who spoils it is found by asking for each strange one alone, or by reads of the whole wallet.
  private func answer(
    _ subjects: [FollowCall.Subject], at head: BlockHeader, ancestor: UInt64?
  ) async throws(PassError) -> FollowCall.Answer {
    do throws(PassError) {
      return try await call(subjects, at: head, ancestor: ancestor)
    } catch {
      let fewer = FollowCall.fewer(subjects)
      guard case .reading(let reason) = error, reason.mayFitInParts, fewer.count < subjects.count else {
        throw error
      }
      var answer = try await answer(fewer, at: head, ancestor: ancestor)
      // What was left out comes last.
      answer.findings += subjects.dropFirst(fewer.count).map { _ in
        FollowCall.Finding(outcome: .failed, isSilent: true)
      }
      return answer
    }
  }

  private func call(
    _ subjects: [FollowCall.Subject], at head: BlockHeader, ancestor: UInt64?
  ) async throws(PassError) -> FollowCall.Answer {
    let call = FollowCall(chain: chain, subjects: subjects, ancestor: ancestor)
    metrics.calls.increment()
    let answer: FollowCall.Answer
    do throws(RefreshError) {
      answer = try await reader.answer(to: call, at: head.number)
    } catch {
      throw .reading(error)
    }
    guard answer.chainID == chain.chainID else {
      throw .reading(malformed("chain id \(answer.chainID ?? 0) instead of \(chain.chainID)"))
    }
    guard answer.block == head.number else {
      throw .reading(malformed("balances of block \(answer.block ?? 0) instead of \(head.number)"))
    }
    return answer
  }

  private func readAlone(
    _ readings: inout Readings, at head: BlockHeader, native: TokenID
  ) async throws(PassError) {
    let subjects = readings.alone
    readings.alone = []
    metrics.leftOut.increment(by: max(0, subjects.count - Self.aloneMaximum))
    for subject in subjects.prefix(Self.aloneMaximum) {
      guard case .unknown(_, _, let contract) = subject, !shunned.contains(contract) else { continue }
      let finding: FollowCall.Finding
      do throws(PassError) {
        guard let answered = try await call([subject], at: head, ancestor: nil).findings.first else {
          continue
        }
        finding = answered
      } catch {
        guard case .reading(let reason) = error, reason.mayFitInParts else { throw error }
        finding = FollowCall.Finding(outcome: .failed)
      }
      if finding.outcome == .failed {
        if shunned.count >= Self.shunnedMaximum { shunned.removeAll() }
        shunned.insert(contract)
      }
      readings.take(subject, finding, native: native)
    }
    readings.alone = []
  }

  private func accept(_ readings: Readings, at head: BlockHeader) async {
    var known = readings.known
    for (wallet, contract, balance) in readings.found {
      let metadata = readings.metadata[contract]
      let token = await ledger.admit(
        TokenKey(chain: chain.code, contract: contract),
        info: TokenInfo(
          symbol: metadata?.symbol, name: metadata?.name, decimals: metadata?.decimals, isListed: false))
      guard let token else {
        metrics.leftOut.increment()
        continue
      }
      known[wallet, default: WalletChanges(wallet: wallet, outcomes: [])].outcomes.append(
        (token, .balance(balance)))
    }
    metrics.changes.increment(by: known.values.reduce(-readings.natives.count) { $0 + $1.outcomes.count })
    let (before, all) = (fork, wallets.all)
    let refused = await ledger.accept(
      Array(known.values), block: head.number, after: before.map { ($0.block, all) })
    fork = nil
    doubt(refused)
    for (wallet, balance) in readings.natives { wallets.noteNative(wallet, balance, at: head.number) }
    let anew = readings.unread.union(before?.unknown ?? [])
    if !anew.isEmpty { await readAnew(Array(anew)) }
  }
}
