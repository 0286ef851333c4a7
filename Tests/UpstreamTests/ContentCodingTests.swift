import CZlib
import Testing
import TestSupport

@testable import Upstream

struct ContentCodingTests {
  enum Format: Int32, CaseIterable, Sendable {
    case gzip = 31
    case zlib = 15
    case bare = -15

    var coding: Inflater.Format { self == .gzip ? .gzip : .deflate }
    var name: String { self == .gzip ? "gzip" : "deflate" }
  }

  private static let text = Array((0..<2_000).map { "\($0 % 77)," }.joined().utf8)

  private enum Transcript: Equatable {
    case whole([UInt8])
    case unfinished
    case failed(Inflater.Failure)
  }

  private static func inflate(_ chunks: [[UInt8]], _ format: Inflater.Format, limit: Int = 1 << 20)
    -> Transcript
  {
    let inflater = Inflater(format)
    var output: [UInt8] = []
    do throws(Inflater.Failure) {
      for chunk in chunks {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk.count, alignment: 1)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: chunk)
        try inflater.inflate(UnsafeRawBufferPointer(bytes), into: &output, limit: limit)
      }
    } catch {
      return .failed(error)
    }
    return inflater.isComplete ? .whole(output) : .unfinished
  }

  @Test(arguments: Format.allCases)
  func inflatesHoweverItIsCut(_ format: Format) throws {
    let bytes = deflated(Self.text, windowBits: format.rawValue)
    expectThreeFeeds(
      bytes, giving: Transcript.whole(Self.text), trailing: [1, 2, 3], withTrailing: .failed(.damaged)
    ) { Self.inflate($0, format.coding) }
    expectRandomFeeds(bytes, giving: Transcript.whole(Self.text), seeds: 0..<20, longest: 50) {
      Self.inflate($0, format.coding)
    }
  }

  @Test(arguments: Format.allCases)
  func noticesTheMissingEnd(_ format: Format) {
    let bytes = deflated(Self.text, windowBits: format.rawValue)
    for count in 0..<bytes.count {
      #expect(Self.inflate([Array(bytes.prefix(count))], format.coding) == .unfinished)
    }
  }

  @Test func joinsMembers() {
    let one = deflated([1, 2], windowBits: 31)
    let two = deflated([3], windowBits: 31)
    expectThreeFeeds(one + two, giving: Transcript.whole([1, 2, 3]), trailing: []) { Self.inflate($0, .gzip) }
    #expect(Self.inflate([deflated([1], windowBits: 15), [0]], .deflate) == .failed(.damaged))
  }

  @Test(arguments: Format.allCases, [0, 1, 32_767, 32_768, 32_769, 100_000])
  func keepsToTheLimit(_ format: Format, _ length: Int) {
    let plain = [UInt8](repeating: 7, count: length)
    let bytes = deflated(plain, windowBits: format.rawValue)
    #expect(Self.inflate([bytes], format.coding, limit: length) == .whole(plain))
    if length > 0 { #expect(Self.inflate([bytes], format.coding, limit: length - 1) == .failed(.tooLong)) }
  }

  @Test func damageIsNoticedOrHarmless() {
    let bytes = deflated(Self.text, windowBits: 31)
    var failures = 0
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x10
      let transcript = Self.inflate([damaged], .gzip)
      if transcript != .whole(Self.text) { failures += 1 }
    }
    // Some bits of the header (time, system) mean nothing.
    #expect(failures > bytes.count - 12)
  }

  // MARK: - Through the client

  private static func server(_ coding: String, _ body: [UInt8]) throws -> ScriptedServer {
    try ScriptedServer { _ in
      [
        .send("HTTP/1.1 200 X\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n"),
        .sendBytes(body),
      ]
    }
  }

  @Test(arguments: Format.allCases)
  func theClientInflates(_ format: Format) async throws {
    let body = deflated(Self.text, windowBits: format.rawValue)
    let server = try Self.server(format.name, body)
    try await withClient(server: server) { client in
      let response = try await client.send(.get(server.url()))
      #expect(response.body == Self.text)
      #expect(response.wireBodyBytes == body.count)
      let again = try await client.send(.get(server.url()))
      #expect(again.reusedConnection)
    }
  }

  @Test func aBombIsStopped() async throws {
    let bomb = deflated([UInt8](repeating: 0, count: 50_000_000), windowBits: 31)
    let server = try Self.server("gzip", bomb)
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url(), limit: 100_000))
      #expect(failure == .responseTooLarge(limit: 100_000))
    }
  }

  @Test(arguments: [
    ("gzip", UpstreamError.malformedContentCoding), ("br", .unknownContentCoding),
    ("gzip, gzip", .unknownContentCoding), ("GZIP", .malformedContentCoding),
    ("x-gzip", .malformedContentCoding),
  ])
  func refusesWhatItCannotRead(_ coding: String, _ error: UpstreamError) async throws {
    let server = try Self.server(coding, Array("this is no gzip".utf8))
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url()))
      #expect(failure == error)
    }
  }

  @Test func refusesACompressedBodyWithoutEnd() async throws {
    let server = try Self.server("gzip", Array(deflated(Self.text, windowBits: 31).dropLast()))
    try await withClient(server: server) { client in
      let failure = await client.failure(try .get(server.url()))
      #expect(failure == .malformedContentCoding)
    }
  }

  @Test(arguments: ["identity", "", "gzip"])
  func anEmptyBodyIsEmpty(_ coding: String) async throws {
    let server = try Self.server(coding, [])
    try await withClient(server: server) { client in
      let response = try await client.send(.get(server.url()))
      #expect(response.body.isEmpty)
    }
  }
}

/// zlib's windowBits: 31 for gzip, 15 for zlib, -15 for bare deflate.
private func deflated(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
  var stream = z_stream()
  _ = czlib_deflateInit2(&stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY)
  defer { deflateEnd(&stream) }
  var input = bytes
  let capacity = Int(deflateBound(&stream, uLong(bytes.count)))
  return input.withUnsafeMutableBufferPointer { source in
    [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      stream.next_in = source.baseAddress
      stream.avail_in = uInt(source.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = uInt(capacity)
      _ = deflate(&stream, Z_FINISH)
      count = capacity - Int(stream.avail_out)
    }
  }
}
