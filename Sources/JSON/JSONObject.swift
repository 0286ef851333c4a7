/// The members of a JSON object in the order they were written, found by name.
///
/// Names are unique. The parser refuses an object that repeats one: RFC 8259 §4 leaves its meaning open, and
/// two readers that choose differently is how one of them gets fooled. Names are the same when their bytes are
/// (RFC 8259 §8.3).
public struct JSONObject: Sendable {
  public struct Member: Sendable {
    public let key: String
    public internal(set) var value: JSONValue
  }

  /// Below this size a look-up compares names one by one; from here on there is an index. Price replies are
  /// one object with hundreds of members, everything else is small.
  static let indexedFrom = 12

  public private(set) var members: [Member]
  private var index: [Name: Int]?

  private struct Name: Hashable {
    let text: String

    static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
      text.utf8.span.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
  }

  public init() {
    members = []
  }

  /// - Returns: nil where two members have the same name.
  init?(unique members: [Member]) {
    self.members = members
    guard members.count >= Self.indexedFrom else {
      for later in members.indices.dropFirst() {
        for earlier in 0..<later where members[earlier].key.hasSameBytes(as: members[later].key) {
          return nil
        }
      }
      return
    }
    var index = [Name: Int](minimumCapacity: members.count)
    for (position, member) in members.enumerated() {
      if index.updateValue(position, forKey: Name(text: member.key)) != nil { return nil }
    }
    self.index = index
  }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }

  private func position(of key: String) -> Int? {
    if let index { return index[Name(text: key)] }
    return members.firstIndex { $0.key.hasSameBytes(as: key) }
  }

  /// Setting replaces in place or appends; setting nil removes.
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil):
        members.remove(at: position)
        rebuildIndex()
      case (nil, let value?): append(key, value)
      case (nil, nil): break
      }
    }
  }

  private mutating func append(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
    if index != nil {
      index?[Name(text: key)] = members.count - 1
    } else if members.count >= Self.indexedFrom {
      rebuildIndex()
    }
  }

  private mutating func rebuildIndex() {
    index = nil
    guard members.count >= Self.indexedFrom else { return }
    var index = [Name: Int](minimumCapacity: members.count)
    for (position, member) in members.enumerated() { index[Name(text: member.key)] = position }
    self.index = index
  }
}

extension JSONObject: Sequence {
  public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}

extension JSONObject: Equatable {
  /// An object is an unordered collection (RFC 8259 §1).
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    guard left.count == right.count else { return false }
    return left.members.allSatisfy { right[$0.key] == $0.value }
  }
}

extension String {
  /// Whether both are the same characters, written the same way.
  ///
  /// RFC 8259 §8.3 wants names compared code unit by code unit. `==` would look for Unicode's canonical
  /// equivalence, which is another thing, and takes the square of the length of a run of combining marks: one
  /// message of 64 KiB could occupy a core for seconds.
  func hasSameBytes(as other: String) -> Bool {
    let (left, right) = (utf8.span, other.utf8.span)
    guard left.count == right.count else { return false }
    for offset in 0..<left.count where left[offset] != right[offset] { return false }
    return true
  }
}
