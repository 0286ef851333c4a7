// For Apple's systems: proxies, App Transport Security and the radio's habits are the system's to know.
// .ci/test-urlsession builds it on Linux.
#if canImport(Darwin) || WALLETPUSH_URLSESSION
  import Foundation
  #if WALLETPUSH_URLSESSION
    import FoundationNetworking
  #endif

  final class URLSessionTransport: Transport {
    private let task: URLSessionWebSocketTask

    init(url: URL, messageBytes: Int) {
      task = URLSession.shared.webSocketTask(with: url, protocols: [subprotocol])
      task.maximumMessageSize = messageBytes
    }

    /// The handshake is URLSession's: the first `receive` waits for it.
    func open() async throws { task.resume() }

    func receive() async throws -> [UInt8] {
      do {
        switch try await task.receive() {
        case .string(let text): return Array(text.utf8)
        case .data(let data): return Array(data)
        @unknown default: return []
        }
      } catch {
        let code = task.closeCode
        let reason = task.closeReason.map { String(decoding: $0, as: UTF8.self) }
        throw TransportEnd(
          code: code == .invalid ? nil : UInt16(exactly: code.rawValue),
          reason: reason ?? error.localizedDescription)
      }
    }

    func send(_ text: String) { task.send(.string(text)) { _ in } }

    func close() { task.cancel(with: .normalClosure, reason: nil) }
  }
#endif
