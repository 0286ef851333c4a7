import Ethereum
import HTTP1
import Ledger

// A wallet's changes for those who can't, or don't want to, hold a WebSocket.

extension Router {
  // MARK: Streams

  /// - Parameter id: as the address names the wallet.
  func stream(_ request: Request, id: String) async -> Following {
    do throws(Refused) {
      let cells = try await findWallet(id, request, registers: true)
      // The standard's header says where a reader was last; a page that comes from elsewhere says it in the address.
      let last = request.head.headers.first("Last-Event-ID")
      return .stream(
        head: Self.streamHead, Follower(wallet: cells.key, authority: request.authority),
        since: last ?? request.query("since"))
    } catch {
      return .response(error.response)
    }
  }

  private static var streamHead: Response {
    Response(
      status: 200,
      headers: [
        ("Content-Type", ServerSentEventEncoder.contentType), ("Cache-Control", "no-store"),
        // nginx would gather events.
        ("X-Accel-Buffering", "no"),
      ],
      endsWithConnection: true)
  }

  // MARK: Polls

  /// - Parameter id: as the address names the wallet.
  func changes(_ request: Request, id: String) async -> Following {
    do throws(Refused) {
      let wait = try waitTime(request)
      let cells = try await findWallet(id, request, registers: true)
      await services.ledger.visit(cells.id)
      guard let snapshot = await services.ledger.snapshot(of: cells.id) else {
        throw Refused(response: missing(id))
      }
      let since = request.query("since").flatMap { ResumePoint(parsing: $0) }
      if let since, wait > .zero, snapshot.hasNothing(since: since) {
        let follower = Follower(wallet: cells.key, authority: request.authority)
        return .poll(headers: [], follower, since: since, wait: wait)
      }
      return .response(.json(200, snapshot.changes(since: since).json))
    } catch {
      return .response(error.response)
    }
  }

  /// How long to wait for a change: as long as is asked for, as is allowed, and as the token lasts.
  private func waitTime(_ request: Request) throws(Refused) -> Duration {
    guard let text = request.query("wait"), request.head.method != "HEAD" else { return .zero }
    guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }), let seconds = Double(text) else {
      throw Refused(
        response: .error(400, "bad_request", "wait is a number of seconds, such as 25; 0 answers at once"))
    }
    let longest = settings.limits.longestWait
    let wait = seconds < longest / .seconds(1) ? Duration.seconds(seconds) : longest
    guard services.access != nil else { return wait }
    return min(wait, .milliseconds(max(0, request.authority.expiresAt - services.clock())))
  }
}
