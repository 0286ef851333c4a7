// What machines read to know the interface: OpenAPI 3.1 of the HTTP part, AsyncAPI 3 of the WebSocket part.
//
// The texts are in the program, so that no installation lacks them. Both are JSON Schema: what the two interfaces share
// (rows, data frames) is written once, in `SchemaText`. Objects are left open, because clients ignore members they do not
// know; the tests read them as closed, and so find what is sent and not described.

/// The descriptions that are served below `/api/v1`.
enum InterfaceDescription {
  /// By its name in the address.
  static func file(_ name: String) -> StaticFile? {
    switch name {
    case "openapi.json": openAPI
    case "asyncapi.json": asyncAPI
    default: nil
    }
  }

  static let openAPI = document(
    """
    {"openapi":"3.1.0",
    "info":\(info("the HTTP interface")),
    "servers":[{"url":"/","description":"The server that this description came from."}],
    "security":[{},{"token":[]}],
    "tags":\(OpenAPIText.tags),
    "paths":{\(OpenAPIText.walletPaths),\(OpenAPIText.serverPaths)},
    "components":{\(OpenAPIText.components),
    "schemas":{\(SchemaText.shared),\(SchemaText.http),\(SchemaText.figures)}}}
    """)

  static let asyncAPI = document(
    """
    {"asyncapi":"3.0.0",
    "info":\(info("the WebSocket interface, sub-protocol walletpush.v1")),
    "defaultContentType":"application/json",
    "servers":\(AsyncAPIText.servers),
    "channels":{"ws":\(AsyncAPIText.channel)},
    "operations":{\(AsyncAPIText.operations)},
    "components":{"securitySchemes":\(AsyncAPIText.securitySchemes),
    "messages":{\(AsyncAPIText.messages)},
    "schemas":{\(SchemaText.shared),\(SchemaText.replies),\(SchemaText.operations)}}}
    """)

  private static func info(_ what: String) -> String {
    """
    {"title":"WalletPush","version":"\(WalletPushServer.version)",
    "description":"A push server for EVM wallets: \(what). Money is text; what is not known is null, never zero. \
    Clients ignore members and types that they do not know."}
    """
  }

  private static func document(_ text: String) -> StaticFile {
    let bytes = Array(text.utf8)
    return StaticFile(
      bytes: bytes, contentType: "application/json; charset=utf-8", etag: "\"\(Digest.hex(bytes))\"")
  }
}
