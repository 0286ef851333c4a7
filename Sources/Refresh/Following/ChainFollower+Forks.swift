import Ethereum
import Ledger

/// The chain was reorganised.
struct Fork {
  /// The last block that is still in it, of those that were seen.
  var block: UInt64
  /// Wallets of which nothing is known without what was read above it.
  var unknown: [WalletID]
}

/// What was read in blocks that are none of the chain's.
extension ChainFollower {
  /// A pass; where it finds that the chain was reorganised, another from the fork on.
  func passFromFork() async throws(PassError) {
    do throws(PassError) {
      return try await pass()
    } catch {
      guard case .reorganised(let head) = error, try await rewind(below: head) else { throw error }
    }
    do throws(PassError) {
      try await pass()
    } catch {
      guard case .reorganised = error else { throw error }
      // Nodes of two branches answer in turns. The next pass may find one twice; to begin anew would help nobody.
      throw .reading(malformed("the newest block is of another branch from one question to the next"))
    }
  }

  /// Goes back to the last block seen that is still in the chain. What was read above it is read again by the next
  /// pass, and nothing else is.
  ///
  /// - Returns: whether there is one.
  private func rewind(below head: BlockHeader) async throws(PassError) -> Bool {
    guard let last = try await lastShared(below: head) else { return false }
    track.rewind(to: last)
    let unknown = wallets.rewind(to: last.number)
    fork = Fork(block: min(last.number, fork?.block ?? .max), unknown: unknown + (fork?.unknown ?? []))
    // The others are read as a whole.
    let followed = Set(wallets.all).subtracting(unknown)
    doubt(await ledger.cells(of: followed, above: last.number))
    metrics.reorganisations.increment()
    logger.notice(
      "chain was reorganised: what was read above the fork is read again",
      metadata: [
        "chain": "\(chain.code)", "fork": "\(last.number)", "found": "\(head.number)",
        "tokens": "\(unsettled.count)", "wallets": "\(unknown.count)",
      ])
    return true
  }

  /// The block of a wallet's first whole read may have been taken back before any pass saw it. What was found in it is
  /// worth nothing then, and no log of the chain tells: the wallet is read anew.
  func prove(below head: BlockHeader) async throws(PassError) {
    var traits = [head.number: head.traits]
    var questions = Self.proofsMaximum
    var lost: [WalletID] = []
    for (block, reads) in wallets.unproven(through: head.number).sorted(by: { $0.key > $1.key }) {
      if traits[block] == nil {
        guard questions > 0 else { continue }
        questions -= 1
        // A node that does not have it says nothing of it.
        guard let found = try await header(.number(block)) else { continue }
        traits[block] = found.traits
      }
      let strange = reads.filter { $0.traits != traits[block] }.map(\.id)
      strangeBlocks = strange.count < reads.count ? 0 : strangeBlocks + 1
      if strangeBlocks <= Self.strangeMaximum {
        strange.forEach { wallets.noteDisproven($0) }
        lost += strange
      }
      wallets.noteProven(reads)
    }
    guard !lost.isEmpty else { return }
    metrics.orphans.increment(by: lost.count)
    await ledger.reopen(lost)
    await readAnew(lost)
  }

  /// Blocks of first reads that one pass asks for; still others wait for the next.
  private static let proofsMaximum = 8

  /// So many blocks of reads in a row that are none of the chain's: its contracts see other hashes or times than its
  /// nodes tell, and nothing can be said by them.
  static let strangeMaximum = 5

  /// The highest of the blocks seen that is an ancestor of the head. What is above one that is none is none either.
  private func lastShared(below head: BlockHeader) async throws(PassError) -> BlockHeader? {
    var shared = track.seen(below: head.number)[...]
    // The usual case, and it costs nothing.
    if let last = shared.last, last.number + 1 == head.number, last.hash == head.parentHash { return last }
    var unsure = shared
    while let middle = unsure.isEmpty ? nil : unsure[unsure.startIndex + unsure.count / 2] {
      let position = unsure.startIndex + unsure.count / 2
      if try await header(.number(middle.number))?.hash == middle.hash {
        unsure = unsure[(position + 1)...]
      } else {
        unsure = unsure[..<position]
        shared = shared[..<position]
      }
    }
    return shared.last
  }

  /// All of it is read anew, or nobody watches any more.
  func forgetForks() {
    fork = nil
    unsettled = UnsettledCells()
  }

  /// What was read of a wallet while nobody watched it may be of a block that is no more.
  func doubt(_ wallet: WalletID, above block: UInt64) async {
    doubt(await ledger.cells(of: [wallet], above: block))
  }

  /// These are looked at once more: by the next pass, or when somebody watches their wallet again.
  func doubt(_ cells: [WalletToken]) {
    for cell in cells {
      if wallets.address(of: cell.wallet) != nil {
        unsettled.insert([cell])
      } else {
        wallets.forgetLeft(cell.wallet)
      }
    }
  }

  /// What is to be looked at once more, as far as the pass has room for it.
  ///
  /// - Parameters:
  ///   - subjects: what the pass asks for anyway.
  ///   - chunk: what fits one aggregate; or one pass, where there is no Multicall3.
  func takeUnsettled(besides subjects: [FollowCall.Subject], chunk: Int, isOneByOne: Bool) -> [WalletToken] {
    // What a reorganisation undid is wrong now: all of it.
    if fork != nil { return unsettled.take(most: .max) }
    if isOneByOne {
      let changed = subjects.count { if case .native = $0 { false } else { true } }
      return unsettled.take(most: max(0, chunk * 4 / 5 - changed))
    }
    let room = chunk - subjects.reduce(0) { $0 + $1.cost } % chunk
    return unsettled.take(most: room < Self.roomMinimum ? room + chunk : room)
  }

  /// Where the last aggregate has not even this much room, another one is made.
  private static let roomMinimum = 100
}
