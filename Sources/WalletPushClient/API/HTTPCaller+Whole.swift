extension HTTPCaller {
  /// The whole answer to a request, in time and within bounds.
  ///
  /// - Throws: ``APIError/unreachable(_:)``, ``APIError/timedOut``, ``APIError/tooLarge(bytes:)``,
  ///   ``APIError/cancelled``
  func whole(_ call: HTTPCall, bytesMax: Int) async throws(APIError) -> (head: HTTPHead, body: [UInt8]) {
    // Whichever is first. The other one is cancelled, and waited for.
    let result = await withTaskGroup { group in
      group.addTask { await read(call, bytesMax) }
      group.addTask {
        let isOver = (try? await ContinuousClock().sleep(for: call.timeout)) != nil
        return .failure(isOver ? .timedOut : .cancelled)
      }
      let first = await group.next() ?? .failure(.cancelled)
      group.cancelAll()
      return first
    }
    if Task.isCancelled, case .failure = result { throw .cancelled }
    return try result.get()
  }

  private func read(
    _ call: HTTPCall, _ bytesMax: Int
  ) async -> Result<(head: HTTPHead, body: [UInt8]), APIError> {
    do throws(HTTPFailure) {
      let answer = try await open(call)
      var body: [UInt8] = []
      while let bytes = try await answer.next() {
        guard body.count + bytes.count <= bytesMax else { return .failure(.tooLarge(bytes: bytesMax)) }
        body += bytes
      }
      return .success((answer.head, body))
    } catch {
      switch error {
      case .timedOut: return .failure(.timedOut)
      case .failed(let reason): return .failure(.unreachable(reason))
      }
    }
  }
}
