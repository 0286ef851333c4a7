extension OpenAPIText {
  static let walletPaths = #"""
    "/api/v1/wallets":{
      "get":{"operationId":"listWallets","tags":["wallets"],"summary":"The wallets, a page at a time.",
        "parameters":[{"name":"limit","in":"query",
            "schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}},
          {"name":"after","in":"query","description":"next of the page before.",
            "schema":{"type":"integer","minimum":0,"default":0}}],
        "responses":{"200":\#(json("WalletPage", "A page.")),\#(errors(400, 401, 429))}},
      "post":{"operationId":"addWallet","tags":["wallets"],"summary":"Register a wallet.",\#(body("NewWallet")),
        "responses":{"201":\#(json("Wallet", "It is new.")),"200":\#(json("Wallet", "It was there already.")),
          \#(errors(400, 401, 403, 429, 500))}}},
    "/api/v1/wallets/{id}":{"parameters":[\#(id)],
      "get":{"operationId":"getWallet","tags":["wallets"],"summary":"One wallet.",
        "responses":{"200":\#(json("Wallet", "The wallet.")),\#(errors(400, 401, 403, 404, 429, 500))}},
      "delete":{"operationId":"deleteWallet","tags":["wallets"],
        "summary":"Forget a wallet; its subscriptions end.",
        "responses":{"204":{"description":"It is gone."},\#(errors(400, 401, 403, 404, 429, 500))}}},
    "/api/v1/wallets/{id}/balances":{"parameters":[\#(id)],
      "get":{"operationId":"getBalances","tags":["wallets"],
        "summary":"The snapshot in one piece, from what is known.",
        "parameters":[{"name":"If-None-Match","in":"header","schema":{"type":"string"}}],
        "responses":{"200":{"description":"The snapshot.","headers":{"ETag":{"schema":{"type":"string"},
            "description":"Weak: of the newest revision of the rows, prices and states."}},
            "content":{"application/json":{"schema":{"$ref":"#/components/schemas/Snapshot"}}}},
          "304":{"description":"Nothing has changed."},\#(errors(400, 401, 403, 404, 429, 500))}}},
    "/api/v1/wallets/{id}/refresh_balances":{"parameters":[\#(id)],
      "post":{"operationId":"refreshBalances","tags":["wallets"],
        "summary":"Read the chain now; prices follow in the background.",
        "responses":{"200":\#(json("Refreshed", "It was read.")),
          \#(errors(400, 401, 403, 404, 429, 500, 502))}}},
    "/api/v1/wallets/{id}/tokens/{address}":{
      "parameters":[\#(id),{"$ref":"#/components/parameters/token"}],
      "patch":{"operationId":"setVisibility","tags":["wallets"],"summary":"Hide or show a token.",
        \#(body("Visibility")),
        "responses":{"200":\#(json("PatchedRow", "The row.")),\#(errors(400, 401, 403, 404, 429, 500))}}},
    "/api/v1/wallets/{id}/stream":{"parameters":[\#(id)],
      "get":{"operationId":"streamWallet","tags":["live"],
        "summary":"The frames of the WebSocket as Server-Sent Events.",
        "description":"event is the frame's type, data the frame. An id, epoch:rev, stands only on frames from \#
    which one may resume, by Last-Event-ID.",
        "parameters":[{"name":"Last-Event-ID","in":"header","schema":{"type":"string"}},
          {"name":"since","in":"query","schema":{"type":"string"},
            "description":"The same for who cannot send the header, which counts where both are there."}],
        "responses":{"200":{"description":"Events, until one side ends it.",
            "content":{"text/event-stream":{"schema":{"type":"string"}}}},
          \#(errors(400, 401, 403, 404, 429, 500))}}},
    "/api/v1/wallets/{id}/changes":{"parameters":[\#(id)],
      "get":{"operationId":"getChanges","tags":["live"],"summary":"What changed: long-poll and plain polling.",
        "parameters":[{"name":"since","in":"query","schema":{"type":"string"},"description":"epoch:rev of the \#
    answer before; without it, or with a foreign one, changes holds the snapshot."},
          {"name":"wait","in":"query","schema":{"type":"number","minimum":0},
            "description":"Seconds to wait for a change."}],
        "responses":{"200":\#(json("Changes", "What changed; rev is the next since.")),
          \#(errors(400, 401, 403, 404, 429, 500))}}}
    """#

  static let serverPaths = #"""
    "/api/v1/chains":{"get":{"operationId":"getChains","tags":["server"],
      "summary":"The chains that are served, with their state and endpoints.",
      "responses":{"200":\#(json("Chains", "In the order of the settings.")),\#(errors(401, 429))}}},
    "/api/v1/stats":{"get":{"operationId":"getStats","tags":["server"],
      "summary":"The figures that the monitor page draws.",
      "responses":{"200":\#(json("Stats", "The figures of now.")),\#(errors(401, 429))}}},
    "/api/v1/openapi.json":{"get":{"operationId":"getOpenAPI","tags":["server"],"security":[{}],
      "summary":"This description.",
      "responses":{"200":\#(document("OpenAPI 3.1.")),\#(errors(429))}}},
    "/api/v1/asyncapi.json":{"get":{"operationId":"getAsyncAPI","tags":["server"],"security":[{}],
      "summary":"The description of the WebSocket.",
      "responses":{"200":\#(document("AsyncAPI 3.")),\#(errors(429))}}},
    "/ws":{"get":{"operationId":"openWebSocket","tags":["live"],
      "summary":"The WebSocket: see /api/v1/asyncapi.json.",
      "description":"A bad token is upgraded and then closed with 4001: browsers cannot read a 401.",
      "parameters":[{"name":"wallet","in":"query","schema":{"type":"array","items":{"type":"string"}},
        "description":"Follows these wallets right after hello."}],
      "responses":{"101":{"description":"walletpush.v1 is spoken."},\#(errors(400)),
        "426":\#(json("Error", "No handshake, or of another version of the protocol."))}}},
    "/healthz":{"get":{"operationId":"isAlive","tags":["server"],"security":[{}],"summary":"Is it alive?",
      "responses":{"200":\#(json("Alive", "It is.")),\#(errors())}}},
    "/readyz":{"get":{"operationId":"isReady","tags":["server"],"security":[{}],
      "summary":"Does the database take what is accepted?",
      "responses":{"200":\#(json("Readiness", "It does.")),
        "503":\#(json("Readiness", "It does not; serving goes on from memory.")),\#(errors())}}},
    "/metrics":{"get":{"operationId":"getMetrics","tags":["server"],"summary":"Prometheus text.",
      "responses":{"200":{"description":"Text format 0.0.4.",
        "content":{"text/plain":{"schema":{"type":"string"}}}},\#(errors(401, 403, 429))}}},
    "/":{"get":{"operationId":"getClient","tags":["pages"],"security":[{}],"summary":"The web client.",
      "responses":{"200":\#(page("The page.")),\#(errors(404))}}},
    "/monitor":{"get":{"operationId":"getMonitor","tags":["pages"],"security":[{}],
      "summary":"Live charts of /api/v1/stats.","responses":{"200":\#(page("The page.")),\#(errors(404))}}},
    "/playground":{"get":{"operationId":"getPlayground","tags":["pages"],"security":[{}],
      "summary":"Write messages, see every frame.",
      "responses":{"200":\#(page("The page.")),\#(errors(404))}}}
    """#

  private static func document(_ description: String) -> String {
    #"{"description":"\#(description)","content":{"application/json":{"schema":{"type":"object"}}}}"#
  }

  private static func page(_ description: String) -> String {
    #"{"description":"\#(description)","content":{"text/html":{"schema":{"type":"string"}}}}"#
  }
}
