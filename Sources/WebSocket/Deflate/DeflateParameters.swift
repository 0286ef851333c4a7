// Who compresses how, agreed in the handshake (RFC 7692 §5 and §7.1): the server takes the first offer it
// can keep, the client checks the answer against its offer.

/// What both ends agreed on.
public struct DeflateParameters: Hashable, Sendable {
  public static let extensionName = "permessage-deflate"
  /// The largest window, and the one in force where nothing is said (§7.1.2).
  public static let windowBitsMaximum = 15
  /// zlib compresses raw DEFLATE with windows of 9 bits and more: its compressor reads ahead by 262 bytes,
  /// which a window of 256 does not hold. (It inflates with 8.)
  public static let windowBitsMinimum = 9

  public var serverNoContextTakeover: Bool
  public var clientNoContextTakeover: Bool
  /// 8…15
  public var serverMaxWindowBits: Int
  /// 8…15
  public var clientMaxWindowBits: Int

  public init(
    serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false,
    serverMaxWindowBits: Int = windowBitsMaximum, clientMaxWindowBits: Int = windowBitsMaximum
  ) {
    self.serverNoContextTakeover = serverNoContextTakeover
    self.clientNoContextTakeover = clientNoContextTakeover
    self.serverMaxWindowBits = serverMaxWindowBits
    self.clientMaxWindowBits = clientMaxWindowBits
  }
}

/// An offer that a server accepts: what is in force, and the answer that says so.
public struct DeflateAgreement: Hashable, Sendable {
  public let parameters: DeflateParameters
  public let answer: ExtensionOffer
}

extension DeflateSettings {
  /// A server's choice: the first offer that can be kept (§5.1: they stand in order of preference); nil: none.
  public func accept(_ offers: [ExtensionOffer]) -> DeflateAgreement? {
    for offer in offers where offer.name == DeflateParameters.extensionName {
      // §7.1: what breaks a rule is declined, and so is what we can't do; the next may be right.
      guard let offer = try? DeflateOffer(offer), let agreement = accept(offer) else { continue }
      return agreement
    }
    return nil
  }

  private func accept(_ offer: DeflateOffer) -> DeflateAgreement? {
    let asked = offer.serverMaxWindowBits ?? DeflateParameters.windowBitsMaximum
    // We would have to compress with a window of 8 bits, and zlib can't.
    guard asked >= DeflateParameters.windowBitsMinimum else { return nil }
    var parameters = DeflateParameters()
    var answer = DeflateOffer(clientMaxWindowBits: .notOffered)
    // §7.1.1.1: asked for, it must be answered; unasked, the server may say it all the same.
    parameters.serverNoContextTakeover = offer.serverNoContextTakeover || !contextTakeover
    answer.serverNoContextTakeover = parameters.serverNoContextTakeover
    // §7.1.1.2: a hint in the offer; answered, it binds the client.
    parameters.clientNoContextTakeover = offer.clientNoContextTakeover || !contextTakeover
    answer.clientNoContextTakeover = parameters.clientNoContextTakeover
    // §7.1.2.1: asked for, it must be answered with the same or a smaller one. Unasked, a smaller window
    // needs no word: what it refers to lies in the larger one too.
    parameters.serverMaxWindowBits = min(asked, windowBits)
    if offer.serverMaxWindowBits != nil { answer.serverMaxWindowBits = parameters.serverMaxWindowBits }
    // §7.1.2.2: only where it was offered. It saves nothing where the window is forgotten anyway.
    if !parameters.clientNoContextTakeover, let offered = offer.clientMaxWindowBits.most {
      parameters.clientMaxWindowBits = min(offered, windowBits)
      answer.clientMaxWindowBits = .bits(parameters.clientMaxWindowBits)
    }
    return DeflateAgreement(parameters: parameters, answer: answer.extensionOffer)
  }
}

extension DeflateOffer.ClientWindow {
  /// The largest window the client would use; nil: it can't be told.
  var most: Int? {
    switch self {
    case .notOffered: nil
    case .any: DeflateParameters.windowBitsMaximum
    case .bits(let bits): bits
    }
  }
}

extension DeflateOffer {
  /// What a server's answer to this offer agrees to; nil: it chose no compression.
  ///
  /// - Parameter accepted: the extensions of the answer, all of them.
  /// - Throws: the connection is to be failed (§7.1).
  public func agreed(_ accepted: [ExtensionOffer]) throws(DeflateParameterError) -> DeflateParameters? {
    let answers = accepted.filter { $0.name == DeflateParameters.extensionName }
    guard let first = answers.first else { return nil }
    if answers.count > 1 { throw .acceptedTwice }
    let answer = try DeflateOffer(first)
    var parameters = DeflateParameters()
    // §7.1.1.1: a server that takes the offer repeats it.
    if serverNoContextTakeover, !answer.serverNoContextTakeover {
      throw .notAnswered(Name.serverNoContextTakeover)
    }
    parameters.serverNoContextTakeover = answer.serverNoContextTakeover
    parameters.clientNoContextTakeover = clientNoContextTakeover || answer.clientNoContextTakeover
    if let asked = serverMaxWindowBits {
      // §7.1.2.1: "the same or smaller value"
      guard let bits = answer.serverMaxWindowBits else { throw .notAnswered(Name.serverMaxWindowBits) }
      if bits > asked { throw .windowTooLarge(Name.serverMaxWindowBits, bits) }
    }
    parameters.serverMaxWindowBits = answer.serverMaxWindowBits ?? DeflateParameters.windowBitsMaximum
    parameters.clientMaxWindowBits = try clientWindow(answer)
    return parameters
  }

  private func clientWindow(_ answer: DeflateOffer) throws(DeflateParameterError) -> Int {
    switch answer.clientMaxWindowBits {
    // Even then we keep to what we said.
    case .notOffered: return clientMaxWindowBits.most ?? DeflateParameters.windowBitsMaximum
    // §7.1.2.2: in an answer it has a value.
    case .any: throw .valueMissing(Name.clientMaxWindowBits)
    case .bits(let bits):
      guard let most = clientMaxWindowBits.most else { throw .notOffered(Name.clientMaxWindowBits) }
      if bits > most { throw .windowTooLarge(Name.clientMaxWindowBits, bits) }
      return bits
    }
  }
}
