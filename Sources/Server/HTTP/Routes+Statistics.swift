import JSON
import Ledger
import Push

extension Router {
  /// The figures of now, for people and the monitor page. What concerns the process itself is the operator's: a token
  /// that is bound to wallets is a user's, and sees the totals alone.
  func statistics(for authority: Authority) -> Action {
    .later {
      let ledger = self.services.ledger
      let revision = await ledger.revision
      let wallets = await ledger.walletCount
      let watched = await ledger.watchedWalletCount
      let tokens = await ledger.tokenCount
      let push = await self.services.pushStatistics()
      let figures = authority.wallets == nil ? await OperatorFigures(self.services) : nil
      return .json(200) { writer in
        writer.member("server", self.services.serverName)
        writer.member("epoch", ledger.epoch)
        writer.member("rev", revision)
        writer.member("wallets", wallets)
        writer.member("wallets_watched", watched)
        writer.member("tokens", tokens)
        writer.member("connections", push.connections)
        writer.member("streams", push.total.streams)
        writer.member("polls", push.total.polls)
        writer.member("frames_sent", push.total.frames)
        writer.member("writes", push.total.writes)
        writer.member("snapshots", push.total.snapshots)
        writer.member("messages", push.total.messages)
        writer.member("lags", push.total.lags)
        writer.member("closed_slow", push.total.closedSlow)
        figures?.write(to: &writer)
      }
    }
  }
}
