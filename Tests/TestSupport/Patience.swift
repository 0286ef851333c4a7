/// What a test waited for did not come.
public struct NothingCame: Error, CustomStringConvertible {
  public let description: String

  public init(description: String) { self.description = description }
}

/// Waits until `value` has one. The deadline only guards against waiting for ever: nothing is measured.
@discardableResult
public func eventually<Value>(
  _ what: String, within patience: Duration = .seconds(120), _ value: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + patience
  while true {
    if let value = try await value() { return value }
    guard ContinuousClock.now < deadline else { throw NothingCame(description: "never came: \(what)") }
    try await Task.sleep(for: .milliseconds(4))
  }
}

/// Waits until `condition` holds.
public func eventually(
  _ what: String, within patience: Duration = .seconds(120), _ condition: () async throws -> Bool
) async throws {
  try await eventually(what, within: patience) { try await condition() ? true : nil }
}
