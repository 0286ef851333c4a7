// What clients say: messages of `walletpush.v1`, and the points they resume from.
//
// Invariant: bytes give an operation or a refusal whose words are bounded, nothing else; the keys of a list
// are each there once, and as many as were named or fewer. An accepted operation, written out and read again,
// is the same. A text gives a resume point that writes itself the same way, or none.

import Ethereum
import JSON
import Ledger

@testable import Push

func fuzzMessages(_ input: FuzzInput) throws {
  let message = Array(input.rest).withUnsafeBytes { ClientMessage.parse($0) }
  switch message.operation {
  case .failure(let refusal): try check(refusal)
  case .success(let operation):
    let text = write(operation, id: message.id)
    let again = text.withUnsafeBytes { ClientMessage.parse($0) }
    try requireEqual(again.id, message.id, "its id is another")
    let written = write(try again.operation.get(), id: again.id)
    try requireEqual(
      String(decoding: written, as: UTF8.self), String(decoding: text, as: UTF8.self),
      "written again it is something else")
    try checkLists(operation)
  }
  try checkResumePoint(String(decoding: input.rest, as: UTF8.self))
}

private func check(_ refusal: Refusal) throws {
  try require((1..<400).contains(refusal.message.unicodeScalars.count), "a message of \(refusal.message)")
}

private func checkLists(_ operation: Operation) throws {
  switch operation {
  case .subscribe(let subscription):
    try check(subscription.wallets)
    try check(subscription.tokens)
  case .unsubscribe(let wallets, let tokens):
    try check(wallets)
    try check(tokens)
  case .list, .get, .refresh, .set, .auth, .ping: break
  }
}

private func check<Key>(_ list: KeyList<Key>?) throws {
  guard let list else { return }
  try require(Set(list.keys).count == list.keys.count, "a key twice")
  try require(list.failed.named.count <= FailedKeys.namedMost, "\(list.failed.named.count) named failures")
  for failed in list.failed.named {
    try require(failed.text.unicodeScalars.count <= 120, "a failed key of \(failed.text.shown)")
    try check(failed.refusal)
  }
}

private func checkResumePoint(_ text: String) throws {
  guard let point = ResumePoint(parsing: text) else { return }
  try require(point.revision < 1 << 53, "a revision of \(point.revision)")
  try requireEqual(ResumePoint(parsing: point.description), point, "a point that does not read itself")
}

/// The message that says the same; what failed in a list is left out.
private func write(_ operation: Operation, id: MessageID?) -> [UInt8] {
  var object = JSONObject()
  switch id {
  case .integer(let integer)?: object["id"] = .number(JSONNumber(integer))
  case .text(let text)?: object["id"] = .string(text)
  case nil: break
  }
  switch operation {
  case .subscribe(let it):
    object["op"] = "subscribe"
    object["wallets"] = list(it.wallets)
    object["tokens"] = list(it.tokens)
    switch it.since {
    case .absent: break
    case .point(let point): object["since"] = .string(point.description)
    case .foreign: object["since"] = ""
    }
    write(it.rate, it.batch, to: &object)
  case .unsubscribe(let wallets, let tokens):
    object["op"] = "unsubscribe"
    object["wallets"] = list(wallets)
    object["tokens"] = list(tokens)
  case .list: object["op"] = "list"
  case .get(let key):
    object["op"] = "get"
    object["wallet"] = .string(key.description)
  case .refresh(let key):
    object["op"] = "refresh"
    object["wallet"] = .string(key.description)
  case .set(let rate, let batch):
    object["op"] = "set"
    write(rate, batch, to: &object)
  case .auth(let token):
    object["op"] = "auth"
    object["token"] = .string(token)
  case .ping: object["op"] = "ping"
  }
  return JSONValue.object(object).encoded()
}

private func list(_ list: KeyList<some CustomStringConvertible & Hashable & Sendable>?) -> JSONValue? {
  list.map { .array($0.keys.map { .string($0.description) }) }
}

private func write(_ rate: RateChange, _ batch: Bool?, to object: inout JSONObject) {
  switch rate {
  case .absent: break
  case .unlimited: object["rate"] = .null
  case .ticksPerSecond(let ticks): object["rate"] = JSONNumber(text: "\(ticks)").map { .number($0) }
  }
  object["batch"] = batch.map { .bool($0) }
}
