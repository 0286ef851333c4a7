// The parameters of permessage-deflate as they stand in a header (RFC 7692 §7.1), parsed strictly: whatever
// is not right declines an offer, and fails a connection when it stands in an answer.

/// What is wrong with the parameters of a permessage-deflate offer or answer.
public enum DeflateParameterError: Error, Hashable, Sendable {
  /// A parameter that RFC 7692 does not define.
  case unknown(String)
  case duplicate(String)
  /// `server_max_window_bits` without its value, or `client_max_window_bits` in an answer.
  case valueMissing(String)
  /// A value behind one of the two that stand alone.
  case valueNotAllowed(String)
  /// Not a decimal number from 8 to 15 without leading zeros.
  case valueInvalid(String, String)

  // Answers only

  /// The server limits our window, and we did not say that we can do that (§7.1.2.2).
  case notOffered(String)
  /// The server passed over what we asked of it.
  case notAnswered(String)
  /// A larger window than the one we asked for.
  case windowTooLarge(String, Int)
  /// More than one permessage-deflate in the answer.
  case acceptedTwice

  /// What was wrong, for people.
  public var reason: String {
    switch self {
    case .unknown(let name): "permessage-deflate has no parameter \(name)"
    case .duplicate(let name): "\(name) stands twice in permessage-deflate"
    case .valueMissing(let name): "\(name) needs a value from 8 to 15"
    case .valueNotAllowed(let name): "\(name) takes no value"
    case .valueInvalid(let name, let value):
      "\(name) must be from 8 to 15 without leading zeros, not \(value)"
    case .notOffered(let name): "the server answered \(name), which was not offered"
    case .notAnswered(let name): "the server accepted \(name) without repeating it"
    case .windowTooLarge(let name, let bits): "the server answered \(name)=\(bits), larger than offered"
    case .acceptedTwice: "the server accepted permessage-deflate twice"
    }
  }
}

/// The parameters of one permessage-deflate offer, or of an answer, found to be right (RFC 7692 §7.1).
public struct DeflateOffer: Hashable, Sendable {
  /// What is said about the client's window (§7.1.2.2).
  public enum ClientWindow: Hashable, Sendable {
    /// Nothing: the client can't be told to use a smaller one.
    case notOffered
    /// `client_max_window_bits` alone: the server may choose. Only in an offer.
    case any
    /// At most so many bits.
    case bits(Int)
  }

  /// The server is asked to forget its window after each message (§7.1.1.1).
  public var serverNoContextTakeover: Bool
  /// The client forgets its window after each message, or is asked to (§7.1.1.2).
  public var clientNoContextTakeover: Bool
  /// The server's window, in bits; nil: as it likes (§7.1.2.1).
  public var serverMaxWindowBits: Int?
  public var clientMaxWindowBits: ClientWindow

  public init(
    serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false,
    serverMaxWindowBits: Int? = nil, clientMaxWindowBits: ClientWindow = .any
  ) {
    self.serverNoContextTakeover = serverNoContextTakeover
    self.clientNoContextTakeover = clientNoContextTakeover
    self.serverMaxWindowBits = serverMaxWindowBits
    self.clientMaxWindowBits = clientMaxWindowBits
  }

  enum Name {
    static let serverNoContextTakeover = "server_no_context_takeover"
    static let clientNoContextTakeover = "client_no_context_takeover"
    static let serverMaxWindowBits = "server_max_window_bits"
    static let clientMaxWindowBits = "client_max_window_bits"
  }

  /// Parses an offer. A quoted value is its content: RFC 6455 §9.1 allows both forms.
  public init(_ offer: ExtensionOffer) throws(DeflateParameterError) {
    self.init(clientMaxWindowBits: .notOffered)
    var seen: Set<String> = []
    for parameter in offer.parameters {
      let name = parameter.name
      // §7.1: "The negotiation offer contains multiple extension parameters with the same name."
      guard seen.insert(name).inserted else { throw .duplicate(name) }
      switch name {
      case Name.serverNoContextTakeover:
        if parameter.value != nil { throw .valueNotAllowed(name) }
        serverNoContextTakeover = true
      case Name.clientNoContextTakeover:
        if parameter.value != nil { throw .valueNotAllowed(name) }
        clientNoContextTakeover = true
      case Name.serverMaxWindowBits:
        guard let value = parameter.value else { throw .valueMissing(name) }
        serverMaxWindowBits = try Self.windowBits(value, name)
      case Name.clientMaxWindowBits:
        // §7.1.2.2: alone it says that the client can be told to use a smaller window.
        clientMaxWindowBits =
          try parameter.value.map { (value) throws(DeflateParameterError) in
            .bits(try Self.windowBits(value, name))
          } ?? .any
      default: throw .unknown(name)
      }
    }
  }

  /// §7.1.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
  private static func windowBits(_ text: String, _ name: String) throws(DeflateParameterError) -> Int {
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), text.utf8.first != 0x30,
      let bits = Int(text), (8...15).contains(bits)
    else { throw .valueInvalid(name, text) }
    return bits
  }

  /// As it stands in a header.
  public var extensionOffer: ExtensionOffer {
    var parameters: [ExtensionOffer.Parameter] = []
    if serverNoContextTakeover { parameters.append(.init(name: Name.serverNoContextTakeover)) }
    if clientNoContextTakeover { parameters.append(.init(name: Name.clientNoContextTakeover)) }
    if let serverMaxWindowBits {
      parameters.append(.init(name: Name.serverMaxWindowBits, value: String(serverMaxWindowBits)))
    }
    switch clientMaxWindowBits {
    case .notOffered: break
    case .any: parameters.append(.init(name: Name.clientMaxWindowBits))
    case .bits(let bits): parameters.append(.init(name: Name.clientMaxWindowBits, value: String(bits)))
    }
    return ExtensionOffer(name: DeflateParameters.extensionName, parameters: parameters)
  }
}
