/// Who follows a wallet or a token, as ``ConnectionID/index`` each. One alone, which most wallets have, needs no memory
/// of its own. A member knows its position, so it can leave without a search.
struct FollowerList {
  private static let none = UInt32.max
  private var first = none
  private var rest: ContiguousArray<UInt32> = []

  var isEmpty: Bool { first == Self.none }

  /// - Returns: the position.
  mutating func append(_ member: Int) -> UInt32 {
    if isEmpty {
      first = UInt32(member)
      return 0
    }
    rest.append(UInt32(member))
    return UInt32(rest.count)
  }

  /// Takes out the member at `position`; the last one takes its place.
  /// - Returns: who moved there, if anybody did.
  mutating func remove(at position: UInt32) -> Int? {
    guard let last = rest.popLast() else {
      first = Self.none
      return nil
    }
    switch Int(position) {
    case 0: first = last
    case rest.count + 1: return nil
    default: rest[Int(position) - 1] = last
    }
    return Int(last)
  }

  @inline(__always) func forEach(_ body: (UInt32) -> Void) {
    guard !isEmpty else { return }
    body(first)
    for member in rest { body(member) }
  }
}
