// What the library uses of Apple's Foundation and swift-corelibs-foundation lacks: `URLSession.bytes(for:)`, by the same
// name and shape.

import Foundation
import FoundationNetworking
import Synchronization

extension URLSession {
  public struct AsyncBytes: AsyncSequence, Sendable {
    public typealias Element = UInt8

    public let task: URLSessionDataTask
    fileprivate let pieces: AsyncThrowingStream<Data, any Error>

    public func makeAsyncIterator() -> Iterator { Iterator(pieces: pieces.makeAsyncIterator()) }

    /// Sendable, as Apple's is. For one reader.
    public struct Iterator: AsyncIteratorProtocol, @unchecked Sendable {
      fileprivate var pieces: AsyncThrowingStream<Data, any Error>.Iterator
      private var piece: ArraySlice<UInt8> = []

      fileprivate init(pieces: AsyncThrowingStream<Data, any Error>.Iterator) { self.pieces = pieces }

      public mutating func next() async throws -> UInt8? {
        while piece.isEmpty {
          guard let next = try await pieces.next(isolation: #isolation) else {
            // A stream just ends with its task; Apple's throws.
            if Task.isCancelled { throw URLError(.cancelled) }
            return nil
          }
          piece = Array(next)[...]
        }
        return piece.popFirst()
      }
    }
  }

  public func bytes(for request: URLRequest) async throws -> (AsyncBytes, URLResponse) {
    let reader = Reader()
    let session = URLSession(configuration: .default, delegate: reader, delegateQueue: nil)
    let task = session.dataTask(with: request)
    session.finishTasksAndInvalidate()
    let response = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        reader.waiting.withLock { $0 = continuation }
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
    return (AsyncBytes(task: task, pieces: reader.pieces), response)
  }
}

private final class Reader: NSObject, URLSessionDataDelegate, Sendable {
  let waiting = Mutex<CheckedContinuation<URLResponse, any Error>?>(nil)
  let pieces: AsyncThrowingStream<Data, any Error>
  private let source: AsyncThrowingStream<Data, any Error>.Continuation

  override init() {
    (pieces, source) = AsyncThrowingStream<Data, any Error>.makeStream()
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    waiting.withLock { $0.take() }?.resume(returning: response)
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    source.yield(data)
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    waiting.withLock { $0.take() }?.resume(throwing: error ?? URLError(.unknown))
    source.finish(throwing: error)
  }
}
