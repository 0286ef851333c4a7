import COpenSSL

enum Digest {
  /// The first 16 bytes of SHA-256, in hexadecimal: a name for some content.
  static func hex(_ bytes: [UInt8]) -> String {
    var hash = [UInt8](repeating: 0, count: 32)
    _ = SHA256(bytes, bytes.count, &hash)
    return hash.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
