import Ethereum
import Testing

@testable import Server

@Suite struct WalletFileTests {
  private static let a = "0x506596089a3a1e05888f921b36d448c1e23c238e"
  private static let b = "0xd8da6bf26964af9d7eed9e03e53415d37aa96045"

  private func read(_ text: String) -> WalletFile { WalletFile(parsing: Array(text.utf8)) }

  private static let accepted: [(String, [String])] = [
    ("", []), ("\n\n  \n\t\r\n", []), ("# nothing\n   # indented\n", []),
    ("ETH:\(a)", ["ETH:\(a)"]),
    ("ETH:\(a)\nBSC:\(b)\n", ["ETH:\(a)", "BSC:\(b)"]),
    ("eth:\(a.uppercased().replacing("0X", with: "0x"))\r\n", ["ETH:\(a)"]),
    ("\u{FEFF}ETH:\(a)\r\nBSC:\(b)\r\n", ["ETH:\(a)", "BSC:\(b)"]),
    // Labels are for people.
    ("ETH:\(a) savings, mostly: not ours", ["ETH:\(a)"]),
    ("ETH:\(a)\tsavings\nETH:\(b);cold\nBSC:\(b),hot # x", ["ETH:\(a)", "ETH:\(b)", "BSC:\(b)"]),
    ("  ETH:\(a)  ", ["ETH:\(a)"]),
    // Columns.
    ("ETH,\(a)\nBSC;\(b);label\nOP \(a)", ["ETH:\(a)", "BSC:\(b)", "OP:\(a)"]),
    ("\"ETH:\(a)\",\"savings, \"\"mostly\"\"\"", ["ETH:\(a)"]),
    ("\"ETH\",\"\(b)\"", ["ETH:\(b)"]),
    // A first line that names them, comments before it or not.
    ("wallet,label\nETH:\(a),x", ["ETH:\(a)"]),
    ("# of 2026\nchain,address,label\nETH,\(a),x", ["ETH:\(a)"]),
    ("wallet\n", []),
    ("ETH:\(a)\n#ETH:\(b)\n", ["ETH:\(a)"]),
  ]

  @Test(arguments: accepted) func accepts(_ text: String, _ expected: [String]) {
    let file = read(text)
    #expect(file.faults == [])
    #expect(file.wallets.map(\.description) == expected)
  }

  private static let refused: [(String, [String])] = [
    ("ETH:0x12", ["line 1: \"ETH:0x12\": "]),
    ("ETH:\(a)\nETH\n", ["line 2: \"ETH\": a key is written CHAIN:0x…, with a colon"]),
    // Only the first line may name columns.
    ("wallet\nlabel\nETH:\(a)", ["line 2: \"label\": "]),
    ("# x\n\nE-H,\(a)", ["line 3: \"E-H:\(a)\": "]),
    ("ETH,0x12", ["line 1: \"ETH:0x12\": an address has 40 digits"]),
    ("\(a)", ["line 1: \"\(a)\": "]),
    ("ETH:\(a)0\nETH:\(a)\n\u{0}\n", ["line 1: ", "line 3: \"\\u0000\": "]),
    // EIP-55: one letter in the other case.
    ("ETH:0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045", ["line 1: "]),
  ]

  @Test(arguments: refused) func refuses(_ text: String, _ expected: [String]) {
    let file = read(text)
    #expect(file.faultCount == expected.count && file.faults.count == expected.count, "\(file.faults)")
    for (fault, start) in zip(file.faults, expected) { #expect(fault.hasPrefix(start), "\(fault)") }
  }

  @Test func aWalletCountsOnce() {
    let file = read("ETH:\(Self.a)\neth,\(Self.a)\nBSC:\(Self.a)\nETH:\(Self.a) again")
    #expect(file.wallets.map(\.description) == ["ETH:\(Self.a)", "BSC:\(Self.a)"])
    #expect(file.repeated == 2)
  }

  @Test func faultsAreToldUpToABound() {
    let file = read("ETH:\(Self.a)\n" + String(repeating: "nonsense\n", count: 1_000))
    #expect(file.faultCount == 1_000 && file.faults.count == WalletFile.faultsTold)
    let long = read("ETH:\(Self.a)\n" + String(repeating: "x", count: 100_000))
    #expect(long.faults.count == 1 && (long.faults.first?.utf8.count ?? 0) < 300)
  }
}
