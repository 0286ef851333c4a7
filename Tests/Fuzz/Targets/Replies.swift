// What a node answers: JSON-RPC 2.0 replies, single and batched, and what is read out of them.
//
// Invariant: a JSON value gives outcomes, one for each call, or typed errors, nothing else; a refusal of the
// whole batch is each call's outcome. Of an error's message and data no more is kept than the limits. A
// quantity or data that was read, written and read again, is the same.

import Ethereum
import JSON

func fuzzReplies(_ input: FuzzInput) throws {
  guard let value = try? JSONParser.parse(input.rest, limits: JSONLimits(depth: 16, numberBytes: 128)) else {
    return
  }
  try check(JSONRPC.outcome(of: value, id: 1))
  try check(JSONRPC.incoming(value))
  let ids = [1, 2, 3]
  let batch = JSONRPC.outcomes(of: value, ids: ids)
  try require(batch.outcomes.count == ids.count, "\(batch.outcomes.count) outcomes")
  try require(batch.foreignReplies <= value.array?.count ?? 0, "\(batch.foreignReplies) foreign replies")
  for outcome in batch.outcomes {
    try check(outcome)
    if let refusal = batch.refusal {
      guard case .failure(.node(refusal)) = outcome else {
        throw Violation(description: "refused with \(refusal), and yet \(outcome)")
      }
    }
  }
}

private func check(_ incoming: JSONRPC.Incoming) throws {
  switch incoming {
  case .reply(_, let outcome): try check(outcome)
  case .notification(_, let result): try checkResult(result)
  case .batch: break
  case .error(let error): try check(.failure(error))
  }
}

private func check(_ outcome: JSONRPC.Outcome) throws {
  switch outcome {
  case .success(let result): try checkResult(result)
  case .failure(let error):
    try require(error.description.utf8.count < 2_000, "an error of \(error.description.utf8.count) bytes")
    guard let node = error.node else { return }
    let count = node.message.unicodeScalars.count
    try require(count <= RPCError.messageLimit, "a message of \(count) characters")
    try require(node.data?.count ?? 0 <= RPCError.dataLimit, "data of \(node.data?.count ?? 0) bytes")
    _ = node.kind
  }
}

private func checkResult(_ result: JSONValue) throws {
  if let quantity = try? JSONRPC.quantity(result) {
    try requireEqual(try UInt256(quantity: quantity.quantity), quantity, "a quantity")
  }
  if let data = try? JSONRPC.data(result) { try requireEqual(try Hex.decode(Hex.encode(data)), data, "data") }
  if let word = try? JSONRPC.bytes32(result) {
    try requireEqual(try Bytes32(parsing: word.description), word, "32 bytes")
  }
  if let address = try? JSONRPC.address(result) {
    try requireEqual(try Address(parsing: address.lowercase), address, "an address")
  }
  _ = try? BlockHeader(result)
  if let log = try? Log(result) {
    try require(log.topics.count <= 4, "\(log.topics.count) topics")
    _ = log.movement
  }
}
