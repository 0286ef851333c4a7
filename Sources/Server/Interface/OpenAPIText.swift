/// The parts of the OpenAPI document that are no schemas.
enum OpenAPIText {
  static let tags = #"""
    [{"name":"wallets"},{"name":"live","description":"Changes as they come."},{"name":"server"},
    {"name":"pages","description":"The web client, where its folder is found."}]
    """#

  static let components = #"""
    "securitySchemes":{"token":{"type":"http","scheme":"bearer","bearerFormat":"JWT",
      "description":"Where auth.keys is set. A wallet claim, where the token has one, bounds every call."}},
    "parameters":{
      "id":{"name":"id","in":"path","required":true,"schema":{"type":"string"},
        "description":"The number or the wallet key; a key registers the wallet on GET and POST."},
      "token":{"name":"address","in":"path","required":true,"schema":{"type":"string"},
        "description":"A contract, or native for the chain's own coin."}},
    "responses":{\#(responses)}
    """#

  private static let responses = (lasting + temporary).joined(separator: ",")

  private static let lasting = [
    ("BadRequest", "What was asked for cannot be understood."),
    ("Unauthorized", "An access token is missing, or is not right (RFC 6750)."),
    ("Forbidden", "The access token does not grant it, or the server is full."),
    ("NotFound", "There is no such wallet or token."),
    (
      "Failure",
      "A request that breaks a rule of HTTP or a limit, a method or a name that is not the server's."
    ),
  ].map { name, description in
    #""\#(name)":{"description":"\#(description)","content":{"application/json":{"schema":"#
      + ##"{"$ref":"#/components/schemas/Error"}}}}"##
  }

  private static let temporary = [
    ("TooMany", "Too many requests, or a refresh in its cool-down."),
    ("UpstreamDown", "The chain cannot be read now; what is held is kept."),
    ("Internal", "What was asked for could not be stored."),
  ].map { name, description in
    #""\#(name)":{"description":"\#(description)","headers":{"Retry-After":{"required":true,"#
      + #""description":"In whole seconds.","schema":{"type":"integer","minimum":1}}},"#
      + ##""content":{"application/json":{"schema":{"$ref":"#/components/schemas/TemporaryError"}}}}"##
  }

  /// A response with a body of this schema.
  static func json(_ schema: String, _ description: String) -> String {
    ##"{"description":"\##(description)","content":{"application/json":{"schema":"##
      + ##"{"$ref":"#/components/schemas/\##(schema)"}}}}"##
  }

  static func body(_ schema: String) -> String {
    ##""requestBody":{"required":true,"content":{"application/json":{"schema":"##
      + ##"{"$ref":"#/components/schemas/\##(schema)"}}}}"##
  }

  private static let names = [
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooMany",
    502: "UpstreamDown", 500: "Internal",
  ]

  /// `"401":{…},…,"default":{…}`: what is answered besides.
  static func errors(_ statuses: Int...) -> String {
    let specific = statuses.compactMap { status in
      names[status].map { ##""\##(status)":{"$ref":"#/components/responses/\##($0)"}"## }
    }
    return (specific + [##""default":{"$ref":"#/components/responses/Failure"}"##]).joined(separator: ",")
  }

  static let id = ##"{"$ref":"#/components/parameters/id"}"##
}
