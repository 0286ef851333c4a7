import TestSupport
import Testing

@testable import Server

@Suite struct StaticFilesTests {
  private func load(_ folder: TemporaryFolder, bytes: Int = 1 << 20, files: Int = 100) throws -> StaticFiles {
    try StaticFiles.load(folder: folder.path, totalBytes: bytes, fileCount: files)
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("index.html", "front")
    try folder.write("app.js", "code")
    folder.folder("lib")
    try folder.write("lib/a.mjs", "module")
    try folder.write("lib/index.html", "inner")
    return folder
  }

  private func text(_ files: StaticFiles, _ segments: [String]) -> String? {
    files.lookup(pathSegments: segments).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test func whatIsThere() throws {
    let files = try load(try folder())
    #expect(files.count == 4)
    #expect(text(files, []) == "front")
    #expect(text(files, [""]) == "front")
    #expect(text(files, ["index.html"]) == "front")
    #expect(text(files, ["lib", "a.mjs"]) == "module")
    #expect(files.lookup(pathSegments: ["lib", "a.mjs"])?.contentType == "text/javascript; charset=utf-8")
    #expect(files.lookup(pathSegments: [])?.contentType == "text/html; charset=utf-8")
  }

  @Test func pagesWithoutTheirSuffix() throws {
    let folder = try folder()
    try folder.write("lib.html", "page")
    try folder.write("app.html", "page of the code's name")
    let files = try load(folder)
    #expect(text(files, ["lib"]) == "page")
    #expect(text(files, ["lib.html"]) == "page")
    #expect(text(files, ["lib", "a.mjs"]) == "module")
    #expect(text(files, ["lib", "index"]) == "inner")
    #expect(text(files, ["app"]) == "page of the code's name")
    #expect(text(files, ["app.js"]) == "code")
    #expect(files.lookup(pathSegments: ["lib"])?.contentType == "text/html; charset=utf-8")
    for segments in [["a"], ["lib.html", "html"], ["lib.htm"], [".html"]] {
      #expect(text(files, segments) == nil, "\(segments)")
    }
  }

  @Test(arguments: [
    ["nope"], ["lib"], ["..", "app.js"], ["lib", "..", "app.js"], [".", "app.js"],
    ["..", "..", "etc", "passwd"],
    ["/etc/passwd"], ["app.js", "x"], ["APP.JS"], ["app.js\u{0}"], ["../app.js"],
  ])
  func pathsThatFindNothing(_ segments: [String]) throws {
    let files = try load(try folder())
    #expect(files.lookup(pathSegments: segments) == nil)
  }

  @Test func whatIsLeftOut() throws {
    let outside = try TemporaryFolder()
    try outside.write("secret", "secret")
    let folder = try folder()
    folder.link("link.txt", to: "\(outside.path)/secret")
    folder.link("elsewhere", to: outside.path)
    folder.link("loop", to: folder.path)
    try folder.write(".hidden", "hidden")
    folder.folder(".git")
    try folder.write(".git/config", "config")
    folder.folder("test")
    try folder.write("test/a.test.js", "test")
    let files = try load(folder)
    #expect(files.count == 4)
    for segments in [
      ["link.txt"], ["elsewhere", "secret"], ["loop", "app.js"], [".hidden"], [".git", "config"],
    ] {
      #expect(files.lookup(pathSegments: segments) == nil, "\(segments)")
    }
  }

  @Test func limits() throws {
    let folder = try folder()
    #expect(try load(folder, bytes: 20, files: 4).count == 4)
    #expect(throws: StaticFiles.Failure.self) { _ = try load(folder, bytes: 19) }
    #expect(throws: StaticFiles.Failure.self) { _ = try load(folder, files: 3) }
  }

  @Test func foldersThatAreRefused() throws {
    let empty = try TemporaryFolder()
    #expect(throws: StaticFiles.Failure.self) { _ = try load(empty) }
    #expect(throws: StaticFiles.Failure.self) {
      _ = try StaticFiles.load(folder: empty.path + "/nope", totalBytes: 100, fileCount: 100)
    }
    #expect(StaticFiles.empty.lookup(pathSegments: []) == nil)
  }

  @Test func deepFoldersHaveAnEnd() throws {
    let folder = try folder()
    var path = "d"
    for _ in 0..<12 {
      folder.folder(path)
      try folder.write("\(path)/x.txt", "x")
      path += "/d"
    }
    let files = try load(folder)
    #expect(text(files, ["d", "x.txt"]) == "x")
    #expect(files.lookup(pathSegments: Array(repeating: "d", count: 12) + ["x.txt"]) == nil)
  }

  @Test func tagsNameTheContent() throws {
    let folder = try folder()
    let before = try load(folder)
    try folder.write("app.js", "edit")
    let after = try load(folder)
    let (old, new) = (before.lookup(pathSegments: ["app.js"]), after.lookup(pathSegments: ["app.js"]))
    #expect(old?.etag != new?.etag)
    #expect(before.lookup(pathSegments: [])?.etag == after.lookup(pathSegments: [])?.etag)
    // SHA-256 of "front", its first half.
    #expect(old?.etag.count == 34 && old?.etag.first == "\"")
    #expect(Digest.hex([]) == "e3b0c44298fc1c149afbf4c8996fb924")
    #expect(Digest.hex(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223")
  }

  @Test(arguments: [
    ("a.html", "text/html; charset=utf-8"), ("A.HTML", "text/html; charset=utf-8"),
    ("a.tar.png", "image/png"),
    ("a", "application/octet-stream"), ("", "application/octet-stream"),
    ("a.exe", "application/octet-stream"),
    ("a.webmanifest", "application/manifest+json"), ("a.svg", "image/svg+xml"),
  ])
  func types(_ name: String, _ type: String) { #expect(ContentType.of(name) == type) }
}
