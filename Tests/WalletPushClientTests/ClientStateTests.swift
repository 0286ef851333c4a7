import Ethereum
import Ledger
import Testing

@testable import WalletPushClient

@Suite struct ClientStateTests {
  private func fed(_ frames: String..., rowsMax: Int = 100) throws -> ClientState {
    var state = ClientState(rowsMax: rowsMax)
    state.add(.wallet(try walletKey()))
    for text in frames { _ = state.apply(try frame(text)) }
    return state
  }

  private func held(_ state: ClientState) throws -> WalletState {
    try #require(state.wallets[try walletKey()])
  }

  @Test func snapshotReplacesRows() throws {
    let state = try fed(
      Say.snapshot(rows: [Say.row(), Say.row(coin)]), Say.snapshot(rev: 11, state: "stale", rows: [Say.row()])
    )
    let found = try held(state)
    #expect(found.rows.count == 1 && found.state == .stale && found.block == 7 && found.asOf == 70)
    #expect(found.isComplete && state.rowCount == 1)
  }

  /// Parts of one snapshot add up; a part that does not go on with it is left out.
  static let parts: [(String, [String], rows: Int, isComplete: Bool)] = [
    ("both", [Say.snapshot(part: 1, of: 2), Say.snapshot(part: 2, of: 2, rows: [Say.row(coin)])], 2, true),
    ("the first", [Say.snapshot(part: 1, of: 2)], 1, false),
    (
      "another's",
      [Say.snapshot(part: 1, of: 2), Say.snapshot(rev: 9, part: 2, of: 2, rows: [Say.row(coin)])], 1, false
    ),
    (
      "out of order", [Say.snapshot(part: 1, of: 3), Say.snapshot(part: 3, of: 3, rows: [Say.row(coin)])], 1,
      false
    ),
    ("not begun", [Say.snapshot(part: 2, of: 2)], 0, false),
    (
      "begun anew",
      [Say.snapshot(part: 1, of: 2, rows: [Say.row(coin)]), Say.snapshot(rev: 12, rows: [Say.row()])], 1, true
    ),
    ("loading", [Say.snapshot(state: "loading", rows: [])], 0, false),
  ]

  @Test(arguments: parts.indices) func inParts(index: Int) throws {
    let (name, frames, rows, isComplete) = Self.parts[index]
    var state = try fed()
    for text in frames { _ = state.apply(try frame(text)) }
    #expect(try held(state).rows.count == rows, "\(name)")
    #expect(try held(state).isComplete == isComplete, "\(name)")
  }

  @Test func changesNameWhatChanged() throws {
    let key = try walletKey()
    let (coinKey, nativeKey) = (try tokenKey(coin), try tokenKey(native))
    var state = try fed(Say.snapshot())
    state.add(.token(coinKey))
    let expected: [(String, [Change])] = [
      (Say.price(rev: 11), [.row(key, nativeKey)]),
      // Subscribed to, and without a row.
      (Say.price(coin, rev: 12), [.price(coinKey)]),
      (Say.balance("5", rev: 13), [.row(key, nativeKey)]),
      (Say.balance("5", wallet, coin, rev: 14), []),
      (Say.balance("5", other, rev: 15), []),
      (Say.token(rev: 16, Say.row(coin)), [.wallet(key)]),
      (Say.token(rev: 17, Say.row(coin, balance: "1")), [.row(key, coinKey)]),
      (Say.token(rev: 18, Say.row(coin, visible: false)), [.wallet(key)]),
      (Say.price(coin, rev: 19), [.price(coinKey), .row(key, coinKey)]),
      (Say.lag, [.status]), (Say.heartbeat(19), [.status]), (Say.heartbeat(20), []),
      (#"{"type":"status","chain":"ETH","state":"down","since":5}"#, [.status]),
      (#"{"type":"status","prices":"stale"}"#, [.status]),
      (#"{"type":"status","wallet":"\#(wallet)","refreshing":"balances"}"#, [.wallet(key)]),
      (
        #"{"type":"status","wallet":"\#(wallet)","state":"deleted"}"#, [.wallet(key), .notice(.deleted(key))]
      ),
      (#"{"type":"news"}"#, []),
    ]
    for (text, changes) in expected { #expect(state.apply(try frame(text)) == changes, "\(text)") }
    #expect(state.prices[coinKey]?.usd?.plainText == "3000")
    #expect(state.pricesAreStale && state.chainsDown[key.chain] == 5)
    #expect(state.wallets[key]?.rows[nativeKey]?.balance == UInt256(5))
    #expect(state.wallets[key]?.isDeleted == true)
    state.connectionLost()
    #expect(!state.pricesAreStale && state.chainsDown.isEmpty && state.wallets[key]?.refresh == nil)
  }

  @Test func refreshes() throws {
    func status(_ word: String) -> String {
      #"{"type":"status","wallet":"\#(wallet)","refreshing":"\#(word)","as_of":99,"block":98}"#
    }
    #expect(try held(fed(status("balances"))).refresh == .balances)
    #expect(try held(fed(status("prices"))).refresh == .prices)
    #expect(try held(fed(status("failed"))).refresh == .failed)
    let done = try held(fed(status("prices"), status("done")))
    #expect(done.refresh == nil && done.asOf == 99 && done.block == 98)
  }

  /// A wallet's state is its native row's.
  @Test func followsTheNativeRow() throws {
    let state = try fed(Say.snapshot(), Say.token(rev: 11, Say.row(state: "stale")))
    #expect(try held(state).state == .stale && held(state).block == 9)
    let same = try fed(Say.snapshot(), Say.token(rev: 11, Say.row(coin, state: "stale")))
    #expect(try held(same).state == .fresh)
  }

  @Test func rowsAreBounded() throws {
    let others = (0..<3).map { Say.row(numbered($0)) }
    let key = try walletKey()
    var state = try fed(rowsMax: 2)
    #expect(
      state.apply(try frame(Say.snapshot(rows: others))) == [.wallet(key), .notice(.tooManyRows(key))])
    #expect(try held(state).rows.count == 2)
    #expect(state.apply(try frame(Say.token(rev: 12, others[2]))) == [.notice(.tooManyRows(key))])
    // What is there may change, and what goes makes room.
    #expect(state.apply(try frame(Say.token(rev: 13, others[0]))).count == 1)
    _ = state.apply(try frame(Say.snapshot(rev: 14, rows: [others[2]])))
    #expect(state.rowCount == 1)
    state.remove(.wallet(key))
    #expect(state.rowCount == 0)
  }

  /// The protocol's `total_usd` and `unpriced`.
  static let sums: [(String, [String], total: String?, unpriced: Int)] = [
    ("nothing there", [], nil, 0),
    ("one", [Say.row()], "2000.50", 0),
    ("hidden and unlisted", [Say.row(), Say.row(coin, visible: false)], "2000.50", 0),
    ("unlisted", [Say.row(coin, listed: false)], "0.00", 0),
    ("unpriced", [Say.row(), Say.row(coin, price: nil)], "2000.50", 1),
    ("only unpriced", [Say.row(price: nil)], nil, 1),
    ("unknown balance", [Say.row(balance: nil)], nil, 0),
    ("zero without a price", [Say.row(balance: "0", price: nil)], "0.00", 0),
    // Rounded once: 0.005 + 0.005, each of which alone is 0.00.
    (
      "rounded once",
      [Say.row(balance: "5", price: "1", decimals: 3), Say.row(coin, balance: "5", price: "1", decimals: 3)],
      "0.01", 0
    ),
    ("half to even, down", [Say.row(balance: "25", price: "1", decimals: 3)], "0.02", 0),
    ("half to even, up", [Say.row(balance: "35", price: "1", decimals: 3)], "0.04", 0),
  ]

  @Test(arguments: sums.indices) func totals(index: Int) throws {
    let (name, rows, total, unpriced) = Self.sums[index]
    let found = try held(fed(Say.snapshot(rows: rows))).total
    #expect(found.text == total, "\(name)")
    #expect(found.unpriced == unpriced, "\(name)")
  }

  @Test func sortsByValue() throws {
    let tokens = (1...4).map(numbered)
    let rows = [
      Say.row(tokens[0], price: nil), Say.row(tokens[1], price: "1"), Say.row(tokens[2], price: "1000000"),
      Say.row(native, price: "0.1"), Say.row(tokens[3], price: "1"),
    ]
    let sorted = try held(fed(Say.snapshot(rows: rows))).sortedRows.map(\.token.description)
    #expect(sorted == [native, tokens[2], tokens[1], tokens[3], tokens[0]])
  }
}
