import Ethereum
import JSON
import TestSupport
import Testing

@testable import Devnet

@Suite struct NodeTests {
  static let token = account(0xA1)
  static let (alice, bob) = (account(1), account(2))
  static let aliceText = "0x0101010101010101010101010101010101010101"

  /// Blocks 100 … 104; in each Alice sends one token more than before to Bob, and has one coin more.
  static func chain(stateBlocks: Int = 128, logBlocks: Int = 1_000) throws -> SimulatedChain {
    var chain = SimulatedChain(
      SimulatedChain.Configuration(
        seed: 7, firstBlock: 100, stateBlocks: stateBlocks, logBlocks: logBlocks, logsMaximum: 4))
    chain.deploy(SimulatedContract(name: "Token", symbol: "T", decimals: 18), at: token)
    try chain.mint(token, to: alice, amount: 1_000)
    for step in 1...4 {
      try chain.transfer(token, from: alice, to: bob, amount: UInt256(UInt64(step)))
      if step == 1 { chain.mine() }
      if step > 1 {
        chain.setNative(alice, to: UInt256(UInt64(step)))
        chain.mine()
      }
    }
    return chain
  }

  static func ask(_ body: String, _ chain: SimulatedChain) -> String {
    var node = SimulatedNode()
    return String(decoding: node.answer(Array(body.utf8), chain: chain), as: UTF8.self)
  }

  static func call(_ method: String, _ params: String, _ chain: SimulatedChain) -> String {
    let answer = ask(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#, chain)
    let start = #"{"jsonrpc":"2.0","id":1,"#
    return answer.hasPrefix(start) ? String(answer.dropFirst(start.count).dropLast()) : answer
  }

  private static let balanceOf = Hex.encode(ABI.balanceOf(alice))
  private static let tokenText = token.lowercase

  static let calls: [(String, String, String)] = [
    ("eth_chainId", "[]", #""result":"0x7a69""#),
    ("net_version", "[]", #""result":"31337""#),
    ("web3_clientVersion", "[]", #""result":"walletpush-devnet/1""#),
    ("eth_blockNumber", "[]", #""result":"0x68""#),
    ("eth_syncing", "null", #""result":false"#),
    ("eth_getBalance", #"["\#(aliceText)","latest"]"#, #""result":"0x4""#),
    ("eth_getBalance", #"["\#(aliceText)"]"#, #""result":"0x4""#),
    ("eth_getBalance", #"["\#(aliceText)","pending"]"#, #""result":"0x4""#),
    ("eth_getBalance", #"["\#(aliceText)","0x66"]"#, #""result":"0x2""#),
    ("eth_getBalance", #"["\#(aliceText)",{"blockNumber":"0x67"}]"#, #""result":"0x3""#),
    ("eth_getBalance", #"["\#(aliceText)","earliest"]"#, #""result":"0x0""#),
    ("eth_getBalance", #"["\#(aliceText)","finalized"]"#, #""result":"0x0""#),
    (
      "eth_getBalance", #"["\#(aliceText)","0x69"]"#, #""error":{"code":-32000,"message":"header not found"}"#
    ),
    (
      "eth_getBalance", #"["\#(aliceText)","0x1"]"#,
      #""error":{"code":-32000,"message":"missing trie node: state of block 1 is not available"}"#
    ),
    ("eth_getBalance", "[]", #""error":{"code":-32602,"message":"missing value for required argument 0"}"#),
    ("eth_getBalance", #"["0x12"]"#, #""error":{"code":-32602,"message":"invalid argument 0: bad address"}"#),
    (
      "eth_getBalance", #"["\#(aliceText)","soon"]"#,
      #""error":{"code":-32602,"message":"invalid argument 1: it does not begin with 0x"}"#
    ),
    ("eth_getBalance", "{}", #""error":{"code":-32602,"message":"non-array args"}"#),
    ("eth_getCode", #"["\#(tokenText)","latest"]"#, #""result":"0xfe""#),
    ("eth_getCode", #"["\#(aliceText)","latest"]"#, #""result":"0x""#),
    (
      "eth_sendRawTransaction", "[]",
      #""error":{"code":-32601,"message":"the method eth_sendRawTransaction does not exist/is not available"}"#
    ),
    ("eth_call", #"[{"data":"0x"},"latest"]"#, #""result":"0x""#),
    ("eth_call", #"[{"to":"\#(aliceText)","data":"0x12345678"},"latest"]"#, #""result":"0x""#),
    (
      "eth_call", #"[{"to":"\#(tokenText)","data":"\#(balanceOf)"},"latest"]"#,
      #""result":"\#(Hex.encode(word(990)))""#
    ),
    (
      "eth_call", #"[{"to":"\#(tokenText)","input":"\#(balanceOf)"},"0x66"]"#,
      #""result":"\#(Hex.encode(word(997)))""#
    ),
    (
      "eth_call", #"[{"to":"\#(tokenText)","data":"0x12345678"},"latest"]"#,
      #""error":{"code":3,"message":"execution reverted","data":"0x"}"#
    ),
    (
      "eth_call", #"[{"to":"\#(tokenText)","data":"0x123"},"latest"]"#,
      #""error":{"code":-32602,"message":"invalid argument 0: it has an odd number of digits"}"#
    ),
    (
      "eth_call", #"[{"to":"\#(tokenText)","data":"\#(balanceOf)","gas":"0x1"},"latest"]"#,
      #""error":{"code":-32000,"message":"out of gas"}"#
    ),
    ("eth_getBlockByNumber", #"["0x69",false]"#, #""result":null"#),
    ("eth_getBlockByNumber", #"["0x1",false]"#, #""result":null"#),
  ]

  @Test(arguments: calls)
  func call(method: String, params: String, answer: String) throws {
    #expect(Self.call(method, params, try Self.chain()) == answer)
  }

  static let bodies: [(String, String)] = [
    ("{", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}"#),
    ("", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}"#),
    ("[]", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"empty batch"}}"#),
    ("[1]", #"[{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}}]"#),
    (#"{"id":7}"#, #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"invalid request"}}"#),
    (#"{"method":"eth_chainId"}"#, ""),
    (#"[{"method":"eth_chainId"},{"method":"eth_blockNumber"}]"#, ""),
    (
      #"[{"id":"a","method":"eth_chainId"},{"method":"eth_chainId"},{"id":2,"method":"no"}]"#,
      #"[{"jsonrpc":"2.0","id":"a","result":"0x7a69"},{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"#
        + #""message":"the method no does not exist/is not available"}}]"#
    ),
  ]

  @Test(arguments: bodies)
  func body(body: String, answer: String) throws {
    #expect(Self.ask(body, try Self.chain()) == answer)
  }

  @Test func batchLimit() throws {
    let chain = try Self.chain()
    func batch(_ count: Int) -> String {
      "[" + Array(repeating: #"{"id":1,"method":"eth_chainId"}"#, count: count).joined(separator: ",") + "]"
    }
    #expect(try parse(Array(Self.ask(batch(1_000), chain).utf8)).array?.count == 1_000)
    #expect(
      Self.ask(batch(1_001), chain)
        == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}"#)
  }

  @Test func blocks() throws {
    let chain = try Self.chain()
    for number in 100...104 as ClosedRange<UInt64> {
      let byNumber = Self.ask(text(.getBlock(id: 1, .number(number))), chain)
      let header = try BlockHeader(try parse(Array(byNumber.utf8))["result"] ?? .null)
      #expect(header.number == number)
      #expect(header.hash == chain.blockHash(number) && header.parentHash == chain.blockHash(number - 1))
      #expect(Self.ask(text(.getBlock(id: 1, .hash(header.hash))), chain) == byNumber)
    }
  }

  private func text(_ request: JSONRPC.Request) -> String {
    String(decoding: JSONRPC.encode(request), as: UTF8.self)
  }

  /// Only so many blocks' states are kept, and each is what it was.
  @Test(arguments: [0, 1, 2, 3, 100])
  func history(stateBlocks: Int) throws {
    let chain = try Self.chain(stateBlocks: stateBlocks)
    for number in 100...104 {
      let answer = Self.call(
        "eth_getBalance", #"["\#(Self.aliceText)","\#(UInt256(UInt64(number)).quantity)"]"#, chain)
      let expected = number <= 101 ? 0 : number - 100
      if 104 - number <= stateBlocks {
        #expect(answer == #""result":"0x\#(expected)""#)
      } else {
        #expect(answer.contains("missing trie node"))
      }
    }
  }

  /// Of several changes in one block, the block before knows none and the block itself the last.
  @Test func twoChangesInABlock() throws {
    var chain = try Self.chain()
    for amount in [70, 80, 90] as [UInt64] { chain.setNative(Self.alice, to: UInt256(amount)) }
    func balance(_ block: String) -> String {
      Self.call("eth_getBalance", #"["\#(Self.aliceText)","\#(block)"]"#, chain)
    }
    #expect(balance("latest") == #""result":"0x4""#)
    #expect(balance("pending") == #""result":"0x5a""#)
    chain.mine()
    #expect(balance("0x68") == #""result":"0x4""#)
    #expect(balance("latest") == #""result":"0x5a""#)
    chain.setNative(Self.alice, to: 0)
    chain.mine()
    #expect(balance("0x69") == #""result":"0x5a""#)
    #expect(balance("latest") == #""result":"0x0""#)
  }

  static let filters: [(String, [Int])] = [
    (#"{"fromBlock":"0x0","toBlock":"latest"}"#, [2, 3, 4]),
    (#"{"fromBlock":"0x67"}"#, [3, 4]),
    (#"{}"#, [4]),
    (#"{"fromBlock":"0x66","toBlock":"0x66"}"#, [2]),
    (#"{"fromBlock":"0x90","toBlock":"0x99"}"#, []),
    (#"{"fromBlock":"0x0","toBlock":"0x10"}"#, []),
    (#"{"fromBlock":"0x0","address":"\#(tokenText)"}"#, [2, 3, 4]),
    (#"{"fromBlock":"0x0","address":["\#(aliceText)"]}"#, []),
    (#"{"fromBlock":"0x0","topics":["\#(ABI.Topic.transfer)"]}"#, [2, 3, 4]),
    (#"{"fromBlock":"0x0","topics":["\#(ABI.Topic.deposit)"]}"#, []),
    (#"{"fromBlock":"0x0","topics":[null,"\#(Bytes32(alice.word))"]}"#, [2, 3, 4]),
    (
      #"{"fromBlock":"0x0","topics":[null,null,["\#(Bytes32(alice.word))","\#(Bytes32(bob.word))"]]}"#,
      [2, 3, 4]
    ),
    (#"{"fromBlock":"0x0","topics":[null,"\#(Bytes32(bob.word))"]}"#, []),
    (#"{"fromBlock":"0x0","topics":[null,null,null,null]}"#, []),
  ]

  @Test(arguments: filters)
  func logs(filter: String, amounts: [Int]) throws {
    let body = #"{"id":1,"method":"eth_getLogs","params":[\#(filter)]}"#
    let reply = try parse(Array(Self.ask(body, try Self.chain()).utf8))
    let logs = try #require(reply["result"]?.array).map { try Log($0) }
    #expect(logs.map { Int($0.blockNumber) } == amounts.map { $0 + 100 })
    for (log, amount) in zip(logs, amounts) {
      #expect(log.movement == .transfer(from: Self.alice, to: Self.bob, amount: UInt256(UInt64(amount))))
      #expect(log.address == Self.token)
    }
  }

  @Test func logLimits() throws {
    var chain = try Self.chain(logBlocks: 2)
    let all = #"[{"fromBlock":"0x0"}]"#
    let kept = try parse(Array("{\(Self.call("eth_getLogs", all, chain))}".utf8))["result"]?.array
    #expect(kept?.count == 2, "older blocks have gone")
    for _ in 0..<3 { try chain.transfer(Self.token, from: Self.alice, to: Self.bob, amount: 1) }
    chain.mine()
    #expect(Self.call("eth_getLogs", all, chain).hasPrefix(#""result""#))
    for _ in 0..<5 { try chain.transfer(Self.token, from: Self.alice, to: Self.bob, amount: 1) }
    chain.mine()
    #expect(
      Self.call("eth_getLogs", all, chain)
        == #""error":{"code":-32005,"message":"query returned more than 4 results"}"#)
    let hash = chain.head.hash
    #expect(
      Self.call("eth_getLogs", #"[{"blockHash":"\#(hash)","toBlock":"latest"}]"#, chain).contains("-32602"))
    #expect(Self.call("eth_getLogs", #"[{"blockHash":"\#(Bytes32.zero)"}]"#, chain).contains("unknown block"))
  }

  @Test func statistics() throws {
    var node = SimulatedNode()
    let chain = try Self.chain()
    for body in bodiesToCount { _ = node.answer(Array(body.utf8), chain: chain) }
    #expect(node.statistics.methods == ["eth_chainId": 3, "other": 2])
    #expect(node.statistics.batches == 1)
  }

  private let bodiesToCount = [
    #"{"id":1,"method":"eth_chainId"}"#, #"{"id":1,"method":"a"}"#,
    #"[{"id":1,"method":"eth_chainId"},{"id":2,"method":"eth_chainId"},{"id":3,"method":"b"}]"#,
  ]
}
