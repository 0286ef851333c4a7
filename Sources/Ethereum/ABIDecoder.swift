// How it works
//
// Solidity's Contract ABI specification, "Formal Specification of the Encoding": a tuple is its heads one
// after the other, 32 bytes each; the head of something dynamic is the offset of its tail, counted from where
// the tuple begins. Every offset, count and length comes from a contract that may be hostile: each is read as
// a 256-bit number and must lie inside the buffer before it becomes an Int, so that no sum can overflow and
// no count can make us allocate more than the buffer could hold. Tails are slices of the buffer: pointing at
// the same bytes from a thousand places costs an attacker's victim nothing.

/// Why return data is not what its type says. It is always the contract, or the node, that broke the rule.
public enum ABIError: Error, Hashable {
  /// Fewer bytes than the type needs.
  case truncated(needed: Int, available: Int)
  /// An offset or a length that points outside the data.
  case outOfBounds
  /// A boolean that is neither 0 nor 1, an address or a small integer with bits beyond its width.
  case outOfRange
  /// More elements than the caller wants to hear of, or another number than there must be.
  case elementCount(found: Int, expected: Int)
  /// More bytes than the caller wants to hear of.
  case tooLong(found: Int, limit: Int)
}

extension ABIError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let needed, let available): "\(available) bytes where \(needed) are needed"
    case .outOfBounds: "an offset or a length points outside the data"
    case .outOfRange: "a value is out of its type's range"
    case .elementCount(let found, let expected): "\(found) elements instead of \(expected)"
    case .tooLong(let found, let limit): "\(found) bytes where \(limit) are allowed"
    }
  }
}

/// Reads return data as a Solidity caller would: what is too short is refused, what follows is ignored.
public struct ABIDecoder: Sendable {
  private let bytes: ArraySlice<UInt8>

  public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }
  public init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  public var count: Int { bytes.count }

  /// The word at a byte offset.
  public func uint256(at offset: Int = 0) throws(ABIError) -> UInt256 {
    guard let word = UInt256(bigEndian: bytes.span, at: offset) else {
      let (needed, overflow) = offset.addingReportingOverflow(32)
      throw .truncated(needed: overflow ? .max : needed, available: count)
    }
    return word
  }

  public func uint64(at offset: Int = 0) throws(ABIError) -> UInt64 {
    guard let value = try uint256(at: offset).uint64 else { throw .outOfRange }
    return value
  }

  public func bytes32(at offset: Int = 0) throws(ABIError) -> Bytes32 {
    Bytes32(try uint256(at: offset))
  }

  public func bool(at offset: Int = 0) throws(ABIError) -> Bool {
    switch try uint256(at: offset) {
    case 0: return false
    case 1: return true
    default: throw .outOfRange
    }
  }

  public func address(at offset: Int = 0) throws(ABIError) -> Address {
    guard let address = Address(word: try uint256(at: offset)) else { throw .outOfRange }
    return address
  }

  /// Where the tail is whose offset stands at `head`, counted from `base`: a position with at least one word
  /// left.
  func tail(head: Int, base: Int) throws(ABIError) -> Int {
    guard base >= 0, base <= count, let offset = try uint256(at: head).uint64,
      offset <= UInt64(count - base)
    else {
      throw .outOfBounds
    }
    let position = base + Int(offset)
    guard count - position >= 32 else { throw .outOfBounds }
    return position
  }

  /// A number of bytes or elements that stands at `position`, of which there can be no more than `limit`.
  private func length(at position: Int, atMost limit: Int) throws(ABIError) -> Int {
    guard let length = try uint256(at: position).uint64, length <= UInt64(max(limit, 0)) else {
      throw .outOfBounds
    }
    return Int(length)
  }

  /// The `bytes` or `string` whose offset stands at `head`, as a slice of the data. The padding behind it may
  /// be missing, as Solidity allows.
  public func dynamicBytes(head: Int = 0, base: Int = 0) throws(ABIError) -> ArraySlice<UInt8> {
    let position = try tail(head: head, base: base)
    let start = position + 32
    let length = try length(at: position, atMost: count - start)
    let first = bytes.startIndex + start
    return bytes[first..<(first + length)]
  }

  /// The text that `name()` and `symbol()` return, as bytes that no one has looked at: a `string`, or a
  /// `bytes32` with NULs behind it, as the oldest tokens do (MKR). Only 32 bytes exactly are taken for the
  /// latter.
  /// - Parameter limit: the longest text that is wanted, in bytes.
  public func text(limit: Int) throws(ABIError) -> ArraySlice<UInt8> {
    let text: ArraySlice<UInt8>
    if count == 32 {
      let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? bytes.startIndex
      text = bytes[..<end]
    } else {
      text = try dynamicBytes()
    }
    guard text.count <= limit else { throw .tooLong(found: text.count, limit: limit) }
    return text
  }

  /// The start of the array whose offset stands at `head`, and its number of elements, each of which has a
  /// head of one word.
  func arrayOfDynamic(head: Int, expected: Int) throws(ABIError) -> Int {
    let position = try tail(head: head, base: 0)
    let start = position + 32
    let elements = try length(at: position, atMost: (count - start) / 32)
    guard elements == expected else { throw .elementCount(found: elements, expected: expected) }
    return start
  }
}
