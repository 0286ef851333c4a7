/// Carries out requests to the server: calls, and what stands for a WebSocket where there is none.
protocol HTTPCaller: Sendable {
  /// Sends the request, and returns once the head of its answer is here. A task that is cancelled, and an answer that is
  /// let go of, end it.
  func open(_ call: HTTPCall) async throws(HTTPFailure) -> any HTTPAnswer
}

/// An answer as it comes in. For one reader.
protocol HTTPAnswer: AnyObject, Sendable {
  var head: HTTPHead { get }

  /// The next bytes of the body; nil at its end. Nobody asks for them before the last ones are merged, so that a server that
  /// is faster than its client has to wait.
  func next() async throws(HTTPFailure) -> [UInt8]?
}
