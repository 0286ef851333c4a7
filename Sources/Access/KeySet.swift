// A JSON Web Key Set (RFC 7517 §5).
//
// The file is the operator's own. What it holds that is not for us, as the sets of identity providers do (keys for
// encryption, other algorithms, curves we don't know), is left aside and named in `remarks` (§5: "SHOULD ignore").
// A key that is for us and wrong or weak refuses the whole set: nobody should find out by being locked out.

import JSON

public struct KeySet: Sendable {
  /// A set is the keys of one issuer; every token may cost a look at each.
  public static let keysMaximum = 100
  /// RFC 7518 §3.3.
  public static let rsaBitsMinimum = 2_048
  /// Beyond it a signature takes OpenSSL milliseconds.
  public static let rsaBitsMaximum = 8_192
  /// RFC 7518 §3.2.
  public static let secretBytesMinimum = 32

  struct Entry: Sendable {
    var id: String?
    var key: VerificationKey

    func isNamed(_ name: String) -> Bool { id?.isSame(as: name) ?? false }
  }
  private let entries: [Entry]
  /// What is not used or should not be in the file, a line each; no key's numbers.
  public let remarks: [String]

  public var count: Int { entries.count }

  /// - Parameter bytes: of the file, whose length is for the caller to bound.
  public init(_ bytes: [UInt8]) throws(KeySetError) {
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, limits: JSONLimits(depth: 8, numberBytes: 64))
    } catch {
      throw .notJSON(error)
    }
    guard let list = value["keys"]?.array else {
      throw .notKeySet(found: value["kty"] == nil ? value.kindDescription : "a single key")
    }
    guard list.count <= Self.keysMaximum else { throw .tooManyKeys(list.count) }
    var entries: [Entry] = []
    var remarks: [String] = []
    for (index, element) in list.enumerated() {
      var reader = KeyReader(element)
      do throws(KeyFault) {
        if let entry = try reader.read() { entries.append(entry) }
      } catch {
        throw .badKey(index: index, id: element["kid"]?.string, error)
      }
      remarks += reader.remarks.map { "\(KeySetError.name(index, element["kid"]?.string)): \($0)" }
    }
    guard !entries.isEmpty else { throw .noKey(remarks) }
    try Self.checkNames(entries)
    self.entries = entries
    self.remarks = remarks
  }

  /// RFC 7517 §4.5: names differ, but for equivalent keys of different types.
  private static func checkNames(_ entries: [Entry]) throws(KeySetError) {
    for (index, entry) in entries.enumerated() {
      guard let id = entry.id else { continue }
      let isTaken = entries[..<index].contains {
        $0.isNamed(id) && $0.key.algorithm == entry.key.algorithm
      }
      if isTaken { throw .repeatedName(id) }
    }
  }

  /// The key for a token.
  ///
  /// - Parameter id: the token's `kid`; without one, its algorithm must have one key alone.
  func key(id: String?, algorithm: SignatureAlgorithm) throws(TokenError) -> VerificationKey {
    let candidates = entries.filter { $0.key.algorithm == algorithm && (id.map($0.isNamed) ?? true) }
    guard let first = candidates.first else { throw .unknownKey }
    guard candidates.count == 1 else { throw .ambiguousKey }
    return first.key
  }
}

/// Why a file is no key set: whoever wrote it broke the rule.
public enum KeySetError: Error, Equatable, Sendable {
  case notJSON(JSONError)
  case notKeySet(found: String)
  case tooManyKeys(Int)
  case badKey(index: Int, id: String?, KeyFault)
  /// Two keys of one algorithm with this `kid`.
  case repeatedName(String)
  /// The remarks say why each was left aside.
  case noKey([String])

  static func name(_ index: Int, _ id: String?) -> String {
    "keys[\(index)]" + (id.map { " (kid \($0.debugDescription))" } ?? "")
  }
}

extension KeySetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notJSON(let error):
      "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found no JSON: \(error)"
    case .notKeySet(let found):
      "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found \(found)"
    case .tooManyKeys(let count): "expected at most \(KeySet.keysMaximum) keys, found \(count)"
    case .badKey(let index, let id, let fault): "\(Self.name(index, id)): \(fault)"
    case .repeatedName(let id):
      "two keys of one algorithm are called \(id.debugDescription): give each its own kid"
    case .noKey(let remarks):
      "expected at least one key for HS256, RS256, ES256 or EdDSA, found none"
        + (remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))")
    }
  }
}
