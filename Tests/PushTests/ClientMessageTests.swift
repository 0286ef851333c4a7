import Ethereum
import Ledger
import Testing

@testable import Push

@Suite("What clients say")
struct ClientMessageTests {
  private func parse(_ text: String) -> ClientMessage {
    Array(text.utf8).withUnsafeBytes { ClientMessage.parse($0) }
  }

  static let wallet = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"

  private func summary(_ operation: Operation) -> String {
    switch operation {
    case .subscribe(let it):
      let wallets = it.wallets.map { "w\($0.keys.count)/\($0.failed.count)" } ?? "-"
      let tokens = it.tokens.map { "t\($0.keys.count)/\($0.failed.count)" } ?? "-"
      return "subscribe \(wallets) \(tokens) \(it.since) \(it.rate) \(it.batch.map(String.init) ?? "-")"
    case .unsubscribe(let wallets, let tokens):
      return "unsubscribe \(wallets?.keys.count ?? -1) \(tokens?.keys.count ?? -1)"
    case .list: return "list"
    case .get(let key): return "get \(key)"
    case .refresh(let key): return "refresh \(key)"
    case .set(let rate, let batch): return "set \(rate) \(batch.map(String.init) ?? "-")"
    case .auth(let token): return "auth \(token)"
    case .ping: return "ping"
    }
  }

  @Test(
    arguments: [
      ("{\"op\":\"list\"}", "list"), ("{\"op\":\"ping\",\"more\":[1,{}]}", "ping"),
      (" {\"op\":\"ping\"}\n", "ping"),
      ("{\"op\":\"auth\",\"token\":\"abc\"}", "auth abc"),
      ("{\"op\":\"get\",\"wallet\":\"eth:0xD8DA6BF26964AF9D7EED9E03E53415D37AA96045\"}", "get \(wallet)"),
      ("{\"op\":\"get\",\"wallet\":\"ETH:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045\"}", "get \(wallet)"),
      ("{\"op\":\"refresh\",\"wallet\":\"\(wallet)\"}", "refresh \(wallet)"),
      ("{\"op\":\"set\"}", "set absent -"), ("{\"op\":\"set\",\"rate\":null}", "set unlimited -"),
      ("{\"op\":\"set\",\"rate\":0.5,\"batch\":true}", "set ticksPerSecond(0.5) true"),
      ("{\"op\":\"set\",\"rate\":1e2,\"batch\":false}", "set ticksPerSecond(100.0) false"),
      ("{\"op\":\"subscribe\",\"wallets\":[]}", "subscribe w0/0 - absent absent -"),
      (
        "{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\",\"\(wallet)\"]}", "subscribe w1/0 - absent absent -"
      ),
      (
        "{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\",\"ETH:0xZZ\",\"\",\"x\"]}",
        "subscribe w1/3 - absent absent -"
      ),
      ("{\"op\":\"subscribe\",\"wallets\":[\"ETH:native\"]}", "subscribe w0/1 - absent absent -"),
      (
        "{\"op\":\"subscribe\",\"tokens\":[\"eth:NATIVE\",\"ETH:0xd8da\"],\"wallets\":[],\"batch\":true,\"rate\":2}",
        "subscribe w0/0 t1/1 absent ticksPerSecond(2.0) true"
      ),
      (
        "{\"op\":\"subscribe\",\"wallets\":[],\"since\":\"k3f9:8121\"}",
        "subscribe w0/0 - point(Ledger.ResumePoint(epoch: \"k3f9\", revision: 8121)) absent -"
      ),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"since\":\"what\"}", "subscribe w0/0 - foreign absent -"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"since\":null}", "subscribe w0/0 - absent absent -"),
      ("{\"op\":\"unsubscribe\",\"wallets\":[\"\(wallet)\"]}", "unsubscribe 1 -1"),
      ("{\"op\":\"unsubscribe\",\"tokens\":[\"ETH:native\"]}", "unsubscribe -1 1"),
    ])
  func accepted(text: String, expected: String) throws {
    let message = parse(text)
    #expect(message.id == nil)
    #expect(summary(try message.operation.get()) == expected)
  }

  @Test(
    arguments: [
      ("", "bad_json"), ("{", "bad_json"), ("{\"op\":\"ping\"}}", "bad_json"),
      ("{\"op\":\"ping\",\"op\":\"ping\"}", "bad_json"),
      ("{'op':'ping'}", "bad_json"), (String(repeating: "[", count: 20), "bad_json"),
      ("[]", "bad_request"), ("1", "bad_request"), ("\"ping\"", "bad_request"), ("null", "bad_request"),
      ("{}", "bad_request"), ("{\"op\":1}", "bad_request"), ("{\"op\":null}", "bad_request"),
      ("{\"op\":\"fly\"}", "unknown_op"), ("{\"op\":\"Ping\"}", "unknown_op"),
      ("{\"op\":\"\"}", "unknown_op"),
      ("{\"op\":\"subscribe\"}", "bad_request"), ("{\"op\":\"unsubscribe\"}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":\"\(wallet)\"}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[1]}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":null}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":{}}", "bad_request"),
      ("{\"op\":\"subscribe\",\"tokens\":[null]}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"since\":1}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"rate\":0}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"rate\":-1}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"rate\":\"1\"}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"rate\":1e999}", "bad_request"),
      ("{\"op\":\"subscribe\",\"wallets\":[],\"batch\":1}", "bad_request"),
      ("{\"op\":\"set\",\"rate\":false}", "bad_request"), ("{\"op\":\"set\",\"batch\":null}", "bad_request"),
      ("{\"op\":\"get\"}", "bad_request"), ("{\"op\":\"get\",\"wallet\":[]}", "bad_request"),
      ("{\"op\":\"get\",\"wallet\":\"ETH:0xZZ\"}", "bad_wallet"),
      // EIP-55: one letter's case is wrong.
      ("{\"op\":\"get\",\"wallet\":\"ETH:0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045\"}", "bad_wallet"),
      ("{\"op\":\"refresh\",\"wallet\":\"\"}", "bad_wallet"),
      ("{\"op\":\"auth\"}", "bad_request"), ("{\"op\":\"auth\",\"token\":1}", "bad_request"),
    ])
  func refused(text: String, code: String) {
    guard case .failure(let refusal) = parse(text).operation else {
      Issue.record("accepted")
      return
    }
    #expect(refusal.code.rawValue == code)
    #expect(!refusal.message.isEmpty)
    #expect(refusal.message.utf8.count < 400)
  }

  @Test(
    arguments: [
      ("1", .integer(1)), ("0", .integer(0)), ("-9007199254740991", .integer(-9_007_199_254_740_991)),
      ("9007199254740991", .integer(9_007_199_254_740_991)), ("\"a\"", .text("a")), ("\"\"", .text("")),
      ("\"\(String(repeating: "é", count: 36))\"", .text(String(repeating: "é", count: 36))),
    ] as [(String, MessageID)])
  func ids(text: String, id: MessageID) throws {
    let message = parse("{\"id\":\(text),\"op\":\"ping\"}")
    #expect(message.id == id)
    _ = try message.operation.get()
    // A refusal that can name the message does.
    #expect(parse("{\"id\":\(text),\"op\":\"fly\"}").id == id)
    #expect(parse("{\"id\":\(text)}").id == id)
  }

  @Test(
    arguments: [
      "null", "true", "1.0", "1e3", "9007199254740992", "-9007199254740992", "99999999999999999999", "[]",
      "{}",
      "\"\(String(repeating: "a", count: 37))\"",
      // One grapheme cluster, but no short text.
      "\"a\(String(repeating: "\u{301}", count: 60))\"",
    ])
  func badIDs(text: String) {
    let message = parse("{\"id\":\(text),\"op\":\"ping\"}")
    #expect(message.id == nil)
    guard case .failure(let refusal) = message.operation else {
      Issue.record("accepted")
      return
    }
    #expect(refusal.code == .badRequest)
  }

  @Test("what fails is named as it was written, within bounds")
  func failedText() throws {
    let long = String(repeating: "x\u{301}", count: 500)
    let message = parse("{\"op\":\"subscribe\",\"wallets\":[\"ETH:0xZZ\",\"\(long)\"]}")
    guard case .subscribe(let subscription) = try message.operation.get() else {
      Issue.record("no subscribe")
      return
    }
    #expect(subscription.wallets?.failed.named.map(\.text.unicodeScalars.count) == [8, 120])
    #expect(subscription.wallets?.failed.named.map(\.refusal.code) == [.badWallet, .badWallet])
  }

  @Test("so many failures are named, of both lists together; the rest is counted")
  func manyFailed() throws {
    func list(_ count: Int) -> String { Array(repeating: "\"\"", count: count).joined(separator: ",") }
    let message = parse("{\"op\":\"unsubscribe\",\"wallets\":[\(list(1_400))],\"tokens\":[\(list(2_000))]}")
    let operation = try message.operation.get()
    guard case .unsubscribe(let wallets?, let tokens?) = operation else {
      Issue.record("no unsubscribe")
      return
    }
    #expect(operation.keyCount == 3_400)
    #expect(wallets.failed.named.count == 1_400 && wallets.failed.unnamed == 0)
    #expect(tokens.failed.named.count == FailedKeys.namedMost && tokens.failed.unnamed == 500)
    var both = wallets.failed
    both.append(tokens.failed)
    #expect(both.named.count == FailedKeys.namedMost && both.count == 3_400)
    #expect(both.named.map(\.isToken) == (0..<1_500).map { $0 >= 1_400 })
  }
}
