import Testing

/// What a test waited for did not come.
struct NothingCame: Error, CustomStringConvertible {
  let description: String
}

/// Waits until `value` has one. The deadline only guards against waiting for ever: nothing is measured.
@discardableResult
func eventually<Value>(
  _ what: String, within patience: Duration = .seconds(120), _ value: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + patience
  while true {
    if let value = try await value() { return value }
    guard ContinuousClock.now < deadline else { throw NothingCame(description: "never came: \(what)") }
    try await Task.sleep(for: .milliseconds(4))
  }
}
