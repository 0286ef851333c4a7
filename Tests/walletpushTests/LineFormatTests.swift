import JSON
import Ledger
import Testing
import WalletPushClient

@testable import walletpush

@Suite struct LineFormatTests {
  private func parsed(_ line: String?) throws -> JSONValue {
    try JSONParser.parse(try #require(line), limits: JSONLimits(depth: 8, numberBytes: 64))
  }

  @Test func plainLines() throws {
    let key = try walletKey()
    let state = try known(
      [try row(nil, .stale), try row(1, symbol: "A\u{1B}[0mB", price: nil, .unknown)], .stale)
    let lines = PlainLines()
    #expect(lines.line(for: .wallet(key), in: state) == "\(key) stale 2 tokens $3.00")
    #expect(lines.line(for: .row(key, try tokenKey()), in: state) == "\(key) ETH 1.5~ at 2 is 3.00")
    #expect(lines.line(for: .row(key, try tokenKey(1)), in: state) == "\(key) A[0mB 1.5 at ? is ?")
    #expect(lines.line(for: .wallet(key), in: try known(nil)) == "\(key) waiting 0 tokens $?")
    // What is not known any more, and what belongs to no wallet.
    for change: Change in [.row(key, try tokenKey(9)), .wallet(try walletKey(2)), .status] {
      #expect(lines.line(for: change, in: state) == nil)
      #expect(JSONLines().line(for: change, in: state) == nil)
    }
  }

  @Test func plainLinesOfTheConnection() throws {
    let state = try known(nil)
    let waiting = ConnectionState.waiting(code: 4_100, reason: "dr\u{1B}ain", retry: .milliseconds(1_500))
    #expect(
      PlainLines().line(for: .connection(waiting), in: state) == "lost (4100 drain), again in 1500 ms")
    let deleted = PlainLines().line(for: .notice(.deleted(try walletKey())), in: state)
    #expect(deleted == "\(try walletKey()) was deleted on the server")
  }

  @Test func oneJSONObjectAWallet() throws {
    let state = try known([try row(), try row(1, symbol: nil, decimals: nil, balance: nil, price: nil)])
    let wallet = try parsed(JSONLines().line(for: .wallet(try walletKey()), in: state))
    #expect(wallet["change"] == "wallet" && wallet["state"] == "fresh")
    #expect(wallet["total_usd"] == "3.00" && wallet["unpriced"]?.int == 0)
    let tokens = try #require(wallet["tokens"]?.array)
    #expect(tokens.map { $0["value_usd"] } == ["3.00", .null])
    #expect(
      tokens[1]["balance"] == .null && tokens[1]["price_usd"] == .null && tokens[1]["decimals"] == .null)
  }

  @Test func oneJSONObjectARow() throws {
    let state = try known([try row(symbol: "E\u{1B}[2JTH")])
    let line = try #require(JSONLines().line(for: .row(try walletKey(), try tokenKey()), in: state))
    let row = try parsed(line)
    #expect(row["symbol"] == "E[2JTH" && row["balance"] == "1500000000000000000")
    #expect(row["token"] == "ETH:native" && row["price_usd"] == "2" && row["value_usd"] == "3.00")
    #expect(!line.contains("\n") && !line.contains("\\u001"))
  }
}
