import COpenSSL

/// `Sec-WebSocket-Key` and what answers it (RFC 6455 §1.3, §4.2.2).
public enum HandshakeKey {
  /// The GUID of §1.3. It proves that the server read the key as a WebSocket server, not as a cache.
  private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  /// The value of `Sec-WebSocket-Accept`: base64 of the SHA-1 of the key, as it stands in the header,
  /// and the GUID.
  public static func accept(for key: String) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.utf8.count + guid.utf8.count)
    bytes.append(contentsOf: key.utf8)
    bytes.append(contentsOf: guid.utf8)
    let digest = [UInt8](unsafeUninitializedCapacity: Int(SHA_DIGEST_LENGTH)) { buffer, count in
      if EVP_Digest(bytes, bytes.count, buffer.baseAddress, nil, sha1, nil) != 1 {
        _ = SHA1(bytes, bytes.count, buffer.baseAddress)
      }
      count = Int(SHA_DIGEST_LENGTH)
    }
    return base64(digest)
  }

  /// Looked for once: `SHA1` does so each time, and takes longer for that than for the digest.
  private nonisolated(unsafe) static let sha1 = EVP_MD_fetch(nil, "SHA1", nil)

  /// A client's key (§4.1): base64 of 16 random bytes, given as two numbers, big-endian.
  static func key(nonce: (UInt64, UInt64)) -> String {
    var bytes: [UInt8] = []
    for word in [nonce.0, nonce.1] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return base64(bytes)
  }

  /// Whether `key` is base64 of 16 bytes (§4.2.1): 22 characters of its alphabet and two "=".
  static func isValid(_ key: String) -> Bool {
    let bytes = key.utf8.span
    guard bytes.count == 24 else { return false }
    for index in bytes.indices {
      guard index < 22 ? isBase64Byte(bytes[index]) : bytes[index] == UInt8(ascii: "=") else { return false }
    }
    return true
  }

  private static func isBase64Byte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
      true
    default: false
    }
  }

  /// For a handful of bytes.
  private static func base64(_ bytes: [UInt8]) -> String {
    let length = (bytes.count + 2) / 3 * 4
    // EVP_EncodeBlock puts a NUL behind the text, which is not part of it.
    let text = [UInt8](unsafeUninitializedCapacity: length + 1) { buffer, count in
      count = Int(EVP_EncodeBlock(buffer.baseAddress, bytes, Int32(bytes.count)))
    }
    return String(decoding: text, as: UTF8.self)
  }
}
