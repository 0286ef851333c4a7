// What the server says to one client alone: direct replies, and frames about the connection.

import Ethereum
import JSON
import Ledger
import WebSocket

/// Builds whole frames (header included).
enum Replies {
  private static func frame(_ type: StaticString, _ body: (inout [UInt8]) -> Void) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(160)
    out.append("{\"type\":\"")
    out.append(type)
    out.append(34)
    body(&out)
    out.append(125)
    return WebSocketFrame.text(out)
  }

  static func hello(settings: PushSettings, epoch: String, revision: Revision) -> [UInt8] {
    frame("hello") { out in
      out.append(",\"protocol\":\"walletpush.v1\",\"server\":")
      out.append(json: settings.serverName)
      out.append(",\"epoch\":")
      out.append(json: epoch)
      out.append(",\"rev\":")
      out.append(decimal: revision)
      out.append(",\"ping_s\":")
      out.append(contentsOf: plainSeconds(settings.pingInterval).utf8)
      out.append(",\"limits\":{\"wallets\":")
      out.append(decimal: UInt64(settings.walletsPerConnection))
      out.append(",\"ops_per_s\":")
      out.append(contentsOf: plainNumber(settings.operationsPerSecond).utf8)
      out.append(",\"message_bytes\":")
      out.append(decimal: UInt64(settings.messageBytes))
      out.append(125)
    }
  }

  static func ok(_ id: MessageID?, _ body: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
    frame("ok") { out in
      out.append(id: id)
      body(&out)
    }
  }

  static func pong(_ id: MessageID?, time: UnixMilliseconds) -> [UInt8] {
    frame("pong") { out in
      out.append(id: id)
      out.append(",\"time\":")
      out.append(decimal: time)
    }
  }

  static func error(_ id: MessageID?, _ refusal: Refusal) -> [UInt8] {
    frame("error") { out in
      out.append(id: id)
      out.append(",\"code\":\"")
      out.append(contentsOf: refusal.code.rawValue.utf8)
      out.append("\",\"message\":")
      out.append(json: refusal.message)
      if let retry = refusal.retryMilliseconds {
        out.append(",\"retry_ms\":")
        out.append(decimal: retry)
      }
    }
  }

  static func heartbeat(epoch: String, revision: Revision) -> [UInt8] {
    frame("heartbeat") { out in
      out.append(",\"epoch\":")
      out.append(json: epoch)
      out.append(",\"rev\":")
      out.append(decimal: revision)
    }
  }

  static func lag(revision: Revision) -> [UInt8] {
    frame("lag") { out in
      out.append(",\"rev\":")
      out.append(decimal: revision)
    }
  }

  static func reconnect(retryMilliseconds: Int64) -> [UInt8] {
    frame("reconnect") { out in
      out.append(",\"reason\":\"drain\",\"retry_ms\":")
      out.append(decimal: retryMilliseconds)
    }
  }

  /// The subscription ends: the wallet was deleted.
  static func deleted(_ wallet: WalletKey) -> [UInt8] { ended(wallet, "deleted") }

  /// The subscription ends: the newer access token does not grant the wallet.
  static func forbidden(_ wallet: WalletKey) -> [UInt8] { ended(wallet, "forbidden") }

  private static func ended(_ wallet: WalletKey, _ state: StaticString) -> [UInt8] {
    frame("status") { out in
      out.append(",\"wallet\":\"")
      out.append(contentsOf: wallet.description.utf8)
      out.append("\",\"state\":\"")
      out.append(state)
      out.append(34)
    }
  }

  /// The access token is about to end.
  static func expiring(at time: UnixMilliseconds) -> [UInt8] {
    frame("status") { out in
      out.append(",\"auth\":\"expiring\",\"at\":")
      out.append(decimal: time)
    }
  }

  private static func plainSeconds(_ duration: Duration) -> String {
    plainNumber(Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
  }

  /// `25`, not `25.0`.
  private static func plainNumber(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}

extension [UInt8] {
  fileprivate mutating func append(id: MessageID?) {
    switch id {
    case nil: break
    case .integer(let value):
      append(",\"id\":")
      append(decimal: value)
    case .text(let text):
      append(",\"id\":")
      append(json: text)
    }
  }

  /// `,"wallets":["…"]`
  mutating func append(keys: [some CustomStringConvertible], named list: StaticString) {
    append(",\"")
    append(list)
    append("\":[")
    for (index, key) in keys.enumerated() {
      if index > 0 { append(44) }
      append(json: key.description)
    }
    append(93)
  }

  /// `,"failed":[{"wallet":"…","code":"…","message":"…"}]`; those that pass carry `retry_ms`. Behind it
  /// `,"failed_more":12` where so many more failed.
  mutating func append(failed: FailedKeys) {
    append(",\"failed\":[")
    for (index, entry) in failed.named.enumerated() {
      if index > 0 { append(44) }
      append(entry.isToken ? "{\"token\":" : "{\"wallet\":")
      append(json: entry.text)
      append(",\"code\":\"")
      append(contentsOf: entry.refusal.code.rawValue.utf8)
      append("\",\"message\":")
      append(json: entry.refusal.message)
      if let retry = entry.refusal.retryMilliseconds {
        append(",\"retry_ms\":")
        append(decimal: retry)
      }
      append(125)
    }
    append(93)
    if failed.unnamed > 0 {
      append(",\"failed_more\":")
      append(decimal: UInt64(failed.unnamed))
    }
  }
}
