/// Solidity's `bytes32`: a hash, a log's topic, a storage word.
public struct Bytes32: Sendable, Hashable {
  /// The same 32 bytes read as a big-endian number.
  public let value: UInt256

  @inlinable
  public init(_ value: UInt256) { self.value = value }

  /// `0x` and exactly 64 digits, in either letter case.
  public init(parsing text: String) throws(QuantityError) {
    guard text.utf8.count >= 66 else { throw .empty }
    value = try UInt256(quantity: text, leadingZeros: true)
  }

  public static let zero = Bytes32(.zero)

  public var bytes: [UInt8] { value.bigEndianBytes }
}

extension Bytes32: CustomStringConvertible {
  /// `0x` and 64 lower-case digits.
  public var description: String { Hex.encode(bytes) }
}
