import Foundation
import JSON
import TestSupport
import Testing

@testable import Push
@testable import Server

/// The descriptions hold together, and name what the sources know: what the server really sends is checked in
/// IntegrationTests.
@Suite struct InterfaceDescriptionTests {
  private static let names = ["openapi.json", "asyncapi.json"]

  private func document(_ name: String) throws -> JSONValue {
    let file = try #require(InterfaceDescription.file(name))
    return try JSONParser.parse(file.bytes, limits: JSONLimits(depth: 64, numberBytes: 64))
  }

  /// Every value in it, with the name it stands under.
  private func walk(_ value: JSONValue, _ name: String = "", _ visit: (String, JSONValue) -> Void) {
    visit(name, value)
    for member in value.object ?? JSONObject() { walk(member.value, member.key, visit) }
    for element in value.array ?? [] { walk(element, "", visit) }
  }

  private func strings(_ value: JSONValue?) -> Set<String> { Set((value?.array ?? []).compactMap(\.string)) }

  @Test(arguments: names) func everyReferenceLeadsSomewhere(_ name: String) throws {
    let document = try document(name)
    var references: Set<String> = []
    walk(document) { name, value in
      if name == "$ref", let text = value.string { references.insert(text) }
    }
    #expect(references.count > 20)
    for reference in references {
      #expect(JSONSchema.resolve(reference, in: document) != nil, "\(reference)")
    }
    // And nothing lies about that nobody refers to.
    for part in ["schemas", "responses", "parameters", "messages"] {
      for member in document["components"]?[part]?.object ?? JSONObject() {
        #expect(references.contains("#/components/\(part)/\(member.key)"), "\(part) \(member.key)")
      }
    }
  }

  /// The checker knows every keyword, and every pattern is one.
  @Test(arguments: names) func everySchemaCanBeChecked(_ name: String) throws {
    let document = try document(name)
    var patterns = 0
    walk(document) { name, value in
      guard name == "pattern", let text = value.string else { return }
      patterns += 1
      #expect((try? Regex(text)) != nil, "\(text)")
    }
    #expect(patterns > 5)
    let probe: JSONValue = ["": 0]
    for member in document["components"]?["schemas"]?.object ?? JSONObject() {
      for value in [probe, ["": []], [], 0, "", .null] {
        let faults = JSONSchema(document, schema: member.value).faults(value)
        #expect(
          !faults.contains { $0.contains("does not know") || $0.contains("no schema") }, "\(member.key)")
      }
    }
  }

  @Test func versions() throws {
    #expect(try document("openapi.json")["openapi"] == "3.1.0")
    #expect(try document("asyncapi.json")["asyncapi"] == "3.0.0")
    for name in Self.names {
      #expect(try document(name)["info"]?["version"]?.string == WalletPushServer.version)
    }
    #expect(InterfaceDescription.file("openapi") == nil)
  }

  @Test func everyOperationHasItsOwnName() throws {
    var names: [String] = []
    walk(try document("openapi.json")) { name, value in
      if name == "operationId", let text = value.string { names.append(text) }
    }
    #expect(names.count > 15 && Set(names).count == names.count)
  }

  // MARK: What the sources know

  private static let root =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

  private func sources(_ folder: String) throws -> String {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: "\(Self.root)/\(folder)")
    return try paths.filter { $0.hasSuffix(".swift") }.map {
      String(decoding: try SmallFile.read("\(Self.root)/\(folder)/\($0)", limit: 1 << 20), as: UTF8.self)
    }.joined(separator: "\n")
  }

  private func found(_ pattern: String, in text: String) throws -> Set<String> {
    Set(text.matches(of: try Regex(pattern)).compactMap { $0.output[1].substring.map(String.init) })
  }

  @Test func errorCodesOfFrames() throws {
    let described = strings(try document("asyncapi.json")["components"]?["schemas"]?["ErrorCode"]?["enum"])
    #expect(described == Set(Refusal.Code.allCases.map(\.rawValue)))
  }

  @Test func errorCodesOfHTTP() throws {
    let text = try sources("Sources/Server/HTTP")
    let used =
      try found(#"(?:error|temporary)\(\s*[0-9a-z.]+,\s*"([a-z_]+)""#, in: text)
      .union(try found(#""code":"([a-z_]+)""#, in: text))
    let described = strings(try document("openapi.json")["components"]?["schemas"]?["HTTPErrorCode"]?["enum"])
    #expect(described == used)
    #expect(used.count > 10)
  }

  @Test func closeCodes() throws {
    let own = try found(#"rawValue: (4[0-9]{3})\)"#, in: try sources("Sources/WebSocket"))
    let entries = try document("asyncapi.json")["channels"]?["ws"]?["x-close-codes"]?.array ?? []
    let described = entries.compactMap { $0["code"]?.int }
    #expect(own == Set(described.filter { $0 >= 4_000 }.map(String.init)))
    #expect(Set([1_001, 1_002, 1_003, 1_007, 1_008, 1_009]).isSubset(of: described))
    // As the clients come back.
    let ends = entries.filter { $0["return"]?.bool == false }.compactMap { $0["code"]?.int }
    #expect(ends == described.filter { (4_000...4_099).contains($0) })
    // The playground explains them too.
    let script = String(
      decoding: try SmallFile.read(
        Self.root + "/web-client-sample/playground/close-codes.js", limit: 1 << 20), as: UTF8.self)
    #expect(
      Set(described.map(String.init)).isSubset(of: try found(#"\[([0-9]{4}), (?:true|false)\]"#, in: script)))
  }

  @Test func opsAndTypes() throws {
    let document = try document("asyncapi.json")
    let messages = Set((document["components"]?["messages"]?.object ?? JSONObject()).map(\.key))
    let ops = try found(#"case "([a-z]+)": return \.success"#, in: try sources("Sources/Push"))
      .union(try found(#"case "([a-z]+)":\n"#, in: try sources("Sources/Push")))
    let texts =
      try sources("Sources/Push") + sources("Sources/Ledger") + sources("Sources/Refresh")
      + sources("Sources/Pricing")
    let types = try found(#"frame\("([a-z]+)"\)"#, in: texts)
      .union(try found(#"\{\\"type\\":\\"([a-z]+)"#, in: texts))
    #expect(ops.count == 8, "\(ops)")
    #expect(types.count == 13, "\(types)")
    #expect(messages == ops.union(types))
    let operations = Set((document["operations"]?.object ?? JSONObject()).map(\.key))
    #expect(operations == ops.union(["push"]))
    // Each is told from the others by its word.
    for name in ops { #expect(word(document, name, "op") == name) }
    for name in types { #expect(word(document, name, "type") == name) }
  }

  private func word(_ document: JSONValue, _ message: String, _ member: String) -> String? {
    let pointer = document["components"]?["messages"]?[message]?["payload"]?["$ref"]?.string ?? ""
    let schema = JSONSchema.resolve(pointer, in: document)
    let branch = schema?["oneOf"]?[0] ?? schema
    return branch?["properties"]?[member]?["const"]?.string
  }

  /// Every address that the router knows is described, and no other.
  @Test func routes() throws {
    let text = try sources("Sources/Server/HTTP")
    let known = try found(#"case "([a-z_.]+)"( where request\.segments|:\s)"#, in: text)
      .union(try found(#"rest\[1\] == "([a-z_]+)""#, in: text))
    let paths = (try document("openapi.json")["paths"]?.object ?? JSONObject()).map(\.key)
    let described = Set(paths.flatMap { $0.split(separator: "/").map(String.init) })
      .subtracting([
        "api", "v1", "{id}", "{address}", "monitor", "playground", "openapi.json", "asyncapi.json",
      ])
    #expect(known == described.union(["api"]))
  }
}
