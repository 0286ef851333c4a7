/// JSON Schemas (2020-12), as members of an object `schemas`.
enum SchemaText {
  /// Keys, rows and the frames about a wallet, which both interfaces show.
  static let shared = #"""
    "WalletKey":{"type":"string","pattern":"^[A-Z][A-Z0-9_]*:0x[0-9a-f]{40}$",
      "description":"CHAIN:0x…, canonical. Input is taken in any letter case.",
      "examples":["ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"]},
    "TokenKey":{"type":"string","pattern":"^[A-Z][A-Z0-9_]*:(native|0x[0-9a-f]{40})$",
      "description":"CHAIN:0x…, or CHAIN:native for the chain's own coin.","examples":["ETH:native"]},
    "Epoch":{"type":"string","pattern":"^[0-9a-z]+$","description":"Names the life of the revision counter."},
    "Revision":{"type":"integer","minimum":0,"maximum":9007199254740991,
      "description":"One counter for the whole server, raised for each accepted change."},
    "Milliseconds":{"type":"integer","minimum":0,"description":"A moment, in Unix milliseconds."},
    "OptionalMilliseconds":{"type":["integer","null"],"minimum":0,
      "description":"A moment, in Unix milliseconds; null where it is not known."},
    "Block":{"type":["integer","null"],"minimum":0},
    "State":{"type":"string","enum":["fresh","stale","loading","unknown"],
      "description":"stale: the last good value, which may be behind. loading, unknown: nothing is known."},
    "BaseUnits":{"type":["string","null"],"pattern":"^(0|[1-9][0-9]*)$",
      "description":"A balance in the token's smallest unit; only a successful read says 0."},
    "Price":{"type":["string","null"],"pattern":"^[0-9]+([.][0-9]+)?$",
      "description":"US dollars, a plain decimal with the digits its source gave."},
    "Percent":{"type":["string","null"],"pattern":"^-?[0-9]+[.][0-9]{2}$"},
    "Dollars":{"type":["string","null"],"pattern":"^[0-9]+[.][0-9]{2}$",
      "description":"US dollars, rounded half-even to cents."},
    "Row":{"type":"object","description":"One token of a wallet.",
      "required":[\#(rowNames),"rev"],
      "properties":{\#(rowProperties),"rev":{"$ref":"#/components/schemas/Revision"}}},
    "Snapshot":{"type":"object","description":"A wallet whole, or a part of it: one over 64 KiB comes in parts, and \#
    the totals stand in the last alone.",
      "required":["type","wallet","epoch","rev","part","parts","state","block","as_of","tokens"],
      "properties":{"type":{"const":"snapshot"},"wallet":{"$ref":"#/components/schemas/WalletKey"},
        "epoch":{"$ref":"#/components/schemas/Epoch"},"rev":{"$ref":"#/components/schemas/Revision"},
        "part":{"type":"integer","minimum":1},"parts":{"type":"integer","minimum":1},
        "state":{"$ref":"#/components/schemas/State"},"block":{"$ref":"#/components/schemas/Block"},
        "as_of":{"$ref":"#/components/schemas/OptionalMilliseconds"},
        "tokens":{"type":"array","items":{"$ref":"#/components/schemas/Row"}},
        "total_usd":{"$ref":"#/components/schemas/Dollars"},"unpriced":{"type":"integer","minimum":0}}},
    "PriceFrame":{"type":"object","required":["type","token",\#(priceNames),"rev"],
      "properties":{"type":{"const":"price"},"token":{"$ref":"#/components/schemas/TokenKey"},
        \#(priceProperties),"rev":{"$ref":"#/components/schemas/Revision"}}},
    "BalanceFrame":{"type":"object","required":["type","wallet","token","balance","balance_state","block","rev"],
      "properties":{"type":{"const":"balance"},"wallet":{"$ref":"#/components/schemas/WalletKey"},
        "token":{"$ref":"#/components/schemas/TokenKey"},"balance":{"$ref":"#/components/schemas/BaseUnits"},
        "balance_state":{"$ref":"#/components/schemas/State"},"block":{"$ref":"#/components/schemas/Block"},
        "rev":{"$ref":"#/components/schemas/Revision"}}},
    "TokenFrame":{"type":"object","description":"Insert or replace this row.",
      "required":["type","wallet","block",\#(rowNames),"rev"],
      "properties":{"type":{"const":"token"},"wallet":{"$ref":"#/components/schemas/WalletKey"},
        "block":{"$ref":"#/components/schemas/Block"},\#(rowProperties),
        "rev":{"$ref":"#/components/schemas/Revision"}}},
    "StatusFrame":{"oneOf":[
      {"title":"A refresh of a wallet","type":"object","required":["type","wallet","refreshing"],
        "properties":{"type":{"const":"status"},"wallet":{"$ref":"#/components/schemas/WalletKey"},
          "refreshing":{"type":"string","enum":["balances","prices","done","failed"]},
          "as_of":{"$ref":"#/components/schemas/Milliseconds"},"block":{"type":"integer","minimum":0}}},
      {"title":"The end of a subscription","type":"object","required":["type","wallet","state"],
        "properties":{"type":{"const":"status"},"wallet":{"$ref":"#/components/schemas/WalletKey"},
          "state":{"type":"string","enum":["deleted","forbidden"]}}},
      {"title":"A chain","type":"object","required":["type","chain","state","since"],
        "properties":{"type":{"const":"status"},"chain":{"type":"string"},
          "state":{"type":"string","enum":["up","down"]},"since":{"$ref":"#/components/schemas/Milliseconds"},
          "reason":{"const":"standing_still"}}},
      {"title":"Prices","type":"object","required":["type","prices"],
        "properties":{"type":{"const":"status"},"prices":{"type":"string","enum":["stale","live"]}}},
      {"title":"The access token","type":"object","required":["type","auth","at"],
        "properties":{"type":{"const":"status"},"auth":{"const":"expiring"},
          "at":{"$ref":"#/components/schemas/Milliseconds"}}}]}
    """#

  private static let priceNames = #""price_usd","change_24h","price_state","price_at""#
  private static let priceProperties = #"""
    "price_usd":{"$ref":"#/components/schemas/Price"},"change_24h":{"$ref":"#/components/schemas/Percent"},
    "price_state":{"$ref":"#/components/schemas/State"},
    "price_at":{"$ref":"#/components/schemas/OptionalMilliseconds"}
    """#

  static let rowNames =
    #""token","symbol","name","decimals","logo","listed","visible","balance","balance_state",\#(priceNames),"#
    + #""value_usd""#
  static let rowProperties = #"""
    "token":{"$ref":"#/components/schemas/TokenKey"},"symbol":{"type":["string","null"]},
    "name":{"type":["string","null"]},"decimals":{"type":["integer","null"],"minimum":0,"maximum":77},
    "logo":{"type":["string","null"]},
    "listed":{"type":"boolean","description":"Whether some token list names it."},
    "visible":{"type":"boolean"},"balance":{"$ref":"#/components/schemas/BaseUnits"},
    "balance_state":{"$ref":"#/components/schemas/State"},\#(priceProperties),
    "value_usd":{"$ref":"#/components/schemas/Dollars"}
    """#
}
