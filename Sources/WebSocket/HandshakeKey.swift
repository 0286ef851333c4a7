import COpenSSL

/// `Sec-WebSocket-Key` and what answers it (RFC 6455 §1.3, §4.2.2).
public enum HandshakeKey {
  /// The GUID of §1.3. It proves that the server read the key as a WebSocket server, not as a cache.
  private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  /// The value of `Sec-WebSocket-Accept`: base64 of the SHA-1 of the key, as it stands in the header,
  /// and the GUID.
  public static func accept(for key: String) -> String {
    var text = key + guid
    return text.withUTF8 { text in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SHA_DIGEST_LENGTH)) { digest in
        if EVP_Digest(text.baseAddress, text.count, digest.baseAddress, nil, sha1, nil) != 1 {
          _ = SHA1(text.baseAddress, text.count, digest.baseAddress)
        }
        return base64(UnsafeBufferPointer(digest))
      }
    }
  }

  /// Looked for once: `SHA1` does so each time, and takes longer for that than for the digest.
  private nonisolated(unsafe) static let sha1 = EVP_MD_fetch(nil, "SHA1", nil)

  /// A client's key (§4.1): base64 of 16 random bytes, given as two numbers, big-endian.
  static func key(nonce: (UInt64, UInt64)) -> String {
    var bytes: [UInt8] = []
    for word in [nonce.0, nonce.1] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes.withUnsafeBufferPointer(base64)
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
  private static func base64(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    // EVP_EncodeBlock puts a NUL behind the text, which is not part of it.
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { text in
      Int(EVP_EncodeBlock(text.baseAddress, bytes.baseAddress, Int32(bytes.count)))
    }
  }
}
