/// The parts of the AsyncAPI document that are no schemas.
enum AsyncAPIText {
  private typealias Kind = (name: String, schema: String, summary: String)

  private static let sent: [Kind] = [
    ("hello", "HelloFrame", "First on every connection."),
    ("ok", "OkFrame", "The direct reply to an op that was accepted."),
    ("error", "ErrorFrame", "The direct reply to an op that was refused; a refused op has no effect."),
    ("pong", "PongFrame", "The direct reply to ping."),
    ("snapshot", "Snapshot", "A wallet, whole or in parts."),
    ("price", "PriceFrame", "A price, for all wallets that hold the token."),
    ("balance", "BalanceFrame", "A balance of a wallet."),
    ("token", "TokenFrame", "A row of a wallet, whole: insert or replace."),
    ("batch", "BatchFrame", "Several data frames in one message."),
    ("status", "StatusFrame", "A refresh, a chain, the prices, the access token, the end of a subscription."),
    ("heartbeat", "HeartbeatFrame", "Everything up to a revision has been sent."),
    ("lag", "LagFrame", "The server conflates for this client."),
    ("reconnect", "ReconnectFrame", "Come back after a while; the close follows."),
  ]

  private static let received: [(kind: Kind, replies: [String])] = [
    (("subscribe", "Subscribe", "Follow wallets or tokens: ok, snapshots, changes, heartbeat."), ["ok"]),
    (("unsubscribe", "Unsubscribe", "Follow them no longer."), ["ok"]),
    (("list", "List", "What this connection follows."), ["ok"]),
    (("get", "Get", "One snapshot, without a subscription."), ["ok"]),
    (("refresh", "Refresh", "Read the chain now."), ["ok"]),
    (("set", "Set", "Pace and batches of the whole connection."), ["ok"]),
    (("auth", "Auth", "Show an access token, or a newer one."), ["ok"]),
    (("ping", "Ping", "Is anybody there?"), ["pong"]),
  ]

  private static var kinds: [Kind] { sent + received.map(\.kind) }

  static let messages = kinds.map { kind in
    """
    "\(kind.name)":{"name":"\(kind.name)","summary":"\(kind.summary)","contentType":"application/json",\
    "payload":{"$ref":"#/components/schemas/\(kind.schema)"}}
    """
  }.joined(separator: ",\n")

  private static func references(_ names: [String]) -> String {
    names.map { "{\"$ref\":\"#/channels/ws/messages/\($0)\"}" }.joined(separator: ",")
  }

  static let operations =
    (received.map { operation in
      """
      "\(operation.kind.name)":{"action":"receive","channel":{"$ref":"#/channels/ws"},\
      "summary":"\(operation.kind.summary)","messages":[\(references([operation.kind.name]))],\
      "reply":{"channel":{"$ref":"#/channels/ws"},"messages":[\(references(operation.replies + ["error"]))]}}
      """
    } + [
      """
      "push":{"action":"send","channel":{"$ref":"#/channels/ws"},\
      "summary":"What comes by itself.","messages":[\(references(sent.map(\.name)))]}
      """
    ]).joined(separator: ",\n")

  static let servers = #"""
    {"plain":{"host":"127.0.0.1:8080","protocol":"ws","security":\#(security)},
    "tls":{"host":"localhost:8080","protocol":"wss","security":\#(security)}}
    """#

  private static let security =
    ##"[{"$ref":"#/components/securitySchemes/bearer"},{"$ref":"#/components/securitySchemes/subprotocol"}]"##

  static let securitySchemes = #"""
    {"bearer":{"type":"http","scheme":"bearer","bearerFormat":"JWT",
      "description":"Where auth.keys is set. In the header of the handshake, or later in the auth op."},
    "subprotocol":{"type":"httpApiKey","in":"header","name":"Sec-WebSocket-Protocol",
      "description":"For browsers: bearer.<token>, offered beside walletpush.v1, which alone is echoed."}}
    """#

  static let channel = #"""
    {"address":"/ws","title":"walletpush.v1",
    "description":"One JSON object in each text frame. Every op gets one direct reply, and only that echoes its id. \#
    Until a connection has shown a token, where one is asked for, only auth and ping work.",
    "messages":{\#(kinds.map { "\"\($0.name)\":{\"$ref\":\"#/components/messages/\($0.name)\"}" }
      .joined(separator: ","))},
    "bindings":{"ws":{"method":"GET",
      "query":{"type":"object","properties":{"wallet":{"type":"array","items":{"type":"string"},
        "description":"Acts as a subscribe without id, right after hello. May stand several times."}}},
      "headers":{"type":"object","properties":{
        "Sec-WebSocket-Protocol":{"type":"string","description":"walletpush.v1; optional."},
        "Authorization":{"type":"string","description":"Bearer <token>"}}}}},
    "x-close-codes":[\#(closeCodes)]}
    """#

  private static let closeCodes = #"""
    {"code":1000,"meaning":"the client closed","return":true},
    {"code":1001,"meaning":"going away","return":true},
    {"code":1002,"meaning":"a rule of the WebSocket protocol was broken","return":true},
    {"code":1003,"meaning":"a binary message: only text is spoken","return":true},
    {"code":1007,"meaning":"text that is not UTF-8, or data that is no DEFLATE","return":true},
    {"code":1008,"meaning":"a message in more frames than limits.messageFrames","return":true},
    {"code":1009,"meaning":"a message over limits.messageBytes","return":true},
    {"code":4001,"meaning":"unauthorized: no access token in time, or not a right one","return":false},
    {"code":4002,"meaning":"forbidden","return":false},
    {"code":4003,"meaning":"abuse: far too many messages","return":false},
    {"code":4100,"meaning":"the server is drained","return":true},
    {"code":4101,"meaning":"the access token has expired","return":true},
    {"code":4108,"meaning":"slow: nothing was taken for too long","return":true},
    {"code":4109,"meaning":"a ping stayed unanswered","return":true},
    {"code":4111,"meaning":"too many connections, in all or of one address","return":true}
    """#
}
