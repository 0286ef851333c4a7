import Ethereum
import HTTP1
import JSON
import Ledger
import Push
import Refresh

extension Router {
  /// Ready: the database takes what is accepted. Degraded parts are named either way.
  func readiness() -> Action {
    .later {
      let isStored = await self.services.isStorageHealthy()
      return .json(isStored ? 200 : 503) { writer in
        writer.member("status", isStored ? "ready" : "degraded")
        writer.member("storage", isStored ? "ok" : "not writable; serving goes on from memory")
        // Serving is as good as ever, but somebody has to look at it.
        if self.services.damagedFiles > 0 {
          writer.member("damagedFiles", self.services.damagedFiles)
        }
      }
    }
  }

  /// The process's own figures are the operator's: a token that is bound to wallets is a user's.
  func metrics(for authority: Authority) -> Action {
    guard authority.wallets == nil else { return .now(forbidden("the server's figures")) }
    return .later {
      await self.services.refreshGauges()
      return Response(
        status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
        body: self.services.metrics.render())
    }
  }

  /// The chains that are served, in the order of the settings.
  func chains() -> Action {
    .later {
      let states = await self.services.chainStates()
      return .json(200) { writer in
        writer.key("chains")
        writer.beginArray()
        for state in states {
          writer.beginObject()
          writer.member("chain", state.chain.code.description)
          writer.member("chain_id", state.chain.chainID)
          writer.member("name", state.chain.name)
          writer.member("symbol", state.chain.nativeCoin.symbol)
          writer.member("state", state.isDown ? "down" : "up")
          writer.key("since")
          if let since = state.since { writer.int(Int(since)) } else { writer.null() }
          writer.key("reason")
          if let reason = state.down { writer.string(reason.rawValue) } else { writer.null() }
          writer.key("endpoints")
          writer.beginArray()
          for endpoint in state.endpoints { Self.write(endpoint, to: &writer) }
          writer.endArray()
          writer.endObject()
        }
        writer.endArray()
      }
    }
  }

  /// By host: its path may hold a key.
  private static func write(_ endpoint: EndpointHealth, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("host", endpoint.name)
    writer.member("state", endpoint.state.rawValue)
    writer.key("latency_ms")
    if let latency = endpoint.latency { writer.int(Int(latency / .milliseconds(1))) } else { writer.null() }
    writer.member("error_percent", Int((endpoint.errorRate * 100).rounded()))
    writer.key("block")
    if let head = endpoint.head { writer.int(Int(clamping: head)) } else { writer.null() }
    writer.member("multicall3", endpoint.hasMulticall)
    writer.endObject()
  }

  /// The figures of now, for people and dashboards.
  func statistics() -> Action {
    .later {
      let ledger = self.services.ledger
      let revision = await ledger.revision
      let wallets = await ledger.walletCount
      let watched = await ledger.watchedWalletCount
      let tokens = await ledger.tokenCount
      let push = await self.services.pushStatistics()
      return .json(200) { writer in
        writer.member("server", self.services.serverName)
        writer.member("epoch", ledger.epoch)
        writer.member("rev", revision)
        writer.member("wallets", wallets)
        writer.member("wallets_watched", watched)
        writer.member("tokens", tokens)
        writer.member("connections", push.connections)
        writer.member("frames_sent", push.total.frames)
        writer.member("writes", push.total.writes)
        writer.member("snapshots", push.total.snapshots)
        writer.member("messages", push.total.messages)
        writer.member("lags", push.total.lags)
        writer.member("closed_slow", push.total.closedSlow)
      }
    }
  }
}
