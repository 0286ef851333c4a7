extension SchemaText {
  /// Answers of the HTTP interface.
  static let http = #"""
    "Error":{"type":"object","required":["error","code"],
      "properties":{"error":{"type":"string","description":"What was wrong, and what would be right."},
        "code":{"$ref":"#/components/schemas/HTTPErrorCode"}}},
    "TemporaryError":{"type":"object","required":["error","code","retry_ms"],
      "properties":{"error":{"type":"string","description":"What keeps it from being done now."},
        "code":{"type":"string","enum":["cooldown","rate_limited","upstream_down","internal"]},
        "retry_ms":{"type":"integer","minimum":1,"description":"Ask again then; Retry-After says it in seconds."}}},
    "HTTPErrorCode":{"type":"string","enum":["bad_request","bad_json","bad_wallet","bad_token","chain_unsupported",
      "too_many_wallets","unauthorized","forbidden","not_found","method_not_allowed","timeout","misdirected",
      "cooldown","rate_limited","upstream_down","internal","too_many_connections"]},
    "NewWallet":{"type":"object","required":["chain","address"],
      "properties":{"chain":{"type":"string","examples":["ETH"]},
        "address":{"type":"string","examples":["0xd8da6bf26964af9d7eed9e03e53415d37aa96045"]}}},
    "Wallet":{"type":"object","required":[\#(walletNames),"epoch","rev"],
      "properties":{\#(walletProperties),\#(revision)}},
    "WalletPage":{"type":"object","required":["wallets","next","epoch","rev"],
      "properties":{"wallets":{"type":"array","items":{"type":"object","required":[\#(walletNames)],
        "properties":{\#(walletProperties)}}},
        "next":{"type":["integer","null"],"description":"after of the next page; null where there is none."},
        \#(revision)}},
    "Visibility":{"type":"object","required":["is_visible"],"properties":{"is_visible":{"type":"boolean"}}},
    "PatchedRow":{"type":"object","required":[\#(rowNames),"epoch","rev"],
      "properties":{\#(rowProperties),\#(revision)}},
    "Refreshed":{"type":"object","required":["message","wallet_address","refresh_time","token_count","status",
        \#(walletNames),"epoch","rev"],
      "properties":{"message":{"type":"string","description":"English, or Chinese by Accept-Language."},
        "wallet_address":{"type":"string","pattern":"^0x[0-9a-f]{40}$"},
        "refresh_time":{"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
          "description":"UTC."},
        "token_count":{"type":"integer","minimum":0},"status":{"const":"success"},
        \#(walletProperties),\#(revision)}},
    "Changes":{"type":"object","required":["epoch","rev","changes"],
      "properties":{\#(revision),"changes":{"type":"array","items":{"oneOf":[
        {"$ref":"#/components/schemas/Snapshot"},{"$ref":"#/components/schemas/PriceFrame"},
        {"$ref":"#/components/schemas/BalanceFrame"},{"$ref":"#/components/schemas/TokenFrame"},
        {"$ref":"#/components/schemas/StatusFrame"}]}}}},
    "Chain":{"type":"object","required":["chain","chain_id","name","symbol","state","since","reason","endpoints"],
      "properties":{"chain":{"type":"string"},"chain_id":{"type":"integer","minimum":1},"name":{"type":"string"},
        "symbol":{"type":"string"},"state":{"type":"string","enum":["up","down"]},
        "since":{"$ref":"#/components/schemas/OptionalMilliseconds"},
        "reason":{"type":["string","null"],"enum":["unreachable","standing_still",null]},
        "endpoints":{"type":"array","items":{"$ref":"#/components/schemas/Endpoint"}}}},
    "Endpoint":{"type":"object","required":["host","state","latency_ms","error_percent","block","multicall3"],
      "properties":{"host":{"type":"string","description":"Host and port; its path may hold a key."},
        "state":{"type":"string","enum":["up","doubtful","failing","limited","behind","wrong_chain"]},
        "latency_ms":{"type":["integer","null"],"minimum":0},
        "error_percent":{"type":"integer","minimum":0,"maximum":100},
        "block":{"$ref":"#/components/schemas/Block"},"multicall3":{"type":"boolean"}}},
    "Chains":{"type":"object","required":["chains"],
      "properties":{"chains":{"type":"array","items":{"$ref":"#/components/schemas/Chain"}}}},
    "Alive":{"type":"object","required":["status"],"properties":{"status":{"const":"ok"}}},
    "Readiness":{"type":"object","required":["status","storage"],
      "properties":{"status":{"type":"string","enum":["ready","degraded"]},"storage":{"type":"string"},
        "damagedFiles":{"type":"integer","minimum":1}}}
    """#

  private static let walletNames = #""id","wallet","chain","address""#
  private static let walletProperties = #"""
    "id":{"type":"integer","minimum":1},"wallet":{"$ref":"#/components/schemas/WalletKey"},
    "chain":{"type":"string"},"address":{"type":"string","pattern":"^0x[0-9a-f]{40}$"}
    """#
  private static let revision =
    ##""epoch":{"$ref":"#/components/schemas/Epoch"},"rev":{"$ref":"#/components/schemas/Revision"}"##
}
