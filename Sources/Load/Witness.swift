import EventLoop
import JSON
import Upstream
import WebSocket

/// Another client of a slow client's keys, which gets them whole: what it was told is what the slow one must end up with.
/// Confined to its loop.
final class Witness: WebSocketClientHandler {
  private let client: LoadClient
  private let owner: LoadLoop
  private var newest = NewestValues(isPaced: true)

  init(of client: LoadClient, owner: LoadLoop) {
    self.client = client
    self.owner = owner
  }

  /// Lives until the connection ends.
  func connect() { owner.makeSocket(client.number, handler: self).connect() }

  func opened(_ client: WebSocketClient, subprotocol: String?) {
    try? client.send(text: owner.plan.subscribe(client: self.client.number, since: nil))
  }

  func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
    guard !newest.isComplete else { return }
    newest.take(payload)
    guard newest.isComplete else { return }
    self.client.judge(by: newest)
    try? client.close()
  }

  func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
    if !newest.isComplete { owner.witnessFailed(for: self.client, ending) }
  }
}
