import EventLoop
import HTTP1
import Push

extension HTTPSession {
  /// Goes on with a request for a wallet's changes, once it is known what comes of it.
  func follow(_ following: Router.Following, _ head: RequestHead) {
    guard isWaiting, !isClosed else { return }
    switch following {
    case .response(let response): complete(response, head)
    case .stream(let response, _, _) where head.method == "HEAD": complete(response, head)
    case .stream(let response, let follower, let since):
      router.count(response.status)
      for piece in router.encode(response, isHead: true, keepsAlive: false, loop: shard.loop) {
        connection.write(piece)
      }
      // It has ended its side already, and so nothing would tell when it has gone.
      if connection.isInputEnded { return close() }
      handOver()
      shard.stream(on: connection, wallet: follower.wallet, since: since, authority: follower.authority)
    case .poll(let headers, let follower, let since, let wait):
      poll = shard.poll(
        on: connection, wallet: follower.wallet, since: since, wait: wait, authority: follower.authority
      ) { [weak self] changes in
        self?.poll = nil
        self?.complete(.json(200, changes.json, headers: headers), head)
      }
      // A client that has sent nothing more is listened to: it may leave.
      if stash.isEmpty { connection.resumeReading() }
    }
  }
}
