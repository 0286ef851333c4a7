import Ethereum
import JSON

/// What a wallet has had since some revision, as one document.
public struct ChangesDocument: Sendable {
  public let epoch: String
  /// What to ask from the next time.
  public var revision: Revision
  /// The JSON of each frame: one snapshot, or `token` and `price` frames in ascending revision.
  public var frames: [[UInt8]]

  public init(epoch: String, revision: Revision, frames: [[UInt8]]) {
    self.epoch = epoch
    self.revision = revision
    self.frames = frames
  }

  /// `{"epoch":"…","rev":…,"changes":[…]}`
  public var json: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(frames.reduce(64) { $0 + $1.count + 1 })
    out.append("{\"epoch\":")
    out.append(json: epoch)
    out.append(",\"rev\":")
    out.append(decimal: revision)
    out.append(",\"changes\":[")
    for (index, frame) in frames.enumerated() {
      if index > 0 { out.append(44) }
      out.append(contentsOf: frame)
    }
    out.append("]}")
    return out
  }
}

extension SnapshotEncoder {
  /// What there is to tell a client that stands there; nil: nowhere in this life of the counter, or it can't tell.
  ///
  /// While nothing is new the revision stays the client's own.
  public func changes(since point: ResumePoint?) -> ChangesDocument {
    guard let point, point.epoch == epoch, point.revision <= revision,
      !cells.needsSnapshot(since: point.revision)
    else { return ChangesDocument(epoch: epoch, revision: revision, frames: [whole()]) }
    let frames = frames(above: point.revision)
    return ChangesDocument(
      epoch: epoch, revision: frames.isEmpty ? point.revision : revision, frames: frames)
  }

  /// Whether the client that stands there has all that there is.
  public func hasNothing(since point: ResumePoint) -> Bool {
    point.epoch == epoch && point.revision <= revision && contentRevision <= point.revision
  }

  /// Rows go whole, as to every client that resumes.
  private func frames(above revision: Revision) -> [[UInt8]] {
    var found: [(revision: Revision, frame: [UInt8])] = []
    for (row, price) in zip(cells.rows, prices) {
      if row.newestRevision > revision {
        found.append((row.newestRevision, Frames.token(wallet: cells.key, row: row, price: price)))
      }
      if price.revision > revision { found.append((price.revision, Frames.price(price))) }
    }
    return found.sorted { $0.revision < $1.revision }.map(\.frame)
  }
}
