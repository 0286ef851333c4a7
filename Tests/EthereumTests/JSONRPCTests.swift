import Ethereum
import JSON
import Testing

@Suite struct JSONRPCTests {
  @Test func requests() throws {
    let to = try Address(parsing: "0xcA11bde05977b3631167028862bE2a173976CA11")
    let call = JSONRPC.Request.call(id: 7, to: to, data: [0x42, 0xcb], gas: 1000, block: .number(16))
    let expected =
      #"{"jsonrpc":"2.0","id":7,"method":"eth_call","params":"#
      + #"[{"to":"\#(to)","data":"0x42cb","gas":"0x3e8"},"0x10"]}"#
    #expect(String(decoding: JSONRPC.encode(call), as: UTF8.self) == expected)
    let batch = JSONRPC.encode(batch: [call, .blockNumber(id: 8)])
    let second = #"{"jsonrpc":"2.0","id":8,"method":"eth_blockNumber","params":[]}"#
    #expect(String(decoding: batch, as: UTF8.self) == "[\(expected),\(second)]")
  }

  @Test func parameters() throws {
    let owner = Address(high: 0, middle: 0, low: 1)
    let topic = ABI.Topic.transfer
    #expect(JSONRPC.Request.getBalance(id: 1, of: owner).params == [.string(owner.lowercase), "latest"])
    #expect(
      JSONRPC.Request.getBalance(id: 1, of: owner, block: .hash(.zero)).params
        == [.string(owner.lowercase), ["blockHash": .string(Bytes32.zero.description)]])
    #expect(JSONRPC.Request.getBlock(id: 1).method == "eth_getBlockByNumber")
    #expect(JSONRPC.Request.getBlock(id: 1, .hash(.zero)).method == "eth_getBlockByHash")
    #expect(JSONRPC.Request.getBlock(id: 1, .hash(.zero)).params[0].string == Bytes32.zero.description)
    let logs = JSONRPC.Request.getLogs(
      id: 1, fromBlock: 1, toBlock: 255, topics: [[topic], [], [Bytes32(owner.word)]])
    #expect(
      logs.params == [
        [
          "topics": [[.string(topic.description)], .null, [.string(Bytes32(owner.word).description)]],
          "fromBlock": "0x1", "toBlock": "0xff",
        ]
      ])
    #expect(JSONRPC.Request.subscribeToNewHeads(id: 1).params == ["newHeads"])
    #expect(
      JSONRPC.Request.subscribeToLogs(id: 1, addresses: [owner], topics: []).params
        == ["logs", ["address": [.string(owner.lowercase)], "topics": []]])
    #expect(
      JSONRPC.Request.getLogs(id: 1, blockHash: .zero, topics: []).params
        == [["blockHash": .string(Bytes32.zero.description), "topics": []]])
  }

  @Test(arguments: [
    #"{"jsonrpc":"2.0","id":5,"result":"0x1"}"#, #"{"id":5,"result":"0x1"}"#,
    #"{"jsonrpc":"2.0","id":5,"result":"0x1","error":null,"node":"x"}"#,
  ])
  func aResult(text: String) throws {
    #expect(try JSONRPC.outcome(of: json(text), id: 5).get() == "0x1")
  }

  @Test func nullIsAResult() throws {
    #expect(try JSONRPC.outcome(of: json(#"{"id":5,"result":null}"#), id: 5).get().isNull)
  }

  @Test(
    arguments: [
      ("[]", .malformed("an array instead of a reply")), ("null", .malformed("null instead of a reply")),
      ("{}", .malformed("neither a result nor an error")),
      (#"{"id":5}"#, .malformed("neither a result nor an error")),
      (#"{"id":5,"error":null}"#, .malformed("neither a result nor an error")),
      (#"{"id":6,"result":1}"#, .foreignID), (#"{"id":"5","result":1}"#, .foreignID),
      (#"{"id":5.0,"result":1}"#, .foreignID),
      (#"{"id":null,"result":1}"#, .malformed("a result without an id")),
      (#"{"id":5,"result":1,"error":{"code":1,"message":"x"}}"#, .malformed("a result and an error at once")),
      (#"{"id":5,"error":"x"}"#, .malformed("an error without a code and a message")),
      (#"{"id":5,"error":{"code":"1","message":"x"}}"#, .malformed("an error without a code and a message")),
      (#"{"jsonrpc":"1.0","id":5,"result":1}"#, .malformed("a JSON-RPC version that is not 2.0")),
      (#"{"id":5,"error":{"code":-32000,"message":"x"}}"#, .node(RPCError(code: -32000, message: "x"))),
      (#"{"id":5,"result":null,"error":{"code":1,"message":"x"}}"#, .node(RPCError(code: 1, message: "x"))),
      (#"{"id":null,"error":{"code":-32700,"message":"x"}}"#, .node(RPCError(code: -32700, message: "x"))),
      (
        #"{"id":5,"error":{"code":3,"message":"x","data":"0x08c379a0"}}"#,
        .node(RPCError(code: 3, message: "x", data: [8, 0xC3, 0x79, 0xA0]))
      ),
      (#"{"id":5,"error":{"code":3,"message":"x","data":{"a":1}}}"#, .node(RPCError(code: 3, message: "x"))),
    ] as [(String, JSONRPC.CallError)])
  func failures(text: String, error: JSONRPC.CallError) throws {
    let reply = try json(text)
    #expect(JSONRPC.outcome(of: reply, id: 5) == .failure(error))
    #expect(!error.description.isEmpty)
  }

  @Test func aBatchInAnyOrder() throws {
    let reply = try json(
      #"[{"id":3,"result":"c"},{"id":1,"result":"a"},"#
        + #"{"id":2,"error":{"code":3,"message":"execution reverted"}}]"#
    )
    let batch = JSONRPC.outcomes(of: reply, ids: [1, 2, 3])
    #expect(
      batch.outcomes == [
        .success("a"), .failure(.node(RPCError(code: 3, message: "execution reverted"))), .success("c"),
      ])
    #expect(batch.refusal == nil && batch.foreignReplies == 0)
  }

  @Test func aBatchThatIsAMess() throws {
    let reply = try json(
      #"[{"id":1,"result":"a"},{"id":1,"result":"b"},{"id":9,"result":"z"},{"id":"2","result":"y"},7,"#
        + #"{"id":null,"result":"x"},{"id":4,"result":"d"},{"id":5,"nothing":true}]"#)
    let batch = JSONRPC.outcomes(of: reply, ids: [1, 2, 4, 5])
    #expect(
      batch.outcomes == [
        .failure(.duplicate), .failure(.missing), .success("d"),
        .failure(.malformed("neither a result nor an error")),
      ])
    #expect(batch.foreignReplies == 4)
    #expect(batch.refusal == nil)
    #expect(JSONRPC.outcomes(of: [], ids: [1]).outcomes == [.failure(.missing)])
  }

  /// One object with a null id; one object in an array with the first call's id (geth); one in an array with
  /// a null id.
  @Test(arguments: [
    #"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"maximum calls in a batch is 3"}}"#,
    #"[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]"#,
    #"[{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"batch limit exceeded"}}]"#,
  ])
  func aBatchThatIsRefused(text: String) throws {
    let batch = JSONRPC.outcomes(of: try json(text), ids: [1, 2, 3])
    #expect(batch.refusal?.kind == .batchTooLarge)
    #expect(batch.outcomes.count == 3)
    for outcome in batch.outcomes {
      #expect(throws: JSONRPC.CallError.self) { try outcome.get() }
      guard case .failure(.node(let error)) = outcome else { continue }
      #expect(error.kind == .batchTooLarge)
    }
  }

  @Test func aBatchAnsweredWithSomethingElse() {
    let batch = JSONRPC.outcomes(of: "x", ids: [1, 2])
    #expect(batch.refusal == nil)
    let error = JSONRPC.CallError.malformed("a string instead of a batch's replies")
    #expect(batch.outcomes == [.failure(error), .failure(error)])
  }

  @Test(
    arguments: [
      (3, "execution reverted: nope", .reverted), (-32000, "execution reverted", .reverted),
      (-32015, "VM execution error.", .reverted), (-32000, "out of gas", .outOfGas),
      (-32000, "gas required exceeds allowance (50000000)", .outOfGas),
      (-32000, "execution aborted (timeout = 5s)", .timedOut),
      (-32005, "rate limit exceeded", .rateLimited), (429, "", .rateLimited),
      (-32005, "limit exceeded", .rateLimited),
      (-32000, "Too Many Requests", .rateLimited),
      (-32016, "Your app has exceeded its compute units per second capacity", .rateLimited),
      (-32600, "batch too large", .batchTooLarge),
      (-32005, "maximum number of calls in a batch is 10", .batchTooLarge),
      (-32000, "Batch of more than 3 requests are not allowed", .batchTooLarge),
      (-32005, "batch rate limit exceeded", .rateLimited),
      (-32005, "query returned more than 10000 results", .tooManyResults),
      (-32000, "exceed maximum block range: 5000", .tooManyResults),
      (-32601, "the method eth_foo does not exist/is not available", .methodNotFound),
      (-32601, "Method not found", .methodNotFound), (-32000, "header not found", .headerNotFound),
      (-32000, "missing trie node 0xab", .headerNotFound), (-32603, "internal error", .other),
      (-32602, "", .other),
    ] as [(Int, String, RPCError.Kind)])
  func kinds(code: Int, message: String, kind: RPCError.Kind) {
    #expect(RPCError(code: code, message: message).kind == kind)
  }

  @Test func messagesAreBounded() throws {
    let error = RPCError(code: 1, message: String(repeating: "x", count: 100_000) + "\n\u{202E}")
    #expect(error.message.utf8.count == RPCError.messageLimit)
    #expect(RPCError(code: 1, message: "a\nb\u{1B}[31m").message == "a b[31m")
    let data = "0x" + String(repeating: "00", count: RPCError.dataLimit + 1)
    let reply = try json(#"{"id":1,"error":{"code":3,"message":"x","data":"\#(data)"}}"#)
    #expect(JSONRPC.outcome(of: reply, id: 1) == .failure(.node(RPCError(code: 3, message: "x"))))
  }

  @Test func results() throws {
    #expect(try JSONRPC.quantity("0x1b4") == 436)
    #expect(try JSONRPC.quantity("0x01b4") == 436)
    #expect(try JSONRPC.uint64("0xffffffffffffffff") == .max)
    #expect(try JSONRPC.data("0x") == [])
    #expect(try JSONRPC.data("0x00ff") == [0, 255])
    #expect(try JSONRPC.bytes32(.string(ABI.Topic.transfer.description)) == ABI.Topic.transfer)
    for bad: JSONValue in ["0x", "1", "", 5, .null, [], "0x10000000000000000", "0xzz", "0x1 "] {
      #expect(throws: JSONRPC.CallError.self) { try JSONRPC.uint64(bad) }
    }
    for bad: JSONValue in ["0x1", "", "00", "0xzz", 5, .null] {
      #expect(throws: JSONRPC.CallError.self) { try JSONRPC.data(bad) }
      #expect(throws: JSONRPC.CallError.self) { try JSONRPC.bytes32(bad) }
      #expect(throws: JSONRPC.CallError.self) { try JSONRPC.address(bad) }
    }
  }

  @Test func whatComesOverAWebSocket() throws {
    func incoming(_ text: String) throws -> JSONRPC.Incoming { JSONRPC.incoming(try json(text)) }
    guard case .reply(id: 4, .success("0xabc")) = try incoming(#"{"id":4,"result":"0xabc"}"#) else {
      return #expect(Bool(false), "a reply")
    }
    let event =
      #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xabc","result":{"a":1}}}"#
    guard case .notification("0xabc", ["a": 1]) = try incoming(event) else {
      return #expect(Bool(false), "a notification")
    }
    guard case .batch = try incoming("[]") else { return #expect(Bool(false), "a batch") }
    for text in [
      "1", #"{"id":null,"error":{"code":1,"message":"x"}}"#, #"{"result":1}"#, #"{"method":"x"}"#,
      #"{"method":"eth_subscription","params":[]}"#,
    ] {
      guard case .error = try incoming(text) else { return #expect(Bool(false), "an error: \(text)") }
    }
  }
}
