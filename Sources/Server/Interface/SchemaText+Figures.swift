extension SchemaText {
  /// `/api/v1/stats`. Counts are since the start of the process.
  static let figures = #"""
    "Count":{"type":"integer","minimum":0},
    "Histogram":{"type":"object","required":["count","sum_us","le_us","counts"],
      "description":"Durations in microseconds. counts holds each bucket alone, the last one what is above le_us.",
      "properties":{"count":{"$ref":"#/components/schemas/Count"},"sum_us":{"$ref":"#/components/schemas/Count"},
        "le_us":{"type":"array","items":{"$ref":"#/components/schemas/Count"}},
        "counts":{"type":"array","items":{"$ref":"#/components/schemas/Count"}}}},
    "Totals":{"type":"object","required":[\#(totalNames)],"properties":{\#(totalProperties)}},
    "Figures":{"type":"object","required":[\#(totalNames),\#(figureNames)],
      "properties":{\#(totalProperties),\#(figureProperties)}},
    "Stats":{"description":"A token that is bound to wallets sees the totals alone.",
      "anyOf":[{"$ref":"#/components/schemas/Figures"},{"$ref":"#/components/schemas/Totals"}]},
    "JobFigures":{"type":"object","required":["job","started","done","failed","restarts","refused","running",
        "waiting","oldest_us"],
      "properties":{"job":{"type":"string"},\#(counts(
        "started", "done", "failed", "restarts", "refused", "running", "waiting", "oldest_us"))}},
    "CacheFigures":{"type":"object","required":["entries","bytes","lookups"],
      "properties":{\#(counts("entries", "bytes")),
        "lookups":{"type":"array","items":{"type":"object","required":["kind","hit","stale","miss"],
          "properties":{"kind":{"type":"string"},\#(counts("hit", "stale", "miss"))}}}}},
    "PriceFigures":{"type":"object",
      "required":["age_us","watched","unpriced","last_success_at","sources"],
      "properties":{\#(counts("watched", "unpriced")),"age_us":{"type":["integer","null"],"minimum":0},
        "last_success_at":{"$ref":"#/components/schemas/OptionalMilliseconds"},
        "sources":{"type":"array","items":{"type":"object",
          "required":["source","batches","failed","resting","latency"],
          "properties":{"source":{"type":"string"},\#(counts("batches", "failed")),
            "resting":{"type":"boolean"},"latency":{"$ref":"#/components/schemas/Histogram"}}}}}},
    "UpstreamFigures":{"type":"object","required":["host","connections","waiting","outcomes","latency"],
      "properties":{"host":{"type":"string"},\#(counts("connections", "waiting")),
        "outcomes":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Count"}},
        "latency":{"$ref":"#/components/schemas/Histogram"}}},
    "LoopFigures":{"type":"object","required":["loop","connections","turns","longest_turn_us","mailbox",
        "bytes_in","bytes_out"],
      "properties":{"loop":{"type":"string"},\#(counts(
        "connections", "turns", "longest_turn_us", "mailbox", "bytes_in", "bytes_out"))}}
    """#

  private static let totals = [
    "rev", "wallets", "wallets_watched", "tokens", "connections", "streams", "polls", "frames_sent", "writes",
    "snapshots",
    "messages", "lags", "closed_slow",
  ]

  private static func quoted(_ names: [String]) -> String {
    names.map { "\"\($0)\"" }.joined(separator: ",")
  }

  private static func counts(_ names: String...) -> String { counts(names) }

  private static func counts(_ names: [String]) -> String {
    names.map { ##""\##($0)":{"$ref":"#/components/schemas/Count"}"## }.joined(separator: ",")
  }

  private static let totalNames = quoted(["server", "epoch"] + totals)
  private static let totalProperties = #"""
    "server":{"type":"string"},"epoch":{"$ref":"#/components/schemas/Epoch"},\#(counts(totals))
    """#

  private static let figureNames = quoted([
    "time", "delivery", "http", "cache", "jobs", "prices", "chains", "upstreams", "loops", "process",
  ])
  private static let figureProperties = #"""
    "time":{"$ref":"#/components/schemas/Milliseconds"},
    "delivery":{"$ref":"#/components/schemas/Histogram"},
    "http":{"type":"object","required":["responses","latency"],
      "properties":{"responses":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Count"}},
        "latency":{"$ref":"#/components/schemas/Histogram"}}},
    "cache":{"$ref":"#/components/schemas/CacheFigures"},
    "jobs":{"type":"array","items":{"$ref":"#/components/schemas/JobFigures"}},
    "prices":{"$ref":"#/components/schemas/PriceFigures"},
    "chains":{"type":"array","items":{"$ref":"#/components/schemas/Chain"}},
    "upstreams":{"type":"array","items":{"$ref":"#/components/schemas/UpstreamFigures"}},
    "loops":{"type":"array","items":{"$ref":"#/components/schemas/LoopFigures"}},
    "process":{"type":"object","required":["cpu_us","resident_bytes"],
      "properties":{"cpu_us":{"$ref":"#/components/schemas/Count"},
        "resident_bytes":{"type":["integer","null"],"minimum":0}}}
    """#
}
