import Foundation
import Testing

/// The seeds of each fuzz target and everything a fuzzer ever found, as ordinary tests.
@Suite("Fuzz targets on known inputs")
struct ReplayTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()

  struct Known: Sendable, CustomTestStringConvertible {
    let target: String
    let path: String
    var testDescription: String { path }
  }

  static let all: [Known] = FuzzTarget.all.flatMap { target in
    ["corpus", "found"].flatMap { kind -> [Known] in
      let folder = "\(kind)/\(target.name)"
      let names =
        (try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path + "/" + folder)) ?? []
      return names.sorted().map { Known(target: target.name, path: folder + "/" + $0) }
    }
  }

  @Test(arguments: all)
  func replay(known: Known) throws {
    let target = try #require(FuzzTarget.named(known.target))
    let bytes = try Data(contentsOf: Self.folder.appending(path: known.path))
    try target.run(FuzzInput(Array(bytes)))
  }

  @Test("every target has seeds", arguments: FuzzTarget.all.map(\.name))
  func seeds(name: String) {
    #expect(Self.all.contains { $0.target == name && $0.path.hasPrefix("corpus/") })
  }

  @Test("every folder belongs to a target", arguments: ["corpus", "found"])
  func folders(kind: String) {
    // Nothing was found yet: then there is no folder.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path + "/" + kind)) ?? []
    for name in names where !name.hasPrefix(".") {
      #expect(FuzzTarget.named(name) != nil, "\(kind)/\(name)")
    }
  }
}
