/// How far a cell can be trusted. The raw values are stored in the database.
public enum CellState: UInt8, Sendable {
  /// Read successfully and within its time.
  case fresh = 0
  /// The last good value: past its time, after a failed read, or read before the last start.
  case stale = 1
  /// A read is under way and nothing is known yet.
  case loading = 2
  /// Nothing is known.
  case unknown = 3

  /// The word clients see.
  public var name: StaticString {
    switch self {
    case .fresh: "fresh"
    case .stale: "stale"
    case .loading: "loading"
    case .unknown: "unknown"
    }
  }
}
