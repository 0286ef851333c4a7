import Ethereum
import Testing

@Suite struct Keccak256Tests {
  @Test(arguments: [
    ("", "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ("abc", "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    (
      "The quick brown fox jumps over the lazy dog",
      "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"
    ),
  ])
  func publishedVectors(text: String, hash: String) {
    #expect(Keccak256.hash(text).description == hash)
  }

  /// Bytes (7 i + 3) mod 256; the hashes were computed with pycryptodome. 136 bytes are one block.
  @Test(arguments: [
    (1, "0x69c322e3248a5dfc29d73c5b0553b0185a35cd5bb6386747517ef7e53b15e287"),
    (135, "0x00ef96af9cf4b24c7f269d922294444a197d0a33638c2e56634c57e892103a8f"),
    (136, "0x742061bcad767ed4c4f5883b1dcb1aad11afdcc140dc469d953759b127b9f9ed"),
    (137, "0xe3371f61e770abf254c34239c3b0099ad90594507415bc81dd0a10b9692bbf2a"),
    (271, "0x4401c4afbe16ff911bdbf2d38e556e5b861f3fdf0f9d4306b1c46f6ae4f73584"),
    (272, "0xac141fd7b0a0ffcd2e967254d508da3ec616596493c36fa304425647d90e6de5"),
    (273, "0x16192ea86793083e47731cb3c970600f04768414d92bc0540e54ce8607a0fce0"),
    (1000, "0x80cdc8dd52cbb3dbaea8f383209893fa2bb52efbd5aedbb4b26dcfe307fcdc9b"),
  ])
  func aroundTheBlock(length: Int, hash: String) {
    let input = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
    #expect(Keccak256.hash(input).description == hash)
  }
}
